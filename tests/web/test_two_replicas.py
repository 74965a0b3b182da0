"""A lead that one replica stores and cannot dial is dialled by another within two seconds, on PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.domain.answers import Unknown
from app.domain.breaker import IN_A_ROW
from tests.web.service import Service, eventually, started

LEAD = {"site": "main", "phone": "0542345678"}
DIALLED = 2.0  # seconds: each replica looks every second


def its_breaker_is_open(replica: Service) -> None:
    breaker = replica.desk.dispatcher._breaker
    for _ in range(IN_A_ROW):
        breaker.heard(Unknown("HTTP 503"), replica.clock.monotonic())
    assert breaker.is_open


def it_is_going_down(replica: Service) -> None:
    replica.desk.begin_shutdown()


@pytest.mark.parametrize("cannot_dial", [its_breaker_is_open, it_is_going_down])
async def test_another_replica_dials(
    postgres_store_url: str, redis_url: str, cannot_dial: Callable[[Service], None]
) -> None:
    """It needs no telling: agents are everybody's, and whoever can claim looks every second."""
    async with (
        started(postgres_store_url, rate_limit_url=redis_url) as one,
        started(postgres_store_url, rate_limit_url=redis_url) as other,
        one.client() as client,
    ):
        cannot_dial(one)
        answer = await client.post("/v1/leads", json=LEAD)
        assert (answer.status_code, answer.json()["outcome"]) == (202, "waiting")
        await eventually(lambda: len(other.telephony.calls) == 1, "the other dials", seconds=DIALLED)
        assert other.telephony.calls[0].lead_id == answer.json()["lead_id"]
        assert one.telephony.calls == []
