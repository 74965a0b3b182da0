"""What is kept of a choice: which rule decided, and of every other agent why not. On both engines, by real claims.

`REASONS` has every word that can be kept; the last test holds that each is expected here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import asyncpg
import pytest
from sqlalchemy import Connection
from sqlalchemy.event import listen, remove

from app.directory import Directory, parse_directory
from app.domain.answers import Placed, Refused
from app.domain.choices import MOST_BYTES, REASONS, Choice, Group, Other, read_choice
from app.domain.lead import Claim
from app.store import claims
from app.store.choices import NAMED, SMALL
from app.store.tables import events
from tests.clocks import START
from tests.store.leads_for_tests import Floor, a_directory, a_lead


def the_file(*people: str, site: str = "", policy: str = "") -> Directory:
    """A directory of one site and these agents, each written as `dana skills=["he"] hours="night"`."""
    listed = ""
    for person in people:
        agent, *keys = person.split()
        listed += f'[[agents]]\nid = "{agent}"\n'
        if not any(key.startswith("extension") for key in keys):
            keys.append(f'extension = "SIP{agent}"')
        listed += "\n".join(keys) + "\n"
    hours = '[hours.night]\nsun-thu = ["22:00-23:00"]\n'
    return parse_directory(
        f'[policy]\n{policy}\n{hours}[[sites]]\nkey = "main"\norigins = ["https://x.example"]\n{site}\n{listed}'
    )


async def kept(floor: Floor, lead_id: str) -> str:
    """What is kept of the latest choice for a lead."""
    *_, row = await floor.rows(events, lead_id=lead_id, event="reserved")
    assert isinstance(row["why"], str)
    return row["why"]


async def choice_of(floor: Floor, lead_id: str) -> Choice:
    why = await kept(floor, lead_id)
    assert len(why.encode()) <= MOST_BYTES
    found = read_choice(why)
    assert found is not None
    return found


async def choose(floor: Floor, **lead: Any) -> Choice:
    """The choice that is made for one more lead."""
    await floor.accept(a_lead(at=floor.now, **lead))
    return await choice_of(floor, (await floor.claim()).lead.id)


def others(choice: Choice) -> dict[tuple[str, str], list[str]]:
    """The ids of those who were not asked, by reason and detail: who was ranked behind in that order, else sorted."""
    found = {(group.reason, group.detail): [one.agent for one in group.agents] for group in choice.others}
    return {why: names if why[0] == "behind" else sorted(names) for why, names in found.items()}


async def talk(floor: Floor, phone: str | None = None, *, ends: str = "connected", rest: float = 60) -> Claim:
    """A whole call, and the pause after it."""
    claim = await floor.dial(new=a_lead(phone, at=floor.now))
    await floor.outcome(claim, ends)
    if ends != "connected":
        await floor.store.cancel(claim.lead.id, "lead")
    floor.clock.advance(rest)
    await floor.store.end_pauses()
    return claim


# ------------------------------------------------------------------------------------------- who was not free


async def test_of_everybody_who_is_busy_it_is_kept_with_what_and_until_when(floor: Floor) -> None:
    await floor.open(a_directory("kept", "called", "writing", "gone", "shut", "paused", "busy", "away", "me"))
    for agent in ("kept", "called", "writing", "gone", "shut"):
        await floor.accept()
        claim = await floor.claim()
        assert claim.attempt.agent_id == agent
        if agent == "kept":
            continue
        await floor.send(claim)
        refused = {"gone": "agent_offline", "shut": "agent_blocked"}.get(agent)
        await floor.answer(claim, Refused(3, "no", refused) if refused else Placed("c"))  # type: ignore[arg-type]
        if agent == "writing":
            await floor.outcome(claim, "connected")
        await floor.store.cancel(claim.lead.id, "lead")
    await floor.store.pause("paused", START + 600_000, 'the "dentist" of the Herzl street, and then some')
    await floor.store.note_presence({"busy": "busy", "away": "away"}, START + 30_000)
    choice = await choose(floor)
    assert (choice.by, choice.free, choice.or_more) == ("only", 1, False)
    assert {group.reason: group.agents for group in choice.others} == {
        "reserved": (Other("kept"),),
        "on_call": (Other("called"),),
        "wrap_up": (Other("writing", (START + 30_000,)),),
        "offline": (Other("gone", (START + 60_000,)),),
        "blocked": (Other("shut", (START + 900_000,)),),
        "paused": (Other("paused", (START + 600_000,), 'the "dentist" of the Herzl street, and t'),),
        "busy": (Other("busy"),),
        "away": (Other("away"),),
    }


async def test_a_pause_without_an_end_or_a_reason_is_kept_as_that(floor: Floor) -> None:
    await floor.open(a_directory("open", "silent", "me"))
    await floor.store.pause("open", None, "הפסקה")
    await floor.store.pause("silent", START + 1, "")
    (group,) = (await choose(floor)).others
    assert group == Group("paused", "", (Other("open", (None,), "הפסקה"), Other("silent", (START + 1,))), 2)


async def test_what_is_over_counts_no_longer(floor: Floor) -> None:
    """Somebody whose pause, wrap-up or absence is over by then was free, whether it has been swept or not."""
    await floor.open(a_directory("dana", "yossi", "gil", "tal"))
    await floor.store.pause("yossi", START + 10_000, "coffee")
    await floor.store.note_presence({"gil": "busy"}, START + 10_000)
    await floor.dial(Refused(3, "no", "agent_offline"))
    floor.clock.advance(60)
    choice = await choice_of(floor, (await floor.claim()).lead.id)
    assert (choice.free, others(choice)) == (4, {("behind", ""): ["gil", "tal", "dana"]})


async def test_who_is_in_this_file_alone_is_unknown_to_the_database(floor: Floor) -> None:
    await floor.open(a_directory("dana", "fired"))
    await floor.open(a_directory("dana"))
    floor.directory = a_directory("dana", "fired", "hired")  # another process has loaded this, and not told anybody yet
    choice = await choose(floor)
    assert others(choice) == {("unlisted", ""): ["fired", "hired"]}
    assert choice.free == 1


# ----------------------------------------------------------------------------- whom the file or the clock kept off


async def test_who_could_never_take_it_is_kept_with_the_reason(floor: Floor) -> None:
    await floor.open(
        the_file(
            'dana skills=["he"]',
            'yossi skills=["he"] hours="night"',
            'gil skills=["en"]',
            "tal",
            'off skills=["he"] enabled=false',
            'guest skills=["he"]',
            'trunk skills=["he"] extension="SIPTRUNK"',
            site='skills = ["he"]\nfirst = "lead"\nagents = ["dana", "yossi", "gil", "tal", "off", "trunk"]',
        )
    )
    assert others(await choose(floor)) == {
        ("off_shift", ""): ["yossi"],
        ("lacks", "he"): ["gil", "tal"],
        ("not_named", ""): ["guest"],
        ("rings_second", ""): ["trunk"],
    }, "who is not enabled is no agent"


async def test_of_an_ivr_s_site_it_is_kept_that_people_are_not_asked_and_which_lines_were_busy(floor: Floor) -> None:
    await floor.open(the_file("dana", site='ivr = "0722776772"\nlines = 2'))
    assert others(await choose(floor)) == {("behind", ""): ["main/ivr/2"], ("ivr", ""): ["dana"]}
    assert others(await choose(floor)) == {("reserved", ""): ["main/ivr/1"], ("ivr", ""): ["dana"]}


async def test_the_lines_of_an_ivr_are_nobody_to_another_site(floor: Floor) -> None:
    other = '[[sites]]\nkey = "service"\norigins = ["https://x.example"]\nivr = "0722776772"'
    await floor.open(the_file("dana", "yossi", site=other))
    assert others(await choose(floor)) == {("behind", ""): ["yossi"]}


# ---------------------------------------------------------------------------------------- who was passed over


STRATEGIES: Final = {
    "longest_idle": ((START + 60_000,), (START + 120_000,)),
    "round_robin": ((START,), (START + 60_000,)),
    "priority": ((1, START + 60_000), (1, START + 120_000)),
    "weighted": ((1, START + 60_000), (1, START + 120_000)),
}


@pytest.mark.parametrize("strategy", STRATEGIES)
async def test_the_figures_that_decided_are_kept_of_both(floor: Floor, strategy: str) -> None:
    await floor.open(a_directory("dana", "yossi", routing=strategy, wrap_up=0))
    for _ in range(2):
        claim = await floor.dial()
        floor.clock.advance(60)
        await floor.outcome(claim, "connected")
    floor.clock.advance(60)
    choice = await choose(floor)
    first, second = STRATEGIES[strategy]
    assert (choice.by, choice.strategy, choice.figures, choice.free) == (strategy, strategy, first, 2)
    assert choice.others == (Group("behind", "", (Other("yossi", second),), 1),)


async def test_priorities_and_weights_are_kept(floor: Floor) -> None:
    for strategy, key, chosen in (("priority", "priority", "yossi"), ("weighted", "weight", "dana")):
        await floor.open(the_file(f"dana {key}=3", f"yossi {key}=2", policy=f'routing = "{strategy}"'))
        await floor.accept()
        claim = await floor.claim()
        choice = await choice_of(floor, claim.lead.id)
        assert claim.attempt.agent_id == chosen
        assert choice.figures[0] == (2 if chosen == "yossi" else 3)
        await floor.silence(claim)
        await floor.store.cancel(claim.lead.id, "lead")


async def test_who_was_chosen_for_the_language_the_preferred_skills_or_for_want_of_others(floor: Floor) -> None:
    people = ('dana skills=["he"]', 'yossi skills=["he","ru"]', 'gil skills=["he","vip"]', "tal")
    await floor.open(the_file(*people, site='skills = ["he"]\nprefer = ["vip"]\nfallback = ["tal"]'))
    by_language = await choose(floor, asked_language="ru-RU")
    assert (by_language.by, by_language.free) == ("language", 4)
    assert others(by_language) == {("behind", "language"): ["gil", "dana"], ("behind", "fallback"): ["tal"]}
    by_skill = await choose(floor)
    assert (by_skill.by, by_skill.free) == ("prefer", 3)
    assert others(by_skill) == {
        ("behind", "prefer"): ["dana"],
        ("behind", "fallback"): ["tal"],
        ("reserved", ""): ["yossi"],
    }
    only_one = await choose(floor)
    assert (only_one.by, only_one.free) == ("only", 2)
    assert others(only_one) == {("behind", "fallback"): ["tal"], ("reserved", ""): ["gil", "yossi"]}
    by_need = await choose(floor)
    assert (by_need.by, by_need.free) == ("fallback", 1)
    assert others(by_need) == {("reserved", ""): ["dana", "gil", "yossi"]}


async def test_where_the_language_is_required_it_is_the_reason_whatever_somebody_does(floor: Floor) -> None:
    people = ('dana skills=["ru"]', 'yossi skills=["he"]', 'gil skills=["ru"]', "tal")
    await floor.open(the_file(*people, policy='match_language = "require"'))
    await floor.store.pause("yossi", None, "")
    choice = await choose(floor, asked_language="ru")
    assert (choice.by, choice.free) == ("longest_idle", 2)
    assert others(choice) == {("behind", ""): ["gil"], ("language", "ru"): ["tal", "yossi"]}


async def test_a_returning_number_is_kept_as_the_reason(floor: Floor) -> None:
    await floor.open(a_directory("dana", "yossi", sticky=3600))
    await talk(floor, "+972541112222")
    choice = await choose(floor, phone="+972541112222")
    assert (choice.by, choice.free) == ("sticky", 2)
    assert others(choice) == {("behind", "sticky"): ["yossi"]}


async def test_who_has_just_missed_the_lead_is_kept_as_that_and_as_the_last_resort(floor: Floor) -> None:
    claim = await floor.dial()
    await floor.outcome(claim, "agent_no_answer")
    floor.clock.advance(60)
    again = await floor.claim()
    assert again.attempt.agent_id == "yossi"
    missed = Group("just_missed", "", (Other("dana", (START + 120_000,)),), 1)
    second = await choice_of(floor, again.lead.id)
    assert (second.by, second.free, second.others) == ("only", 2, (missed,))
    await floor.send(again)
    await floor.answer(again, Placed("c2"))
    await floor.outcome(again, "agent_no_answer")
    await floor.store.pause("dana", None, "")
    floor.clock.advance(121)
    third = await choice_of(floor, (await floor.claim()).lead.id)
    assert (third.by, third.free) == ("again", 1)


async def test_two_leads_of_one_round_know_of_each_other(floor: Floor) -> None:
    first, second = a_lead(due_at=START - 2), a_lead(due_at=START - 1)
    for new in (first, second):
        await floor.accept(new)
    made, _ = await floor.claim_all()
    assert [claim.attempt.agent_id for claim in made] == ["dana", "yossi"]
    assert others(await choice_of(floor, first.id)) == {("behind", ""): ["yossi"]}
    choice = await choice_of(floor, second.id)
    assert (choice.by, choice.free, others(choice)) == ("only", 1, {("taken", ""): ["dana"]})


async def test_whom_another_process_is_reserving_is_kept_as_that(floor: Floor, store_url: str) -> None:
    """On PostgreSQL, where replicas pass each other; SQLite has one writer, and nobody who could be faster."""
    await floor.open(a_directory("dana", "yossi", "gil"))
    await floor.accept()
    if floor.store.engine.dialect == "sqlite":
        claim = await floor.claim()
        assert others(await choice_of(floor, claim.lead.id)) == {("behind", ""): ["yossi", "gil"]}
        return
    other = await asyncpg.connect(store_url)  # type: ignore[no-untyped-call]
    try:
        async with other.transaction():
            await other.execute("SELECT 1 FROM agents WHERE id = 'dana' FOR UPDATE")
            claim = await floor.claim()
    finally:
        await other.close()
    assert claim.attempt.agent_id == "yossi"
    choice = await choice_of(floor, claim.lead.id)
    assert (choice.by, choice.free) == ("longest_idle", 2)
    assert others(choice) == {("behind", ""): ["gil"], ("locked", ""): ["dana"]}


# ------------------------------------------------------------------------------------------------ large floors


async def crowd(floor: Floor, many: int, busy: int) -> None:
    """So many agents, of whom the last ones in the file are on calls of somebody else's."""
    names = [f"a{number:03}" for number in range(many)]
    await floor.open(a_directory(*names))
    if busy:
        await floor.store.note_presence(dict.fromkeys(names[-busy:], "busy"), START + 30_000)


