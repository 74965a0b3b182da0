"""Whether calls may leave: held back while the provider fails, let through again one at first. Pure rules.

Times are seconds on a monotonic clock. Every call is known by the moment at which room for it was asked
(`asked_at`): so an answer that comes late, from before a change, cannot speak about what came after it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from app.domain.answers import Answer, NotSent, Placed, Refused, Unknown

IN_A_ROW: Final = 5  # failures one after the other that open
SHUT_IN_A_ROW: Final = 3  # the same where the door was shut: HTTP 401, 403 ..., no answer about any call
WINDOW: Final = 60.0  # seconds an answer counts towards the share of failures
WINDOW_LEAST: Final = 10  # answers without which there is no share
WINDOW_MOST: Final = 100  # answers remembered; the latest
SHARE: Final = 0.5  # of failures that opens
FIRST_WAIT: Final = 10.0  # seconds open the first time; each time in a row twice as long
LONGEST_WAIT: Final = 300.0
JITTER: Final = 0.25  # at most this share longer, after the cap: replicas must not come back together
TRIAL_BOUND: Final = 60.0  # seconds after which the one call of half-open is not waited for any more

NEVER: Final = float("-inf")


@dataclass(frozen=True, slots=True)
class Closed:
    """All may leave. `recent` holds (moment, failed) of the latest answers."""

    since: float = NEVER
    failures: int = 0  # in a row
    shut: int = 0  # in a row
    recent: tuple[tuple[float, bool], ...] = ()


@dataclass(frozen=True, slots=True)
class Open:
    """None may leave. From `until` on the provider is to be asked something that rings nobody."""

    until: float
    step: int  # how often in a row it has opened before
    reason: str


@dataclass(frozen=True, slots=True)
class HalfOpen:
    """One may leave; `trial` is that one's `asked_at` while it is under way."""

    since: float
    step: int
    trial: float | None = None


State = Closed | Open | HalfOpen


def failed(answer: Answer) -> bool:
    """Whether the answer speaks against the provider. A refusal about agent or request proves that it works."""
    match answer:
        case Placed():
            return False
        case Refused(rule=rule):
            return rule in ("configuration", "once_more")
        case Unknown() | NotSent():
            return True


def room(state: State, most: int, now: float) -> int:
    """How many calls may be claimed now: none, one, or `most`."""
    match state:
        case Closed():
            return most
        case Open():
            return 0
        case HalfOpen(trial=trial):
            return min(1, most) if trial is None or now >= trial + TRIAL_BOUND else 0


def taken(state: State, calls: int, asked_at: float) -> State:
    """`calls` were claimed of the room that there was at `asked_at`."""
    if isinstance(state, HalfOpen) and calls > 0 and asked_at >= state.since:
        return replace(state, trial=asked_at)
    return state


def given_back(state: State, asked_at: float) -> State:
    """Nothing was sent, or nothing learned, of what was taken: in half-open another may have the place."""
    if isinstance(state, HalfOpen) and state.trial == asked_at:
        return replace(state, trial=None)
    return state


def may_send(state: State, asked_at: float) -> bool:
    """Whether a claimed call may still leave: not while open, nor when it was claimed before half-open."""
    match state:
        case Closed():
            return True
        case Open():
            return False
        case HalfOpen(trial=trial):
            return trial == asked_at


def heard(state: State, answer: Answer, asked_at: float, now: float, jitter: float) -> State:
    """What an answer changes. `jitter` is from 0 up to 1.

    Answers to calls from before the present state are too late to say anything: a success then does not
    close, and failures make no wait longer.
    """
    if isinstance(answer, NotSent) and answer.ours:
        return given_back(state, asked_at)
    match state:
        case Open():
            return state
        case HalfOpen(since=since, step=step):
            if asked_at < since:
                return state
            if failed(answer):
                return _open(now, step + 1, f"the call tried failed: {_said(answer)}", jitter)
            return Closed(since=now)
        case Closed(since=since):
            return state if asked_at < since else _counted(state, answer, now, jitter)


def probed(state: State, good: bool, now: float, jitter: float) -> State:
    """What the answer to the question that rings nobody changes; it matters only while open.

    A bad answer is believed as long as waits grow, some ten minutes. From then on it may be the question that
    cannot be asked (another address, with rights of its own), and one call is tried after every longest wait.
    """
    if not isinstance(state, Open):
        return state
    if good or _wait(state.step) == LONGEST_WAIT:
        return HalfOpen(since=now, step=state.step)
    return _open(now, state.step + 1, state.reason, jitter)


def due_at(state: State) -> float | None:
    """When something is to be done without any answer: ask the provider, or wait for the trial no longer."""
    match state:
        case Open(until=until):
            return until
        case HalfOpen(trial=float(trial)):
            return trial + TRIAL_BOUND
        case _:
            return None


def _counted(state: Closed, answer: Answer, now: float, jitter: float) -> State:
    bad = failed(answer)
    failures = state.failures + 1 if bad else 0
    shut = state.shut + 1 if _door_shut(answer) else 0
    recent = (*(one for one in state.recent if one[0] > now - WINDOW), (now, bad))[-WINDOW_MOST:]
    share = sum(was_bad for _, was_bad in recent)
    reason = None
    if shut >= SHUT_IN_A_ROW:
        reason = f"the provider shut the door {shut} times in a row"
    elif failures >= IN_A_ROW:
        reason = f"{failures} failures in a row"
    elif bad and len(recent) >= WINDOW_LEAST and share >= SHARE * len(recent):
        reason = f"{share} of the last {len(recent)} answers were failures"
    if reason is not None:
        return _open(now, 0, f"{reason}; the last: {_said(answer)}", jitter)
    return Closed(state.since, failures, shut, recent)


def _door_shut(answer: Answer) -> bool:
    """Refused by HTTP alone: account code, address or quota (facts 1.7), so the next call fares no better."""
    return isinstance(answer, Refused) and answer.code is None and answer.rule == "configuration"


def _open(now: float, step: int, reason: str, jitter: float) -> Open:
    return Open(now + _wait(step) * (1 + JITTER * jitter), step, reason)


def _wait(step: int) -> float:
    return min(FIRST_WAIT * 2.0 ** min(step, 16), LONGEST_WAIT)


def _said(answer: Answer) -> str:
    match answer:
        case Placed():
            return "placed"
        case Refused(code=code, message=message):
            return message if code is None else f"code {code}: {message}"
        case NotSent(why=why) | Unknown(why=why):
            return why
