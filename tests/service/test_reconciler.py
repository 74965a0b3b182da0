"""Calls of which nobody told the end are found in the call log; one that is nowhere, again and again, was none."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import pytest

from app.directory import parse_directory
from app.domain.answers import Placed, Unknown
from app.domain.lead import Attempt, Claim
from app.domain.moves import LOG_LOOKS, UNRESOLVED_AFTER
from app.domain.priority import backlog_due
from app.ports import CallLog, CallRecord
from app.service.outcomes import Outcomes
from app.service.reconciler import FOR_EVER, MARGIN, Reconciler, speaks_of
from app.store.tables import cdrs
from tests.clocks import START
from tests.service.conftest import House
from tests.store.leads_for_tests import MINUTE, a_directory, a_lead, a_record

PHONE: Final = "+972541234567"
ASSUME: Final = 300  # seconds, the policy's default


class Log(CallLog):
    """The provider's stored rows, as the test has them; None: it does not answer."""

    def __init__(self) -> None:
        self.rows: list[str] | None = []
        self.asked: list[tuple[int, int]] = []

    async def calls(self, since: int, until: int) -> Sequence[str] | None:
        self.asked.append((since, until))
        return None if self.rows is None else list(self.rows)


def row(**fields: Any) -> str:
    """A row of the log in this test's own writing: what a call record says."""
    return json.dumps(fields)


def read(text: str) -> list[CallRecord]:
    return [a_record(**json.loads(text))]


STRANGERS: Final = [
    row(leg=2, status="ANSWER", talk_seconds=60, call_id="x1", extension="SIPdana", phone="0549999999"),
    row(leg=1, status="ANSWER", call_id="x2", extension="SIPsomebody", phone="0541234567"),
    row(leg=2, status="ANSWER", talk_seconds=9, call_id="x3", attempt_id="somebody else's"),
]


