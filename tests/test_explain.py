"""A lead explained: on one clock, in words that say what a person has to do; what is kept is read as it was kept."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from app.directory import parse_directory
from app.domain.choices import pack, write_choice
from app.domain.lead import Attempt, Event, Lead
from app.domain.priority import AGAIN, BACKLOG, FRESH, PROMISED
from app.domain.stories import AgentState, AttemptTimes, Dossier, LeadStory
from app.domain.switches import Switch
from app.service.explain import explain
from app.service.explanation import Explanation, Next, aloud, as_json
from app.service.rules import Rules

NOON = 1767607200000  # Monday 2026-01-05, 12:00 in Jerusalem
SECOND, MINUTE, HOUR = 1000, 60_000, 3_600_000
EVENING = NOON + 8 * HOUR
TOML = """
[policy]
retry_lead = ["10m", "60m", "4h"]
[hours.office]
sun-thu = ["09:00-18:00"]
[hours.late]
sun-thu = ["14:00-18:00"]
[[sites]]
key = "main"
origins = ["https://x.example"]
hours = "office"
[[sites]]
key = "back"
origins = ["https://x.example"]
first = "lead"
[[sites]]
key = "service"
origins = ["https://x.example"]
ivr = "0722776772"
[[sites]]
key = "sales"
origins = ["https://x.example"]
skills = ["sales"]
[[agents]]
id = "dana"
name = "Dana Levi"
extension = "SIPdana1"
[[agents]]
id = "yossi"
name = "Yossi Cohen"
extension = "SIPyossi2"
[[agents]]
id = "gil"
name = "Gil Katz"
extension = "SIPgil3"
hours = "late"
"""
LEAD = Lead(
    id="lead-1",
    site="main",
    source="widget",
    phone="+972542345678",
    name="Noa",
    message="",
    language="he",
    state="waiting",
    reason="no_agent",
    outcome=None,
    received_at=NOON,
    due_at=NOON,
    expires_at=NOON + HOUR,
    ended_at=None,
    attempt_id=None,
    attempts=0,
    lead_tries=0,
    agent_misses=0,
    send_failures=0,
    errors=0,
    avoid_agent=None,
    asked_language="",
    redials=0,
    deadline_at=NOON + 40_000,
    promised_at=None,
    rank=FRESH,
    avoid_until=None,
    admitted=True,
)
FREE = AgentState("", True, "available", None, False, None, None, 0)


def event(
    word: str,
    why: str | None = None,
    *,
    after: float = 0,
    agent: str | None = "dana",
    who: str = "somebody",
    attempt: str | None = "attempt-1",
) -> Event:
    return Event(NOON + round(after * SECOND), word, who, attempt, agent, why)


def explained(
    *history: Event,
    lead: Lead = LEAD,
    agents: dict[str, AgentState] | None = None,
    attempts: list[AttemptTimes] | None = None,
    ahead: dict[int, int] | None = None,
    dialling: Switch | None = None,
    rung_out: bool = False,
    toml: str = TOML,
    at: int = NOON,
) -> Explanation:
    there = {"dana": FREE, "yossi": FREE, "gil": FREE} if agents is None else agents
    before = ahead or {}
    story = LeadStory(lead, "dana" if attempts else None, None, list(history), sum(before.values()))
    dossier = Dossier(at, story, attempts or [], there, dialling or Switch(), before, rung_out)
    return explain(dossier, Rules(parse_directory(toml)))


def told(*history: Event, **given: Any) -> list[str]:
    """The history in words."""
    return [line.text for line in explained(*history, **given).history]


def next_of(**given: Any) -> Next:
    return explained(*given.pop("history", ()), **given).next


# ------------------------------------------------------------------------------------------------- the history


def test_a_report_is_read_on_the_policys_clock_and_its_price_has_a_unit() -> None:
    why = "leg 2 (lead) ANSWER, began 2026-01-05T10:00:03.000Z, talked 61 s, price 24"
    assert told(event("reported", why)) == [
        "the provider reported: leg 2 (lead) ANSWER, began 12:00:03, talked 61 s, price 24 agorot"
    ]


def test_what_the_call_log_told_is_not_said_to_have_been_pushed() -> None:
    (line,) = told(event("reported", "leg 1 (agent) ANSWER", who="call log"))
    assert line == "the provider's call log told: leg 1 (agent) ANSWER"


@pytest.mark.parametrize("why", ["leg 1 (agent) ANSWER, began sometimeZ, price", "no reason given", "price of bread"])
def test_a_report_that_is_written_otherwise_is_read_as_it_is(why: str) -> None:
    assert told(event("reported", why)) == [f"the provider reported: {why}"]


def test_a_report_of_a_call_to_an_ivr_does_not_speak_of_an_agent() -> None:
    assert told(event("reported", "leg 2 (agent) VOEND", agent="service/ivr/1")) == [
        "the provider reported: leg 2 (IVR) VOEND"
    ]


@pytest.mark.parametrize(
    ("why", "words"),
    [
        ("provider", "held: Voicenter refused (Account is blocked); a person decides"),
        ("absent", "held: no account of Voicenter knows this call; a person decides"),
        ("ended", "held: ended by an operator; not rung again until released"),
        ("cooldown", "held by the guard cooldown: a person decides"),
        (
            "cooldown: request 2 of this number within 10 minutes; 1 is let through",
            "held by the guard cooldown: a person decides (request 2 of this number within 10 minutes; "
            "1 is let through)",
        ),
        (
            "outage: nothing could be dialled for 5 minutes",
            "held: it waited while nobody could be dialled at all, too long to be rung unasked; a person decides "
            "(nothing could be dialled for 5 minutes)",
        ),
    ],
)
def test_why_a_lead_is_held_is_said_in_words(why: str, words: str) -> None:
    assert told(event("refused", "Account is blocked"), event("held", why))[1] == words


def test_a_wait_that_is_over_in_the_same_second_is_left_out() -> None:
    missed, wait = event("agent_no_answer"), event("waiting", "no_agent")
    quick = told(missed, wait, event("reserved", after=0.4))
    slow = told(missed, wait, event("reserved", after=5))
    retry = told(missed, event("waiting", "retry"), event("reserved", after=0.4))
    assert [len(lines) for lines in (quick, slow, retry)] == [2, 3, 3]


def test_an_answer_that_two_accounts_tell_is_told_once() -> None:
    line, record = event("agent_answered", who="presence"), event("agent_answered", who="provider", after=60)
    assert told(line, record) == ["Dana Levi answered"]


def test_whose_phone_rings_first_is_said_where_it_is_the_leads() -> None:
    assert told(event("reserved")) == ["reserved for Dana Levi"]
    assert told(event("reserved"), lead=replace(LEAD, site="back")) == [
        "reserved for Dana Levi; the lead is rung first"
    ]


def test_a_request_says_how_long_the_phone_is_to_ring_and_whose() -> None:
    """Also of an agent who is not in the file any more."""
    asked = event("sending", "14 14", agent=None)
    assert told(event("reserved"), asked)[1].endswith("about to leave; Dana Levi's phone is to ring for 14 s")
    assert told(event("reserved", agent="fired"), asked)[1].endswith(
        "about to leave; fired's phone is to ring for 14 s"
    )
    assert told(event("reserved"), event("sending", agent=None))[1].endswith("about to leave"), (
        "from before it was kept"
    )


@pytest.mark.parametrize(
    ("who", "why", "words"),
    [
        ("intake", "closed", "came in while it may not be rung; waits for the opening"),
        ("intake", "scheduled", "waits for a time that was set by the form"),
        ("lead", "scheduled", "waits for a time that was set by the lead"),
    ],
)
def test_who_set_a_time_is_said(who: str, why: str, words: str) -> None:
    assert told(event("scheduled", why, who=who)) == [words]


def test_a_promise_is_read_as_the_time_that_was_told() -> None:
    assert told(event("promised", str(NOON + 10 * MINUTE))) == [
        "nobody was free in time; told that the call comes by 12:10"
    ]


# -------------------------------------------------------------------------------------------------- the guards


def test_guards_are_told_with_mode_and_figures_also_those_that_only_observe() -> None:
    history = (
        event("held", "country: a number of GB; we ring IL", who="guard"),
        event("observed", "premium (hold): a number of the kind toll free", who="guard"),
        event("observed", "cooldown: request 3 of this number within 1 day; 2 are let through", who="guard"),
        event("observed", "calls", who="guard"),
        event("held", "provider", who="dispatcher"),
    )
    found = explained(*history, lead=replace(LEAD, state="held", due_at=None)).guards
    assert [(one.guard, one.mode, one.decided) for one in found] == [
        ("country", "hold", True),
        ("premium", "hold", False),
        ("cooldown", "observe", False),
        ("calls", "observe", False),
    ]
    assert [one.text for one in found] == [
        "held by the guard country: a person decides (a number of GB; we ring IL)",
        "the guard premium would have held it, too (a number of the kind toll free)",
        "the guard cooldown would have spoken (request 3 of this number within 1 day; 2 are let through)",
        "the guard calls would have spoken",
    ]


# --------------------------------------------------------------------------------------------------- what next


def test_the_place_in_the_queue_is_said_in_words_and_who_is_before_it() -> None:
    busy = {"dana": replace(FREE, state="on_call"), "yossi": replace(FREE, state="on_call")}
    first = explained(agents=busy)
    assert first.next == Next("dialled as soon as an agent is free", None, "first in line")
    later = explained(agents=busy, ahead={PROMISED: 1, FRESH: 2, AGAIN: 0, BACKLOG: 0})
    assert later.next.why == "3 before it"
    assert later.waiting is not None
    assert (later.waiting.rank, later.waiting.ahead) == ("fresh", 3)
    assert later.waiting.turn == (
        "fresh: somebody has just sent the form; 3 before it (1 set time, 2 fresh); deadline 12:00:40; "
        "expires at 13:00:00"
    )


def test_a_broken_promise_is_said_with_the_time_that_was_told() -> None:
    late = replace(LEAD, promised_at=NOON + 15 * MINUTE, deadline_at=NOON + 15 * MINUTE)
    found = explained(lead=late, agents={"dana": replace(FREE, state="on_call")}, at=NOON + MINUTE)
    assert found.next.why == "first in line; told that the call comes by 12:15:00"
    assert found.waiting is not None
    assert "promised by 12:15:00, as nobody was free in time" in found.waiting.turn


@pytest.mark.parametrize(
    ("rank", "word"), [(PROMISED, "set time"), (FRESH, "fresh"), (AGAIN, "again"), (BACKLOG, "backlog")]
)
def test_every_rank_has_its_words(rank: int, word: str) -> None:
    found = explained(lead=replace(LEAD, rank=rank)).waiting
    assert found is not None
    assert found.rank == word


def test_of_everybody_it_is_said_why_nobody_takes_it_now() -> None:
    agents = {
        "dana": replace(FREE, state="wrap_up", until=NOON + 5000),
        "yossi": replace(FREE, paused=True, pause_reason="dentist, call 03-512 34 56"),
    }
    found = explained(lead=replace(LEAD, avoid_agent="dana", avoid_until=NOON + MINUTE), agents=agents).waiting
    assert found is not None
    assert [one.text for one in found.agents] == [
        "Yossi Cohen: paused until resumed (dentist, call •••••)",
        "Dana Levi: wraps up until 12:00:05",
        "Gil Katz: off shift",
    ]


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (FREE, "free"),
        (replace(FREE, state="reserved"), "reserved"),
        (replace(FREE, state="on_call"), "on_call"),
        (replace(FREE, state="wrap_up", until=NOON + 1), "wrap_up"),
        (replace(FREE, state="wrap_up", until=NOON), "free"),
        (replace(FREE, state="offline", until=NOON + 1), "offline"),
        (replace(FREE, state="blocked", until=NOON + 1), "blocked"),
        (replace(FREE, paused=True, paused_until=NOON + 1), "paused"),
        (replace(FREE, paused=True, paused_until=NOON), "free"),
        (replace(FREE, presence="busy", presence_until=NOON + 1), "busy"),
        (replace(FREE, presence="away", presence_until=NOON + 1), "away"),
        (replace(FREE, presence="busy", presence_until=NOON), "free"),
        (None, "unlisted"),
    ],
)
def test_what_keeps_an_agent_now_is_what_a_claim_would_keep(state: AgentState | None, reason: str) -> None:
    found = explained(agents={"yossi": replace(FREE, state="on_call")} | ({"dana": state} if state else {})).waiting
    assert found is not None
    assert {agent: one.reason for one in found.agents for agent in one.agents}["dana"] == reason


def test_who_has_just_missed_it_is_said_while_there_is_anybody_else() -> None:
    missed = replace(LEAD, avoid_agent="dana", avoid_until=NOON + MINUTE)
    found = explained(lead=missed, agents={"dana": FREE, "yossi": replace(FREE, state="on_call")}).waiting
    assert found is not None
    assert found.agents[0].text == (
        "Dana Levi: has just missed this lead, not asked again until 12:01:00 while there is anybody else"
    )


def test_an_agent_who_is_free_while_it_waits_is_said_with_what_may_hold_it_back() -> None:
    assert next_of().why == (
        "first in line; free now: Dana Levi, Yossi Cohen; the next round dials, unless the breaker holds calls back "
        "(/readyz says so)"
    )


def test_where_nobody_may_take_it_that_is_said() -> None:
    found = explained(lead=replace(LEAD, site="sales"))
    assert found.next.why == "first in line; nobody who may take it is on shift"
    assert found.waiting is not None
    assert [one.text for one in found.waiting.agents] == ["Dana Levi, Yossi Cohen, Gil Katz: without the skill sales"]


def test_while_dialling_is_switched_off_it_is_said_by_whom_and_why() -> None:
    off = Switch(False, NOON - MINUTE, "operator", "Voicenter is down, 0512345678")
    assert next_of(dialling=off) == Next(
        "dialled when dialling is switched on again",
        None,
        "dialling is switched off since 11:59:00, by operator (Voicenter is down, •••••); first in line",
    )


def test_a_number_that_was_rung_enough_is_put_off() -> None:
    assert next_of(rung_out=True) == Next(
        "put off until tomorrow",
        None,
        "its number was rung as often as it may be in a day (calls_per_number)",
    )


def test_a_lead_that_is_due_when_its_site_has_closed_is_put_off_until_the_opening() -> None:
    found = explained(at=EVENING)
    assert found.next == Next(
        "put off until 2026-01-06 09:00:00", NOON + 21 * HOUR, "main is closed: after closing at 18:00"
    )
    assert found.waiting is not None
    assert found.waiting.agents == [], "nobody is asked, so nobody has to say why not"


def test_a_lead_of_a_site_that_is_gone_is_said_to_wait_for_it() -> None:
    assert next_of(lead=replace(LEAD, site="gone")) == Next(
        "nothing, unless its site comes back",
        None,
        "the site gone is not in leadring.toml any more; expires at 13:00:00",
    )


CLOSED = replace(LEAD, reason="closed", rank=BACKLOG, due_at=NOON + 21 * HOUR + 57)


def test_a_lead_of_the_night_is_dialled_at_the_opening_and_it_is_said_why_it_is_closed() -> None:
    found = explained(event("scheduled", "closed", who="intake"), lead=CLOSED, at=EVENING)
    assert found.next.what == "dialled at 2026-01-06 09:00:00"
    assert (found.next.at, found.next.why) == (CLOSED.due_at, "main is closed: after closing at 18:00")
    assert explained(lead=CLOSED).next.why == "it would have fallen due outside of the hours", "a wait that ends there"
    assert found.waiting is not None
    assert (found.waiting.ahead, found.waiting.agents) == (None, [])


def test_a_lead_whose_own_number_may_not_be_rung_is_said_by_whose_clock() -> None:
    window = 'countries = ["IL", "CA"]\ndialing_window = "decent"\n'
    toml = TOML.replace("[policy]\n", f"[policy]\n{window}") + '[hours.decent]\nmon-sun = ["09:00-21:00"]\n'
    toronto = replace(CLOSED, phone="+14165550123")
    found = next_of(lead=toronto, toml=toml)
    assert found.why.startswith("the dialing window of its number is closed: before opening at 09:00 (America/")


@pytest.mark.parametrize(
    ("who", "why"), [("intake", "the form asked for that time"), ("lead", "the time was set by lead")]
)
def test_a_callback_is_said_with_who_set_it(who: str, why: str) -> None:
    lead = replace(LEAD, reason="scheduled", rank=PROMISED, due_at=NOON + HOUR)
    assert next_of(history=[event("scheduled", "scheduled", who=who)], lead=lead) == Next(
        "dialled at 13:00:00", NOON + HOUR, why
    )


@pytest.mark.parametrize(
    ("word", "why", "said"),
    [
        ("lead_no_answer", None, "the lead did not answer (wait 1 of the 3 of retry_lead)"),
        ("lead_busy", None, "the lead's line was busy (wait 1 of the 3 of retry_busy, else retry_lead)"),
        ("agent_no_answer", None, "an agent did not answer (retry_agent)"),
        ("not_sent", "no route", "the request could not leave"),
        ("refused", "busy", "Voicenter reported an error of its own: it is repeated once"),
        ("number_cap", "6", "its number was rung as often as it may be in a day (calls_per_number)"),
    ],
)
def test_a_retry_is_said_with_what_it_follows(word: str, why: str | None, said: str) -> None:
    lead = replace(LEAD, reason="retry", rank=AGAIN, due_at=NOON + 10 * MINUTE, lead_tries=1)
    history = [event(word, why), event("waiting", "retry")]
    assert next_of(history=history, lead=lead) == Next("dialled at 12:10:00", NOON + 10 * MINUTE, said)


def test_a_cap_on_the_number_is_said_before_it_puts_the_lead_off() -> None:
    lead = replace(LEAD, reason="retry", rank=AGAIN, due_at=NOON + 10 * MINUTE, lead_tries=1)
    assert next_of(history=[event("lead_busy")], lead=lead, rung_out=True).why.endswith(
        "its number was rung as often as it may be in a day (calls_per_number), which may put it off until tomorrow"
    )


def attempt(state: str, **times: int | None) -> AttemptTimes:
    one = Attempt("attempt-1", "lead-1", "dana", "SIPdana1", 1, state, None, NOON, NOON, None, None, None, None, None)
    return AttemptTimes(one, **({"ended_at": None, "look_at": NOON + MINUTE, "ask_at": None} | times))


@pytest.mark.parametrize(
    ("state", "ask_at", "what", "why"),
    [
        ("reserved", None, "the request to the provider leaves", "if not by then, it is given back at 12:01:00"),
        ("sending", None, "the provider answers", "if not by then, it is unknown whether it rings at 12:01:00"),
        (
            "placed",
            NOON + 2 * MINUTE,
            "the provider reports how the call went",
            "if not by then, it is asked for in the call log at 12:02:00",
        ),
        (
            "unknown",
            NOON + 5 * MINUTE,
            "the provider's own accounts of its calls settle it; it is not dialled again by itself",
            "if not by then, it is asked for in the call log at 12:05:00",
        ),
    ],
)
def test_of_a_call_under_way_it_is_said_what_is_waited_for(state: str, ask_at: int | None, what: str, why: str) -> None:
    dialing = replace(LEAD, state="dialing", due_at=None, attempt_id="attempt-1")
    found = next_of(lead=dialing, attempts=[attempt(state, ask_at=ask_at)], history=[event("reserved")])
    assert (found.what, found.at, found.why) == (what, ask_at, why)


@pytest.mark.parametrize(
    ("state", "reason", "what", "why"),
    [
        ("held", "country", "nothing, until a person releases it", "expires at 13:00:00"),
        ("connected", None, "nothing; it is over (connected)", ""),
        ("exhausted", "unreported", "nothing; it is over (exhausted)", "a record that comes late still corrects it"),
        ("failed", "request_wrong", "nothing; it is over (failed)", "it may be released when the request is mended"),
        ("cancelled", "lead", "nothing; it is over (cancelled)", ""),
    ],
)
def test_what_is_over_or_held_is_said_to_be(state: str, reason: str | None, what: str, why: str) -> None:
    ended = None if state == "held" else NOON
    found = explained(event("received"), lead=replace(LEAD, state=state, reason=reason, due_at=None, ended_at=ended))
    assert (found.next.what, found.next.why, found.waiting) == (what, why, None)


# ------------------------------------------------------------------------------------------------ the choices


def chosen(by: str, strategy: str, figures: str, free: int, *items: str, more: bool = False) -> Any:
    """The one choice as it is told."""
    found = explained(event("reserved", write_choice(by, strategy, figures, free, more, items)))
    (one,) = found.choices
    return one


@pytest.mark.parametrize(
    ("by", "strategy", "figures", "words"),
    [
        ("longest_idle", "longest_idle", f"{NOON - HOUR}", "idle for longest (since 11:00:00); 3 were free"),
        ("longest_idle", "longest_idle", "0", "idle for longest (no call yet); 3 were free"),
        ("round_robin", "round_robin", f"{NOON - HOUR}", "chosen longest ago, at 11:00:00; 3 were free"),
        ("round_robin", "round_robin", "0", "never chosen before; 3 were free"),
        ("priority", "priority", "1,0", "first by priority (1), then by idle time (no call yet); 3 were free"),
        (
            "weighted",
            "weighted",
            f"2,{NOON - 24 * HOUR}",
            "most idle time, counted by weight (weight 2, since 2026-01-04 12:00:00); 3 were free",
        ),
        ("sticky", "priority", "1,0", "had the last talk with this number; 3 were free"),
        ("language", "longest_idle", "0", "speaks the language that was asked for; 3 were free"),
        ("prefer", "longest_idle", "0", "has more of the skills that the site prefers; 3 were free"),
        ("fallback", "longest_idle", "0", "the site's fallback, as nobody else was free; 3 were free"),
        ("again", "longest_idle", "0", "missed it before, and nobody else was free; 3 were free"),
        ("only", "longest_idle", "0", "the only one of 3 free ones who came into question"),
    ],
)
def test_what_decided_is_said_with_its_figures(by: str, strategy: str, figures: str, words: str) -> None:
    found = chosen(by, strategy, figures, 3)
    assert (found.agent, found.name, found.by, found.why) == ("dana", "Dana Levi", by, words)


@pytest.mark.parametrize(
    ("strategy", "figures", "behind", "words"),
    [
        ("longest_idle", "5", NOON - MINUTE, "Yossi Cohen (since 11:59:00): idle for less time"),
        ("longest_idle", "0", 0, "Yossi Cohen (no call yet): the same, but later in leadring.toml"),
        ("round_robin", "5", NOON - MINUTE, "Yossi Cohen (at 11:59:00): chosen more recently"),
        ("round_robin", "0", 0, "Yossi Cohen (never): the same, but later in leadring.toml"),
    ],
)
def test_what_ranked_somebody_behind_is_said_with_his_figures(
    strategy: str, figures: str, behind: int, words: str
) -> None:
    item = pack([("behind", "", [json.dumps(["yossi", behind])])], 100)
    (group,) = chosen(strategy, strategy, figures, 2, item).others
    assert group.text == words


@pytest.mark.parametrize(
    ("strategy", "words"),
    [
        ("priority", "Yossi Cohen (priority 2, no call yet): behind by priority, then by idle time"),
        ("weighted", "Yossi Cohen (weight 2, no call yet): less idle time, counted by weight"),
    ],
)
def test_priority_and_weight_are_said(strategy: str, words: str) -> None:
    (group,) = chosen(strategy, strategy, "1,0", 2, '{"r":"behind","a":[["yossi",2,0]]}').others
    assert group.text == words


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ('{"r":"on_call","a":["yossi","gil"]}', "Yossi Cohen, Gil Katz: on a call"),
        ('{"r":"on_call","a":["gil","yossi"]}', "Yossi Cohen, Gil Katz: on a call"),
        ('{"r":"reserved","a":["fired"]}', "fired: reserved for another lead"),
        (f'{{"r":"wrap_up","a":[["yossi",{NOON}]]}}', "wraps up until 12:00:00"),
        (
            f'{{"r":"paused","a":[["yossi",null,"lunch"],["gil",{NOON + MINUTE}]]}}',
            "paused until resumed (lunch); Gil Katz: paused until 12:01:00",
        ),
        (
            f'{{"r":"offline","a":[["yossi",{NOON}]]}}',
            "refused by Voicenter as offline, left alone until 12:00:00",
        ),
        (
            f'{{"r":"blocked","a":[["yossi",{NOON}]]}}',
            "refused by Voicenter as blocked, left alone until 12:00:00",
        ),
        ('{"r":"busy","a":["yossi"]}', "on the phone, by Voicenter's account"),
        ('{"r":"away","a":["yossi"]}', "on a break or logged out, by Voicenter's account"),
        ('{"r":"unlisted","a":["yossi"]}', "not known in the database: another process goes by another leadring.toml"),
        ('{"r":"off_shift","a":["yossi"]}', "off shift"),
        ('{"r":"lacks","d":"sales","a":["yossi"],"n":9}', "without the skill sales; 8 more: without the skill sales"),
        ('{"r":"not_named","a":["yossi"]}', "not among the agents of this site"),
        (
            '{"r":"rings_second","a":["yossi"]}',
            "no telephone that can be rung second, and this site's leads are rung first",
        ),
        ('{"r":"ivr","a":["yossi"]}', "not asked: the calls of this site go to its IVR"),
        (
            '{"r":"language","d":"ru","a":["yossi"]}',
            "does not speak the language that was asked for (ru), and it is required",
        ),
        (
            f'{{"r":"just_missed","a":[["yossi",{NOON + MINUTE}]]}}',
            "has just missed this lead, not asked again until 12:01:00 while there is anybody else",
        ),
        ('{"r":"taken","a":["yossi"]}', "taken by another lead in the same round"),
        ('{"r":"locked","a":["yossi"]}', "taken by another process at the same moment"),
        ('{"r":"behind","d":"sticky","a":[["yossi",0]]}', "free, but did not have the last talk with this number"),
        ('{"r":"behind","d":"fallback","a":[["yossi",0]]}', "free, but only the site's fallback"),
        ('{"r":"behind","d":"language","a":[["yossi",0]]}', "free, but does not speak the language that was asked for"),
        ('{"r":"behind","d":"prefer","a":[["yossi",0]]}', "free, but has fewer of the skills that the site prefers"),
        ('{"r":"behind","n":5}', "5 more: ranked behind"),
        ('{"r":"not_free","n":5}', "5 more: not free"),
        ('{"r":"unseen","n":5}', "5 more: ranked behind or not free"),
    ],
)
def test_why_not_each_of_the_others_is_said_in_words(item: str, words: str) -> None:
    (group,) = chosen("longest_idle", "longest_idle", "5", 2, item).others
    assert group.text.removeprefix("Yossi Cohen (no call yet): ").removeprefix("Yossi Cohen: ") == words


def test_who_was_nearest_to_being_asked_is_told_of_first() -> None:
    """However the rows came out of the database."""
    reasons = ("off_shift", "not_free", "busy", "on_call", "taken")
    items = [f'{{"r":"{reason}","n":1}}' for reason in reasons]
    found = chosen("only", "longest_idle", "5", 1, *items, '{"r":"behind","a":[["yossi",9]]}', '{"r":"behind","n":2}')
    assert [group.reason for group in found.others] == [
        *("taken", "behind", "behind", "on_call", "busy", "not_free", "off_shift")
    ]


def test_of_many_names_the_first_are_said() -> None:
    names = ",".join(f'"a{number}"' for number in range(12))
    (group,) = chosen("only", "longest_idle", "5", 1, f'{{"r":"on_call","a":[{names}]}}').others
    assert group.text == "a0, a1, a2, a3, a4, a5, a6, a7 and 4 others: on a call"
    assert len(group.agents) == 12


@pytest.mark.parametrize(
    ("by", "words"),
    [
        ("only", "the only one who was free"),
        ("fallback", "the site's fallback, as nobody else was free"),
        ("again", "missed it before, and nobody else was free"),
    ],
)
def test_where_one_was_free_it_is_not_counted(by: str, words: str) -> None:
    assert chosen(by, "longest_idle", "0", 1).why == words


def test_a_large_floor_is_told_with_at_least() -> None:
    assert chosen("longest_idle", "longest_idle", "0", 10, more=True).why.endswith("at least 10 were free")


def test_a_choice_from_before_they_were_kept_is_said_to_be_that() -> None:
    (found,) = explained(event("reserved")).choices
    assert (found.by, found.why, found.others) == (None, "why was not kept in those days", ())


# ---------------------------------------------------------------------------------------------- the attempts


def lines(*history: Event, **given: Any) -> list[str]:
    """What is told of the first attempt."""
    return list(explained(*history, **given).choices[0].attempt)


RESERVED, SENDING = event("reserved"), event("sending", "20 39", agent=None)
OVER = replace(LEAD, state="exhausted", reason="lead_no_answer", due_at=None, ended_at=NOON)


@pytest.mark.parametrize(
    ("who", "known"),
    [
        ("provider", "by Voicenter's record"),
        ("call log", "by Voicenter's call log"),
        ("presence", "as was seen on the line"),
    ],
)
def test_how_the_end_of_an_attempt_is_known_is_said(who: str, known: str) -> None:
    missed = event("agent_no_answer", who=who, after=20)
    assert lines(RESERVED, SENDING, missed) == [
        "Dana Levi's phone was to ring for 20 s; 39 s were left of the deadline",
        f"Dana Levi did not answer, {known}",
        "no other has followed yet: dialled as soon as an agent is free",
    ]


def test_a_deadline_that_was_over_is_said() -> None:
    late = event("sending", "20 -75", agent=None)
    assert lines(RESERVED, late)[0] == "Dana Levi's phone was to ring for 20 s; the deadline was over for 75 s"


@pytest.mark.parametrize(
    ("between", "gap", "agent", "said"),
    [
        ((), 0.5, "yossi", "then Yossi Cohen, at once"),
        (("no_agent",), 6, "yossi", "then Yossi Cohen, after 6 seconds: as soon as somebody was free"),
        (("no_agent",), 120, "dana", "then Dana Levi again, after 2 minutes: as soon as somebody was free"),
        (("retry",), 600, "yossi", "then Yossi Cohen, after 10 minutes: when its wait was over"),
        (("closed",), 50400, "yossi", "then Yossi Cohen, after 14 hours: at the opening"),
    ],
)
def test_why_the_next_attempt_came_when_it_did_is_said(
    between: tuple[str, ...], gap: float, agent: str, said: str
) -> None:
    waits = [event("waiting", why, after=20) for why in between]
    then = event("reserved", after=20 + gap, agent=agent, attempt="attempt-2")
    missed = event("agent_no_answer", who="provider", after=20)
    assert lines(RESERVED, SENDING, missed, *waits, then)[2] == said


def test_a_number_cap_and_a_release_are_said_as_what_was_waited_for() -> None:
    missed = event("lead_no_answer", who="provider", after=20)
    then = event("reserved", after=3620, attempt="attempt-2")
    capped = (event("waiting", "retry", after=20), event("number_cap", "6", after=620))
    assert lines(RESERVED, SENDING, missed, *capped, then)[2].endswith("this number had been rung enough for that day")
    held = (event("held", "ended", after=20), event("released", after=3600, who="operator"))
    assert lines(RESERVED, SENDING, missed, *held, then)[2].endswith("a person released the lead")


def test_that_none_followed_is_said_with_the_end_of_the_lead() -> None:
    ended = (event("lead_no_answer", who="provider", after=20), event("exhausted", "lead_no_answer", after=20))
    assert lines(RESERVED, SENDING, *ended, lead=OVER)[1:] == [
        "the lead did not answer, by Voicenter's record",
        "no other followed: all tries are used up (lead_no_answer)",
    ]


def test_a_conversation_is_followed_by_nothing() -> None:
    talked = replace(OVER, state="connected", reason=None)
    assert lines(RESERVED, SENDING, event("connected", who="provider"), lead=talked)[1:] == [
        "connected, by Voicenter's record"
    ]


def test_a_correction_says_what_was_taken_for_true_before() -> None:
    unreported = event("unreported", who="sweeper", after=300)
    talked = event("connected", who="call log", after=900)
    assert lines(RESERVED, SENDING, unreported, talked, lead=replace(OVER, state="connected", reason=None))[1] == (
        "connected, by Voicenter's call log; before that: nobody reported how the call ended"
    )


def test_a_call_that_is_on_the_line_after_all_is_under_way() -> None:
    unknown = event("unknown", "time-out", who="dispatcher")
    assert lines(RESERVED, SENDING, unknown)[1].startswith("nobody knows whether it rang (time-out)")
    confirmed = event("confirmed", who="presence", after=2)
    assert lines(RESERVED, SENDING, unknown, confirmed)[1] == (
        "under way: the call is on the line after all: it was placed"
    )


def test_a_refused_call_that_is_on_the_line_beside_another_one_is_told_with_its_refusal() -> None:
    refused = event("refused", "application error", who="dispatcher")
    told = lines(RESERVED, SENDING, refused, event("refuted", who="presence", after=20))
    assert told[1:3] == [
        "the provider refused the request (application error)",
        "and yet a call of Dana Levi with the lead is on the line, although the provider had refused it",
    ]


def test_what_is_under_way_is_said_with_what_was_seen_last() -> None:
    assert lines(RESERVED)[-1] == "under way: reserved for Dana Levi"
    assert lines(RESERVED, SENDING, event("lead_ringing"))[-1] == "under way: the lead's phone rings"


# --------------------------------------------------------------------------------------------------- the whole


def a_story() -> Explanation:
    """Dana misses it, Yossi talks; Gil is off shift."""
    first = write_choice("longest_idle", "longest_idle", f"{NOON - HOUR}", 2, False, [
        pack([("behind", "", [f'["yossi",{NOON - MINUTE}]']), ("off_shift", "", ['"gil"'])], 500)
    ])  # fmt: skip
    second = write_choice("only", "longest_idle", f"{NOON - MINUTE}", 2, False, [
        pack([("just_missed", "", [f'["dana",{NOON + 140_000}]']), ("off_shift", "", ['"gil"'])], 500)
    ])  # fmt: skip
    other: dict[str, Any] = {"agent": "yossi", "attempt": "attempt-2"}
    history = (
        event("received", agent=None, attempt=None, who="widget"),
        event(
            "observed",
            "cooldown: request 2 of this number within 10 minutes; 1 is let through",
            agent=None,
            attempt=None,
            who="guard",
        ),
        event("reserved", first),
        event("sending", "20 39", agent=None),
        event("placed"),
        event("agent_ringing", who="presence", after=1),
        event("agent_no_answer", who="presence", after=26),
        event("waiting", "no_agent", after=26, agent=None),
        event("reserved", second, after=26, **other),
        event("sending", "14 14", after=26, **(other | {"agent": None})),
        event("placed", after=26, **other),
        event("agent_answered", after=31, who="presence", **other),
        event("talking", after=40, who="presence", **other),
        event("reported", "leg 2 (lead) ANSWER, talked 61 s", after=180, who="provider", **other),
        event("connected", after=180, who="provider", **other),
    )
    lead = replace(LEAD, state="connected", reason=None, due_at=None, ended_at=NOON + 180_000)
    ended = AttemptTimes(
        replace(attempt("ended").attempt, agent_id="yossi", outcome="connected"), NOON + 180_000, None, None
    )
    return explained(*history, lead=lead, attempts=[ended], at=NOON + HOUR)


def test_a_whole_story_is_read_aloud() -> None:
    assert (
        "\n".join(aloud(a_story(), "Asia/Jerusalem"))
        == """\
