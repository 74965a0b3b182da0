"""What the provider reports: kept word for word, matched by what is surest, in any order. Both engines."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import NamedTuple

import pytest

from app.domain.answers import NotSent, Placed, Refused
from app.domain.lead import Attempt
from app.ports import CallRecord
from app.store.cdrs import FAILURES, LOOK_BACK, STRANGER_AFTER
from app.store.tables import cdrs, events
from tests.clocks import START
from tests.store.leads_for_tests import Floor, a_directory, a_lead, a_record, leg

PHONE = "+972541234567"


async def states_of(floor: Floor) -> list[str]:
    return [row["state"] for row in await floor.rows(cdrs)]


# ------------------------------------------------------------------------------------------------ kept


async def test_a_report_is_kept_word_for_word_and_once(floor: Floor) -> None:
    store = floor.store
    body = '{"type": "Click2Call leg2", "שם": "דנה"}\r\n'
    assert await store.keep_cdr(body)
    assert not await store.keep_cdr(body)
    assert await store.keep_cdr(body + " ")
    first, _ = await store.kept_cdrs()
    assert (first.body, first.received_at) == (body, floor.now)


async def test_a_report_that_says_nothing_readable_is_set_aside(floor: Floor) -> None:
    assert await floor.report(body="garbage") == []
    assert (await states_of(floor), await floor.store.kept_cdrs()) == (["unreadable"], [])


async def test_a_stranger_s_report_is_looked_at_for_a_minute(floor: Floor) -> None:
    stranger = a_record(call_id="of somebody else", status="ANSWER")
    await floor.report(stranger)
    (cdr,) = await floor.store.kept_cdrs()
    for seconds, state in ((STRANGER_AFTER / 1000, "kept"), (0.001, "stranger")):
        floor.clock.advance(seconds)
        await floor.store.apply_cdr(cdr, [stranger], floor.decide, lambda _: ())
        assert await states_of(floor) == [state]


async def test_what_was_not_tried_yet_comes_before_what_was(floor: Floor) -> None:
    await floor.report(a_record(call_id="stranger", status="ANSWER"), body="tried")
    await floor.store.keep_cdr("fresh")
    assert [cdr.body for cdr in await floor.store.kept_cdrs()] == ["fresh", "tried"]


async def test_a_report_that_makes_us_fail_is_set_aside_after_ten_times(floor: Floor) -> None:
    await floor.store.keep_cdr("poison")
    (cdr,) = await floor.store.kept_cdrs()
    for _ in range(FAILURES - 1):
        await floor.store.put_back_cdr(cdr)
    assert await states_of(floor) == ["kept"]
    await floor.store.put_back_cdr(cdr)
    assert await states_of(floor) == ["unreadable"]


async def test_a_report_before_its_attempt_is_known_is_applied_later(floor: Floor) -> None:
    """The push may be faster than our own write of the call id (it carries no variable of ours here)."""
    await floor.accept()
    claim = await floor.claim()
    await floor.send(claim)
    record = leg(2, "ANSWER", call_id="c1", talk_seconds=7)
    assert await floor.report(record) == []
    await floor.answer(claim, Placed("c1"))
    (cdr,) = await floor.store.kept_cdrs()
    assert len(await floor.store.apply_cdr(cdr, [record], floor.decide, lambda _: ())) == 1
    assert (await states_of(floor), (await floor.states(claim))[1]) == (["applied"], "connected")


# ------------------------------------------------------------------------------------------------ matching


async def two_calls(floor: Floor) -> tuple[Attempt, Attempt]:
    """Dana's call `c1` to PHONE and yossi's call `c2` to another number."""
    first = await floor.dial(Placed("c1"), a_lead(PHONE, at=floor.now))
    floor.clock.advance(1)
    second = await floor.dial(Placed("c2"), a_lead("+972547654321", at=floor.now))
    return first.attempt, second.attempt


async def matched(floor: Floor, record: CallRecord) -> str | None:
    await floor.report(record)
    found: str | None = (await floor.rows(cdrs))[-1]["attempt_id"]
    return found


async def test_the_call_id_is_surest_and_our_own_variable_comes_before_the_phones(floor: Floor) -> None:
    first, second = await two_calls(floor)
    other = a_record(attempt_id=first.id, call_id="c2", original_call_id="c1", extension="SIPdana")
    assert await matched(floor, other) == second.id
    assert await matched(floor, a_record(attempt_id="unknown", call_id="c2", status="x")) == second.id
    ours = a_record(attempt_id=first.id, call_id="leg two's own", extension="SIPyossi", phone="0547654321")
    assert await matched(floor, ours) == first.id


async def test_of_two_calls_with_one_id_our_own_variable_tells_which(floor: Floor) -> None:
    first = await floor.dial(Placed("same"))
    floor.clock.advance(1)
    second = await floor.dial(Placed("same"))
    assert await matched(floor, a_record(attempt_id=first.attempt.id, call_id="same")) == first.attempt.id
    assert await matched(floor, a_record(call_id="same")) == second.attempt.id, "the latest, when nothing else tells"


async def test_an_earlier_call_on_the_same_phones_is_not_ours(floor: Floor) -> None:
    await floor.dial(Placed("c1"), a_lead(PHONE, at=floor.now))
    phones = {"extension": "SIPdana", "phone": "0541234567"}
    an_hour_ago = floor.now // 1000 - 3600
    assert await matched(floor, a_record(**phones, call_id="x1", started_at=an_hour_ago * 1000)) is None
    # The provider's `time` by Israel's wall clock, two hours ahead in winter: an hour ago there, too.
    assert await matched(floor, a_record(**phones, call_id="x2", raw_time=an_hour_ago + 7200 - 7200)) is None
    assert await matched(floor, a_record(**phones, call_id="x3", raw_time=floor.now // 1000 + 7200)) is not None


async def test_the_call_id_comes_before_the_original_one(floor: Floor) -> None:
    first, second = await two_calls(floor)
    assert await matched(floor, a_record(call_id="c1", original_call_id="c2")) == first.id
    assert await matched(floor, a_record(call_id="leg two's own", original_call_id="c2")) == second.id


@pytest.mark.parametrize("spelling", ["0541234567", "972541234567", "+972-54-1234567"])
async def test_extension_and_number_are_the_last_resort(floor: Floor, spelling: str) -> None:
    first, _ = await two_calls(floor)
    assert await matched(floor, a_record(call_id="other", extension="SIPdana", phone=spelling)) == first.id


async def test_the_extension_alone_or_the_wrong_number_matches_nobody(floor: Floor) -> None:
    await two_calls(floor)
    assert await matched(floor, a_record(call_id="x", extension="SIPdana")) is None
    assert await matched(floor, a_record(call_id="y", extension="SIPdana", phone="0547654321")) is None
    assert await matched(floor, a_record(call_id="z", extension="SIPnobody", phone=PHONE)) is None


async def test_a_call_of_another_day_is_not_matched_by_number(floor: Floor) -> None:
    claim = await floor.dial(new=a_lead(PHONE))
    await floor.outcome(claim, "connected")
    floor.clock.advance(LOOK_BACK / 1000)
    assert await matched(floor, a_record(call_id="x", extension="SIPdana", phone=PHONE)) is None


async def test_what_was_never_sent_is_not_matched_by_number(floor: Floor) -> None:
    await floor.accept(a_lead(PHONE))
    await floor.claim()
    assert await matched(floor, a_record(call_id="x", extension="SIPdana", phone=PHONE)) is None


async def test_of_several_calls_the_latest_is_meant(floor: Floor) -> None:
    await floor.open(a_directory("dana"))
    first = await floor.dial(Placed("c1"), a_lead(PHONE))
    await floor.outcome(first, "agent_no_answer")
    floor.clock.advance(30)
    second = await floor.claim()
    await floor.send(second)
    await floor.answer(second, Placed("c2"))
    assert await matched(floor, a_record(call_id="x", extension="SIPdana", phone=PHONE)) == second.attempt.id


async def test_of_several_calls_the_one_that_began_then_is_meant(floor: Floor) -> None:
    """Refused with the provider's own error, and placed all the same: its record is not the repeat's."""
    await floor.open(a_directory("dana"))
    first = await floor.dial(Refused(2, "error", "once_more"), a_lead(PHONE))
    began = floor.now
    floor.clock.advance(10)
    second = await floor.claim()
    await floor.send(second)
    await floor.answer(second, Placed("c2"))
    phones = {"extension": "SIPdana", "phone": PHONE}
    late = a_record(**phones, call_id="y", started_at=floor.now + 2000)
    assert await matched(floor, late) == second.attempt.id
    record = a_record(**phones, call_id="x", leg=1, status="NOANSWER", started_at=began + 2000)
    assert [moved.attempt.id for moved in await floor.report(record)] == [first.attempt.id]
    assert (await floor.states(second))[:2] == ("placed", "dialing"), "the call under way goes on"


async def test_a_refused_try_does_not_take_the_record_of_the_call_before_it(floor: Floor) -> None:
    await floor.open(a_directory("dana"))
    first = await floor.dial(Placed("c1"), a_lead(PHONE))
    await floor.outcome(first, "unreported")
    floor.clock.advance(900)
    await floor.accept(a_lead(PHONE, at=floor.now))
    second = await floor.claim()
    await floor.send(second)
    await floor.answer(second, Refused(3, "offline", "agent_offline"))
    assert await matched(floor, a_record(call_id="x", extension="SIPdana", phone=PHONE)) == first.attempt.id


async def test_a_strangers_call_on_the_same_phones_says_nothing_of_ours_that_is_over(floor: Floor) -> None:
    """Somebody rings the lead by hand afterwards: no variables of ours, another call id, the same two numbers."""
    claim = await floor.dial(Placed("c1"), a_lead(PHONE))
    by_hand = a_record(call_id="x", extension=claim.attempt.extension, phone=PHONE)
    assert await matched(floor, by_hand) == claim.attempt.id
    await floor.outcome(claim, "lead_no_answer")
    assert await matched(floor, by_hand) is None


async def test_a_call_that_came_from_the_lead_is_not_taken_for_ours_by_its_phones(floor: Floor) -> None:
    """Dana's call to the lead is open, and meanwhile the lead has phoned in and got dana."""
    claim = await floor.dial(Placed("c1"), a_lead(PHONE))
    phones = {"extension": claim.attempt.extension, "phone": PHONE}
    assert await matched(floor, a_record(call_id="x", incoming=True, **phones)) is None
    assert await matched(floor, a_record(call_id="y", **phones)) == claim.attempt.id


