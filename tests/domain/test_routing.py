"""Who takes the lead: each strategy, its ties, and who may at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.directory import Agent, Directory, Guards, Limits, Policy, Site, parse_directory
from app.domain.routing import FreeAgent, Roster, language_of, order

NOW = 10_000_000
MONDAY_NOON = datetime(2026, 1, 5, 10, tzinfo=UTC)  # in Jerusalem
STRATEGIES = ("longest_idle", "round_robin", "priority", "weighted")


def agent(name: str, *, priority: int = 1, weight: int = 1, skills: str = "", enabled: bool = True) -> Agent:
    return Agent(
        id=name, name=name, extension=f"SIP{name}", priority=priority, weight=weight, skills=frozenset(skills.split()),
        enabled=enabled,
    )  # fmt: skip


def free(**idle_since: int) -> dict[str, FreeAgent]:
    return {name: FreeAgent(name, since, 0) for name, since in idle_since.items()}


def names(agents: list[Agent]) -> str:
    return "".join(one.id for one in agents)


TRIO = (agent("a"), agent("b"), agent("c"))


def test_longest_idle_asks_whose_last_call_ended_longest_ago() -> None:
    assert names(order(TRIO, free(a=30, b=10, c=20), "longest_idle", NOW)) == "bca"


def test_who_never_had_a_call_has_been_idle_longest() -> None:
    assert names(order(TRIO, free(a=5, b=0, c=9), "longest_idle", NOW)) == "bac"


def test_round_robin_asks_who_was_chosen_longest_ago_whenever_their_call_ended() -> None:
    there = {name: FreeAgent(name, idle, chosen) for name, idle, chosen in [("a", 1, 30), ("b", 9, 10), ("c", 5, 20)]}
    assert names(order(TRIO, there, "round_robin", NOW)) == "bca"


def test_priority_asks_the_lowest_number_first_and_then_the_longest_idle() -> None:
    agents = (agent("a", priority=2), agent("b", priority=1), agent("c", priority=1), agent("d", priority=2))
    assert names(order(agents, free(a=1, b=20, c=10, d=2), "priority", NOW)) == "cbad"


def test_weighted_counts_idle_time_by_weight() -> None:
    agents = (agent("a", weight=1), agent("b", weight=3))
    assert names(order(agents, free(a=NOW - 2000, b=NOW - 1000), "weighted", NOW)) == "ba"
    assert names(order(agents, free(a=NOW - 4000, b=NOW - 1000), "weighted", NOW)) == "ab"


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_ties_fall_to_the_order_of_the_file(strategy: str) -> None:
    assert names(order(TRIO, free(c=7, b=7, a=7), strategy, NOW)) == "abc"
    assert names(order(TRIO[::-1], free(c=7, b=7, a=7), strategy, NOW)) == "cba"


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_agent_to_avoid_comes_last_and_the_others_keep_their_order(strategy: str) -> None:
    best = names(order(TRIO, free(a=1, b=2, c=3), strategy, NOW))
    avoided = best[0]
    found = names(order(TRIO, free(a=1, b=2, c=3), strategy, NOW, avoid=avoided))
    assert found == best[1:] + avoided
    assert names(order(TRIO[:1], free(a=1), strategy, NOW, avoid="a")) == "a"


@given(
    st.sampled_from(STRATEGIES),
    st.dictionaries(st.sampled_from("abcdefg"), st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=7),
    st.lists(st.sampled_from("abcdefg"), unique=True),
    st.none() | st.sampled_from("abcdefg"),
)
def test_exactly_the_free_candidates_are_asked_once_each(
    strategy: str, there: dict[str, tuple[int, int]], candidates: list[str], avoid: str | None
) -> None:
    idle = {name: FreeAgent(name, *times) for name, times in there.items()}
    agents = [agent(name, priority=ord(name) % 2, weight=1 + ord(name) % 3) for name in candidates]
    found = order(agents, idle, strategy, NOW, avoid=avoid)
    assert sorted(one.id for one in found) == sorted(set(candidates) & set(there))
    assert order(agents, dict(reversed(idle.items())), strategy, NOW, avoid=avoid) == found
    assert avoid not in [one.id for one in found[:-1]]


# ---------------------------------------------------------------------------------------------- who may


def directory(*agents: Agent, **sites: str) -> Directory:
    listed = {key: Site(key=key, name=key, skills=frozenset(skills.split())) for key, skills in sites.items()}
    return Directory(Policy(), Limits(), Guards(), {}, listed, {one.id: one for one in agents})


def test_an_agent_needs_every_skill_of_the_site() -> None:
    whole = directory(agent("a", skills="he sales"), agent("b", skills="he"), agent("c"), main="he sales", open="")
    roster = Roster(whole, MONDAY_NOON, NOW)
    assert [one.id for one in roster.eligible("main")] == ["a"]
    assert [one.id for one in roster.eligible("open")] == ["a", "b", "c"]


def test_a_disabled_agent_takes_nothing() -> None:
    whole = directory(agent("a", enabled=False), main="")
    assert Roster(whole, MONDAY_NOON, NOW).eligible("main") == ()


def test_hours_of_site_and_agent_both_count() -> None:
    whole = parse_directory("""
        [hours.office]
        sun-thu = ["09:00-18:00"]
        [hours.late]
        sun-thu = ["14:00-23:00"]
        [[sites]]
        key = "main"
        hours = "office"
        [[agents]]
        id = "early"
        extension = "SIPearly"
        [[agents]]
        id = "late"
        extension = "SIPlate"
        hours = "late"
    """)
    for hours, expected in ((0, ["early"]), (3, ["early", "late"]), (7, [])):
        roster = Roster(whole, MONDAY_NOON + timedelta(hours=hours), NOW)
        assert [one.id for one in roster.eligible("main")] == expected
        assert list(roster.sites) == ["main"] * bool(expected)


def test_a_roster_knows_the_sites_that_somebody_may_take() -> None:
    whole = directory(agent("a", skills="sales"), agent("b"), main="", sales="sales", vacant="french")
    roster = Roster(whole, MONDAY_NOON, NOW)
    assert list(roster.sites) == ["main", "sales"]
    assert roster.eligible("closed down") == ()
    assert names(roster.order("sales", free(a=1, b=0), None)) == "a"
    assert names(roster.order("main", free(a=1, b=0), None)) == "ba"
    assert names(roster.order("main", free(a=1, b=0), "b")) == "ab"


IVRS = """
[hours.day]
sun-thu = ["09:00-18:00"]
[[sites]]
key = "main"
[[sites]]
key = "queue"
ivr = "0722776772"
lines = 2
skills = ["nobody has"]
hours = "day"
[[sites]]
key = "menu"
ivr = "SIPmenu"
[[agents]]
id = "dana"
extension = "SIPdana"
skills = ["nobody has"]
"""


def test_the_leads_of_an_ivr_go_to_its_own_lines_and_no_person_or_other_site_gets_them() -> None:
    roster = Roster(parse_directory(IVRS), MONDAY_NOON, NOW)
    assert [one.id for one in roster.eligible("queue")] == ["queue/ivr/1", "queue/ivr/2"]
    assert [one.id for one in roster.eligible("menu")] == ["menu/ivr/1"]
    assert [one.id for one in roster.eligible("main")] == ["dana"]
    everybody = free(**dict.fromkeys(("dana", "queue/ivr/1", "queue/ivr/2", "menu/ivr/1"), 0))
    assert [one.id for one in roster.order("queue", everybody)] == ["queue/ivr/1", "queue/ivr/2"]


def test_an_ivr_is_closed_with_its_site() -> None:
    roster = Roster(parse_directory(IVRS), MONDAY_NOON + timedelta(hours=8), NOW)
    assert roster.eligible("queue") == ()
    assert list(roster.sites) == ["main", "menu"]


def test_where_the_lead_is_rung_first_nobody_is_asked_who_can_only_be_rung_first() -> None:
    """The vendor page knows SIPTRUNK and logincode for the first phone only."""
    whole = parse_directory("""
        [[sites]]
        key = "agent_first"
        [[sites]]
        key = "lead_first"
        first = "lead"
        [[agents]]
        id = "trunk"
        extension = "SIPTRUNK"
        [[agents]]
        id = "floating"
        extension = "logincode"
        login_code = "7"
        [[agents]]
        id = "mobile"
        extension = "0541234567"
        [[agents]]
        id = "desk"
        extension = "SIPdesk"
    """)
    roster = Roster(whole, MONDAY_NOON, NOW)
    assert [one.id for one in roster.eligible("agent_first")] == ["trunk", "floating", "mobile", "desk"]
    assert [one.id for one in roster.eligible("lead_first")] == ["mobile", "desk"]


# ------------------------------------------------------------------------- what comes before the strategy

FLOOR = """
[policy]
match_language = "{match}"
[[sites]]
key = "main"
skills = ["sales"]
prefer = ["senior", "solar"]
agents = ["a", "b", "c"]
fallback = ["boss"]
[[sites]]
key = "open"
[[agents]]
id = "a"
extension = "SIPa"
skills = ["sales", "he"]
[[agents]]
id = "b"
extension = "SIPb"
skills = ["sales", "ru", "senior"]
[[agents]]
id = "c"
extension = "SIPc"
skills = ["sales", "he", "senior", "solar"]
[[agents]]
id = "d"
extension = "SIPd"
skills = ["sales", "ru"]
[[agents]]
id = "boss"
extension = "SIPboss"
skills = ["ru"]
"""
EVERYBODY = free(a=1, b=2, c=3, d=4, boss=0)


def roster(match: str = "prefer") -> Roster:
    return Roster(parse_directory(FLOOR.replace("{match}", match)), MONDAY_NOON, NOW)


def asked(of: Roster, site: str = "main", language: str = "", there: dict[str, FreeAgent] = EVERYBODY) -> list[str]:
    return [one.id for one in of.order(site, there, language=language)]


def test_a_site_asks_its_own_agents_alone_those_with_preferred_skills_first_and_its_fallback_last() -> None:
    assert asked(roster()) == ["c", "b", "a", "boss"], "who waited longest comes after who fits best"
    assert asked(roster(), there=free(a=1, boss=0)) == ["a", "boss"]
    assert asked(roster(), there=free(boss=0)) == ["boss"], "without the skill of the site"
    assert asked(roster(), "open") == ["boss", "a", "b", "c", "d"], "another site asks as ever"


def test_who_speaks_the_lead_s_language_comes_first_or_alone_as_the_file_says() -> None:
    assert asked(roster("off"), language="ru") == ["c", "b", "a", "boss"]
    assert asked(roster("prefer"), language="ru") == ["b", "c", "a", "boss"], "a fallback is one, whatever it speaks"
    assert asked(roster("require"), language="ru") == ["b", "boss"]
    assert asked(roster("require"), "open", "ru") == ["boss", "b", "d"]


def test_a_language_that_nobody_on_shift_speaks_counts_for_nothing() -> None:
    for match in ("off", "prefer", "require"):
        assert asked(roster(match), language="fr") == asked(roster(match))


def test_all_free_agents_must_be_known_only_where_more_than_the_strategy_decides() -> None:
    assert roster().chooses("main", "")
    assert not roster().chooses("open", "")
    assert roster().chooses("open", "ru")
    assert not roster().chooses("open", "fr")
    assert not roster("off").chooses("open", "ru")


@pytest.mark.parametrize(
    ("said", "language"),
    [("he", "he"), ("he-IL", "he"), ("RU", "ru"), ("en_US", "en"), (" ar ", "ar"), ("", ""), ("hebrew", ""), ("1", "")],
)
def test_a_language_is_read_as_two_letters(said: str, language: str) -> None:
    assert language_of(said) == language