class Settling:
    """A house that asks the call log."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.floor = house.floor
        self.log = Log()
        outcomes = Outcomes(house.store, read, house.rules, house.dispatcher, house.hub, house.metrics)
        self.reconciler = Reconciler(
            house.store, self.log, read, outcomes, house.rules, house.dispatcher, house.hub, house.metrics
        )

    async def policy(self, **policy: Any) -> None:
        directory = a_directory("dana", "yossi", **policy)
        self.house.rules.replace(directory)
        await self.floor.open(directory)

    async def at(self, seconds: float, *rows: str) -> int:
        """Look so many seconds after the start, when the log has these rows and those of strangers."""
        self.log.rows = [*STRANGERS, *rows]
        return await self._at(seconds)

    async def unavailable_at(self, seconds: float) -> int:
        self.log.rows = None
        return await self._at(seconds)

    async def _at(self, seconds: float) -> int:
        self.floor.clock.set_wall(START + round(seconds * 1000))
        return await self.reconciler.reconcile()

    async def counts(self, claim: Claim) -> tuple[int, int, float | None]:
        """Looks, misses, and when the log is asked next, in seconds after the start."""
        found = await self.floor.attempt(claim)
        ask = found["ask_at"]
        return found["log_looks"], found["log_misses"], None if ask is None else (ask - START) / 1000

    async def unknown(self) -> Claim:
        return await self.floor.dial(Unknown("x"), a_lead(PHONE))

    async def placed(self) -> Claim:
        return await self.floor.dial(Placed("c1"), a_lead(PHONE))

    async def given_up(self, claim: Claim) -> None:
        """Time passes until the sweeper has closed the attempt without an account."""
        for passed in (ASSUME, UNRESOLVED_AFTER):
            self.floor.clock.set_wall(START + passed * 1000)
            await self.floor.silence(claim)


@pytest.fixture
def settling(house: House) -> Settling:
    return Settling(house)


def ours(claim: Claim, **fields: Any) -> str:
    return row(attempt_id=claim.attempt.id, **({"leg": 2, "status": "ANSWER", "talk_seconds": 40} | fields))


# ------------------------------------------------------------------------------------------ what is found


async def test_the_record_of_a_placed_call_that_was_never_pushed_is_found(settling: Settling) -> None:
    claim = await settling.placed()
    changed = settling.house.told(claim.lead.id)
    assert await settling.at(119.999, ours(claim)) == 0
    assert settling.log.asked == []
    assert await settling.at(120, row(leg=2, status="ANSWER", talk_seconds=40, call_id="c1")) == 1
    assert settling.log.asked == [(START - MARGIN, START + 120_000 + MARGIN)]
    assert await settling.floor.states(claim) == ("ended", "connected", "wrap_up")
    assert changed()
    assert settling.house.dispatcher.woken == 1
    assert await settling.counts(claim) == (0, 0, None)
    assert settling.house.counted("leadring_attempts_total", outcome="connected") == 1


@pytest.mark.parametrize(
    "found",
    [
        {"attempt_id": True},
        {"original_call_id": "c1", "call_id": "leg two's own"},
        {"extension": "SIPdana", "phone": "972541234567"},
        {"extension": "SIPdana", "phone": "0541234567", "started_at": START + 3000},
    ],
    ids=["our variable", "the original call id", "both phones", "both phones and the time"],
)
async def test_the_record_of_an_unknown_call_is_found(settling: Settling, found: dict[str, Any]) -> None:
    claim = await settling.unknown()
    if "original_call_id" in found:
        await settling.floor.report(a_record(leg=1, status="ANSWER", call_id="c1", attempt_id=claim.attempt.id))
    says = found | ({"attempt_id": claim.attempt.id} if found.get("attempt_id") else {})
    assert await settling.at(ASSUME, row(leg=2, status="BUSY", **says)) == 1
    assert (await settling.floor.states(claim))[:2] == ("ended", "waiting")
    assert (await settling.floor.attempt(claim))["outcome"] == "lead_busy"


async def test_the_record_of_a_call_that_ended_unreported_reopens_its_lead(settling: Settling) -> None:
    claim = await settling.placed()
    await settling.at(120)
    settling.floor.clock.set_wall(START + ASSUME * 1000)
    await settling.floor.silence(claim)
    assert (await settling.floor.lead(claim.lead.id))["reason"] == "unreported"
    assert await settling.at(900, ours(claim, status="NOANSWER", talk_seconds=0)) == 1
    assert (await settling.floor.states(claim))[:2] == ("ended", "waiting")
    assert await settling.counts(claim) == (1, 1, None)


async def test_the_record_of_a_call_that_was_given_up_on_settles_it(settling: Settling) -> None:
    claim = await settling.unknown()
    await settling.given_up(claim)
    assert (await settling.floor.states(claim))[:2] == ("unresolved", "failed")
    assert await settling.at(2000, ours(claim)) == 1
    assert (await settling.floor.states(claim))[:2] == ("ended", "connected")


async def test_rows_of_strangers_are_not_kept(settling: Settling) -> None:
    claim = await settling.placed()
    mine = ours(claim)
    await settling.at(120, mine, row(call_id="x9", status="ANSWER", extension="SIPdana"))
    assert [one["body"] for one in await settling.floor.rows(cdrs)] == [mine]


async def test_both_legs_rows_are_kept_and_count_as_one_call(settling: Settling) -> None:
    claim = await settling.placed()
    legs = [ours(claim, leg=1, call_id="c1"), ours(claim, leg=2, call_id="c1")]
    assert await settling.at(120, *legs) == 1
    assert len(await settling.floor.rows(cdrs)) == 2
    assert (await settling.floor.attempt(claim))["leg1_status"] == "ANSWER"


async def test_a_row_that_does_not_tell_the_end_leaves_the_question_open_and_is_no_miss(settling: Settling) -> None:
    claim = await settling.unknown()
    assert await settling.at(ASSUME, ours(claim, leg=1)) == 1
    assert (await settling.floor.states(claim))[0] == "unknown"
    assert await settling.counts(claim) == (1, 0, 900)


async def test_one_question_is_enough_for_many_calls(settling: Settling) -> None:
    settling.house.rules.replace(directory := a_directory(*"abcdef"))
    await settling.floor.open(directory)
    claims = []
    for number in range(6):
        claims.append(await settling.floor.dial(Placed(f"c{number}")))
        settling.floor.clock.advance(1)
    assert await settling.at(200, *(ours(claim) for claim in claims[:4])) == 4
    assert settling.log.asked == [(START - MARGIN, START + 200_000 + MARGIN)]
    states = [(await settling.floor.attempt(claim))["state"] for claim in claims]
    assert states == ["ended"] * 4 + ["placed"] * 2
    assert await settling.counts(claims[5]) == (1, 1, 305)
    assert await settling.at(200) == 0
    assert len(settling.log.asked) == 1, "nothing more is due"


# ----------------------------------------------------------------------------------------- what is not found


async def test_a_call_that_is_in_no_account_three_times_did_not_take_place(settling: Settling) -> None:
    claim = await settling.unknown()
    for looks, seconds in enumerate(LOG_LOOKS[:2], 1):
        await settling.at(seconds)
        assert await settling.counts(claim) == (looks, looks, LOG_LOOKS[looks])
        assert (await settling.floor.states(claim))[:2] == ("unknown", "dialing")
    woken, changed = settling.house.dispatcher.woken, settling.house.told(claim.lead.id)
    await settling.at(1800)
    assert await settling.floor.states(claim) == ("absent", "held", "available")
    lead = await settling.floor.lead(claim.lead.id)
    assert (lead["reason"], lead["redials"]) == ("absent", 0)
    assert (await settling.counts(claim))[2] is None
    assert settling.house.dispatcher.woken == woken + 1
    assert settling.house.counted("leadring_attempts_total", outcome="absent") == 1
    assert changed()


async def test_where_it_is_allowed_an_absent_call_is_made_once_more_and_only_once(settling: Settling) -> None:
    await settling.policy(redial_absent=True)
    claim = await settling.unknown()
    for seconds in LOG_LOOKS:
        await settling.at(seconds)
    assert (await settling.floor.states(claim))[:2] == ("absent", "waiting")
    again = await settling.floor.claim()
    assert (again.lead.id, again.lead.redials, again.attempt.number) == (claim.lead.id, 1, 2)
    await settling.floor.send(again)
    await settling.floor.answer(again, Unknown("x"))
    for seconds in LOG_LOOKS:
        await settling.at(1800 + seconds)
    assert (await settling.floor.states(again))[:2] == ("absent", "held")
    assert (await settling.floor.lead(claim.lead.id))["attempts"] == 2


async def test_an_absent_call_is_made_again_within_the_hours_of_the_leads_own_number(settling: Settling) -> None:
    """At 12:30, when it is found absent, the window of that number has closed."""
    directory = parse_directory(
        '[policy]\nredial_absent = true\ndialing_window = "decent"\n[hours.decent]\nmon-sun = ["09:00-12:30"]\n'
        '[[sites]]\nkey = "main"\n[[agents]]\nid = "dana"\nextension = "SIPdana"\n'
    )
    settling.house.rules.replace(directory)
    await settling.floor.open(directory)
    claim = await settling.unknown()
    for seconds in LOG_LOOKS:
        await settling.at(seconds)
    row = await settling.floor.lead(claim.lead.id)
    morning = START + 21 * 60 * MINUTE
    assert (row["state"], row["reason"], row["due_at"]) == ("waiting", "closed", backlog_due(morning, START))


async def test_a_call_that_the_log_knew_once_is_not_absent(settling: Settling) -> None:
    """Rows that are gone again are no proof; a person looks at it."""
    claim = await settling.unknown()
    await settling.at(300, ours(claim, leg=1))
    await settling.at(900, ours(claim, leg=1))
    await settling.at(1800)
    assert (await settling.floor.states(claim))[0] == "unknown"
    assert await settling.counts(claim) == (3, 1, None)
    await settling.given_up(claim)
    assert (await settling.floor.states(claim))[:2] == ("unresolved", "failed")


async def test_a_call_that_the_log_knows_at_last_is_not_absent_though_its_end_is_not_told(settling: Settling) -> None:
    claim = await settling.unknown()
    await settling.at(300)
    await settling.at(900)
    assert await settling.at(1800, ours(claim, leg=1)) == 1
    assert (await settling.floor.states(claim))[0] == "unknown"
    await settling.given_up(claim)
    assert (await settling.floor.states(claim))[:2] == ("unresolved", "failed")


async def test_the_late_record_of_an_absent_call_still_settles_it(settling: Settling) -> None:
    claim = await settling.unknown()
    for seconds in LOG_LOOKS:
        await settling.at(seconds)
    await settling.floor.report(a_record(leg=2, status="ANSWER", talk_seconds=4, attempt_id=claim.attempt.id))
    assert (await settling.floor.states(claim))[:2] == ("ended", "connected")


async def test_a_placed_call_is_never_absent(settling: Settling) -> None:
    """The provider took it: that the log does not have it says something about the log."""
    claim = await settling.placed()
    await settling.at(120)
    settling.floor.clock.set_wall(START + ASSUME * 1000)
    await settling.floor.silence(claim)
    for seconds in LOG_LOOKS:
        await settling.at(seconds)
    assert (await settling.floor.states(claim))[:2] == ("ended", "exhausted")
    assert await settling.counts(claim) == (4, 4, None)


# ------------------------------------------------------------------------------------------ no answer


async def test_a_log_that_does_not_answer_is_asked_a_minute_later_and_nothing_is_counted(settling: Settling) -> None:
    claim = await settling.unknown()
    assert await settling.unavailable_at(300) == 0
    assert await settling.counts(claim) == (0, 0, 360)
    assert await settling.at(359) == 0
    assert len(settling.log.asked) == 1
    await settling.at(360)
    assert await settling.counts(claim) == (1, 1, 900)


async def test_blindness_makes_no_call_absent(settling: Settling) -> None:
    claim = await settling.unknown()
    for seconds in range(300, 1900, 60):
        await settling.unavailable_at(seconds)
    assert (await settling.floor.states(claim))[0] == "unknown"
    await settling.given_up(claim)
    assert (await settling.floor.states(claim))[:2] == ("unresolved", "failed")
    assert await settling.at(2000, ours(claim)) == 1, "and it is asked about still"


async def test_after_a_day_nothing_more_is_hoped_for(settling: Settling) -> None:
    claim = await settling.unknown()
    await settling.given_up(claim)
    day = FOR_EVER / 1000
    await settling.unavailable_at(day - 0.001)
    assert await settling.counts(claim) == (0, 0, day - 0.001 + MINUTE / 1000)
    await settling.unavailable_at(day + 60)
    assert await settling.counts(claim) == (0, 0, None)
    asked = len(settling.log.asked)
    await settling.at(day + 7200, ours(claim))
    assert len(settling.log.asked) == asked


async def test_with_nothing_due_nothing_is_asked(settling: Settling) -> None:
    assert await settling.at(0) == 0
    claim = await settling.placed()
    await settling.floor.outcome(claim, "connected")
    assert await settling.at(200_000) == 0
    assert settling.log.asked == []


# ------------------------------------------------------------------------------------------ whose row it is

SENT: Final = Attempt(
    id="attempt", lead_id="lead", agent_id="dana", extension="SIPdana", number=1, state="unknown", outcome=None,
    reserved_at=START, sending_at=START, call_id=None, leg1_status=None, leg1_talk=None, leg2_status=None,
    leg2_talk=None,
)  # fmt: skip
PHONES: Final = {"extension": "SIPdana", "phone": "0541234567"}


@pytest.mark.parametrize(
    ("says", "ours"),
    [
        ({"attempt_id": "attempt"}, True),
        ({"attempt_id": "another", **PHONES}, False),
        ({**PHONES}, True),
        ({**PHONES, "started_at": START - MARGIN}, True),
        ({**PHONES, "started_at": START - MARGIN - 1}, False),
        ({**PHONES, "extension": "SIPyossi"}, False),
        ({**PHONES, "phone": "0541234568"}, False),
        ({"extension": "SIPdana"}, False),
        ({"phone": "0541234567"}, False),
        ({}, False),
    ],
)
def test_a_row_is_ours_by_our_variable_or_by_both_phones_and_the_time(says: dict[str, Any], ours: bool) -> None:
    assert speaks_of(a_record(**says), SENT, PHONE) is ours
