"""The door of the console: who has the token is let in for a time, from its own pages alone, and nobody else."""

from __future__ import annotations

from http.cookies import SimpleCookie
from pathlib import Path

import httpx
import pytest

from app.demo import demo_settings
from app.settings import MIN_TOKEN
from tests.console.visiting import ADMIN_TOKEN, MAP, OURS, assert_console, hand_in, shown, sign_in
from tests.web.conftest import Start
from tests.web.hooking import HOOKED
from tests.web.problem import assert_problem, assert_retry_after
from tests.web.service import Service

HOUR = 3_600_000
ELSEWHERE = ("cross-site", "same-site", "sideways")


def cookie(response: httpx.Response) -> dict[str, str]:
    """The attributes of the cookie, its value under `value`."""
    (one,) = SimpleCookie(response.headers["set-cookie"]).values()
    return {"name": one.key, "value": one.value} | {name: str(value) for name, value in one.items() if value}


async def test_the_right_token_opens_and_the_cookie_goes_nowhere_else(stranger: httpx.AsyncClient) -> None:
    page = assert_console(await stranger.get("/console"))
    assert page.one("form") == {"action": "/console/sign-in", "method": "post", "accept-charset": "utf-8"}
    answer = await sign_in(stranger)
    assert (answer.status_code, answer.headers["location"]) == (303, "/console")
    assert answer.headers["cache-control"] == "no-store"
    given = cookie(answer)
    assert given["name"] == "leadring_console"
    assert given["httponly"] == "True"
    assert given["samesite"].lower() == "strict"
    assert given["path"] == "/console"
    assert int(given["max-age"]) == 12 * 3600
    assert "secure" not in given, "the test's address is plain http"
    assert ADMIN_TOKEN not in given["value"]
    home = assert_console(await stranger.get("/console"))
    assert MAP in home.links
    assert home.one("a", **{"aria-current": "page"})["href"] == "/console"
    assert home.one("form")["action"] == "/console/sign-out"


async def test_the_cookie_is_for_https_alone_where_the_public_address_is(start: Start) -> None:
    changes = {"admin_token": ADMIN_TOKEN, "public_url": "https://leads.example.com"}
    async with start(toml=HOOKED, **changes) as service, service.client() as client:
        answer = await sign_in(client)
    assert cookie(answer)["secure"] == "True"


@pytest.mark.parametrize("token", ["", "x", ADMIN_TOKEN[:-1], ADMIN_TOKEN + "x", "תו", "\udcff"])
async def test_another_token_is_told_so_and_opens_nothing(stranger: httpx.AsyncClient, token: str) -> None:
    answer = await sign_in(stranger, token.encode("utf-8", "surrogateescape").decode("latin-1"))
    page = assert_console(answer, 401)
    assert "This is not the admin token." in shown(answer)
    assert page.one("input", name="token")["aria-invalid"] == "true"
    assert "value" not in page.one("input", name="token")
    assert "set-cookie" not in answer.headers
    assert "Sign out" not in shown(await stranger.get("/console"))
    assert (await stranger.get("/console/sign-in")).headers["location"] == "/console", "to reload is to begin again"


@pytest.mark.parametrize("path", [MAP])
async def test_every_page_asks_first_and_goes_on_to_itself(stranger: httpx.AsyncClient, path: str) -> None:
    page = assert_console(await stranger.get(path), 401)
    assert page.values["then"] == path
    assert_console(await stranger.post(path), 401)
    answer = await sign_in(stranger, then=path)
    assert answer.headers["location"] == path
    assert_console(await stranger.get(path))


@pytest.mark.parametrize("then", ["https://evil.example", "//evil.example", "/f/main", "/console/nowhere", ""])
async def test_after_signing_in_nobody_is_led_elsewhere(stranger: httpx.AsyncClient, then: str) -> None:
    wrong = await sign_in(stranger, "x", then=then)
    assert "evil" not in wrong.text
    assert (await sign_in(stranger, then=then)).headers["location"] == "/console"


async def test_a_session_ends_by_itself_after_twelve_hours(service: Service, client: httpx.AsyncClient) -> None:
    begun = service.clock.now()
    service.clock.set_wall(begun + 12 * HOUR - 1)
    assert_console(await client.get(MAP))
    service.clock.set_wall(begun + 12 * HOUR)
    assert_console(await client.get(MAP), 401)


async def test_another_admin_token_or_another_secret_ends_it(
    service: Service, client: httpx.AsyncClient, start: Start
) -> None:
    word = client.cookies["leadring_console"]
    key = "another-secret-key-of-at-least-32-characters"
    for changes in ({"admin_token": "another-admin-token-of-mine"}, {"admin_token": ADMIN_TOKEN, "secret_key": key}):
        async with start(toml=HOOKED, clock=service.clock, **changes) as other, other.client() as visitor:
            visitor.headers.update(OURS | {"cookie": f"leadring_console={word}"})
            assert_console(await visitor.get(MAP), 401)
    assert_console(await client.get(MAP))


