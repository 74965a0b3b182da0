"""Browsers: only listed origins get in, and they can read what they are told, good or bad."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.web.conftest import Start
from tests.web.problem import assert_problem
from tests.web.service import EVIL, GOOD, OTHER, Service

LEAD = {"site": "main", "phone": "0542345678"}


def asked(origin: str, method: str = "POST", headers: str = "content-type") -> dict[str, str]:
    return {"origin": origin, "access-control-request-method": method, "access-control-request-headers": headers}


def varies_by_origin(response: httpx.Response) -> bool:
    return "origin" in [name.strip().lower() for name in response.headers.get("vary", "").split(",")]


@pytest.mark.parametrize(
    "origin",
    [
        EVIL,
        OTHER,  # of another site
        "null",
        "",
        "http://www.example.com",
        "https://www.example.com:444",
        "https://www.example.com.evil.example",
        "https://example.com",
        "https://www.example.com/",
        "https://www.example.com\u00ff".encode().decode("latin-1"),
        "x" * 4000,
    ],
)
async def test_an_origin_that_is_not_listed_stores_nothing(
    service: Service, client: httpx.AsyncClient, origin: str
) -> None:
    """Checked here and not only told to browsers: 403 without CORS headers, and no lead."""
    headers = {b"origin": origin.encode("latin-1")}
    response = await client.post("/v1/leads", json=LEAD, headers=headers)
    assert_problem(response, 403, "origin_not_allowed", "evil.example", "xxxx")
    if origin != OTHER:
        assert "access-control-allow-origin" not in response.headers
    assert varies_by_origin(response)
    assert await service.rows("SELECT id FROM leads") == []


async def test_a_listed_origin_a_missing_one_and_our_own_are_let_in(client: httpx.AsyncClient) -> None:
    """No Origin is a server or a script, which could forge it anyway; ours is the demo page."""
    for number, origin in enumerate((GOOD, None, "http://leadring.test")):
        headers = {} if origin is None else {"origin": origin}
        response = await client.post("/v1/leads", json=LEAD | {"phone": f"054234567{number}"}, headers=headers)
        assert response.status_code == 202, origin
        if origin == GOOD:
            assert response.headers["access-control-allow-origin"] == GOOD


@pytest.mark.parametrize("public", ["https://call.example.net", "https://www.example.net/leadring"])
async def test_with_a_public_url_its_origin_is_ours(start: Start, public: str) -> None:
    async with start(public_url=public) as service, service.client() as client:
        own = "/".join(public.split("/")[:3])
        response = await client.post("/v1/leads", json=LEAD, headers={"origin": own})
        assert response.status_code == 202, response.text
        response = await client.post("/v1/leads", json=LEAD, headers={"origin": "http://leadring.test"})
        assert_problem(response, 403, "origin_not_allowed")


async def test_problem_types_are_below_the_public_url(start: Start) -> None:
    async with start(public_url="https://call.example.net") as service, service.client() as client:
        body = assert_problem(await client.get("/nowhere"), 404, "not_found")
        assert body["type"] == "https://call.example.net/problems/not_found"


NO_OPEN_SITE = """
[[sites]]
key = "main"
name = "Example Ltd"
origins = ["https://www.example.com"]
[[sites]]
key = "hebrew"
name = "Other"
origins = ["https://other.example.org"]
[[agents]]
id = "dana"
name = "Dana Levi"
extension = "SIPdana1"
"""


async def test_a_site_without_origins_takes_everybody(start: Start) -> None:
    """And only that one: the others keep their lists."""
    toml = NO_OPEN_SITE.replace('origins = ["https://other.example.org"]', "")
    async with start(toml=toml) as service, service.client() as client:
        for number, origin in enumerate((EVIL, "null")):
            lead = {"site": "hebrew", "phone": f"054234567{number}"}
            response = await client.post("/v1/leads", json=lead, headers={"origin": origin})
            assert response.status_code == 202
            assert response.headers["access-control-allow-origin"] == origin
            refused = await client.post("/v1/leads", json=lead | {"site": "main"}, headers={"origin": origin})
            assert_problem(refused, 403, "origin_not_allowed")


@pytest.mark.parametrize("path", ["/v1/leads", "/v1/leads/some-id", "/v1/sites/main", "/f/main"])
async def test_a_preflight_allows_listed_origins_only(start: Start, path: str) -> None:
    async with start(toml=NO_OPEN_SITE) as service, service.client() as client:
        for method in ("POST", "GET", "DELETE", "PATCH"):
            response = await client.options(path, headers=asked(GOOD, method, "content-type,idempotency-key"))
            assert response.status_code in (200, 204)
            assert response.headers["access-control-allow-origin"] == GOOD
            assert method in response.headers["access-control-allow-methods"]
            allowed = response.headers["access-control-allow-headers"].lower()
            assert {"content-type", "idempotency-key"} <= {name.strip() for name in allowed.split(",")}
            assert int(response.headers["access-control-max-age"]) > 0
            assert "access-control-allow-credentials" not in response.headers
            assert varies_by_origin(response)
        for origin in (EVIL, "null", "https://www.example.com.evil.example"):
            response = await client.options(path, headers=asked(origin))
            assert response.status_code == 403
            assert "access-control-allow-origin" not in response.headers
            assert varies_by_origin(response)


@pytest.mark.parametrize("path", ["/v1/sites/main", "/f/main"])
async def test_where_the_path_names_a_site_only_its_origins_count(start: Start, path: str) -> None:
    """What one site may do says nothing about another."""
    async with start(toml=NO_OPEN_SITE) as service, service.client() as client:
        response = await client.options(path, headers=asked(OTHER))
        assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize("path", ["/livez", "/metrics", "/v1/voicenter/cdr/x", "/docs", "/openapi.json", "/static/x"])
async def test_other_paths_have_no_cors(client: httpx.AsyncClient, path: str) -> None:
    assert "access-control-allow-origin" not in (await client.options(path, headers=asked(GOOD))).headers
    assert "access-control-allow-origin" not in (await client.get(path, headers={"origin": GOOD})).headers


def failures() -> dict[str, tuple[dict[str, Any], int]]:
    json = {"content-type": "application/json"}
    return {
        "malformed": ({"content": b"{", "headers": json}, 400),
        "unknown_site": ({"json": {"site": "x", "phone": "1"}}, 404),
        "too_large": ({"content": b"x" * 20_000, "headers": json}, 413),
        "unsupported_media_type": ({"content": b"x", "headers": {"content-type": "text/html"}}, 415),
        "invalid": ({"json": {"site": "main", "phone": "1"}}, 422),
    }


@pytest.mark.parametrize("code", failures())
async def test_a_listed_origin_can_read_its_errors(client: httpx.AsyncClient, code: str) -> None:
    """Without the header the widget would see a network failure instead of the sentence that helps."""
    request, status = failures()[code]
    request = request | {"headers": {**request.get("headers", {}), "origin": GOOD}}
    response = await client.post("/v1/leads", **request)
    assert_problem(response, status, code)
    assert response.headers["access-control-allow-origin"] == GOOD
    assert varies_by_origin(response)
    assert {"retry-after", "x-request-id"} <= {
        name.strip().lower() for name in response.headers["access-control-expose-headers"].split(",")
    }


@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/sites/main"), ("GET", "/v1/sites/x"), ("POST", "/v1/leads")])
async def test_answers_vary_by_origin_even_without_one(client: httpx.AsyncClient, method: str, path: str) -> None:
    """Or a cache would hand the answer without CORS headers to a page that needs them."""
    assert varies_by_origin(await client.request(method, path))


async def test_an_unexpected_failure_is_a_problem_that_the_page_can_read(service: Service) -> None:
    """A bug of ours: 500 in the one shape, with the request id that the log has, nothing of the cause in it."""

    class Broken:
        """An intake with a bug."""

        async def submit(self, _: Any) -> Any:
            raise RuntimeError("canary-of-the-cause 0542345678")

    service.desk.intake = Broken()  # type: ignore[assignment]
    async with service.client(raises=False) as client:
        response = await client.post("/v1/leads", json=LEAD, headers={"origin": GOOD, "x-request-id": "mine-1"})
        body = assert_problem(response, 500, "internal", "canary", "0542345678", "RuntimeError")
        assert body["request_id"] == "mine-1"
        assert response.headers["access-control-allow-origin"] == GOOD


async def test_request_ids_are_taken_when_sane_and_made_otherwise(client: httpx.AsyncClient) -> None:
    for given in ("abc-123", "A.b_c:9", "x" * 64):
        response = await client.get("/livez", headers={"x-request-id": given})
        assert response.headers.get_list("x-request-id") == [given]
    seen = set()
    for given in ("", " ", "x" * 65, "a b", "a\tb", "<script>", "ñ", '"', "a,b", "${jndi}"):
        response = await client.get("/livez", headers={b"x-request-id": given.encode("latin-1")})
        (made,) = response.headers.get_list("x-request-id")
        assert len(made) == 32
        seen.add(made)
    assert len(seen) == 10


async def test_unknown_paths_and_methods_are_problems(client: httpx.AsyncClient) -> None:
    for path in ("/nowhere-canary", "/v1", "/v1/leads/a/b/c", "/v1/sites", "/f", "/f/a/b", "/console-canary", "/%00",
                 "/..%2f..%2fetc/passwd", "/v2/leads", "/V1/LEADS", "/v1/admin/none"):  # fmt: skip
        assert_problem(await client.get(path), 404, "not_found", "canary", "passwd", "evil")
    for method, path, allowed in (
        ("GET", "/v1/leads", "POST"),
        ("PUT", "/v1/leads", "POST"),
        ("POST", "/livez", "GET"),
        ("PUT", "/f/main", "POST"),
        ("GET", "/v1/voicenter/cdr/x", "POST"),
        ("POST", "/v1/sites/main", "GET"),
        ("POST", "/widget/v1.js", "GET"),
        ("BREW", "/metrics", "GET"),
    ):
        response = await client.request(method, path)
        assert_problem(response, 405, "method_not_allowed")
        assert allowed in response.headers["allow"]
