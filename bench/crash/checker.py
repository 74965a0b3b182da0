"""The checker: lays what was acknowledged, what the provider saw, and the final rows side by side.

Each rule is a function from a history to the sentences that accuse; all empty is what was promised. Nothing is
taken on the service's word: a second call needs a licence that the provider's own book and the row agree on.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Final, NamedTuple

from app.domain.states import ATTEMPT_LIVE, LEAD_FINAL
from bench.crash.history import Ending, History, Request, Row

# Outcomes after which the same person may be rung again, because a record said that nobody has talked.
NOT_TALKED: Final = ("agent_no_answer", "lead_no_answer", "lead_busy", "lead_unreachable", "cancelled")
# States of an attempt that say: nothing was ever sent.
NEVER_SENT: Final = ("reserved", "lapsed", "not_sent")
OVERDUE: Final = 15_000  # milliseconds that a due lead or attempt may wait in a quiet house
NOBODY_KNOWS: Final = "the process that sent it went silent"  # what the sweeper writes down


class Rule(NamedTuple):
    """One promise: `name` for the table, `accuse` finds what breaks it."""

    name: str
    accuse: Callable[[History], Iterable[str]]


def check(history: History) -> dict[str, list[str]]:
    """By rule, in the table's order, everything that breaks it."""
    return {rule.name: [f"{history.world}: {words}" for words in rule.accuse(history)] for rule in RULES}


def _lost(history: History) -> Iterator[str]:
    """A 202 is a promise that the lead is on disk."""
    stored = {row["id"] for row in history.books.leads}
    for one in history.submissions:
        for lead in dict.fromkeys(one.leads):
            if lead not in stored:
                yield f"lead {lead} was acknowledged to submission {one.id} and is nowhere"


def _doubled(history: History) -> Iterator[str]:
    """A person is called again only after a call that was refused, or reported over without a conversation."""
    attempts = _by_id(history.books.attempts)
    for person, calls in _grouped(history.requests, lambda call: call.person).items():
        for before, after in pairwise(calls):
            if before.attempt == after.attempt:
                continue  # the next rule's
            why = _no_licence(before, after, attempts.get(before.attempt))
            if why:
                yield f"{person} was called again by {after.attempt} although {before.attempt} {why}"


def _no_licence(before: Request, after: Request, row: Row | None) -> str | None:
    """Why the first call forbids the second one; None when it does not."""
    if row is None:
        return "is nowhere"
    if row["state"] == "refused" and before.code is not None and row["code"] == before.code:
        return None
    if row["state"] == "ended" and row["outcome"] in NOT_TALKED and before.outcome == row["outcome"]:
        if before.reported_at is None or before.reported_at > after.at:
            return f"was not reported {row['outcome']} by then"
        return None
    words = row["state"] if row["outcome"] is None else f"{row['state']} {row['outcome']}"
    return f"({before.kind}) is {words}"


def _repeated(history: History) -> Iterator[str]:
    """One attempt sends at most one request."""
    for attempt, count in Counter(call.attempt for call in history.requests).items():
        if count > 1:
            yield f"attempt {attempt} sent {count} requests"


def _overlapping(history: History) -> Iterator[str]:
    """No agent's telephone is asked for while a call is on it, by the provider's own clock."""
    rung = [call for call in history.requests if call.rung]
    for extension, calls in _grouped(rung, lambda call: call.extension).items():
        latest: Request | None = None
        for call in calls:
            if latest is not None and call.at < latest.over_at:
                left = latest.over_at - call.at
                yield f"{extension} was rung by {call.attempt} with {left:.2f} s left of the call of {latest.attempt}"
            if latest is None or call.over_at > latest.over_at:
                latest = call


def _unwritten(history: History) -> Iterator[str]:
    """The intent is on disk before the request leaves, and nobody who sent one says that nothing was sent."""
    attempts = _by_id(history.books.attempts)
    for call in history.requests:
        row = attempts.get(call.attempt)
        if row is None:
            yield f"attempt {call.attempt} sent a request and is nowhere"
        elif row["state"] in NEVER_SENT:
            yield f"attempt {call.attempt} sent a request and is {row['state']}"
        elif row["lead_id"] != call.lead or row["extension"] != call.extension:
            yield f"attempt {call.attempt} sent a request for {call.lead} on {call.extension}, and is of another"


