"""What a changed file does to a day, rule by rule; and what is known of a day beside its calls."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.directory import Directory, parse_directory
from app.domain.past_day import Deed, EarlierCall, PastDay, PastLead, Talk
from app.service.replay.differences import notes
from app.service.replay.habits import Habits
from app.service.replay.ledger import CallMade, LeadEnd, Ledger
from app.service.replay.record import record, set_time
from app.service.replay.run import replay
from app.service.rules import Rules
from tests.replay.days import (
    FRIDAY,
    HOUR,
    MINUTE,
    SECOND,
    a_call,
    a_day,
    a_lead,
    clock,
    did,
    directory,
    held,
    phone,
    toml,
)

NINE, NOON = clock(9), clock(12)
SCHEDULED = ("scheduled", "intake", "scheduled")


def run(day: PastDay, file: Directory | None = None) -> Ledger:
    return replay(day, file or directory(), Habits(day, 1), deadline_then=40)


def end(ledger: Ledger, number: int = 1) -> LeadEnd:
    """What became of the last lead with that number that was no repeat."""
    return [lead for lead in ledger.leads if lead.phone == phone(number) and not lead.again][-1]


def made(ledger: Ledger) -> list[tuple[str, int]]:
    return [(call.agent_id, call.at) for call in ledger.calls]


# ---------------------------------------------------------------------------------------------------- guards


def guarded(mode: str) -> Directory:
    return directory(guards=f'cooldown = {{ mode = "{mode}", per_phone = ["1/2 hours"] }}')


@pytest.mark.parametrize(
    ("mode", "result", "called"),
    [("off", "connected", 2), ("observe", "connected", 2), ("hold", "held", 1), ("refuse", "refused", 1)],
)
def test_the_cool_down_counts_the_leads_of_the_day(mode: str, result: str, called: int) -> None:
    day = a_day(a_lead(1, NOON, a_call("dana", NOON)), a_lead(1, NOON + HOUR, a_call("yossi", NOON + HOUR)))
    ledger = run(day, guarded(mode))
    assert (end(ledger).result, len(ledger.calls)) == (result, called)
    assert [hit.mode for hit in end(ledger).hits] == ([] if mode == "off" else [mode])


@pytest.mark.parametrize(
    ("guard", "mode", "result"),
    [
        ("stale", None, "held"),
        ("low_confidence", "hold", "held"),
        ("low_confidence", "observe", "connected"),
        ("low_confidence", "off", "connected"),
        ("honeypot", "refuse", "spam"),
        ("honeypot", "hold", "held"),
        ("honeypot", "off", "connected"),
    ],
)
@pytest.mark.parametrize("event", ["held", "observed", "spam"])
def test_what_was_seen_when_it_came_is_judged_by_the_file(
    event: str, guard: str, mode: str | None, result: str
) -> None:
    """A trap, a guess and a late delivery cannot be seen of a number again: that a guard spoke of them is kept."""
    deeds = (did(NOON, event, "guard", f"{guard}: figures"),)
    day = a_day(a_lead(1, NOON, a_call("dana", NOON), deeds=deeds))
    ledger = run(day, directory(guards=f'{guard} = "{mode}"' if mode else ""))
    assert end(ledger).result == result
    assert [hit.guard for hit in end(ledger).hits] == ([] if mode == "off" else [guard])
    assert end(record(day, Rules(directory()))).hits[0].guard == guard


def test_what_was_seen_of_a_form_that_joined_says_nothing_of_the_first() -> None:
    deeds = (did(NOON + MINUTE, "joined", "form"), did(NOON + MINUTE, "observed", "guard", "honeypot: figures"))
    day = a_day(a_lead(1, NOON, a_call("dana", NOON), deeds=deeds))
    ledger = run(day, directory(guards='honeypot = "hold"'))
    assert end(ledger).result == "connected"


def test_and_those_that_were_admitted_before_it() -> None:
    day = a_day(a_lead(1, NINE, a_call("dana", NINE)), admitted={"key-1": (NINE - HOUR,)})
    assert end(run(day, guarded("hold"))).result == "held"
    longer_ago = replace(day, admitted={"key-1": (NINE - 2 * HOUR,)})
    assert end(run(longer_ago, guarded("hold"))).result == "connected"


def test_a_lead_that_a_person_had_released_is_released_where_it_is_held_again() -> None:
    deeds = (held(NOON, "cooldown"), did(NOON + 5 * MINUTE, "released", "operator"))
    second = a_lead(1, NOON, a_call("yossi", NOON + 5 * MINUTE), deeds=deeds)
    day = a_day(a_lead(1, NOON - HOUR, a_call("dana", NOON - HOUR)), second)
    ledger = run(day, guarded("hold"))
    assert made(ledger) == [("dana", NOON - HOUR), ("yossi", NOON + 5 * MINUTE)]
    assert end(ledger).result == "connected"


def test_where_it_is_not_held_it_is_called_at_once() -> None:
    deeds = (held(NOON, "cooldown"), did(NOON + 5 * MINUTE, "released", "operator"))
    day = a_day(a_lead(1, NOON, a_call("dana", NOON + 5 * MINUTE), deeds=deeds))
    assert made(run(day, guarded("hold"))) == [("dana", NOON)]


def test_the_money_cap_holds_who_comes_too_late_and_counts_what_was_spent_before() -> None:
    file = directory(guards='calls = { mode = "hold", per_hour = 1, per_day = 3 }')
    at = [NOON, NOON + 10 * MINUTE, NOON + HOUR, NOON + 2 * HOUR]
    leads = [a_lead(n, moment, a_call("dana", moment)) for n, moment in enumerate(at)]
    ledger = run(a_day(*leads), file)
    assert [end(ledger, n).result for n in range(4)] == ["connected", "held", "connected", "connected"]
    spent = (EarlierCall("key-9", NINE, True), EarlierCall("key-9", NINE + HOUR, False))
    ledger = run(a_day(*leads, since=clock(11), calls=spent), file)
    assert [end(ledger, n).result for n in range(4)] == ["connected", "held", "held", "held"]
    watching = directory(guards='calls = { mode = "observe", per_hour = 1, per_day = 3 }')
    ledger = run(a_day(*leads), watching)
    assert [end(ledger, n).result for n in range(4)] == ["connected"] * 4
    assert [[hit.guard for hit in end(ledger, n).hits] for n in range(4)] == [[], ["calls"], [], ["calls"]]


def test_a_number_of_another_country_is_held_or_called_as_the_file_says() -> None:
    day = a_day(a_lead(1, NOON, phone="+442079460958"))
    (held_one,) = run(day).leads
    assert (held_one.result, held_one.reason) == ("held", "country")
    (called,) = run(day, directory(policy='countries = ["IL", "GB"]')).leads
    assert called.result == "connected"


def test_a_number_that_costs_extra_is_refused() -> None:
    day = a_day(a_lead(1, NOON, phone="+9721900123456"))
    (lead,) = run(day).leads
    assert (lead.result, lead.reason) == ("refused", "premium")


# ---------------------------------------------------------------------------------------- sites, agents, people


def test_leads_of_a_site_that_the_file_has_not_are_told_and_not_replayed() -> None:
    day = a_day(*(a_lead(n, NOON, site="old") for n in range(12)), a_lead(20, NOON))
    ledger = run(day)
    assert [lead.result for lead in ledger.leads].count("no_site") == 12
    assert "12 leads of site old, which the file does not have: not replayed" in notes(day, directory(), Habits(day, 1))


def test_an_agent_who_is_not_in_the_file_is_told_and_his_calls_go_to_others() -> None:
    day = a_day(a_lead(1, NOON, a_call("gone", NOON)), a_lead(2, NOON + HOUR, a_call("gone", NOON + HOUR)))
    assert {call.agent_id for call in run(day).calls} == {"dana", "yossi"}
    said = notes(day, directory(), Habits(day, 1))
    assert said == [
        "gone, who had 2 calls that day, is not in the file",
        "dana, yossi had fewer than 5 calls that day: taken to pick up as all do",
    ]


def test_a_file_with_many_new_agents_names_five_of_them() -> None:
    day = a_day(a_lead(1, NOON, a_call("gone", NOON)))
    agents = tuple(f"agent{n}" for n in range(8))
    said = notes(day, directory(agents), Habits(day, 1))[-1]
    assert said.startswith("agent0, agent1, agent2, agent3, agent4 and 3 others had fewer than 5 calls that day")


def test_without_any_call_the_day_says_what_is_taken() -> None:
    day = a_day(a_lead(1, NOON))
    (said,) = notes(day, directory(), Habits(day, 1))
    assert said.startswith("no call of that day is kept")


def test_nobody_is_called_before_his_shift_begins_and_then_at_once() -> None:
    file = parse_directory(
        toml({"dana": "late"}).replace("[hours.mornings]", '[hours.late]\nthu = ["13:00-18:00"]\n[hours.mornings]')
    )
    day = a_day(a_lead(1, clock(12, 50), a_call("dana", clock(12, 50))))
    ledger = run(day, file)
    assert made(ledger) == [("dana", clock(13))]
    assert ledger.waited == {"main": ((clock(12, 50), clock(13)),)}


def test_a_longer_day_calls_in_the_evening_who_waited_for_the_morning() -> None:
    deeds = (did(clock(19), "scheduled", "intake", "closed"),)
    day = a_day(a_lead(1, clock(19), deeds=deeds, reason="closed", due_at=clock(9, day=FRIDAY)))
    assert end(run(day)).result == "waiting"
    late = parse_directory(toml().replace('sun-thu = ["09:00-18:00"]', 'sun-thu = ["09:00-21:00"]'))
    assert made(run(day, late)) == [("dana", clock(19))]


def test_who_talked_with_somebody_before_goes_to_him_where_the_file_says_so() -> None:
    day = a_day(a_lead(1, NOON, a_call("dana", NOON)), talks={"key-1": Talk("yossi", NOON - 20 * HOUR)})
    assert made(run(day)) == [("dana", NOON)]
    assert made(run(day, directory(policy='sticky = "1d"'))) == [("yossi", NOON)]
    assert made(run(day, directory(policy='sticky = "10h"'))) == [("dana", NOON)]


def test_who_was_offline_that_day_costs_nothing_and_is_left_alone_for_a_minute() -> None:
    offline = a_call("dana", NOON, None, state="refused", away="agent_offline")
    day = a_day(a_lead(1, NOON, offline, a_call("yossi", NOON)), a_lead(2, NOON + 30 * SECOND))
    assert made(run(day)) == [("yossi", NOON), ("dana", NOON + MINUTE)]


# -------------------------------------------------------------------------------------------------- again, later


def test_a_second_try_of_a_number_that_was_rung_enough_goes_on_tomorrow() -> None:
    file = directory(policy='calls_per_number = 2\nretry_lead = ["1m", "1m", "1m"]')
    calls = [a_call("dana", NOON + n * MINUTE, "lead_no_answer") for n in range(4)]
    ledger = run(a_day(a_lead(1, NOON, *calls)), file)
    assert (len(ledger.calls), ledger.put_off, end(ledger).result) == (2, 1, "waiting")
    before = (EarlierCall("key-1", NINE, True), EarlierCall("key-1", NINE + 1, False))
    ledger = run(a_day(a_lead(1, NOON, *calls), since=clock(11), calls=before), file)
    assert (len(ledger.calls), ledger.put_off) == (1, 1)


def test_a_lead_that_is_sent_again_after_it_is_over_is_a_new_one() -> None:
    """Under this file it was connected sooner, and the repeat meets the cool-down."""
    first = a_lead(1, NOON, a_call("dana", NOON + 10 * MINUTE), deeds=(did(NOON + 5 * MINUTE, "joined", "widget"),))
    ledger = run(a_day(first))
    assert [(lead.result, lead.again) for lead in ledger.leads] == [("connected", False), ("held", True)]


def test_calls_that_are_under_way_at_the_end_are_seen_to_theirs() -> None:
    day = a_day(a_lead(1, NOON, a_call("dana", NOON)), until=NOON + SECOND)
    (lead,) = run(day).leads
    assert (lead.result, lead.conversation_at) == ("connected", NOON + 13 * SECOND)


def test_nothing_is_begun_after_the_end() -> None:
    missed = a_call("dana", NOON, "agent_no_answer")
    ledger = run(a_day(a_lead(1, NOON, missed), until=NOON + SECOND))
    assert (len(ledger.calls), end(ledger).result) == (1, "waiting")


def test_who_was_open_from_before_is_called_first_thing() -> None:
    evening = clock(20) - 24 * HOUR
    deeds = (did(evening, "scheduled", "intake", "closed"),)
    day = a_day(a_lead(2, clock(10)), open_before=(a_lead(1, evening, a_call("dana", NINE), deeds=deeds),))
    ledger = run(day)
    assert made(ledger)[0] == ("dana", NINE + 13 * HOUR // 240_000), "as the freshest first of thirteen hours' wait"
    assert not end(ledger, 1).fresh


def test_a_lead_cancelled_by_its_visitor_is_not_called_afterwards() -> None:
    deeds = (did(clock(8), "scheduled", "intake", "closed"), did(clock(8, 30), "cancelled"))
    day = a_day(a_lead(1, clock(8), deeds=deeds, state="cancelled", due_at=None, ended_at=clock(8, 30)))
    assert (end(run(day)).result, run(day).calls) == ("cancelled", ())
    early = parse_directory(toml().replace('sun-thu = ["09:00-18:00"]', 'sun-thu = ["07:00-18:00"]'))
    assert end(run(day, early)).result == "connected"


def test_who_phoned_in_is_not_called_unless_the_file_says_so() -> None:
    deeds = (did(clock(8), "scheduled", "intake", "closed"), did(clock(8, 30), "phoned_in", "provider", "80 s"))
    day = a_day(a_lead(1, clock(8), deeds=deeds, state="cancelled", due_at=None, ended_at=clock(8, 30)))
    assert (end(run(day)).result, end(run(day)).reason) == ("cancelled", "phoned_in")
    assert end(run(day, directory(policy="cancel_when_phoned_in = false"))).result == "connected"


def test_a_number_that_could_never_be_rung_is_held_by_the_dialing_window() -> None:
    text = toml(policy='dialing_window = "never_open"', guards='country = "off"')
    file = parse_directory(text + '\n[hours.never_open]\nsat = ["03:00-03:10"]\n')
    (lead,) = run(a_day(a_lead(1, NOON)), file).leads
    assert (lead.result, lead.reason) == ("held", "dialing_window")


# ---------------------------------------------------------------------------------------------- set times


def set_for(lead: PastLead, moved: Deed | None = None) -> int | None:
    return set_time(lead, 40, moved)


def test_a_set_time_is_kept_while_the_lead_waits() -> None:
    lead = a_lead(1, NINE, deeds=(did(NINE, *SCHEDULED),), reason="scheduled", due_at=clock(15))
    assert set_for(lead) == clock(15)
    assert made(run(a_day(lead))) == [("dana", clock(15))]


def test_afterwards_it_is_when_the_lead_was_called() -> None:
    lead = a_lead(1, NINE, a_call("dana", clock(15)), deeds=(did(NINE, *SCHEDULED),))
    assert set_for(lead) == clock(15)


def test_or_a_deadline_before_it_was_told_another_time() -> None:
    deeds = (did(NINE, *SCHEDULED), did(clock(15, 0, 39), "promised", "sweeper"))
    assert set_for(a_lead(1, NINE, a_call("dana", clock(15, 4)), deeds=deeds)) == clock(15)


def test_or_a_deadline_before_its_deadline_where_it_was_never_called() -> None:
    lead = a_lead(1, NINE, deeds=(did(NINE, *SCHEDULED),), state="cancelled", due_at=None)
    assert set_for(replace(lead, deadline_at=clock(15, 0, 40))) == clock(15)


def test_a_lead_that_asked_for_no_time_has_none() -> None:
    assert set_for(a_lead(1, NINE, a_call("dana", NINE))) is None
    assert set_for(a_lead(1, clock(8), deeds=(did(clock(8), "scheduled", "intake", "closed"),))) is None


def test_a_lead_that_moved_its_call_is_called_then() -> None:
    """It came at eight, would have been called at nine, and chose three o'clock before that."""
    moved = did(clock(8, 30), "scheduled", "lead", "scheduled")
    deeds = (did(clock(8), "scheduled", "intake", "closed"), moved)
    lead = a_lead(1, clock(8), a_call("dana", clock(15)), deeds=deeds)
    assert set_for(lead) is None
    assert set_for(lead, moved) == clock(15)
    assert made(run(a_day(lead))) == [("dana", clock(15))]


