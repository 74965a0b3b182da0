"""Whoever waits is not rung outside of the hours of its own number, by whichever way it came to be due."""

from __future__ import annotations

from typing import Final

import pytest

from app.clock import from_datetime, to_datetime
from app.directory import Directory, parse_directory
from app.domain.answers import NotSent, Placed, Refused
from app.domain.lead import Lead
from app.domain.moves import after_answer, after_outcome
from app.domain.priority import backlog_due
from app.service.explain import look_up
from app.service.rules import Rules
from app.service.sweeper import Sweeper
from tests.clocks import START
from tests.service.conftest import House
from tests.store.leads_for_tests import HOUR, MINUTE, a_lead, a_term

# At START it is Monday 12:00 in Jerusalem, 10:00 in London, 05:00 in New York.
LONDON, NEW_YORK, TORONTO, HAIFA = "+442079460958", "+12125550123", "+14165550123", "+97248123456"
TEXT: Final = """
[policy]
dialing_window = "decent"
dialing_zones = { US = "America/New_York" }
[hours.decent]
mon-sun = ["09:00-12:30"]
[hours.office]
sun-thu = ["09:00-18:00"]
[[sites]]
key = "main"
hours = "office"
[[sites]]
key = "always"
[[agents]]
id = "dana"
extension = "SIPdana"
[[agents]]
id = "yossi"
extension = "SIPyossi"
"""


def directory(**other: str) -> Directory:
    text = TEXT
    for old, new in other.items():
        text = text.replace({"window": 'dialing_window = "decent"', "decent": "09:00-12:30"}[old], new)
    return parse_directory(text)


@pytest.fixture
async def sweeper(house: House) -> Sweeper:
    house.rules.replace(directory())
    await house.floor.open(house.rules.directory)
    return Sweeper(house.store, house.rules, house.dispatcher, house.hub, house.metrics)


def jerusalem(text: str) -> int:
    return from_datetime(to_datetime(START).fromisoformat(f"{text}+02:00"))


# --------------------------------------------------------------------------------------------------- rules


def test_a_number_may_be_rung_or_not_at_a_moment() -> None:
    rules = Rules(directory())
    assert [rules.may_ring_now(phone, START) for phone in (HAIFA, LONDON, NEW_YORK)] == [True, True, False]
    assert not rules.may_ring_now(HAIFA, START + 30 * MINUTE)
    assert rules.may_ring_now(LONDON, START + 150 * MINUTE - 1)
    assert rules.may_ring_now(NEW_YORK, START + 4 * HOUR)
    assert rules.has_window


def test_the_moment_itself_counts_when_both_are_open_to_the_millisecond() -> None:
    rules = Rules(directory())
    for moment in (START, START + 1, START + 999, START + 123_457):
        assert rules.opening_for("main", HAIFA)(moment) == moment
    assert rules.opening_for("main", NEW_YORK)(START) == jerusalem("2026-01-05T16:00")
    assert rules.opening_for("always", HAIFA)(START + 30 * MINUTE) == jerusalem("2026-01-06T09:00")
    assert rules.opening_for("unheard of", HAIFA)(START) == START


def test_without_a_window_the_sites_opening_is_all_there_is() -> None:
    rules = Rules(directory(window=""))
    assert not rules.has_window
    for phone in (HAIFA, NEW_YORK, TORONTO):
        assert rules.may_ring_now(phone, START)
        assert rules.next_ring("main", phone, START) == START
        night = jerusalem("2026-01-05T20:00")
        assert rules.opening_for("main", phone)(night) == rules.opening("main")(night) == jerusalem("2026-01-06T09:00")


def test_what_never_meets_has_no_moment_and_is_looked_at_again_a_day_later() -> None:
    rules = Rules(directory())
    assert rules.next_ring("main", TORONTO, START) is None
    assert rules.opening_for("main", TORONTO)(START) == START + 24 * HOUR


def test_the_rules_of_a_reload_are_those_of_its_window() -> None:
    rules = Rules(directory())
    assert not rules.roster(START).may_ring(NEW_YORK)
    rules.replace(directory(decent="04:00-12:30"))
    assert rules.roster(START).may_ring(NEW_YORK)
    assert rules.may_ring_now(NEW_YORK, START)


# ------------------------------------------------------------------------------------------ waits of a lead


def a_stored_lead(phone: str) -> Lead:
    """A lead that has been tried once."""
    return Lead(
        id="l", site="always", source="widget", phone=phone, name="", message="", language="he", state="dialing",
        reason=None, outcome=None, received_at=START, due_at=None, expires_at=START + HOUR, ended_at=None,
        attempt_id="a", attempts=1, lead_tries=0, agent_misses=0, send_failures=0, errors=0, avoid_agent=None,
        asked_language="", redials=0, admitted=True, deadline_at=START + 40_000, promised_at=None, rank=1,
        avoid_until=None,
    )  # fmt: skip


