"""The scale profile, as processes: three replicas on one PostgreSQL and one Redis, behind the proxy that we ship."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx
import pytest

from tests.crash.books import PostgresBooks, lead_states
from tests.crash.service_process import METRICS_TOKEN, ServiceProcess
from tests.proxy_server import GATEWAY, STRANGER, ProxyServer
from tests.sandbox_server import RunningSandbox
from tests.servers import PostgresServer, RedisServer
from tests.story import CODE, PATIENCE, eventually

REPLICAS = 3
LIMIT = 5
VISITORS = 30
SETTLING = 30.0  # seconds: a reservation of a dead replica stands for five, and the next sweep finds it
DIRECTORY = f"""
[policy]
timezone = "Asia/Jerusalem"
wrap_up = "0s"
[limits]
per_client = "{LIMIT}/day"
[guards]
cooldown = "off"
calls = "off"
[[sites]]
key = "main"
name = "Example Ltd"
language = "en"
""" + "".join(
    f'\n[[agents]]\nid = "agent{n}"\nname = "Agent {n}"\nextension = "SIPagent{n}"\n' for n in range(VISITORS)
)
_phones = (f"054-3{n:06d}" for n in itertools.count())
_addresses = (f"203.0.{n >> 8}.{n & 255}" for n in itertools.count(256))


@dataclass(frozen=True)
class Fleet:
    """The proxy, the replicas behind it, what they share, and the provider."""

    proxy: ProxyServer
    replicas: list[ServiceProcess]
    books: PostgresBooks
    sandbox: RunningSandbox

    def send(self, client: str, phone: str | None = None, *, source: str = GATEWAY, **fields: str) -> httpx.Response:
        """A visitor at `client` sends the form; the connection comes from `source`, the TLS proxy unless told."""
        with httpx.Client(transport=httpx.HTTPTransport(local_address=source), timeout=PATIENCE) as http:
            return http.post(
                f"{self.proxy.url}/v1/leads",
                json={"phone": next(_phones) if phone is None else phone, **fields},
                headers={"X-Forwarded-For": client, "X-Forwarded-Proto": "https"},
            )

    def connected(self, leads: set[str]) -> bool:
        states = lead_states(self.books)
        return all(states.get(lead) == "connected" for lead in leads)

    def times_dialled(self) -> Counter[str]:
        """By lead, how often the provider was asked for a call."""
        calls = self.sandbox.calls()
        assert len(calls) == len(self.sandbox.requests()), "each request is a call here"
        return Counter(call["variables"]["var_lead"] for call in calls)


@pytest.fixture(scope="module")
def fleet(postgres_server: PostgresServer, redis_server: RedisServer) -> Iterator[Fleet]:
    """All of it running. Telephones answer by themselves, and records come through the proxy as well."""
    redis_server.ask("FLUSHALL")
    url = postgres_server.create_database()
    with contextlib.ExitStack() as stack:
        stack.callback(postgres_server.drop_database, url)
        books = stack.enter_context(PostgresBooks(url))
        sandbox = stack.enter_context(RunningSandbox(code=CODE))
        sandbox.set_behaviour("*", agent="answer", agent_after=0, lead="answer", lead_after=0, talk=0.05)
        settings = {"RATE_LIMIT_URL": redis_server.url, "TRUSTED_PROXIES": "127.0.0.1/32"}
        replicas = [
            stack.enter_context(
                ServiceProcess(sandbox.click2call_url, books=books, directory=DIRECTORY, settings=settings)
            )
            for _ in range(REPLICAS)
        ]
        proxy = ProxyServer([replica.port for replica in replicas])
        stack.callback(proxy.stop)
        sandbox.set_cdr(url=replicas[0].cdr_url.replace(replicas[0].url, proxy.url))
        yield Fleet(proxy, replicas, books, sandbox)
        for replica in replicas:
            assert "Traceback" not in replica.log


def at_once(many: int, do: Callable[[int], httpx.Response]) -> list[httpx.Response]:
    """What `many` visitors get who come together."""
    with ThreadPoolExecutor(8) as threads:
        return list(threads.map(do, range(many)))


def test_every_lead_is_dialled_once_whichever_replicas_it_meets(fleet: Fleet) -> None:
    answers = at_once(VISITORS, lambda _: fleet.send(next(_addresses)))
    assert {answer.status_code for answer in answers} == {202}
    leads = {answer.json()["lead_id"] for answer in answers}
    assert len(leads) == VISITORS
    eventually(lambda: fleet.connected(leads), lambda: str(Counter(lead_states(fleet.books).values())))
    dialled = fleet.times_dialled()
    assert {dialled[lead] for lead in leads} == {1}
    received = 'leadring_leads_received_total{result="accepted",site="main",source="api"}'
    taken = [replica.metric(received) or 0 for replica in fleet.replicas]
    assert sum(taken) == VISITORS
    assert all(taken), "the proxy spreads the requests over all replicas"


def test_a_limit_is_counted_once_for_all_replicas(fleet: Fleet) -> None:
    visitor = next(_addresses)
    statuses = Counter(answer.status_code for answer in at_once(LIMIT + 7, lambda _: fleet.send(visitor)))
    assert statuses == {202: LIMIT, 429: 7}
    assert fleet.send(next(_addresses)).status_code == 202, "another visitor is another account"


def test_a_stranger_is_counted_by_their_own_address_whatever_they_claim(fleet: Fleet) -> None:
    """The proxy asks nobody but the gateway on whose behalf they come."""
    answers = at_once(LIMIT + 7, lambda _: fleet.send(next(_addresses), source=STRANGER))
    assert Counter(answer.status_code for answer in answers) == {202: LIMIT, 429: 7}


def test_a_replica_believes_the_proxy_alone_about_who_the_client_is(fleet: Fleet) -> None:
    """Whoever gets past the proxy is counted by their own address."""
    replica = fleet.replicas[0]

    def send(_: int) -> httpx.Response:
        with httpx.Client(transport=httpx.HTTPTransport(local_address="127.0.0.10"), timeout=PATIENCE) as http:
            return http.post(
                f"{replica.url}/v1/leads", json={"phone": next(_phones)}, headers={"X-Forwarded-For": next(_addresses)}
            )

    assert Counter(answer.status_code for answer in at_once(LIMIT + 7, send)) == {202: LIMIT, 429: 7}


def test_https_is_what_the_gateway_says_and_nobody_else(fleet: Fleet) -> None:
    told = {source: fleet.send(next(_addresses), "", source=source) for source in (GATEWAY, "127.0.0.11")}
    assert {answer.status_code for answer in told.values()} == {422}
    assert told[GATEWAY].json()["type"].startswith("https://")
    assert told["127.0.0.11"].json()["type"].startswith("http://")


def test_metrics_are_for_the_inside(fleet: Fleet) -> None:
    bearer = {"Authorization": f"Bearer {METRICS_TOKEN}"}
    outside = httpx.get(f"{fleet.proxy.url}/metrics", headers=bearer, timeout=PATIENCE)
    assert outside.status_code == 404
    assert "leadring_" not in outside.text
    assert all("leadring_leads_unaccounted 0.0" in replica.metrics() for replica in fleet.replicas)


def test_a_replica_that_is_killed_takes_no_lead_along(fleet: Fleet) -> None:
    """Who is told nothing sends again, as the widget does. Nobody is rung twice, and everybody is talked with.

    But for those for whom the dead replica was asking the provider in that moment: it cannot be said whether they rang.
    """
    phones = [next(_phones) for _ in range(VISITORS)]
    victim = fleet.replicas[1]
    its_name = f"'%:{victim.pid}:%'"

    def insist(number: int) -> httpx.Response:
        if number == VISITORS // 3:
            victim.kill()
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = fleet.send(next(_addresses), phones[number], submission_id=f"click-{phones[number]}")
            if answer.status_code in (202, 409) or time.monotonic() > deadline:  # 409: stored, ask again later
                return answer

    answers = at_once(VISITORS, insist)
    try:
        assert {answer.status_code for answer in answers} <= {202, 409}
        numbers = ", ".join(f"'+972{phone.replace('-', '')[1:]}'" for phone in phones)
        rows = fleet.books.rows(f"SELECT id, phone FROM leads WHERE phone IN ({numbers})")  # noqa: S608
        assert len({row["phone"] for row in rows}) == len(rows) == VISITORS
        leads = {row["id"] for row in rows}
        assert {answer.json()["lead_id"] for answer in answers if answer.status_code == 202} <= leads

        def in_doubt() -> set[str]:
            unsaid = f"state IN ('sending', 'unknown') AND owner LIKE {its_name}"
            return {row["lead_id"] for row in fleet.books.rows(f"SELECT lead_id FROM attempts WHERE {unsaid}")}  # noqa: S608

        eventually(lambda: fleet.connected(leads - in_doubt()), lambda: str(lead_states(fleet.books)), SETTLING)
        dialled = fleet.times_dialled()
        assert {dialled[lead] for lead in leads - in_doubt()} == {1}
        assert all(dialled[lead] <= 1 for lead in in_doubt())
        # A dead replica costs its successors nothing: the proxy asks another one before anything was sent.
        assert {answer.status_code for answer in at_once(8, lambda _: fleet.send(next(_addresses)))} == {202}
    finally:
        victim.restart()