def _unaccounted(history: History) -> Iterator[str]:
    """Every lead has ended, or somebody will look at it again; every agent at work has a call to be at."""
    live = {row["id"]: row for row in history.books.attempts if row["state"] in ATTEMPT_LIVE}
    now = history.books.now
    for lead in history.books.leads:
        state, at_work = lead["state"], live.get(lead["attempt_id"])
        if state == "dialing" and (at_work is None or at_work["lead_id"] != lead["id"]):
            yield f"lead {lead['id']} is dialing without an attempt that is under way"
        elif state == "waiting" and (lead["due_at"] is None or lead["due_at"] < now - OVERDUE):
            yield f"lead {lead['id']} waits, {_late(lead['due_at'], now)}, and nobody takes it"
        elif state in ("waiting", "held") and (lead["expires_at"] is None or lead["expires_at"] < now - OVERDUE):
            yield f"lead {lead['id']} is {state} for ever"
        elif state in LEAD_FINAL and lead["ended_at"] is None:
            yield f"lead {lead['id']} is {state} since never"
    leads = _by_id(history.books.leads)
    for attempt in live.values():
        if attempt["look_at"] is None or attempt["look_at"] < now - OVERDUE:
            yield f"attempt {attempt['id']} is {attempt['state']}, and nobody looks at it"
        if leads[attempt["lead_id"]]["attempt_id"] != attempt["id"]:
            yield f"attempt {attempt['id']} is {attempt['state']}, and its lead has gone on without it"
    for agent in history.books.agents:
        at_work = live.get(agent["attempt_id"]) if agent["attempt_id"] is not None else None
        if agent["attempt_id"] is not None and (at_work is None or not at_work["holds_agent"]):
            yield f"agent {agent['id']} is {agent['state']} with a call that is over"
    if history.gauge:
        yield f"the service itself counts {history.gauge:g} unaccounted"


def _late(due_at: int | None, now: int) -> str:
    return "never due" if due_at is None else f"due for {(now - due_at) / 1000:.0f} s"


def _unsettled(history: History) -> Iterator[str]:
    """After the last fault every attempt is over or unknown within a lease and a sweep."""
    yield from history.open_after


def _forgotten(history: History) -> Iterator[str]:
    """What the provider reported, and was told to be taken, stands on the attempt."""
    attempts = _by_id(history.books.attempts)
    for call in history.requests:
        row = attempts.get(call.attempt)
        if call.was_told and row is not None and (row["state"], row["outcome"]) != ("ended", call.outcome):
            found = f"{row['state']} {row['outcome'] or ''}".strip()
            yield f"attempt {call.attempt} was reported {call.outcome}, which was taken, and is {found}"


def _twins(history: History) -> Iterator[str]:
    """One form, however often it is sent, is one lead, and each time the same one."""
    for one in history.submissions:
        if len(set(one.leads)) > 1:
            yield f"submission {one.id} was told of {len(set(one.leads))} leads"
    phones = Counter(row["phone"] for row in history.books.leads)
    for phone, count in phones.items():
        if count > 1:
            yield f"{phone} sent one form and is {count} leads"


def _miscounted(history: History) -> Iterator[str]:
    """The cap on calls counts each attempt that may have cost something, once."""
    owed = sum(row["state"] not in ("lapsed", "not_sent", "refused") for row in history.books.attempts)
    if owed != history.books.spent:
        yield f"{history.books.spent} calls are counted against the cap, and {owed} were made"


def _left_behind(history: History) -> Iterator[str]:
    """A process that is told to end ends well, and finishes the calls that it has begun to place."""
    for ending in history.endings:
        if ending.status != 0:
            yield f"process {ending.pid} was told to end and " + (
                "did not" if ending.status is None else f"ended with {ending.status}"
            )
    for row in history.books.attempts:
        if row["why"] == NOBODY_KNOWS and any(_was_of(row, ending) for ending in history.endings):
            yield f"attempt {row['id']} was left behind by a process that was told to end"


def _was_of(row: Row, ending: Ending) -> bool:
    pid = int(row["owner"].rsplit(":", 2)[1])
    return pid == ending.pid and ending.began <= row["reserved_at"] <= ending.ended


def _strange(history: History) -> Iterator[str]:
    """Visitors hear 202, 409 while a twin is under way, or 503 with Retry-After; and nobody ends by himself."""
    yield from history.strange


def _by_id(rows: Iterable[Row]) -> dict[str, Row]:
    return {row["id"]: row for row in rows}


def _grouped(calls: Iterable[Request], key: Callable[[Request], str]) -> dict[str, list[Request]]:
    """By key, in the order of their arrival."""
    found: dict[str, list[Request]] = defaultdict(list)
    for call in sorted(calls, key=lambda call: call.at):
        found[key(call)].append(call)
    return found


RULES: Final = (
    Rule("acknowledged and lost", _lost),
    Rule("called twice", _doubled),
    Rule("attempts with two requests", _repeated),
    Rule("two calls at once on one agent", _overlapping),
    Rule("requests nobody wrote down", _unwritten),
    Rule("unaccounted", _unaccounted),
    Rule("open past lease and sweep", _unsettled),
    Rule("reports taken and forgotten", _forgotten),
    Rule("one form, two leads", _twins),
    Rule("calls miscounted against the cap", _miscounted),
    Rule("left behind by an orderly end", _left_behind),
    Rule("answers and ends without excuse", _strange),
)