async def test_a_record_of_a_call_that_never_was_is_nobody_s(floor: Floor) -> None:
    claim = await floor.dial(NotSent("refused"))
    assert await floor.report(leg(2, "ANSWER", claim.attempt, talk_seconds=3)) == []
    assert await states_of(floor) == ["kept"]
    assert (await floor.states(claim))[:2] == ("not_sent", "waiting")


# ------------------------------------------------------------------------------------------ what they say


async def test_both_legs_tell_what_is_known_of_them(floor: Floor) -> None:
    claim = await floor.dial()
    await floor.report(leg(1, "ANSWER", claim.attempt, talk_seconds=50, price="7"))
    assert (await floor.states(claim))[0] == "placed"
    await floor.report(leg(2, "ANSWER", claim.attempt, talk_seconds=40, recording="https://r/1", price="12"))
    row = await floor.attempt(claim)
    assert (row["leg1_status"], row["leg1_talk"], row["leg2_status"], row["leg2_talk"]) == ("ANSWER", 50, "ANSWER", 40)
    assert (row["recording"], row["price"], row["outcome"]) == ("https://r/1", "12", "connected")
    assert await floor.history(claim.lead.id) == [
        *("received", "reserved", "sending", "placed", "reported", "agent_answered", "reported", "connected")
    ]


