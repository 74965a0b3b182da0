"""A day made by hand, replayed after it has been in a database: each call, each end and each figure is known before.

The record is such that every call of the replay is in it, so nothing is drawn. A call that is taken lasts 5 s of
ringing, 8 s until the lead answers, and 60 s of talk; its end is known 4 s later, and then the agent wraps up for 30 s.
"""

from __future__ import annotations

import pytest

from app.domain.past_day import PastDay
from app.service.replay.differences import differences, notes
from app.service.replay.figures import Figures, Load, Quantiles, Spread, figures
from app.service.replay.habits import Habits, Lags
from app.service.replay.ledger import Known, Ledger
from app.service.replay.record import record
from app.service.replay.run import replay
from app.service.rules import Rules
from app.store.engine import Engine
from tests.replay.days import FRIDAY, a_call, a_day, a_lead, clock, did, directory, held
from tests.replay.reading import through

EARLY, NOON, NIGHT, EVENING = clock(7), clock(12, 30), clock(18, 30), clock(19)
LONDON = "+442079460958"
CLOSED = (did(EVENING, "scheduled", "intake", "closed"),)
DAY = a_day(
    # Came at seven: due at nine, and 30 ms later for the two hours that it has waited (freshest first).
    a_lead(6, EARLY, a_call("dana", clock(9, 0, 0.03)), deeds=(did(EARLY, "scheduled", "intake", "closed"),)),
    a_lead(1, clock(9, 10), a_call("yossi", clock(9, 10))),
    a_lead(2, clock(9, 10, 10), a_call("dana", clock(9, 10, 10))),
    # Both are on a call; yossi's ends at 9:11:17, and he wraps up until 9:11:47.
    a_lead(3, clock(9, 10, 20), a_call("yossi", clock(9, 11, 47)), deeds=(did(clock(9, 10, 59), "promised"),)),
    # Dana has been idle for longer, and misses it for 20 s, which is known 4 s later.
    a_lead(4, clock(10), a_call("dana", clock(10), "agent_no_answer"), a_call("yossi", clock(10, 0, 24))),
    # Rang for 30 s after dana took it, 5 s; known at 11:00:39; again ten minutes later.
    a_lead(5, clock(11), a_call("dana", clock(11), "lead_no_answer", answer=30), a_call("yossi", clock(11, 10, 39))),
    # The number of the first one again, and once more while it is being called.
    a_lead(1, clock(12), a_call("dana", clock(12)), deeds=(did(clock(12, 0, 5), "joined", "widget"),)),
    a_lead(7, NOON, state="held", reason="country", due_at=None, phone=LONDON, deeds=(held(NOON, "country"),)),
    a_lead(
        8,
        NIGHT,
        state="cancelled",
        reason="lead",
        due_at=None,
        ended_at=EVENING,
        deeds=(did(NIGHT, "scheduled", "intake", "closed"), did(EVENING, "cancelled")),
    ),
    a_lead(9, EVENING, reason="closed", due_at=clock(9, day=FRIDAY), deeds=CLOSED),
)
FILE = directory()
CHANGED = directory(
    {"dana": "mornings", "yossi": "mornings"}, guards='cooldown = { mode = "hold", per_phone = ["1/4 hours"] }'
)


@pytest.fixture
async def day(engine: Engine, database_url: str) -> PastDay:
    return await through(engine, database_url, DAY)


def replayed(day: PastDay) -> Ledger:
    return replay(day, FILE, Habits(day, 1), deadline_then=40)


def counted(day: PastDay, ledger: Ledger) -> Figures:
    return figures(ledger, FILE, day.since, day.until)