async def test_of_a_large_floor_the_first_are_named_and_all_are_counted(floor: Floor) -> None:
    await crowd(floor, SMALL + 20, 10)
    choice = await choose(floor)
    assert (choice.free, choice.or_more) == (SMALL + 10, False)
    named, rest, busy = choice.others
    assert (named.reason, named.many, len(named.agents)) == ("behind", 9, 9)
    assert rest == Group("behind", "", (), SMALL)
    assert (busy.reason, busy.many, len(busy.agents)) == ("busy", 10, 10)


async def test_where_all_the_free_ones_are_known_the_rest_is_known_to_be_busy(floor: Floor) -> None:
    await crowd(floor, SMALL + 20, SMALL + 15)
    choice = await choose(floor)
    assert (choice.free, choice.or_more) == (5, False)
    behind, rest, busy = choice.others
    assert (behind.many, rest, busy.many) == (4, Group("not_free", "", (), SMALL + 15 - NAMED), NAMED)


async def test_where_neither_are_all_known_the_rest_is_told_as_that(floor: Floor) -> None:
    await crowd(floor, SMALL + 40, SMALL)
    choice = await choose(floor)
    assert (choice.free, choice.or_more) == (10, True)
    behind, rest, busy = choice.others
    assert (behind.many, rest, busy.many) == (9, Group("unseen", "", (), SMALL + 40 - 10 - NAMED), NAMED)


