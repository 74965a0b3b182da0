"""What holds of every replay, whatever the day and the file: nothing is lost, nobody is called twice at once, and the
same again comes to the same."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.clock import to_datetime
from app.directory import Directory, may_take
from app.domain.hours import is_open
from app.domain.past_day import PastCall, PastDay, PastLead
from app.service.replay.differences import differences
from app.service.replay.figures import figures
from app.service.replay.habits import Habits
from app.service.replay.ledger import RESULTS, Ledger
from app.service.replay.run import replay
from tests.replay.days import FRIDAY, HOUR, MINUTE, a_call, a_day, a_lead, clock, did, directory, held

AGENTS = ("dana", "yossi", "noa")
SITES = """
[[sites]]
key = "sales"
origins = ["https://www.example.com"]
hours = "mornings"
first = "lead"
agents = ["noa"]
fallback = ["dana"]
[[sites]]
key = "service"
origins = ["https://www.example.com"]
ivr = "0722776772"
lines = 2
"""
RETRIES = st.sampled_from(["[]", '["1m"]', '["2m", "10m", "1h"]'])
OUTCOMES = ("connected", "connected", "lead_no_answer", "lead_busy", "agent_no_answer")


@st.composite
def policies(draw: st.DrawFn) -> str:
    seconds = st.sampled_from(["0s", "5s", "30s", "3m"])
    return "\n".join(
        [
            f'routing = "{draw(st.sampled_from(["longest_idle", "round_robin", "priority", "weighted"]))}"',
            f'wrap_up = "{draw(seconds)}"',
            f'retry_agent = ["{draw(seconds)}"]',
            f"retry_lead = {draw(RETRIES)}",
            f'expire_after = "{draw(st.sampled_from(["1m", "10m", "60m"]))}"',
            f'ring_agent = "{draw(st.sampled_from(["3s", "20s"]))}"',
            f'short_call = "{draw(st.sampled_from(["0s", "45s"]))}"',
            f"pause_after_misses = {draw(st.integers(0, 2))}",
            f"calls_per_number = {draw(st.integers(0, 2))}",
            f'sticky = "{draw(st.sampled_from(["0s", "1d"]))}"',
            *draw(st.sampled_from([[], ['dialing_window = "mornings"']])),
        ]
    )


@st.composite
def files(draw: st.DrawFn) -> Directory:
    mode = draw(st.sampled_from(["off", "observe", "hold", "refuse"]))
    cooldown = f'cooldown = {{ mode = "{mode}", per_phone = ["1/10 minutes", "2/2 hours"] }}'
    calls = draw(st.sampled_from(['calls = "off"', 'calls = { mode = "hold", per_hour = 3, per_day = 9 }']))
    hours = {agent: draw(st.sampled_from(["office", "mornings"])) for agent in AGENTS}
    sites = draw(st.sampled_from(["", SITES]))
    return directory(hours, policy=draw(policies()), guards=f"{cooldown}\n{calls}", more=sites)


def moments(first: int = 8, last: int = 20) -> st.SearchStrategy[int]:
    """Any time of the day, and those at which something ends."""
    edges = [clock(9), clock(11, 59, 40), clock(12) - 1, clock(12, 59, 59), clock(17, 59, 50), clock(18)]
    return st.one_of(st.integers(clock(first), clock(last)), st.sampled_from(edges))


@st.composite
def calls(draw: st.DrawFn, at: int) -> PastCall:
    call = a_call(
        draw(st.sampled_from([*AGENTS, "gone"])),
        at,
        draw(st.sampled_from(OUTCOMES)),
        ring=draw(st.integers(0, 25)),
        answer=draw(st.integers(0, 40)),
        talk=draw(st.integers(0, 900)),
    )
    if draw(st.integers(0, 9)) == 0:
        return replace(call, state="refused", outcome=None, away="agent_offline", ended_at=at + 1)
    return call


@st.composite
def leads(draw: st.DrawFn) -> PastLead:
    number, at = draw(st.integers(1, 12)), draw(moments())
    made = [draw(calls(at + draw(st.integers(0, HOUR)))) for _ in range(draw(st.integers(0, 3)))]
    deeds = [
        did(at + draw(st.integers(1, HOUR)), *draw(st.sampled_from([("joined", "widget"), ("cancelled", "lead")])))
        for _ in range(draw(st.integers(0, 2)))
    ]
    if draw(st.integers(0, 5)) == 0:
        deeds += [held(at, "cooldown"), did(at + 5 * MINUTE, "released", "operator")]
    if draw(st.integers(0, 5)) == 0:
        deeds.append(did(at, "scheduled", "intake", "scheduled"))
    lead = a_lead(
        number,
        at,
        *made,
        deeds=tuple(sorted(deeds, key=lambda deed: deed.at)),
        site=draw(st.sampled_from(["main", "main", "sales", "service", "closed long ago"])),
    )
    return replace(lead, id=f"{at}-{number}-{draw(st.integers(0, 10**9))}")


@st.composite
def days(draw: st.DrawFn) -> PastDay:
    found = draw(st.lists(leads(), min_size=1, max_size=25, unique_by=lambda lead: lead.id))
    until = draw(st.sampled_from([clock(0, day=FRIDAY), clock(12)]))
    inside = [lead for lead in found if clock(9) <= lead.received_at < until]
    before = sorted((lead for lead in found if lead.received_at < clock(9)), key=lambda lead: lead.received_at)
    return a_day(*inside, since=clock(9), until=until, open_before=tuple(before))


def sent(day: PastDay) -> Counter[str]:
    """The ids of all submissions of the day."""
    repeats = [
        f"{lead.id} again {number}"
        for lead in day.all
        for number in range(1, sum(deed.event == "joined" and deed.at < day.until for deed in lead.deeds) + 1)
    ]
    return Counter([lead.id for lead in day.all] + repeats)


def run(day: PastDay, file: Directory, seed: int = 1) -> Ledger:
    return replay(day, file, Habits(day, seed), deadline_then=40)


thorough = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@thorough
@given(day=days(), file=files())
def test_every_submission_ends_in_exactly_one_named_result(day: PastDay, file: Directory) -> None:
    ledger = run(day, file)
    assert Counter(lead.id for lead in ledger.leads) == sent(day)
    assert {lead.result for lead in ledger.leads} <= set(RESULTS) - {"dialing", "spam", "failed"}
    found = figures(ledger, file, day.since, day.until)
    assert sum(found.results.values()) == len(ledger.leads)


@thorough
@given(day=days(), file=files())
def test_an_agent_has_one_call_at_a_time_and_wraps_up_after_it(day: PastDay, file: Directory) -> None:
    of_agent = defaultdict(list)
    for call in run(day, file).calls:
        of_agent[call.agent_id].append(call)
    for name, made in of_agent.items():
        pause = 0 if file.agents[name].line_of else file.policy.wrap_up * 1000
        for call, after in pairwise(made):
            assert after.at >= call.until + pause


@thorough
@given(day=days(), file=files())
def test_a_number_is_in_one_call_at_a_time(day: PastDay, file: Directory) -> None:
    ledger = run(day, file)
    phones = {lead.id: lead.phone for lead in ledger.leads}
    of_number = defaultdict(list)
    for call in ledger.calls:
        of_number[phones[call.lead_id]].append(call)
    for made in of_number.values():
        for call, after in pairwise(made):
            assert after.at >= call.until


@thorough
@given(day=days(), file=files())
def test_nobody_is_called_outside_of_hours_shifts_and_window_or_without_being_able_to(
    day: PastDay, file: Directory
) -> None:
    ledger = run(day, file)
    sites = {lead.id: file.sites.get(lead.site) for lead in ledger.leads}
    for call in ledger.calls:
        site, agent, at = sites[call.lead_id], file.agents[call.agent_id], to_datetime(call.at)
        assert site is not None
        assert may_take(site, agent)
        for hours in (site.hours, agent.hours, file.policy.dialing_window):
            assert hours is None or is_open(file.hours[hours], at)
        assert call.at < day.until


@thorough
@given(day=days(), file=files())
def test_the_caps_on_calls_and_numbers_are_kept(day: PastDay, file: Directory) -> None:
    ledger = run(day, file)
    cap = file.guards.calls
    if cap.per_hour is not None and cap.mode == "hold":
        by_hour = Counter(call.at // HOUR for call in ledger.calls)
        assert max(by_hour.values(), default=0) <= cap.per_hour
        assert len([call for call in ledger.calls if call.at >= clock(0)]) <= (cap.per_day or 0)


@thorough
@given(day=days(), file=files(), seed=st.integers(0, 5))
def test_the_same_seed_gives_the_same_account(day: PastDay, file: Directory, seed: int) -> None:
    assert run(day, file, seed) == run(day, file, seed)


@thorough
@given(day=days(), file=files())
def test_a_file_beside_itself_differs_in_nothing(day: PastDay, file: Directory) -> None:
    found = [figures(run(day, file), file, day.since, day.until) for _ in range(2)]
    assert differences(found[0], found[1], file, file) == []


@thorough
@given(day=days(), file=files())
def test_times_and_counts_fit_together(day: PastDay, file: Directory) -> None:
    """Nobody talks before being called, nor is called before coming; and every call is known or drawn."""
    ledger = run(day, file)
    for lead in ledger.leads:
        if lead.conversation_at is not None:
            assert lead.request_at is not None
            assert lead.result == "connected"
            assert lead.conversation_at >= lead.request_at >= lead.came_at
        assert (lead.result == "connected") == (lead.conversation_at is not None)
    known = ledger.known
    assert 0 <= known.picked_up_drawn <= known.picked_up <= len(ledger.calls)
    assert 0 <= known.answered_drawn <= known.answered <= len(ledger.calls)
    for spans in (ledger.waited or {}).values():
        assert all(start < end for start, end in spans)
        assert all(before[1] <= after[0] for before, after in pairwise(spans))