# -------------------------------------------------------------------------------------------------- the record


def ends(*leads: PastLead, until: int | None = None) -> list[tuple[str, str | None]]:
    day = a_day(*leads, until=until)
    return [(lead.result, lead.reason) for lead in record(day, Rules(directory())).leads]


def test_the_record_ends_where_the_time_does() -> None:
    """What came of a lead later is not told: at noon it waited."""
    later = a_lead(1, NINE, a_call("dana", NINE, "lead_no_answer"), a_call("dana", clock(13)))
    assert ends(later, until=NOON) == [("waiting", None)]
    assert ends(later) == [("connected", None)]
    expired = a_lead(2, NINE, state="expired", reason="expired", due_at=None, ended_at=clock(13))
    assert ends(expired, until=NOON) == [("waiting", None)]
    assert ends(expired) == [("expired", "expired")]


def test_the_record_tells_holds_that_are_no_guards() -> None:
    lead = a_lead(1, NINE, state="held", reason="outage", due_at=None, deeds=(held(NINE + 1, "outage", "dispatcher"),))
    (told,) = record(a_day(lead), Rules(directory())).leads
    assert (told.result, told.reason, told.hits) == ("held", "outage", ())


def test_a_call_that_was_never_asked_for_is_no_call() -> None:
    never = [a_call("dana", NINE + n, None, state=state) for n, state in enumerate(("refused", "lapsed", "not_sent"))]
    ledger = record(a_day(a_lead(1, NINE, *never, a_call("yossi", NINE + 9))), Rules(directory()))
    assert ledger.calls == (CallMade(f"lead-00001-{NINE}", "yossi", NINE + 9, NINE + 9 + 77 * SECOND, False, 60),)
    assert ledger.leads[0].request_at == NINE + 9


def test_a_conversation_began_when_both_had_answered_or_was_seen_to() -> None:
    known = a_lead(1, NINE, a_call("dana", NINE, connected_at=NINE + 90_000))
    unknown = a_lead(2, NINE, a_call("dana", NINE, leg1_ring=None, connected_at=NINE + 90_000))
    told = record(a_day(known, unknown), Rules(directory())).leads
    assert [lead.conversation_at for lead in told] == [NINE + 13 * SECOND, NINE + 90 * SECOND]
