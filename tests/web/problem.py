"""What every error of the service looks like: one shape, held by one function."""

from __future__ import annotations

import re
from typing import Any

import httpx

MEMBERS = ["type", "title", "status", "detail", "code", "request_id"]
REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")


def assert_problem(response: httpx.Response, status: int, code: str, *never: str) -> dict[str, Any]:
    """The answer is this problem in the one shape, and none of `never`, which were sent, is in it. Its body."""
    assert response.status_code == status, (response.status_code, response.text)
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    body: dict[str, Any] = response.json()
    assert body["code"] == code, body
    assert body["status"] == status
    assert body["type"].endswith(f"/problems/{code}")
    assert body["title"]
    assert body["detail"]
    assert body["request_id"] == response.headers["x-request-id"]
    assert REQUEST_ID.fullmatch(body["request_id"])
    assert response.headers["x-content-type-options"] == "nosniff"
    if status == 422:
        assert list(body) == [*MEMBERS, "errors"]
        for error in body["errors"]:
            assert list(error) == ["field", "code", "message"]
            assert all(isinstance(value, str) and value for value in error.values()), error
    else:
        assert list(body) == MEMBERS
    if status in (429, 503) or code == "in_flight":
        assert_retry_after(response)
    for word in never:
        assert word not in response.text, f"the answer repeats what was sent: {word!r}"
    return body


def assert_retry_after(response: httpx.Response) -> int:
    """Retry-After is whole seconds, at least one, given once. The seconds."""
    given = response.headers.get_list("retry-after")
    assert len(given) == 1, given
    assert re.fullmatch(r"[1-9][0-9]*", given[0]), given
    return int(given[0])


def field_errors(body: dict[str, Any]) -> dict[str, str]:
    """Field to code of a 422."""
    return {error["field"]: error["code"] for error in body["errors"]}