async def test_everybody_is_told_of_once(floor: Floor) -> None:
    """However large the floor and whatever the round: chosen, named and counted make up the file."""
    for many, busy, leads in ((3, 1, 2), (SMALL, 30, 4), (SMALL + 1, 3, 5), (SMALL + 60, 50, 7)):
        await floor.store.engine.write(lambda conn: conn.exec_driver_sql("DELETE FROM agents").rowcount)
        await crowd(floor, many, busy)
        for _ in range(leads):
            await floor.accept()
        made, _ = await floor.claim_all()
        assert len(made) == leads
        for claim in made:
            choice = await choice_of(floor, claim.lead.id)
            names = [one.agent for group in choice.others for one in group.agents]
            assert len(set(names)) == len(names)
            assert claim.attempt.agent_id not in names
            assert 1 + sum(group.many for group in choice.others) == many
            await floor.silence(claim)
            await floor.store.cancel(claim.lead.id, "lead")


async def test_what_is_kept_stays_small(floor: Floor) -> None:
    """With hundreds of long names, and everybody paused for a reason of many letters."""
    names = [f"{'x' * 58}-{number:03}" for number in range(300)]
    await floor.open(a_directory(*names, skills={name: ["sales"] for name in names[100:]}))
    for agent in names[150:]:
        await floor.store.pause(agent, None, "הפסקת צהריים ארוכה עם כל המשפחה בבית קפה")
    lead = a_lead(site="sales")
    await floor.accept(lead)
    for _ in range(40):
        await floor.accept()
    while (await floor.claim_all())[0]:
        pass
    sizes = [len(row["why"].encode()) for row in await floor.rows(events, event="reserved")]
    assert len(sizes) == 41
    assert 1000 < max(sizes) <= MOST_BYTES


