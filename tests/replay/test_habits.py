"""What a call is taken to have been like: the lead's own record first, else a draw from the day."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from app.directory import Agent, First, Policy
from app.domain.past_day import Away, PastCall
from app.service.replay.calls import Going, go
from app.service.replay.habits import (
    LEAST_CALLS,
    USUAL_PICK_UP,
    USUAL_REACTION,
    Habits,
    Lags,
    PickUp,
    Reaction,
    pick_up_of,
    reaction_of,
)
from tests.replay.days import MINUTE, a_call, a_day, a_lead, clock

NOON = clock(12)
DANA, YOSSI, NEW = (Agent(name, name.title(), f"SIP{name}") for name in ("dana", "yossi", "new"))
LINE = Agent("service/ivr/1", "IVR", "0722776772", line_of="service")


def habits_of(*calls: PastCall, seed: int = 1) -> Habits:
    """Of a day on which each of these calls had a lead of its own."""
    return Habits(a_day(*(a_lead(number, call.reserved_at, call) for number, call in enumerate(calls))), seed)


def lead_first(call: PastCall) -> PastCall:
    """The same call, with the lead's phone as leg 1."""
    return replace(call, first_leg="lead", leg1_ring=call.leg2_ring, leg2_ring=call.leg1_ring)


# ------------------------------------------------------------------------------------------ what a call tells


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (a_call("dana", NOON, ring=7), PickUp(True, 7)),
        (a_call("dana", NOON, "lead_busy", ring=3), PickUp(True, 3)),
        (a_call("dana", NOON, "agent_no_answer"), PickUp(False)),
        (a_call("dana", NOON, leg1_ring=None, agent_answered_at=NOON + 9000), PickUp(True, 9)),
        (a_call("dana", NOON, leg1_ring=None), USUAL_PICK_UP),
        (a_call("dana", NOON, None), None),
        (a_call("dana", NOON, "unreported"), None),
        (a_call("dana", NOON, None, state="refused", away="agent_offline"), None),
        (lead_first(a_call("dana", NOON, ring=4)), PickUp(True, 4)),
        (lead_first(a_call("dana", NOON, "lead_no_answer")), None),  # his phone did not ring
        (lead_first(a_call("dana", NOON, "agent_no_answer")), PickUp(False)),
    ],
)
def test_what_a_call_tells_of_its_agent(call: PastCall, told: PickUp | None) -> None:
    assert pick_up_of(call) == told


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (a_call("dana", NOON, answer=9, talk=33), Reaction("connected", 9, 33)),
        (a_call("dana", NOON, leg2_talk=None), Reaction("connected", 8, None)),
        (a_call("dana", NOON, "lead_no_answer", answer=30), Reaction("lead_no_answer", 30)),
        (a_call("dana", NOON, "lead_busy", answer=0), Reaction("lead_busy", 0)),
        (a_call("dana", NOON, "lead_unreachable", answer=1), Reaction("lead_unreachable", 1)),
        # They talked, but not long enough to count under the rules of that day.
        (a_call("dana", NOON, "lead_no_answer", leg2_status="ANSWER", leg2_talk=4), Reaction("connected", 8, 4)),
        (a_call("dana", NOON, "lead_no_answer", leg2_status="VOICEMAIL", leg2_talk=20), Reaction("lead_no_answer", 8)),
        (a_call("dana", NOON, "agent_no_answer"), None),
        (a_call("dana", NOON, None), None),
        (lead_first(a_call("dana", NOON, answer=6, talk=50)), Reaction("connected", 6, 50)),
        (lead_first(a_call("dana", NOON, "lead_busy", answer=2)), Reaction("lead_busy", 2)),
        # It picked up, and nobody knows how long it would have talked.
        (lead_first(a_call("dana", NOON, "agent_no_answer", leg2_ring=6)), Reaction("connected", 6, None)),
    ],
)
def test_what_a_call_tells_of_its_lead(call: PastCall, told: Reaction | None) -> None:
    assert reaction_of(call) == told


# --------------------------------------------------------------------------------------------- taken or drawn


def test_what_the_lead_did_is_taken_call_by_call_whoever_calls() -> None:
    calls = (
        a_call("dana", NOON, "lead_no_answer", answer=30),
        a_call("dana", NOON + MINUTE, "agent_no_answer"),
        a_call("yossi", NOON + 2 * MINUTE, talk=77),
    )
    day = a_day(a_lead(1, NOON, *calls))
    habits, (lead,) = Habits(day, 1), day.leads
    assert habits.reaction(lead.id, 0) == (Reaction("lead_no_answer", 30), True)
    assert habits.reaction(lead.id, 1) == (Reaction("connected", 8, 77), True)
    assert habits.reaction(lead.id, 2)[1] is False
    assert habits.pick_up(lead.id, DANA, 0, 1) == (PickUp(True, 5), True)
    assert habits.pick_up(lead.id, DANA, 1, 2) == (PickUp(False), True)
    assert habits.pick_up(lead.id, DANA, 2, 3)[1] is False
    assert habits.pick_up(lead.id, YOSSI, 0, 1) == (PickUp(True, 5), True)