lead lead-1 (+972•••••678, main, through widget): connected, with Yossi Cohen, 12:03:00; times in Asia/Jerusalem
next: nothing; it is over (connected)

2026-01-05 12:00:00  came in through widget
2026-01-05 12:00:00  the guard cooldown would have spoken (request 2 of this number within 10 minutes; 1 is let through)
2026-01-05 12:00:00  reserved for Dana Levi
2026-01-05 12:00:00  the request to the provider is about to leave; Dana Levi's phone is to ring for 20 s
2026-01-05 12:00:00  the provider accepted the call to Dana Levi
2026-01-05 12:00:01  Dana Levi's phone rings
2026-01-05 12:00:26  Dana Levi did not answer
2026-01-05 12:00:26  reserved for Yossi Cohen
2026-01-05 12:00:26  the request to the provider is about to leave; Yossi Cohen's phone is to ring for 14 s
2026-01-05 12:00:26  the provider accepted the call to Yossi Cohen
2026-01-05 12:00:31  Yossi Cohen answered
2026-01-05 12:00:40  both talk
2026-01-05 12:03:00  the provider reported: leg 2 (lead) ANSWER, talked 61 s
2026-01-05 12:03:00  connected

attempt 1, 2026-01-05 12:00:00: Dana Levi: idle for longest (since 11:00:00); 2 were free
  Dana Levi's phone was to ring for 20 s; 39 s were left of the deadline
  Dana Levi did not answer, as was seen on the line
  then Yossi Cohen, at once
  why not the others:
    Yossi Cohen (since 11:59:00): idle for less time
    Gil Katz: off shift