async def test_it_stays_true_when_states_and_file_change(floor: Floor) -> None:
    await floor.accept()
    claim = await floor.claim()
    before = await kept(floor, claim.lead.id)
    await floor.store.pause("yossi", None, "")
    await floor.open(a_directory("gil"))
    assert await kept(floor, claim.lead.id) == before


# ------------------------------------------------------------------------------------------------------- cost


async def test_a_round_asks_once_for_who_is_not_free_and_only_when_it_claims(floor: Floor) -> None:
    """A small floor is read whole, in the one statement that says who is free; of a larger one, the busy in another:
    but on PostgreSQL, where a statement more costs more than the rows, in the same."""
    for many, looks in ((SMALL, 1), (SMALL + 1, 1 if floor.store.engine.dialect == "postgresql" else 2)):
        await crowd(floor, many, 3)
        for _ in range(3):
            await floor.accept()
        assert await agents_read(floor) == looks
    await crowd(floor, 2, 2)
    await floor.accept()
    assert await agents_read(floor) == 1, "nobody is free, and nothing is claimed"


async def agents_read(floor: Floor) -> int:
    """How many statements of one round read the agents, but for the locks."""
    heard: list[str] = []

    def hear(conn: object, cursor: object, statement: str, *_: object) -> None:
        heard.append(statement)

    def run(conn: Connection) -> None:
        listen(conn, "before_cursor_execute", hear)
        try:
            claims.claim(conn, claims.ClaimTerms(floor.roster(), "me", 5000, floor.calls, (), 32), floor.now)
        finally:
            remove(conn, "before_cursor_execute", hear)

    await floor.store.engine.write(run)
    return sum("FROM agents" in sql and "FOR UPDATE" not in sql for sql in heard)


def test_every_reason_is_expected_by_one_of_these() -> None:
    here = Path(__file__).read_text(encoding="utf-8")
    assert [reason for reason in REASONS if f'"{reason}"' not in here] == []