async def test_the_history_has_talk_time_cost_and_recording_of_each_leg(floor: Floor) -> None:
    claim = await floor.dial()
    began = floor.now // 1000 + 7200  # by Israel's wall clock
    await floor.report(leg(1, "ANSWER", claim.attempt, ring_seconds=6, talk_seconds=50, raw_time=began))
    floor.clock.advance(60)
    await floor.report(
        leg(2, "ANSWER", claim.attempt, ring_seconds=9, talk_seconds=40, raw_time=began + 6, price="12",
            recording="https://r/1")
    )  # fmt: skip
    told = [row["why"] for row in await floor.rows(events) if row["event"] == "reported"]
    assert told == [
        "leg 1 (agent) ANSWER, began 2026-01-05T10:00:00.000Z, rang 6 s, talked 50 s",
        "leg 2 (lead) ANSWER, began 2026-01-05T10:00:06.000Z, rang 9 s, talked 40 s, price 12, recording https://r/1",
    ]
    row = await floor.attempt(claim)
    assert (row["leg1_ring"], row["leg2_ring"]) == (6, 9)
    assert (row["leg1_at"], row["leg2_at"]) == (START, START + 6000), "Israel's wall clock is read as such"


async def test_a_lost_call_id_is_learned_from_the_record(floor: Floor) -> None:
    await floor.accept()
    claim = await floor.claim()
    await floor.send(claim)
    floor.clock.advance(22)
    await floor.silence(claim)
    await floor.report(leg(1, "ANSWER", claim.attempt, call_id="leg", original_call_id="call"))
    assert ((await floor.attempt(claim))["call_id"], (await floor.states(claim))[0]) == ("call", "unknown")


@pytest.mark.parametrize(
    ("record", "outcome", "lead"),
    [
        (("ANSWER", 1), "connected", "connected"),
        (("ANSWER", None), "connected", "connected"),
        (("ANSWER", 0), "lead_no_answer", "waiting"),
        (("NOANSWER", 0), "lead_no_answer", "waiting"),
        (("VOICEMAIL", 20), "lead_no_answer", "waiting"),
        (("BUSY", 0), "lead_busy", "waiting"),
        (("CONGESTION", 0), "lead_unreachable", "waiting"),
        (("WHO KNOWS", None), "lead_unreachable", "waiting"),
    ],
)
async def test_leg_two_tells_the_outcome(floor: Floor, record: tuple[str, int | None], outcome: str, lead: str) -> None:
    claim = await floor.dial()
    await floor.report(leg(2, record[0], claim.attempt, talk_seconds=record[1]))
    assert ((await floor.attempt(claim))["outcome"], (await floor.states(claim))[1]) == (outcome, lead)