def test_whatever_makes_a_lead_wait_it_waits_into_its_own_hours() -> None:
    """At 12:29:59 a retry would be due after 12:30: it is for the next morning, with a new term."""
    rules = Rules(directory())
    now, morning = jerusalem("2026-01-05T12:29:59"), jerusalem("2026-01-06T09:00")
    lead, policy = a_stored_lead(HAIFA), rules.policy
    opening = rules.opening_for("always", HAIFA)
    moves = (
        after_answer(NotSent("no route"), lead, policy, now, jitter=0.0, opening=opening),
        after_answer(Refused(2, "error", "once_more"), lead, policy, now, jitter=0.0, opening=opening),
        after_outcome("lead_no_answer", lead, policy, now, opening=opening),
    )
    for move in moves:
        due = backlog_due(morning, START)
        assert (move.lead, move.reason, move.due_at) == ("waiting", "closed", due)
        assert move.expires_at == due + policy.expire_after * 1000
    next_agent = after_outcome("agent_no_answer", lead, policy, now, opening=opening)
    assert (next_agent.reason, next_agent.due_at) == ("no_agent", now)


async def test_a_lead_whose_reservation_lapsed_waits_into_its_own_hours(house: House, sweeper: Sweeper) -> None:
    """A reservation that lapsed at half past twelve: the lead is not due at once, but tomorrow."""
    house.clock.advance(29 * 60)
    await house.floor.accept(a_lead(HAIFA, at=house.clock.now()))
    claim = await house.floor.claim("me")
    house.clock.advance(60)
    assert await sweeper.settle_overdue() == 1
    row = await house.floor.lead(claim.lead.id)
    assert (row["reason"], row["due_at"] // 1000) == ("closed", jerusalem("2026-01-06T09:00") // 1000)


# ------------------------------------------------------------------------------------------------ the sweep


async def test_who_is_in_line_when_its_window_closes_is_put_off_and_the_others_stay(
    house: House, sweeper: Sweeper
) -> None:
    leads = {phone: a_lead(phone) for phone in (HAIFA, LONDON)}
    for new in leads.values():
        await house.floor.accept(new)
    told = house.told(leads[HAIFA].id)
    assert await sweeper.sweep() == 0
    house.clock.advance(30 * 60)
    assert await sweeper.sweep() == 2, "and the other one is told when"
    assert told()
    put_off, stayed = await house.floor.lead(leads[HAIFA].id), await house.floor.lead(leads[LONDON].id)
    morning = jerusalem("2026-01-06T09:00")
    due = backlog_due(morning, START)
    assert (put_off["state"], put_off["reason"], put_off["due_at"]) == ("waiting", "closed", due)
    assert put_off["expires_at"] == morning + HOUR
    assert (stayed["reason"], stayed["due_at"]) == ("no_agent", START)
    assert await sweeper.sweep() == 0


async def test_when_the_site_closes_each_lead_is_put_off_to_its_own_next_moment(house: House, sweeper: Sweeper) -> None:
    house.rules.replace(directory(decent="09:00-19:30"))
    leads = {phone: a_lead(phone, due_at=START + 6 * HOUR, expires_at=START + 9 * HOUR) for phone in (HAIFA, NEW_YORK)}
    for new in leads.values():
        await house.floor.accept(new)
    house.clock.advance(6 * 3600)
    assert await sweeper.sweep() == 2
    due = {phone: (await house.floor.lead(new.id))["due_at"] for phone, new in leads.items()}
    mornings = {HAIFA: jerusalem("2026-01-06T09:00"), NEW_YORK: jerusalem("2026-01-06T16:00")}
    assert due == {phone: backlog_due(morning, START) for phone, morning in mornings.items()}


async def test_who_can_never_be_rung_is_held_in_words_and_held_again_when_released(
    house: House, sweeper: Sweeper
) -> None:
    """A window that was narrowed under a waiting lead: no lead goes on from day to day for ever."""
    new = a_lead(TORONTO)
    await house.floor.accept(new)
    for passed in range(2):
        assert await sweeper.sweep() == 1
        row = await house.floor.lead(new.id)
        assert (row["state"], row["reason"]) == ("held", "dialing_window")
        if not passed:
            assert await house.store.release(new.id, "operator", a_term(START)) == "waiting"
    told = await look_up(house.store, Rules(directory()), new.id)
    assert told is not None
    assert "held: its number's dialing window is never open while the site is" in told.history[1].text


async def test_nobody_is_put_off_without_a_window_and_a_closed_site_closes_as_a_whole(house: House) -> None:
    house.rules.replace(directory(window=""))
    sweeper = Sweeper(house.store, house.rules, house.dispatcher, house.hub, house.metrics)
    new = a_lead(NEW_YORK, expires_at=START + 9 * HOUR)
    await house.floor.accept(new)
    assert await sweeper.sweep() == 0
    house.clock.advance(6 * 3600)
    assert await sweeper.sweep() == 1
    assert (await house.floor.lead(new.id))["due_at"] == backlog_due(jerusalem("2026-01-06T09:00"), START)


async def test_a_call_that_was_placed_before_the_window_closed_is_left_alone(house: House, sweeper: Sweeper) -> None:
    house.clock.advance(29 * 60)
    claim = await house.floor.dial(Placed("c1"), a_lead(HAIFA, at=house.clock.now()))
    house.clock.advance(60)
    assert await sweeper.sweep() == 0
    assert (await house.floor.lead(claim.lead.id))["state"] == "dialing"