async def test_every_call_is_the_one_that_was(day: PastDay) -> None:
    """Who, when, how long the agent was on it, and whether he missed it."""
    ledger = replayed(day)
    assert ledger.calls == record(day, Rules(FILE)).calls
    assert [(call.agent_id, call.at, (call.until - call.at) // 1000, call.missed) for call in ledger.calls] == [
        ("dana", clock(9, 0, 0.03), 77, False),
        ("yossi", clock(9, 10), 77, False),
        ("dana", clock(9, 10, 10), 77, False),
        ("yossi", clock(9, 11, 47), 77, False),
        ("dana", clock(10), 24, True),
        ("yossi", clock(10, 0, 24), 77, False),
        ("dana", clock(11), 39, False),
        ("yossi", clock(11, 10, 39), 77, False),
        ("dana", clock(12), 77, False),
    ]


async def test_every_lead_ends_as_it_did(day: PastDay) -> None:
    ends = {lead.id: (lead.result, lead.reason) for lead in replayed(day).leads}
    assert ends == {
        f"lead-00006-{EARLY}": ("connected", None),
        f"lead-00001-{clock(9, 10)}": ("connected", None),
        f"lead-00002-{clock(9, 10, 10)}": ("connected", None),
        f"lead-00003-{clock(9, 10, 20)}": ("connected", None),
        f"lead-00004-{clock(10)}": ("connected", None),
        f"lead-00005-{clock(11)}": ("connected", None),
        f"lead-00001-{clock(12)}": ("connected", None),
        f"lead-00001-{clock(12)} again 1": ("joined", None),
        f"lead-00007-{NOON}": ("held", "country"),
        f"lead-00008-{NIGHT}": ("cancelled", "lead"),
        f"lead-00009-{EVENING}": ("waiting", "closed"),
    }
    assert {lead.id: lead.result for lead in record(day, Rules(FILE)).leads} == {
        name: result for name, (result, _) in ends.items()
    }


async def test_the_figures_are_those_that_are_counted_by_hand(day: PastDay) -> None:
    found = counted(day, replayed(day))
    assert {name: many for name, many in found.results.items() if many} == {
        "connected": 7,
        "held": 1,
        "cancelled": 1,
        "joined": 1,
        "waiting": 1,
    }
    assert [(one.guard, one.mode, one.leads, one.examples) for one in found.guards] == [
        ("country", "hold", 1, ("+44•••••958",))
    ]
    assert (found.deadline_missed, found.deadline_of, found.deadline_share, found.promises) == (1, 7, 1 / 7, 1)
    # Six came while it was open: five were called at once, one after 87 s; talked 13 s after that, or after two calls.
    assert found.fresh.to_request == Quantiles(6, 0.0, 87.0, 87.0)
    assert found.fresh.to_conversation == Quantiles(6, 13.0, 652.0, 652.0)
    assert found.later.to_request == Quantiles(1, 0.03, 0.03, 0.03)
    assert found.agents == (
        Load("dana", "Dana", 5, 5 / 9, 3.0, 1, 540.0),
        Load("yossi", "Yossi", 4, 4 / 9, 4.0, 0, 540.0),
    )
    assert found.spread == Spread(4, 5, 0.5 / 4.5)
    (site,) = found.sites
    assert (site.site, site.open_minutes, site.nobody_minutes, site.waited_minutes) == ("main", 540.0, 0.0, 87 / 60)
    assert (found.longest_queue, found.longest_queue_at) == (1, clock(9, 10, 20))
    assert found.known == Known(picked_up=9, picked_up_drawn=0, answered=8, answered_drawn=0)
    assert Habits(day, 1).lags == Lags(4000, 4000, 4000)


async def test_the_record_has_the_same_figures_as_far_as_it_knows_them(day: PastDay) -> None:
    told, found = counted(day, record(day, Rules(FILE))), counted(day, replayed(day))
    for name in ("results", "guards", "deadline_missed", "promises", "fresh", "later", "calls", "agents", "spread"):
        assert getattr(told, name) == getattr(found, name), name
    assert told.longest_queue is None
    assert [site.waited_minutes for site in told.sites] == [None]


async def test_what_the_changed_file_changes_is_said_in_sentences(day: PastDay) -> None:
    """Mornings only, and a cool-down that the second request of a number meets. Nobody is called after one."""
    habits = Habits(day, 1)
    old, new = (
        figures(replay(day, file, habits, deadline_then=40), file, day.since, day.until) for file in (FILE, CHANGED)
    )
    assert differences(new, old, CHANGED, FILE) == [
        "1 lead more would be held by cooldown (1 instead of 0)",
        "1 lead fewer would be connected (6 instead of 7)",
        "half would wait up to 37 s for the conversation, instead of 13 s",
        "main: Thursday 2026-11-26 13:00–18:00 has nobody",
    ]
    assert differences(old, new, FILE, CHANGED) == [
        "1 lead fewer would be held by cooldown (0 instead of 1)",
        "1 lead more would be connected (7 instead of 6)",
        "half would wait up to 13 s for the conversation, instead of 37 s",
        "main: Thursday 2026-11-26 13:00–18:00 is no hole any more",
    ]
    assert differences(old, old, FILE, FILE) == []
    assert notes(day, CHANGED, habits) == ["yossi had fewer than 5 calls that day: taken to pick up as all do"]
