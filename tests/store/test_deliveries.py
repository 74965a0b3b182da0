"""What webhooks brought, in the tables: known again, a lead at most once, taken by one, and forgotten."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from app.domain.deliveries import NewDelivery
from app.ids import new_id
from app.store.engine import open_engine
from app.store.sql_store import SqlStore
from app.store.tables import deliveries
from tests.clocks import START, ManualClock
from tests.store.leads_for_tests import Floor, a_lead

HOUR = 3600
DAY = 24 * HOUR


def a_delivery(**fields: Any) -> NewDelivery:
    given: dict[str, Any] = {
        "id": new_id(),
        "source": "shop",
        "key": "key",
        "own_id": False,
        "content_type": "application/json",
        "body": "sealed",
        "verdict": "kept",
        "look_at": START + 15_000,
    }
    return NewDelivery(**(given | fields))


async def verdicts(floor: Floor) -> list[str]:
    return [row["verdict"] for row in await floor.rows(deliveries)]


async def test_a_first_delivery_is_kept_and_the_same_again_is_counted(floor: Floor) -> None:
    first = await floor.store.keep_delivery(a_delivery())
    again = await floor.store.keep_delivery(a_delivery(body="newer"))
    assert (first.again, first.repeats) == (False, 0)
    assert (again.id, again.again, again.repeats, again.body) == (first.id, True, 1, "newer")
    assert len(await floor.rows(deliveries)) == 1


@pytest.mark.parametrize(("own_id", "hours", "known"), [(False, 0.9, True), (False, 1.1, False), (True, 48, True)])
async def test_a_body_is_known_for_an_hour_and_a_builders_id_for_days(
    floor: Floor, own_id: bool, hours: float, known: bool
) -> None:
    first = await floor.store.keep_delivery(a_delivery(own_id=own_id))
    floor.clock.advance(hours * HOUR)
    assert ((await floor.store.keep_delivery(a_delivery(own_id=own_id))).id == first.id) is known


@pytest.mark.parametrize("other", [{"source": "another"}, {"key": "another"}])
async def test_another_source_or_key_is_another_delivery(floor: Floor, other: dict[str, str]) -> None:
    await floor.store.keep_delivery(a_delivery())
    assert not (await floor.store.keep_delivery(a_delivery(**other))).again


async def test_the_body_of_what_is_final_stays_as_it_was(floor: Floor) -> None:
    first = await floor.store.keep_delivery(a_delivery())
    await floor.store.settle_delivery(first.id, "test")
    assert (await floor.store.keep_delivery(a_delivery(body="newer"))).body == "sealed"


async def test_several_are_kept_in_one_transaction_or_none_is(floor: Floor) -> None:
    several = [a_delivery(key=f"key {number}", own_id=True) for number in range(5)]
    before = floor.store.engine.commits
    assert {one.id for one in await floor.store.keep_deliveries(several)} == {one.id for one in several}
    assert floor.store.engine.commits == before + 1
    more = [a_delivery(key="key 6"), a_delivery(key="key 7", id=several[0].id)]
    with pytest.raises(IntegrityError):
        await floor.store.keep_deliveries(more)
    assert len(await floor.rows(deliveries)) == 5
    assert [one.again for one in await floor.store.keep_deliveries(several)] == [True] * 5


async def test_a_lead_and_its_delivery_are_written_together_and_once(floor: Floor) -> None:
    kept = await floor.store.keep_delivery(a_delivery())
    new = a_lead(at=floor.now, delivery=kept.id)
    assert (await floor.accept(new)).kind == "new"
    (row,) = await floor.rows(deliveries)
    assert (row["verdict"], row["lead_id"], row["look_at"]) == ("lead", new.id, None)
    second = await floor.accept(a_lead(at=floor.now, delivery=kept.id))
    assert (second.kind, second.lead_id) == ("orphan", new.id)
    # Whoever comes late takes nothing back.
    assert not await floor.store.settle_delivery(kept.id, "no_phone")
    assert await verdicts(floor) == ["lead"]


@pytest.mark.parametrize("verdict", ["test", "refused"])
async def test_of_twins_the_first_one_settles_what_is_settled_for_good(floor: Floor, verdict: str) -> None:
    kept = await floor.store.keep_delivery(a_delivery())
    assert await floor.store.settle_delivery(kept.id, "no_phone")  # which a better `map` may make a lead
    assert await floor.store.settle_delivery(kept.id, verdict, "first")
    assert not await floor.store.settle_delivery(kept.id, verdict, "second")
    assert [row["why"] for row in await floor.rows(deliveries)] == ["first"]


async def test_one_that_joins_a_live_lead_is_a_duplicate_of_it(floor: Floor) -> None:
    first = a_lead("+972541111111", at=floor.now)
    await floor.accept(first)
    kept = await floor.store.keep_delivery(a_delivery())
    joined = await floor.accept(a_lead("+972541111111", at=floor.now, delivery=kept.id))
    assert (joined.kind, joined.lead_id) == ("duplicate", first.id)
    (row,) = await floor.rows(deliveries)
    assert (row["verdict"], row["lead_id"]) == ("duplicate", first.id)


async def test_spam_is_over_at_once_and_stands_in_nobodys_way(floor: Floor) -> None:
    spam = a_lead("+972541111111", at=floor.now, hold="honeypot", spam=True)
    assert (await floor.accept(spam)).state == "spam"
    row = await floor.lead(spam.id)
    assert (row["state"], row["reason"], row["ended_at"], row["due_at"]) == ("spam", "honeypot", floor.now, None)
    assert (await floor.accept(a_lead("+972541111111", at=floor.now))).kind == "new"


async def test_what_nobody_settled_is_taken_by_one_and_for_a_while(floor: Floor) -> None:
    kept = await floor.store.keep_delivery(a_delivery())
    assert await floor.store.take_due_deliveries(60_000) == []
    floor.clock.advance(15)
    (taken,) = await floor.store.take_due_deliveries(60_000)
    assert (taken.id, taken.tries) == (kept.id, 1)
    assert await floor.store.take_due_deliveries(60_000) == []
    floor.clock.advance(60)
    assert [one.tries for one in await floor.store.take_due_deliveries(60_000)] == [2]
    await floor.store.settle_delivery(kept.id, "no_phone", "phone missing")
    floor.clock.advance(60)
    assert await floor.store.take_due_deliveries(60_000) == []


async def test_a_fetched_lead_takes_the_place_of_the_word_of_it_once(floor: Floor) -> None:
    kept = await floor.store.keep_delivery(a_delivery(verdict="to_fetch"))
    assert await floor.store.delivery_fetched(kept.id, "text/plain", "the lead")
    assert not await floor.store.delivery_fetched(kept.id, "text/plain", "the lead again")
    found = await floor.store.delivery(kept.id)
    assert found is not None
    assert (found.verdict, found.body, found.content_type) == ("kept", "the lead", "text/plain")


async def test_bodies_go_in_their_sources_time_and_rows_a_week_after_they_came(floor: Floor) -> None:
    for source in ("short", "long", "gone"):
        kept = await floor.store.keep_delivery(a_delivery(source=source))
        await floor.store.settle_delivery(kept.id, "no_phone")
    seconds = {"short": HOUR, "long": 30 * DAY}

    async def left() -> dict[str, bool]:
        await floor.store.forget_deliveries(seconds)
        return {row["source"]: row["body"] is not None for row in await floor.rows(deliveries)}

    floor.clock.advance(HOUR)
    assert await left() == {"short": True, "long": True, "gone": True}
    floor.clock.advance(1)
    assert await left() == {"short": False, "long": True, "gone": True}
    floor.clock.advance(7 * DAY)
    assert await left() == {"long": True}
    floor.clock.advance(30 * DAY)
    assert await left() == {}


async def test_what_is_open_is_never_forgotten(floor: Floor) -> None:
    await floor.store.keep_delivery(a_delivery())
    await floor.store.keep_delivery(a_delivery(key="other", verdict="to_fetch"))
    floor.clock.advance(400 * DAY)
    assert await floor.store.forget_deliveries({"shop": 0}) == 0
    assert sorted(await verdicts(floor)) == ["kept", "to_fetch"]


async def test_what_can_be_read_again_is_what_became_no_lead_and_has_a_body(floor: Floor) -> None:
    ids = {}
    for verdict in ("no_phone", "unreadable", "not_taking", "not_fetched", "failed", "test", "refused"):
        floor.clock.advance(0.001)
        kept = await floor.store.keep_delivery(a_delivery(key=verdict))
        await floor.store.settle_delivery(kept.id, verdict)
        ids[verdict] = kept.id
    bare = await floor.store.keep_delivery(a_delivery(key="bare", body=None))
    await floor.store.settle_delivery(bare.id, "no_phone")
    kept = await floor.store.keep_delivery(a_delivery(key="lead"))
    await floor.accept(a_lead(at=floor.now, delivery=kept.id))
    assert await floor.store.replayable_deliveries("shop", 0) == [
        ids[one] for one in ("no_phone", "unreadable", "not_taking", "not_fetched", "failed")
    ]
    assert await floor.store.replayable_deliveries("shop", floor.now + 1) == []
    assert await floor.store.replayable_deliveries("another", 0) == []


async def test_a_source_is_counted_by_verdict(floor: Floor) -> None:
    assert await floor.store.delivery_counts() == []
    for key in ("1", "2"):
        await floor.store.settle_delivery((await floor.store.keep_delivery(a_delivery(key=key))).id, "test")
    floor.clock.advance(5)
    await floor.store.keep_delivery(a_delivery(key="3"))
    (counts,) = await floor.store.delivery_counts()
    assert (counts.source, counts.last_at, dict(counts.verdicts)) == ("shop", floor.now, {"test": 2, "kept": 1})
    listed = await floor.store.deliveries("shop", 0, ["test"], 1)
    assert [one.verdict for one in listed] == ["test"]
    assert len(await floor.store.deliveries("shop", 0, [], 10)) == 3


async def test_two_processes_that_keep_the_same_at_once_keep_it_once(postgres_store_url: str) -> None:
    """Each in transactions of its own: the lock on the key lets one decide at a time."""
    engines = [open_engine(postgres_store_url, ManualClock()) for _ in range(2)]
    for engine in engines:
        await engine.start()
    try:
        stores = [SqlStore(engine) for engine in engines]
        found = await asyncio.gather(*(stores[n % 2].keep_delivery(a_delivery()) for n in range(20)))
        assert len({one.id for one in found}) == 1
        assert sum(not one.again for one in found) == 1
        leads = await asyncio.gather(
            *(Floor(stores[n % 2], ManualClock()).accept(a_lead(delivery=found[0].id)) for n in range(10))
        )
        assert sorted(one.kind for one in leads) == ["new"] + ["orphan"] * 9
        assert len({one.lead_id for one in leads}) == 1
        for store in stores:
            await store.settle_delivery(found[0].id, "test")
        taken = await asyncio.gather(*(store.take_due_deliveries(60_000) for store in stores))
        assert taken == [[], []]
    finally:
        for engine in engines:
            await engine.close()
