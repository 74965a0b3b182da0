"""The `type` of every error leads to a page of ours, which says what docs/http.md says."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import httpx
import pytest

from app.errors import Refusal
from app.web.problem_types import TYPES
from app.web.problems import CODES
from tests.web.problem import assert_problem

HTTP = (Path(__file__).resolve().parents[2] / "docs" / "http.md").read_text()
ROW = re.compile(r"^\| `([a-z_]+)` \| (\d{3}(?: or \d{3})?) \| (.*) \|$", re.MULTILINE)


def refusals(kind: type[Refusal] = Refusal) -> set[tuple[str, int]]:
    return {(kind.code, kind.status)}.union(*(refusals(below) for below in kind.__subclasses__()))


def test_the_pages_say_what_the_documentation_says() -> None:
    table = HTTP.partition("\n## Errors\n")[2].partition("\n## ")[0]
    written = {
        code: (statuses, re.sub(r"\[(.*?)\]\(.*?\)", r"\1", told)) for code, statuses, told in ROW.findall(table)
    }
    assert written == TYPES


def test_every_code_has_a_page_and_its_status_is_there() -> None:
    for code, status in refusals() | {(code, status) for status, code in CODES.items() if code != "forbidden"}:
        assert str(status) in TYPES[code][0], code


@pytest.mark.parametrize("code", TYPES)
async def test_a_page_names_the_code_and_what_to_do(client: httpx.AsyncClient, code: str) -> None:
    answer = await client.get(f"/problems/{code}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    text = " ".join(unescape(re.sub(r"<[^>]+>", "", answer.text)).split())
    statuses, remedy = TYPES[code]
    assert f"{code} · HTTP {statuses}" in text
    assert remedy.replace("`", "")[1:] + "." in text
    assert "`" not in text


async def test_the_type_of_an_error_can_be_opened(client: httpx.AsyncClient) -> None:
    body = assert_problem(await client.post("/v1/leads", json={"site": "main", "phone": "1"}), 422, "invalid")
    assert body["type"].startswith(str(client.base_url))
    page = await client.get(body["type"])
    assert (page.status_code, "Some fields need another look" in page.text) == (200, True)


@pytest.mark.parametrize("code", ["nothing", "..%2flivez", "INVALID", "%00", "error"])
async def test_what_is_no_code_of_ours_is_not_found(client: httpx.AsyncClient, code: str) -> None:
    assert_problem(await client.get(f"/problems/{code}"), 404, "not_found")
