"""What is counted, what is worth a sentence, and how it is read aloud."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import pytest

from app.directory import parse_directory
from app.domain.guards import Hit
from app.service.replay.differences import differences
from app.service.replay.figures import Figures, Quantiles, Times, figures
from app.service.replay.habits import Habits, Lags
from app.service.replay.ledger import RESULTS, CallMade, LeadEnd, Ledger
from app.service.replay.run import replay
from app.service.replay.words import Column, Report, read_aloud
from tests.replay.days import FRIDAY, MINUTE, SECOND, clock, directory, generated, phone, toml

NOON = clock(12)
SINCE, UNTIL = clock(0), clock(0, day=FRIDAY)
FILE = directory()


def ended(number: int, result: str = "connected", waited: float | None = 0.0, **fields: object) -> LeadEnd:
    """A lead that came at noon and was called so many seconds later."""
    at = None if waited is None else NOON + round(waited * SECOND)
    talked = at + 13 * SECOND if at is not None and result == "connected" else None
    lead = LeadEnd(str(number), "main", phone(number), NOON, result, None, NOON, True, at, talked, 0)
    return replace(lead, **fields)  # type: ignore[arg-type]


def count(*leads: LeadEnd, calls: tuple[CallMade, ...] = (), **fields: object) -> Figures:
    ledger = Ledger(leads, calls, waited={"main": ()})
    return figures(replace(ledger, **fields), FILE, SINCE, UNTIL)  # type: ignore[arg-type]


# -------------------------------------------------------------------------------------------------- counting


def test_quantiles_are_times_that_really_were() -> None:
    found = count(*(ended(n, waited=n) for n in range(1, 101))).fresh.to_request
    assert found == Quantiles(100, 50.0, 90.0, 99.0)
    assert count(ended(1, waited=7)).fresh.to_request == Quantiles(1, 7.0, 7.0, 7.0)
    assert count(ended(1, "expired", None)).fresh.to_request == Quantiles(0, None, None, None)


def test_who_was_not_called_in_that_time_has_no_time_in_it() -> None:
    """One that was called the evening before under longer hours, one that never was."""
    early = ended(1, waited=-86_400)
    assert count(early, ended(2, "waiting", None)).fresh == Times(*[Quantiles(0, None, None, None)] * 2)


def test_leads_from_the_backlog_and_for_set_times_are_timed_apart() -> None:
    found = count(ended(1, waited=4), ended(2, waited=600, fresh=False))
    assert (found.fresh.to_request.p50, found.later.to_request.p50) == (4.0, 600.0)
    assert (found.fresh.to_conversation.p50, found.later.to_conversation.p50) == (17.0, 613.0)


def test_missed_deadlines_are_a_part_of_those_who_were_to_be_called() -> None:
    told, never = ended(1, waited=90, promises=2), ended(2, "expired", None, promises=1)
    found = count(told, never, ended(3), ended(4), ended(5, "held", None))
    assert (found.deadline_missed, found.deadline_of, found.deadline_share, found.promises) == (2, 4, 0.5, 3)
    assert count(ended(1, "held", None)).deadline_share is None


def test_a_guard_is_counted_once_a_lead_with_three_masked_numbers() -> None:
    hits = (Hit("cooldown", "hold"), Hit("cooldown", "hold"))
    found = count(*(ended(n, "held", None, hits=hits) for n in range(5)), ended(9, hits=(Hit("calls", "observe"),)))
    assert [(one.guard, one.mode, one.leads, len(one.examples)) for one in found.guards] == [
        ("calls", "observe", 1, 1),
        ("cooldown", "hold", 5, 3),
    ]
    assert all(re.fullmatch(r"\+972•••••\d{3}", number) for one in found.guards for number in one.examples)


def call(agent: str, at: int, talk: int = 60, missed: bool = False) -> CallMade:
    return CallMade("1", agent, at, at + SECOND, missed, talk)


def test_load_is_told_of_everybody_in_the_file_and_of_who_else_had_calls() -> None:
    made = [call("dana", NOON), call("dana", NOON + 1, 0, missed=True), call("gone", NOON + 2), call("x/ivr/1", NOON)]
    found = count(calls=(*made, call("x/ivr/2", NOON), call("yossi", UNTIL)))
    assert [(one.name, one.calls, one.share, one.talk_minutes, one.missed, one.there) for one in found.agents] == [
        ("Dana", 2, 0.4, 1.0, 1, 540.0),
        ("Yossi", 0, 0.0, 0.0, 0, 540.0),
        ("gone", 1, 0.2, 1.0, 0, 0.0),
        ("x IVR", 2, 0.4, 2.0, 0, 0.0),
    ]
    assert found.spread is not None
    assert (found.spread.least, found.spread.most, found.spread.deviation) == (0, 2, 1.0)
    assert count().spread is None


def test_only_open_minutes_count_as_waited() -> None:
    waited = {"main": ((clock(17, 50), clock(18, 30)), (clock(9), clock(9, 5)))}
    (site,) = count(waited={"main": tuple(sorted(waited["main"]))}).sites
    assert (site.open_minutes, site.waited_minutes) == (540.0, 15.0)


# ------------------------------------------------------------------------------------------------- sentences


def said(new: Figures, old: Figures) -> list[str]:
    return differences(new, old, FILE, FILE)


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        ("hold", "2 leads more would be held by cooldown (3 instead of 1)"),
        ("refuse", "2 leads more would be refused by cooldown (3 instead of 1)"),
        ("observe", "2 leads more would be noticed by cooldown (3 instead of 1)"),
    ],
)
def test_more_leads_of_a_guard_are_said_in_its_mode(mode: str, words: str) -> None:
    hits = (Hit("cooldown", mode),)  # type: ignore[arg-type]
    new, old = (count(*(ended(n, "held", None, hits=hits) for n in range(many))) for many in (3, 1))
    assert said(new, old)[0] == words
    assert said(old, new)[0] == words.replace("2 leads more", "2 leads fewer").replace(
        "3 instead of 1", "1 instead of 3"
    )


def test_each_result_that_changes_is_said() -> None:
    old = count(*(ended(n) for n in range(9)))
    for result, words in (
        ("exhausted", "1 lead more would be given up after all tries (1 instead of 0)"),
        ("expired", "1 lead more would expire without a call (1 instead of 0)"),
        ("waiting", "1 lead more would still wait at the end (1 instead of 0)"),
        ("joined", "1 lead more would join a lead that is still open (1 instead of 0)"),
    ):
        new = count(*(ended(n) for n in range(8)), ended(8, result, None))
        assert said(new, old) == ["1 lead fewer would be connected (8 instead of 9)", words]


def test_small_differences_of_time_and_load_are_not_worth_a_sentence() -> None:
    old = count(*(ended(n, waited=30) for n in range(20)), calls=tuple(call("dana", NOON + n) for n in range(40)))
    for seconds, many in ((30.9, 40), (32, 43), (27.1, 44)):
        new = count(
            *(ended(n, waited=seconds) for n in range(20)), calls=tuple(call("dana", NOON + n) for n in range(many))
        )
        assert said(new, old) == [], (seconds, many)


def test_great_ones_are() -> None:
    old = count(*(ended(n, waited=30) for n in range(20)), calls=tuple(call("dana", NOON + n) for n in range(40)))
    new = count(*(ended(n, waited=20) for n in range(20)), calls=tuple(call("yossi", NOON + n) for n in range(40)))
    assert said(new, old) == [
        "half would wait up to 20 s for the call, instead of 30 s",
        "nine in ten would wait up to 20 s for the call, instead of 30 s",
        "half would wait up to 33 s for the conversation, instead of 43 s",
        "nine in ten would wait up to 33 s for the conversation, instead of 43 s",
        "Dana would have 40 calls fewer (0 instead of 40)",
        "Yossi would have 40 calls more (40 instead of 0)",
    ]


def test_queues_waiting_deadlines_and_put_off_tries_are_said() -> None:
    old = count(ended(1), longest=(2, NOON))
    waited = {"main": ((NOON, NOON + 20 * MINUTE),)}
    new = count(ended(1, promises=1), longest=(9, NOON), waited=waited, put_off=2)
    assert said(new, old) == [
        "calls_per_number would put off 2 leads more to the next day (2 instead of 0)",
        "1 lead more would have nobody by the deadline (1 instead of 0)",
        "main: leads would wait with nobody free for 20 minutes instead of 0",
        "at most 9 leads would be due at once, instead of 2",
    ]


def test_sites_that_come_and_go_are_said() -> None:
    more = parse_directory(toml(more='[[sites]]\nkey = "new"\norigins = ["https://x.example"]\nhours = "office"\n'))
    plain = count(ended(1))
    with_more = figures(Ledger((ended(1),), (), waited={}), more, SINCE, UNTIL)
    assert differences(with_more, plain, more, FILE) == ["new is a site that only the new file has"]
    assert differences(plain, with_more, FILE, more) == ["new is a site that the new file does not have"]


# --------------------------------------------------------------------------------------------------- reading


def report(many: int = 60) -> Report:
    day = generated(many, ("dana", "yossi"))
    habits = Habits(day, 1)
    columns = [
        Column(name, figures(replay(day, file, habits, deadline_then=40), file, day.since, day.until))
        for name, file in (("old.toml", FILE), ("new.toml", directory({"dana": "office", "yossi": "mornings"})))
    ]
    found = differences(columns[1].figures, columns[0].figures, directory(("dana",)), FILE)
    return Report(day, "Asia/Jerusalem", 1, tuple(columns), tuple(found), ("something to know",), Lags())


def test_it_is_read_aloud_in_lines_of_equal_columns() -> None:
    lines = list(read_aloud(report()))
    header = next(line for line in lines if line.strip().startswith("old.toml"))
    assert header.split() == ["old.toml", "new.toml"]
    (connected,) = [line for line in lines if line.startswith("connected")]
    assert len(connected) == len(header), "the figures stand below their file"
    assert all(line == line.rstrip() for line in lines)
    assert lines[-2:] == ["to know:", "  something to know"]
    for words in (
        "nobody on shift",
        "leads due, nobody free",
        "times told instead",
        "most leads due at once",
        "fewest to most",
    ):
        assert any(words in line for line in lines), words


def test_holes_are_read_out() -> None:
    """At most five of a site; the rest is counted."""
    one = report()
    figures_of = one.columns[-1].figures
    spans = tuple((NOON + n * MINUTE, NOON + (n * 2 + 1) * 30 * SECOND) for n in range(7))
    (site,) = figures_of.sites
    new = replace(figures_of, sites=(replace(site, nobody=spans),))
    lines = list(read_aloud(replace(one, columns=(one.columns[0], Column("new.toml", new)))))
    assert sum(line.endswith("has nobody") and line.startswith("    Thursday") for line in lines) == 5
    assert "    and 2 more times" in lines


def test_nothing_that_matters_is_said_so_and_without_a_comparison_nothing_is() -> None:
    one = report()
    lines = list(read_aloud(replace(one, differences=())))
    assert lines[lines.index("what differs:") + 1] == "  nothing that matters"
    assert "what differs:" not in list(read_aloud(replace(one, differences=None, notes=())))
    assert "to know:" not in list(read_aloud(replace(one, notes=())))


def test_no_whole_number_is_ever_read_aloud() -> None:
    one = report()
    text = "\n".join(read_aloud(one))
    for lead in one.day.all:
        assert lead.phone not in text
        assert lead.phone[4:] not in text


def test_every_result_has_words() -> None:
    one = report()
    results = dict.fromkeys(RESULTS, 7)
    column = Column("all", replace(one.columns[0].figures, results=results))
    lines = list(read_aloud(replace(one, columns=(column,), differences=None)))
    assert sum(line.endswith(" 7") for line in lines) >= len(RESULTS)


def test_figures_are_plain_enough_for_json() -> None:
    from dataclasses import asdict

    assert json.loads(json.dumps(asdict(report().columns[0].figures)))["results"]["connected"] > 0