attempt 2, 2026-01-05 12:00:26: Yossi Cohen: the only one of 2 free ones who came into question
  Yossi Cohen's phone was to ring for 14 s; 14 s were left of the deadline
  connected, by Voicenter's record
  why not the others:
    Dana Levi: has just missed this lead, not asked again until 12:02:20 while there is anybody else
    Gil Katz: off shift"""
    )


def test_a_script_gets_the_same_with_moments_in_utc() -> None:
    found = as_json(a_story())
    assert list(found) == [
        "lead_id", "state", "reason", "summary", "next", "history", "choices", "guards", "waiting"
    ]  # fmt: skip
    assert found["next"] == {"what": "nothing; it is over (connected)", "at": None, "why": ""}
    assert found["history"][0] == {"at": "2026-01-05T10:00:00.000Z", "text": "came in through widget"}
    assert found["choices"][1] | {"attempt": []} == {
        "at": "2026-01-05T10:00:26.000Z",
        "number": 2,
        "agent": "yossi",
        "by": "only",
        "why": "the only one of 2 free ones who came into question",
        "others": [
            {
                "reason": "just_missed",
                "agents": ["dana"],
                "text": "Dana Levi: has just missed this lead, not asked again until 12:02:20 while there is anybody "
                "else",
            },
            {"reason": "off_shift", "agents": ["gil"], "text": "Gil Katz: off shift"},
        ],
        "attempt": [],
    }
    assert found["guards"][0]["mode"] == "observe"
    assert found["waiting"] is None


def test_a_waiting_lead_is_read_aloud_with_its_turn() -> None:
    busy = {"dana": replace(FREE, state="on_call"), "yossi": replace(FREE, state="on_call")}
    found = explained(event("received", who="widget", agent=None), agents=busy)
    assert list(aloud(found, "Asia/Jerusalem"))[-4:] == [
        "its turn: fresh: somebody has just sent the form; first in line; deadline 12:00:40; expires at 13:00:00",
        "  why nobody takes it now:",
        "    Dana Levi, Yossi Cohen: on a call",
        "    Gil Katz: off shift",
    ]
    assert as_json(found)["waiting"]["deadline_at"] == "2026-01-05T10:00:40.000Z"


def test_no_telephone_number_gets_out_whoever_wrote_it() -> None:
    """Neither the lead's own, nor one that an operator, the provider or an exception has written into a reason."""
    number = "+972 54-234-5678"
    choice = write_choice("only", "longest_idle", "0", 1, False, [f'{{"r":"paused","a":[["yossi",null,"{number}"]]}}'])
    found = explained(
        event("received", who="widget"),
        event("reserved", choice),
        event("sending", "20 39"),
        event("refused", f"target {number} is not allowed"),
        event("not_sent", "no way to 0542345678"),
        event("unknown", "half an answer: 972542345678"),
        event("agent_offline", "0542345678"),
        event("reported", "leg 2 (lead) ANSWER, talked 3 s, recording https://r/20260105-972542345678.mp3"),
        lead=replace(LEAD, name="Noa 0542345678", message=number),
        agents={"dana": replace(FREE, paused=True, pause_reason=number), "yossi": replace(FREE, state="on_call")},
        dialling=Switch(False, NOON, "operator", f"ask {number}"),
    )
    everything = "\n".join(aloud(found, "Asia/Jerusalem")) + json.dumps(as_json(found), ensure_ascii=False)
    digits = "".join(letter for letter in everything if letter.isdigit() or letter in "•")
    assert "2345678" not in digits
    assert "234" not in everything
    assert "+972•••••678" in everything
