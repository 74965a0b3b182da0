"""The rate limit counts exactly, counts before parsing, counts the right client, and never takes the service down."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx
import pytest

from app.web.limits import CROWD_FROM, client_address
from tests.servers import RedisServer
from tests.web.conftest import Start
from tests.web.problem import assert_problem, assert_retry_after
from tests.web.service import DEADLINE, DIRECTORY, GOOD

LIMIT = 20
# Hours rather than minutes: a run that crosses the edge of a window would weigh two of them.
LIMITED = DIRECTORY.replace("100000/minute", f"{LIMIT}/hour")
ONCE = DIRECTORY.replace("100000/minute", "1/hour")
LEAD = {"site": "nobody", "phone": "0542345678"}
JSON = {"content-type": "application/json"}


async def limited(client: httpx.AsyncClient, **headers: Any) -> bool:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    response = await client.post("/v1/leads", content=b"{", headers=JSON | named)
    assert response.status_code in (400, 429)
    return response.status_code == 429


@pytest.mark.parametrize("body", [b'{"site": "nobody", "phone": "0542345678"}', b"{nonsense", b""])
async def test_exactly_n_of_300_get_through(start: Start, body: bytes) -> None:
    """Valid or malformed, one after the other or at once: the first N are looked at, all others are 429."""
    async with start(toml=LIMITED) as service, service.client() as client:
        responses = [await client.post("/v1/leads", content=body, headers=JSON) for _ in range(100)]
        responses += await asyncio.gather(*(client.post("/v1/leads", content=body, headers=JSON) for _ in range(200)))
        refused = [response for response in responses if response.status_code == 429]
        assert len(responses) - len(refused) == LIMIT
        assert [response.status_code == 429 for response in responses[:100]] == [False] * LIMIT + [True] * (100 - LIMIT)
        assert all(response.status_code < 500 for response in responses)
        assert_problem(refused[0], 429, "rate_limited", "0542345678")
        assert assert_retry_after(refused[0]) <= 3600
        metrics = service.desk.metrics.render().decode()
        assert f"leadring_rate_limited_total {300.0 - LIMIT}" in metrics


async def test_a_refused_page_can_read_when_to_come_back(start: Start) -> None:
    async with start(toml=ONCE) as service, service.client() as client:
        await client.post("/v1/leads", json=LEAD, headers={"origin": GOOD})
        response = await client.post("/v1/leads", json=LEAD, headers={"origin": GOOD, "accept-language": "he-IL"})
        body = assert_problem(response, 429, "rate_limited")
        assert response.headers["access-control-allow-origin"] == GOOD
        assert any("א" <= letter <= "ת" for letter in body["detail"])


async def test_good_answers_carry_no_limit_headers_and_other_routes_no_limit(start: Start) -> None:
    async with start(toml=ONCE) as service, service.client() as client:
        first = await client.post("/v1/leads", json=LEAD)
        assert first.status_code == 202
        assert not [name for name in first.headers if "ratelimit" in name or name == "retry-after"]
        assert (await client.post("/v1/leads", json=LEAD)).status_code == 429
        for _ in range(5):
            for path in ("/livez", "/v1/sites/main", first.json()["status_url"], "/widget/v1.js", "/metrics"):
                assert (await client.get(path)).status_code == 200
        assert (await client.options("/v1/leads")).status_code == 405


async def test_all_doors_for_leads_share_one_limit(start: Start) -> None:
    """Or a script would get N through each of them, and through every site's own path again."""
    async with start(toml=ONCE) as service, service.client() as client:
        assert (await client.post("/v1/leads", json=LEAD)).status_code == 202
        for path in ("/f/main", "/f/hebrew", "/f/x"):
            assert (await client.post(path, json=LEAD)).status_code == 429


async def test_two_applications_in_one_process_do_not_share_a_limit(start: Start) -> None:
    async with start(toml=ONCE) as one, start(toml=ONCE) as two, one.client() as first, two.client() as second:
        assert not await limited(first)
        assert not await limited(second)
        assert await limited(first)