async def test_a_leg_two_that_was_never_dialled_means_the_agent_did_not_pick_up(floor: Floor) -> None:
    claim = await floor.dial()
    await floor.report(leg(2, "NOTCALLED", claim.attempt, agent_leg_status="NOANSWER"))
    assert (await floor.attempt(claim))["outcome"] == "agent_no_answer"


async def test_several_records_in_one_push_settle_their_own_calls(floor: Floor) -> None:
    first, second = await two_calls(floor)
    moved = await floor.report(leg(2, "ANSWER", first, talk_seconds=1), leg(2, "BUSY", second))
    assert [(one.attempt.id, one.move.outcome) for one in moved] == [(first.id, "connected"), (second.id, "lead_busy")]


# --------------------------------------------------------------------------------------- repeats, disorder


async def test_a_repeated_record_moves_and_counts_nothing_again(floor: Floor) -> None:
    claim = await floor.dial()
    record = leg(2, "NOANSWER", claim.attempt)
    await floor.report(record, body="once")
    before = await floor.rows(events), await floor.lead(claim.lead.id)
    assert await floor.report(record, body="once") == []
    assert await floor.report(record, body="the same with other spaces") == []
    assert (await floor.rows(events), await floor.lead(claim.lead.id)) == before
    assert (await floor.lead(claim.lead.id))["lead_tries"] == 1


async def test_another_word_for_no_conversation_is_not_another_try(floor: Floor) -> None:
    claim = await floor.dial()
    await floor.report(leg(2, "NOANSWER", claim.attempt))
    await floor.report(leg(2, "BUSY", claim.attempt))
    assert (await floor.lead(claim.lead.id))["lead_tries"] == 1


class Said(NamedTuple):
    leg: int
    status: str
    talk: int | None = None
    agent_leg: str | None = None


@pytest.mark.parametrize(
    ("said", "end"),
    [
        ([Said(1, "ANSWER", 50), Said(2, "ANSWER", 40)], ("ended", "connected", "connected")),
        ([Said(1, "ANSWER", 50), Said(2, "BUSY")], ("ended", "lead_busy", "waiting")),
        ([Said(1, "ANSWER", 50, "ANSWER"), Said(2, "NOANSWER", 0, "ANSWER")], ("ended", "lead_no_answer", "waiting")),
        ([Said(1, "NOANSWER"), Said(2, "NOTCALLED")], ("ended", "agent_no_answer", "waiting")),
        ([Said(1, "NOANSWER"), Said(2, "NOTDIALED", 0, "NOANSWER")], ("ended", "agent_no_answer", "waiting")),
        ([Said(1, "ANSWER"), Said(1, "NOANSWER"), Said(2, "ANSWER", 9)], ("ended", "connected", "connected")),
        ([Said(1, "ANSWER"), Said(2, "NOANSWER"), Said(2, "ANSWER", 9)], ("ended", "connected", "connected")),
        ([Said(2, "NOTCALLED"), Said(1, "ANSWER"), Said(2, "ANSWER", 9)], ("ended", "connected", "connected")),
        ([Said(2, "ANSWER", 0), Said(2, "ANSWER", 9), Said(1, "ANSWER", 12)], ("ended", "connected", "connected")),
        ([Said(2, "ANSWER"), Said(2, "ANSWER", 9), Said(2, "VOICEMAIL", 3)], ("ended", "connected", "connected")),
    ],
    ids=lambda value: " ".join(f"{one[0]}:{one[1]}" for one in value) if isinstance(value, list) else "",
)
async def test_the_order_of_the_records_does_not_matter(
    floor: Floor, said: Sequence[Said], end: tuple[str, str, str]
) -> None:
    """Every permutation ends the same, told once or twice over."""
    orders = [*itertools.permutations(said), (*said, *said), (*reversed(said), *reversed(said))]
    await floor.open(a_directory(*(f"agent{number}" for number in range(len(orders)))))
    ends = {}
    for number, order in enumerate(orders):
        claim = await floor.dial(Placed(f"call {number}"))
        for one in order:
            record = leg(one.leg, one.status, claim.attempt, talk_seconds=one.talk, agent_leg_status=one.agent_leg)
            await floor.report(record)
        row, lead = await floor.attempt(claim), await floor.lead(claim.lead.id)
        ends[order] = (row["state"], row["outcome"], lead["state"])
        await floor.store.cancel(claim.lead.id, "test")
    assert ends == dict.fromkeys(ends, end)
