"""A replay does what the service would have done: the same day through the real store comes to the same calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import select

from app.directory import Directory, parse_directory
from app.domain.past_day import PastDay, PastLead
from app.service.replay import agenda, run
from app.service.replay.habits import Habits
from app.service.replay.ledger import Ledger
from app.store.engine import open_engine
from app.store.sql_store import SqlStore
from app.store.tables import attempts, leads
from tests.clocks import ManualClock
from tests.replay.days import MINUTE, a_call, a_lead, clock, did, directory, generated, toml
from tests.replay.twin import Made, Twin

AGENTS = ("dana", "yossi", "noa")
NO_CAP = 'calls = "off"\n'
SEEN = 'assume_call = "24h"\n'  # nobody looks at the line for the twin, which would keep long calls alive


class Moments(agenda.Agenda):
    """Remembers the moments that it went through."""

    seen: list[int]

    def moments(self) -> Iterator[int]:
        type(self).seen = []
        for now in super().moments():
            self.seen.append(now)
            yield now


def replayed(day: PastDay, file: Directory, habits: Habits) -> tuple[Ledger, list[int]]:
    """The ledger of a replay, and its moments."""
    going = run._Replay(day, file, habits, 40)
    going._agenda.__class__ = Moments
    ledger = going.run()
    return ledger, sorted(set(Moments.seen))


async def compare(day: PastDay, file: Directory, url: str) -> tuple[Ledger, list[Made]]:
    """Both ways; their calls and their leads' ends are the same. The ledger, and the calls."""
    habits = Habits(day, 1)
    ledger, moments = replayed(day, file, habits)
    manual = ManualClock(moments[0])
    engine = open_engine(url, manual)
    await engine.start()
    try:
        twin = Twin(SqlStore(engine), manual, day, file, habits)
        await twin.run(iter(moments))
        stored = await engine.read(
            lambda conn: {row.id: row for row in conn.execute(select(leads.c.id, leads.c.state, leads.c.reason))}
        )
        calls = await engine.read(lambda conn: conn.execute(select(attempts.c.id)).all())
    finally:
        await engine.close()
    assert [Made(call.lead_id, call.agent_id, call.at) for call in ledger.calls] == twin.made
    assert len(calls) >= len(twin.made)
    for lead in ledger.leads:
        if lead.id in twin.fates:
            assert (lead.id, lead.result) == (lead.id, twin.fates[lead.id])
        elif stored[lead.id].state == "dialing":
            assert lead.result in ("connected", "waiting", "exhausted")  # the replay has seen its last call end
        else:
            assert (lead.id, lead.result) == (lead.id, stored[lead.id].state)
    return ledger, twin.made


@pytest.mark.parametrize(
    ("policy", "guards"),
    [
        ("", NO_CAP),
        ('routing = "round_robin"\nring_agent = "12s"\nsticky = "1d"\nshort_call = "45s"', NO_CAP),
        ('wrap_up = "5m"\nexpire_after = "8m"\npause_after_misses = 2\nretry_agent = ["0s", "20s"]', NO_CAP),
        (
            'calls_per_number = 1\nretry_lead = ["1m", "2m"]',
            'cooldown = { mode = "refuse", per_phone = ["1/2 hours"] }',
        ),
        ("", 'calls = { mode = "hold", per_hour = 12, per_day = 60 }'),
        ('dialing_window = "mornings"\nrouting = "weighted"', NO_CAP),
    ],
    ids=["plain", "round-robin", "overload", "cool-down", "cap", "window"],
)
async def test_the_calls_of_a_replay_are_those_of_the_real_store(policy: str, guards: str, sqlite_url: str) -> None:
    day = generated(70, AGENTS)
    ledger, made = await compare(day, directory(AGENTS, policy=SEEN + policy, guards=guards), sqlite_url)
    assert len(made) > 30
    assert {lead.id for lead in ledger.leads} >= {lead.id for lead in day.leads}