async def test_a_word_that_was_changed_or_made_up_opens_nothing(service: Service, client: httpx.AsyncClient) -> None:
    word = client.cookies["leadring_console"]
    ends, seal = word.split(".")
    made_up = (
        f"{int(ends) + 1}.{seal}",
        f"{ends}.",
        f"{ends}.{seal}x",
        f".{seal}",
        "",
        "x",
        f"{'9' * 400}.{seal}",
        "²³.x",
    )
    for one in made_up:
        async with service.client() as visitor:
            visitor.headers.update(OURS)
            answer = await visitor.get(MAP, headers={b"cookie": f"leadring_console={one}".encode()})
            assert_console(answer, 401)


async def test_who_signs_out_is_out(client: httpx.AsyncClient) -> None:
    answer = await client.post("/console/sign-out")
    assert (answer.status_code, answer.headers["location"]) == (303, "/console")
    assert "leadring_console" not in client.cookies
    assert_console(await client.get(MAP), 401)


async def test_who_tries_too_often_is_slowed_down_even_with_the_right_token(start: Start) -> None:
    """The answer past the limit is the same for every token: trying on teaches nothing."""
    toml = HOOKED.replace('per_client = "100000/minute"', 'per_client = "3/minute"')
    async with start(toml=toml, admin_token=ADMIN_TOKEN) as service, service.client() as client:
        client.headers.update(OURS)
        for _ in range(3):
            assert_console(await sign_in(client, "x"), 401)
        for token in ("x", ADMIN_TOKEN):
            answer = await sign_in(client, token)
            assert_console(answer, 429)
            assert_retry_after(answer)
            assert "set-cookie" not in answer.headers
        async with service.client("203.0.113.77") as other:
            assert (await sign_in(other)).status_code == 303


async def test_while_no_admin_token_is_set_there_is_no_console(start: Start) -> None:
    """Every address and method below it is as unknown as any other."""
    for unset in ({}, {"admin_token": ""}):
        async with start(**unset) as service, service.client() as client:
            for path in ("/console", MAP, "/console/sign-in", "/console/sign-out", "/console/nowhere"):
                for method in ("GET", "POST", "PUT", "DELETE"):
                    assert_problem(await client.request(method, path, headers=OURS), 404, "not_found")


@pytest.mark.parametrize("path", ["/console/sign-in", "/console/sign-out", MAP])
async def test_a_form_on_another_page_is_refused(client: httpx.AsyncClient, path: str) -> None:
    """Whatever its cookies: by what the browser says of the page, or of its origin where it says no more."""
    data = {"token": ADMIN_TOKEN}
    for site in ELSEWHERE:
        answer = await client.post(path, data=data, headers={"sec-fetch-site": site})
        assert_console(answer, 403)
        assert "set-cookie" not in answer.headers
    del client.headers["sec-fetch-site"]
    for origin in ("https://evil.example", "null", "http://leadring.test.evil.example", "https://leadring.test"):
        answer = await client.post(path, data=data, headers={"origin": origin})
        assert_console(answer, 403)
        assert "set-cookie" not in answer.headers
    assert_console(await client.get(MAP))


async def test_the_console_opens_under_the_address_it_is_reached_by(start: Start) -> None:
    """Behind its public address as well as on the machine itself."""
    async with start(toml=HOOKED, admin_token=ADMIN_TOKEN, public_url="http://leads.example.com") as service:
        for origin in ("http://leads.example.com", "http://leadring.test"):
            async with service.client() as client:
                answer = await client.post("/console/sign-in", data={"token": ADMIN_TOKEN}, headers={"origin": origin})
                assert answer.status_code == 303, origin


def test_the_demo_makes_a_token_of_its_own_at_each_start(tmp_path: Path) -> None:
    made = [demo_settings(tmp_path / "demo.db", "127.0.0.1", 8000).admin_token for _ in "12"]
    first, second = (token.get_secret_value() for token in made if token is not None)
    assert first != second
    assert len(first) >= MIN_TOKEN


async def test_when_the_database_is_away_a_page_says_so(service: Service, client: httpx.AsyncClient) -> None:
    engine = service.desk.store.engine  # type: ignore[attr-defined]
    await engine.close()
    answer = await client.get(MAP)
    assert_console(answer, 503)
    assert_retry_after(answer)


async def test_a_body_that_is_no_form_is_refused_on_a_page(client: httpx.AsyncClient) -> None:
    assert_console(await client.post("/console/sign-in", content=b"\xff", headers={"content-type": "image/png"}), 415)
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        assert_console(await client.post(MAP, content=b"payload=x", headers={"content-type": kind}), 415)
    for kind in ("multipart/form-data", "multipart/form-data; boundary=x"):
        assert_console(await client.post(MAP, content=b"payload=x", headers={"content-type": kind}), 400)
    assert_console(await hand_in(client, "phone=054-2345678"))