def test_an_agent_picks_up_as_often_as_he_did_and_one_with_few_calls_as_all_did() -> None:
    """Dana missed one in ten, Yossi nine of ten; the new one is drawn from all of them."""
    calls = [a_call("dana", NOON + n, "agent_no_answer" if n == 0 else "connected", ring=n) for n in range(10)]
    calls += [a_call("yossi", NOON + n, "agent_no_answer" if n else "connected") for n in range(10)]
    habits = habits_of(*calls)

    def misses(agent: Agent) -> float:
        return sum(not habits.pick_up(f"lead {n}", agent, 0, 1)[0].took for n in range(4000)) / 4000

    assert misses(DANA) == pytest.approx(0.1, abs=0.03)
    assert misses(YOSSI) == pytest.approx(0.9, abs=0.03)
    assert misses(NEW) == pytest.approx(0.5, abs=0.03)
    assert (habits.calls_of("dana"), habits.calls_of("new")) == (10, 0)


def test_too_few_calls_tell_nothing_of_an_agent() -> None:
    few = [a_call("dana", NOON + n, "agent_no_answer") for n in range(LEAST_CALLS - 1)]
    others = [a_call("yossi", NOON + n) for n in range(50)]
    habits = habits_of(*few, *others)
    drawn = Counter(habits.pick_up(f"lead {n}", DANA, 0, 1)[0].took for n in range(1000))
    assert drawn[True] > 800


def test_leads_that_were_never_called_answer_as_the_others_did() -> None:
    """First tries like first tries, second ones like second ones."""
    first = [a_lead(n, NOON, a_call("dana", NOON, "connected" if n % 2 else "lead_busy", talk=n)) for n in range(100)]
    again = [
        a_lead(n, NOON, a_call("dana", NOON, "lead_busy"), a_call("dana", NOON + MINUTE, "lead_no_answer"))
        for n in range(200, 220)
    ]
    habits = Habits(a_day(*first, *again), 1)
    drawn = [habits.reaction(f"unknown {n}", 0) for n in range(2000)]
    assert not any(known for _, known in drawn)
    assert sum(one.outcome == "connected" for one, _ in drawn) / 2000 == pytest.approx(50 / 120, abs=0.04)
    assert {habits.reaction(f"unknown {n}", 1)[0].outcome for n in range(200)} == {"lead_no_answer"}


def test_a_talk_that_nobody_timed_is_as_long_as_one_of_the_day() -> None:
    unknown = lead_first(a_call("dana", NOON, "agent_no_answer"))
    day = a_day(a_lead(1, NOON, unknown), a_lead(2, NOON, a_call("dana", NOON, talk=41)))
    assert Habits(day, 1).reaction(day.leads[0].id, 0)[0].talk == 41


def test_draws_depend_on_the_seed_and_the_lead_alone() -> None:
    """Not on what was asked before: so two files meet the same people."""
    calls = [a_call("dana", NOON + n, ring=n, talk=n + 1) for n in range(50)]
    one, other = habits_of(*calls), habits_of(*calls)
    before = [one.reaction(f"lead {n}", 0) for n in range(20)]
    for n in range(100):
        other.pick_up(f"someone {n}", DANA, 0, 1)
    assert [other.reaction(f"lead {n}", 0) for n in range(20)] == before
    assert [habits_of(*calls, seed=2).reaction(f"lead {n}", 0) for n in range(20)] != before


def test_on_a_day_without_calls_everybody_does_the_usual() -> None:
    habits = Habits(a_day(a_lead(1, NOON)), 1)
    assert not habits.knows_calls
    assert habits.pick_up("any", DANA, 0, 1) == (USUAL_PICK_UP, False)
    assert habits.reaction("any", 0) == (USUAL_REACTION, False)
    assert habits.lags == Lags()


def test_an_ivr_always_picks_up_and_says_nothing_of_people() -> None:
    habits = habits_of(*(a_call("service/ivr/1", NOON + n, ring=1) for n in range(9)), a_call("dana", NOON, ring=6))
    assert habits.pick_up("any", LINE, 0, 1) == (PickUp(True, 1), True)
    assert Habits(a_day(), 1).pick_up("any", LINE, 0, 1) == (PickUp(True), True)
    assert habits.pick_up("any", YOSSI, 0, 1)[0] == PickUp(True, 6)


# -------------------------------------------------------------------------------------------- away, and the lags