async def test_so_it_is_with_a_break_at_noon_and_without_wrap_up(sqlite_url: str) -> None:
    """Who waits at noon is backlog at two; and who has just missed a lead is free at once, and yet not asked for it."""
    text = toml(AGENTS[:2], policy=SEEN + 'wrap_up = "0s"\nretry_agent = ["0s"]', guards=NO_CAP)
    file = parse_directory(text.replace('sun-thu = ["09:00-18:00"]', 'sun-thu = ["09:00-12:00", "14:00-18:00"]'))
    day = generated(90, AGENTS[:2])
    rush = tuple(a_lead(5000 + number, clock(11, 58, number * 5)) for number in range(12))
    unwilling = [
        replace(lead, calls=tuple(a_call(one.agent_id, one.reserved_at, "agent_no_answer") for one in lead.calls))
        if number % 3 == 0
        else lead
        for number, lead in enumerate(sorted((*day.leads, *rush), key=lambda one: one.received_at))
    ]
    ledger, made = await compare(replace(day, leads=tuple(unwilling)), file, sqlite_url)
    put_off = [lead for lead in ledger.leads if clock(9) <= lead.came_at < clock(12) and not lead.fresh]
    assert len(put_off) > 2, "some were due when it closed at noon"
    assert not [call for call in made if clock(12) <= call.at < clock(14)]
    assert max(Counter(call.lead_id for call in made).values()) > 2


SITES = """
[[sites]]
key = "sales"
origins = ["https://www.example.com"]
hours = "office"
first = "lead"
skills = ["sales"]
prefer = ["ru"]
fallback = ["noa"]
[[sites]]
key = "service"
origins = ["https://www.example.com"]
ivr = "0722776772"
lines = 2
[[agents]]
id = "olga"
extension = "SIPolga"
skills = ["sales", "ru"]
hours = "mornings"
[[agents]]
id = "eli"
extension = "SIPeli"
skills = ["sales", "he"]
"""


def mixed(day: PastDay) -> PastDay:
    """The same day with several sites and languages, agents who were offline, and leads that were cancelled, released
    or set for a time."""
    found: list[PastLead] = []
    for number, lead in enumerate(day.leads):
        site = "sales" if number % 3 == 1 else "service" if number % 7 == 2 else "main"
        changed = replace(lead, site=site, asked_language="ru" if number % 4 == 0 else "")
        if number % 11 == 5:
            deeds = (*lead.deeds, did(lead.received_at + 2 * MINUTE, "cancelled"))
            changed = replace(changed, calls=(), deeds=deeds)
        elif lead.phone in {one.phone for one in found}:
            changed = replace(changed, deeds=(*lead.deeds, did(lead.received_at + 30 * MINUTE, "released", "operator")))
        elif number % 11 == 7 and lead.calls:
            deeds = (did(lead.received_at, "scheduled", "intake", "scheduled"),)
            changed = replace(changed, deeds=deeds, calls=(replace(lead.calls[0], reserved_at=clock(16, number % 60)),))
        elif number % 11 == 8 and lead.calls:
            offline = replace(lead.calls[0], state="refused", outcome=None, away="agent_offline", ended_at=None)
            changed = replace(changed, calls=(offline, *lead.calls[1:]))
        found.append(changed)
    return replace(day, leads=tuple(found))


@pytest.mark.parametrize("language", ["prefer", "require"])
async def test_so_it_is_with_several_sites_languages_ivrs_and_people_who_change_their_mind(
    language: str, sqlite_url: str
) -> None:
    policy = SEEN + f'match_language = "{language}"\nwrap_up = "3m"\nrouting = "longest_idle"'
    file = directory(
        AGENTS, policy=policy, guards='cooldown = { mode = "hold", per_phone = ["1/3 hours"] }', more=SITES
    )
    ledger, made = await compare(mixed(generated(90, AGENTS, seed=11)), file, sqlite_url)
    asked = {call.agent_id for call in made}
    assert {"olga", "eli", "noa", "service/ivr/1"} <= asked, "every way to be asked was tried"
    results = {lead.result for lead in ledger.leads}
    assert {"connected", "cancelled", "joined", "waiting"} <= results
    assert any(lead.result == "connected" and not lead.fresh for lead in ledger.leads)
    assert any(lead.result == "connected" and lead.hits for lead in ledger.leads), "one was held, and released"