SAME_CLIENT = [
    ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"),  # one /64
    ("2001:db8:1:2::1", "2001:DB8:0001:2:0:0:0:9"),
    ("::ffff:203.0.113.9", "203.0.113.9"),  # a mapped IPv4 address
    ("fe80::1%eth0", "fe80::1%eth1"),
    ("testclient", "not-an-address"),  # what is no address shares one bucket
]
OTHER_CLIENT = [
    ("2001:db8:1:2::1", "2001:db8:1:3::1"),
    ("203.0.113.9", "203.0.113.10"),
    ("::ffff:203.0.113.9", "::ffff:203.0.113.10"),
    ("203.0.113.9", "junk"),
]


@pytest.mark.parametrize(
    ("first", "second", "same"), [(*p, True) for p in SAME_CLIENT] + [(*p, False) for p in OTHER_CLIENT]
)
async def test_who_is_the_same_client(start: Start, first: str, second: str, same: bool) -> None:
    async with start(toml=ONCE) as service, service.client(first) as one, service.client(second) as two:
        assert not await limited(one)
        assert await limited(two) is same


def test_the_key_of_nobody_is_not_empty() -> None:
    """An empty key would lift the limit."""
    from fastapi import Request

    for peer in (None, ("", 0), ("%eth0", 0)):
        assert client_address(Request({"type": "http", "headers": [], "client": peer})) == "invalid"


async def forwarded(client: httpx.AsyncClient, *values: str) -> bool:
    headers = [("content-type", "application/json"), *(("x-forwarded-for", value) for value in values)]
    response = await client.post("/v1/leads", content=b"{", headers=headers)
    return response.status_code == 429


async def test_a_stranger_cannot_say_who_it_is(start: Start) -> None:
    """X-Forwarded-For from anybody but a trusted proxy is a claim and nothing else."""
    async with start(toml=ONCE) as service, service.client("203.0.113.9") as client:
        assert not await forwarded(client, "198.51.100.1")
        for claim in ("198.51.100.2", "127.0.0.1", "::1", "x" * 300, "", "198.51.100.3, 127.0.0.1"):
            assert await forwarded(client, claim)
        assert await limited(
            client, x_real_ip="198.51.100.4", forwarded="for=198.51.100.4", cf_connecting_ip="198.51.100.4"
        )


@pytest.mark.parametrize(
    ("values", "client_is"),
    [
        (["198.51.100.1"], "198.51.100.1"),
        (["6.6.6.6, 198.51.100.1"], "198.51.100.1"),  # what the visitor claimed stands left of what the proxy saw
        (["6.6.6.6", "198.51.100.1"], "198.51.100.1"),
        (["198.51.100.1, 10.1.2.3"], "198.51.100.1"),  # through two proxies of ours
        (["198.51.100.1", "10.1.2.3, 127.0.0.1"], "198.51.100.1"),
        (["198.51.100.1:55555"], "198.51.100.1"),
        (["2001:db8:1:2::5"], "2001:db8:1:2::1"),
        (["[2001:db8:1:2::5]:443"], "2001:db8:1:2::1"),
        ([" 198.51.100.1 "], "198.51.100.1"),
        (["unknown"], "not-an-address"),
        (["198.51.100.1, unknown"], "not-an-address"),
        (["x" * 300], "not-an-address"),
        (["999.1.1.1"], "not-an-address"),
        (["<script>"], "not-an-address"),
    ],
)
async def test_a_trusted_proxy_says_who_asks(start: Start, values: list[str], client_is: str) -> None:
    """Read from the right to the first that is not ours; junk is one shared client, not a client each."""
    proxies = ("127.0.0.1", "10.0.0.0/8")
    async with (
        start(toml=ONCE, trusted_proxies=proxies) as service,
        service.client("10.9.9.9") as proxy,
        service.client(client_is) as directly,
    ):
        assert not await forwarded(proxy, *values)
        assert await limited(directly)


async def test_junk_from_a_proxy_is_not_a_way_around(start: Start) -> None:
    async with start(toml=ONCE) as service, service.client("127.0.0.1") as proxy:
        assert not await forwarded(proxy, "junk-0")
        assert all([await forwarded(proxy, f"junk-{n}" * n) for n in range(1, 20)])