def test_who_was_refused_as_offline_is_away_from_refusal_to_refusal_and_a_minute_longer() -> None:
    def refused(at: int, why: Away) -> PastCall:
        return a_call("dana", at, None, state="refused", away=why)

    calls = [refused(NOON, "agent_offline"), refused(NOON + 5 * MINUTE, "agent_offline")]
    calls += [a_call("dana", NOON + 10 * MINUTE), refused(NOON + 20 * MINUTE, "agent_blocked")]
    calls += [a_call("yossi", NOON + 2 * MINUTE)]
    habits = habits_of(*calls)
    assert habits.away("dana", NOON - 1) is None
    assert habits.away("dana", NOON) == "agent_offline"
    assert habits.away("dana", NOON + 4 * MINUTE) == "agent_offline"
    assert habits.away("dana", NOON + 6 * MINUTE - 1) == "agent_offline"
    assert habits.away("dana", NOON + 6 * MINUTE) is None
    assert habits.away("dana", NOON + 34 * MINUTE) == "agent_blocked"
    assert habits.away("dana", NOON + 35 * MINUTE) is None
    assert habits.away("yossi", NOON) is None


def test_a_refusal_after_a_call_is_an_absence_of_its_own() -> None:
    calls = [a_call("dana", NOON, None, state="refused", away="agent_offline"), a_call("dana", NOON + 5 * MINUTE)]
    calls += [a_call("dana", NOON + 10 * MINUTE, None, state="refused", away="agent_offline")]
    habits = habits_of(*calls)
    assert habits.away("dana", NOON + 7 * MINUTE) is None
    assert habits.away("dana", NOON + 10 * MINUTE) == "agent_offline"


def test_lags_are_the_medians_of_the_day() -> None:
    """5 + 8 + 60 s of call; seen to leave the line 2 s later, its record 30 s later; a miss is known 9 s after 20 s."""
    over = [a_call("dana", NOON + n, left_at=NOON + n + 75_000, ended_at=NOON + n + 103_000) for n in range(3)]
    wild = a_call("dana", NOON + 9, left_at=NOON + 9_000_000, ended_at=NOON + 9_000_000)
    missed = a_call("dana", NOON + 7, "agent_no_answer", ended_at=NOON + 7 + 29_000)
    assert habits_of(*over, wild, missed).lags == Lags(missed=9000, over=2000, told=30_000)


def test_a_lag_is_never_negative_nor_longer_than_ten_minutes() -> None:
    early = a_call("dana", NOON, ended_at=NOON + 1000)
    assert habits_of(early).lags == Lags(over=0, told=0)
    late = a_call("dana", NOON, ended_at=NOON + 120 * MINUTE)
    assert habits_of(late).lags == Lags(over=600_000, told=600_000)


# ------------------------------------------------------------------------------------------------- one call


@pytest.mark.parametrize(
    ("first", "pick_up", "reaction", "going"),
    [
        ("agent", PickUp(True, 5), Reaction("connected", 8, 60), Going("connected", 73_000, 13_000, 60)),
        ("agent", PickUp(True, 20), Reaction("connected", 30, 9), Going("connected", 59_000, 50_000, 9)),
        (
            "agent",
            PickUp(True, 21),
            Reaction("connected", 8, 60),
            Going("agent_no_answer", 20_000, missed=True, lead_rang=False),
        ),
        (
            "agent",
            PickUp(False),
            Reaction("connected", 8, 60),
            Going("agent_no_answer", 20_000, missed=True, lead_rang=False),
        ),
        ("agent", PickUp(True, 5), Reaction("lead_busy", 2), Going("lead_busy", 7000)),
        ("agent", PickUp(True, 5), Reaction("connected", 31, 60), Going("lead_no_answer", 35_000)),
        ("agent", PickUp(True, 5), Reaction("lead_no_answer", 55), Going("lead_no_answer", 35_000)),
        ("agent", PickUp(True, 5), Reaction("connected", 8, 9), Going("lead_no_answer", 22_000, None, 9, short=True)),
        ("agent", PickUp(True, 5), Reaction("connected", 8, 9999), Going("connected", 3_613_000, 13_000, 3600)),
        ("lead", PickUp(True, 5), Reaction("connected", 8, 60), Going("connected", 73_000, 13_000, 60)),
        ("lead", PickUp(True, 5), Reaction("lead_busy", 2), Going("lead_busy", 2000, agent_rang=False)),
        ("lead", PickUp(True, 5), Reaction("connected", 40, 60), Going("lead_no_answer", 30_000, agent_rang=False)),
        ("lead", PickUp(False), Reaction("connected", 8, 60), Going("agent_no_answer", 28_000, missed=True)),
    ],
)
def test_how_a_call_goes(first: First, pick_up: PickUp, reaction: Reaction, going: Going) -> None:
    """An agent is rung for 20 s, a lead for 30 s; less than 9 s of talk would be too short, as is 9 s below 10."""
    policy = Policy(ring_agent=20, ring_lead=30, max_duration=3600, short_call=10 if going.short else 5)
    assert go(first, policy, 20, pick_up, reaction) == going