async def test_memory_stays_bounded_in_a_flood_of_addresses(start: Start) -> None:
    """Past 50,000 live keys strangers share buckets; the flood cannot grow the process for ever."""
    async with start(toml=ONCE) as service:
        storage = service.app.state.limiter.limiter.storage
        for number in range(CROWD_FROM):
            storage.storage[f"flood-{number}"] = 1
        before = len(storage.storage)
        # Beyond the threshold every key is one of 4,096: two hundred newcomers add at most a few keys each.
        for number in range(200):
            async with service.client(f"198.18.{number // 250}.{number % 250}") as client:
                await client.post("/v1/leads", content=b"{", headers=JSON)
        crowd = [key for key in storage.storage if "crowd-" in key]
        assert crowd
        assert len(storage.storage) - before == len(crowd)


@pytest.mark.parametrize("body", [b'{"site": "nobody", "phone": "0542345678"}', b"{nonsense"])
async def test_two_processes_on_one_redis_admit_exactly_n(start: Start, redis_url: str, body: bytes) -> None:
    async with (
        start(toml=LIMITED, rate_limit_url=redis_url) as one,
        start(toml=LIMITED, rate_limit_url=redis_url) as two,
        one.client() as first,
        two.client() as second,
    ):
        responses = await asyncio.gather(
            *((first, second)[n % 2].post("/v1/leads", content=body, headers=JSON) for n in range(300))
        )
    refused = [response for response in responses if response.status_code == 429]
    assert len(responses) - len(refused) == LIMIT
    for response in refused[:3]:
        assert assert_retry_after(response) <= 3600
    assert all(response.status_code < 500 for response in responses)


async def test_a_frozen_redis_delays_nobody_for_long(start: Start, redis_server: RedisServer, redis_url: str) -> None:
    """SIGSTOP: connections open, nothing answers. No 5xx, a POST within a second, /livez at once; then back."""
    toml = DIRECTORY.replace("100000/minute", "30/hour")
    async with start(toml=toml, rate_limit_url=redis_url) as service, service.client() as client:
        assert (await client.post("/v1/leads", json=LEAD)).status_code == 202
        redis_server.freeze()
        try:
            slowest, slowest_live = 0.0, 0.0

            async def post(number: int) -> int:
                nonlocal slowest
                began = time.perf_counter()
                response = await client.post("/v1/leads", json=LEAD | {"phone": f"05423456{number:02}"})
                slowest = max(slowest, time.perf_counter() - began)
                return response.status_code

            async def live() -> int:
                nonlocal slowest_live
                began = time.perf_counter()
                response = await client.get("/livez")
                slowest_live = max(slowest_live, time.perf_counter() - began)
                return response.status_code

            statuses = await asyncio.gather(*(post(n) for n in range(10)), *(live() for _ in range(10)))
            statuses += [await post(number) for number in range(10, 14)]
            assert [status for status in statuses if status >= 500] == []
            assert slowest <= 1.0, f"the slowest POST took {slowest:.2f} s"
            assert slowest_live <= 0.25, f"the slowest /livez took {slowest_live:.2f} s"
            ready = await client.get("/readyz")
            assert (ready.status_code, ready.json()["status"]) == (200, "warn")
            assert ready.json()["checks"]["rate_limit"]["status"] == "warn"
        finally:
            redis_server.thaw()

        until = time.monotonic() + DEADLINE
        while service.app.state.limiter._storage_dead:
            # slowapi looks again by itself, at the earliest after a second and on a request.
            assert time.monotonic() < until, "the limiter never went back to Redis"
            await client.post("/v1/leads", json=LEAD)
        ready = await client.get("/readyz")
        assert ready.json()["status"] == "pass"


async def test_a_redis_that_is_gone_warns_and_limits_by_itself(start: Start) -> None:
    """Nothing listens there: leads come in, still limited, in this process alone."""
    async with start(toml=LIMITED, rate_limit_url="redis://127.0.0.1:1/0") as service, service.client() as client:
        responses = [await client.post("/v1/leads", content=b"{", headers=JSON) for _ in range(60)]
        assert {response.status_code for response in responses} == {400, 429}
        assert LIMIT <= sum(response.status_code == 400 for response in responses) <= LIMIT + 2
        assert (await client.get("/readyz")).json()["checks"]["rate_limit"]["status"] == "warn"
