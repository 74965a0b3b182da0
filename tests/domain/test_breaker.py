"""The breaker: opens on an outage, lets one call through first, and always comes back."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from app.domain import breaker
from app.domain.answers import Answer, NotSent, Placed, Refused, Unknown
from app.domain.breaker import Closed, HalfOpen, Open, State

PLACED = Placed("call-1")
UNKNOWN = Unknown("HTTP 503")
NOT_SENT = NotSent("ConnectError")
SHUT = Refused(None, "HTTP 403", "configuration")
STRANGE = Refused(99, "a code nobody knows", "configuration")
BROKEN = Refused(2, "Application error", "once_more")
GOOD: list[Answer] = [
    PLACED,
    Refused(3, "offline", "agent_offline"),
    Refused(4, "blocked", "agent_blocked"),
    Refused(1, "wrong", "request_wrong"),
]
BAD: list[Answer] = [UNKNOWN, NOT_SENT, SHUT, STRANGE, BROKEN]
LONGEST = 300 * 1.25


def after(answers: list[Answer], *, apart: float = 0.0, state: State | None = None, start: float = 0.0) -> State:
    """The state after these answers, each to a call of its own moment, `apart` seconds one from the other."""
    state = state or Closed()
    for number, answer in enumerate(answers):
        at = start + number * apart
        state = breaker.heard(state, answer, at, at, 0.0)
    return state


def opened(now: float = 0.0) -> Open:
    """Open since `now` for the first time."""
    state = after([UNKNOWN] * 5, start=now)
    assert isinstance(state, Open)
    return state


def trying(now: float = 10.0) -> HalfOpen:
    """Half-open since `now`, nobody trying yet."""
    state = breaker.probed(opened(), True, now, 0.0)
    assert isinstance(state, HalfOpen)
    return state


@pytest.mark.parametrize("answer", GOOD)
def test_an_answer_about_the_call_is_a_success(answer: Answer) -> None:
    assert not breaker.failed(answer)
    answers: list[Answer] = [*[UNKNOWN] * 4, answer, *[UNKNOWN] * 4]
    assert isinstance(after(answers), Closed)


@pytest.mark.parametrize("answer", BAD)
def test_an_answer_that_shows_no_working_provider_is_a_failure(answer: Answer) -> None:
    assert breaker.failed(answer)
    assert isinstance(after([answer] * 5), Open)


def test_five_failures_in_a_row_open_and_four_do_not() -> None:
    assert isinstance(after([UNKNOWN] * 4), Closed)
    state = after([UNKNOWN, NOT_SENT, BROKEN, STRANGE, UNKNOWN])
    assert isinstance(state, Open)
    assert state.until == 10.0
    assert "5 failures in a row" in state.reason
    assert "HTTP 503" in state.reason


def test_failures_in_a_row_count_however_far_apart() -> None:
    assert isinstance(after([UNKNOWN] * 5, apart=3600), Open)


def test_a_shut_door_opens_after_three_in_a_row() -> None:
    assert isinstance(after([SHUT] * 2), Closed)
    interrupted: list[Answer] = [SHUT, SHUT, BROKEN, SHUT]
    assert isinstance(after(interrupted), Closed)
    assert isinstance(after([SHUT] * 3), Open)
    assert isinstance(after([STRANGE] * 3), Closed), "a readable code is no shut door"


def test_half_of_the_last_answers_within_a_minute_open() -> None:
    nine: list[Answer] = [UNKNOWN, PLACED] * 4
    nine.append(PLACED)
    assert isinstance(after(nine), Closed), "nine answers are no share"
    state = after([PLACED, UNKNOWN] * 5)
    assert isinstance(state, Open)
    assert "5 of the last 10" in state.reason
    assert isinstance(after([PLACED, PLACED, UNKNOWN] * 20), Closed), "a third is less than half"


def test_answers_older_than_a_minute_do_not_count_towards_the_share() -> None:
    assert isinstance(after([PLACED, UNKNOWN] * 20, apart=7.0), Closed), "never ten within sixty seconds"


def test_a_success_never_opens() -> None:
    answers: list[Answer] = [*[UNKNOWN] * 4, PLACED, UNKNOWN, *[PLACED] * 4]
    assert sum(breaker.failed(answer) for answer in answers) == 5, "half of ten"
    assert isinstance(after(answers), Closed)


def test_waits_double_up_to_five_minutes_and_jitter_comes_after_the_cap() -> None:
    state: State = opened()
    waits = []
    for _ in range(8):
        assert isinstance(state, Open)
        now = state.until
        state = breaker.taken(breaker.probed(state, True, now, 0.0), 1, now)
        state = breaker.heard(state, UNKNOWN, now, now, 0.0)
        assert isinstance(state, Open)
        waits.append(state.until - now)
    assert waits == [20, 40, 80, 160, 300, 300, 300, 300]
    last = breaker.heard(HalfOpen(0.0, 10**6, 0.0), UNKNOWN, 0.0, 0.0, 1.0)
    assert breaker.due_at(last) == LONGEST


def test_a_question_that_is_never_answered_does_not_hold_calls_back_for_ever() -> None:
    state: State = opened()
    waits = []
    while isinstance(state, Open):
        now = state.until
        state = breaker.probed(state, False, now, 0.0)
        waits.append((breaker.due_at(state) or now) - now)
    assert waits == [20, 40, 80, 160, 300, 0], "after the first longest wait a call is tried"
    assert breaker.room(state, 32, 610.0) == 1
    state = breaker.heard(breaker.taken(state, 1, 610.0), UNKNOWN, 610.0, 612.0, 0.0)
    assert breaker.due_at(state) == 912.0
    assert isinstance(breaker.probed(state, False, 912.0, 0.0), HalfOpen)


def test_while_open_there_is_no_room_and_nothing_may_leave() -> None:
    state = opened(now=5.0)
    assert breaker.room(state, 32, 1e9) == 0
    assert not breaker.may_send(state, 0.0)
    assert breaker.taken(state, 3, 5.0) is state


def test_late_answers_change_nothing_while_open() -> None:
    state = opened(now=5.0)
    for answer in GOOD + BAD:
        assert breaker.heard(state, answer, 1.0, 6.0, 0.0) is state


def test_late_answers_change_nothing_in_half_open() -> None:
    state = trying(now=10.0)
    for answer in GOOD + BAD:
        assert breaker.heard(state, answer, 9.9, 11.0, 0.0) is state


def test_late_failures_do_not_open_again_what_has_closed() -> None:
    closed = after([PLACED], state=trying(10.0), start=12.0)
    late = closed
    for _ in range(20):
        late = breaker.heard(late, UNKNOWN, 3.0, 13.0, 0.0)
    assert late == closed


def test_in_half_open_one_call_may_leave_until_its_answer() -> None:
    state: State = trying(10.0)
    assert breaker.room(state, 32, 11.0) == 1
    assert breaker.room(state, 0, 11.0) == 0
    assert breaker.taken(state, 0, 11.0) is state, "no lead was there to be claimed"
    state = breaker.taken(state, 1, 11.0)
    assert breaker.room(state, 32, 12.0) == 0
    assert breaker.may_send(state, 11.0)
    assert not breaker.may_send(state, 2.0), "a call claimed before the outage does not slip through"


def test_its_success_closes_and_forgets_how_long_the_outage_was() -> None:
    state: State = trying(10.0)
    state = breaker.heard(breaker.taken(state, 1, 11.0), PLACED, 11.0, 12.0, 0.0)
    assert isinstance(state, Closed)
    again = after([UNKNOWN] * 5, state=state, start=20.0)
    assert breaker.due_at(again) == 30.0


def test_its_failure_opens_for_longer() -> None:
    state = breaker.heard(breaker.taken(trying(10.0), 1, 11.0), UNKNOWN, 11.0, 12.0, 0.0)
    assert breaker.due_at(state) == 12.0 + 20.0


def test_how_long_the_outage_was_is_remembered_through_half_open() -> None:
    state = breaker.probed(breaker.probed(opened(), False, 10.0, 0.0), True, 30.0, 0.0)
    state = breaker.heard(breaker.taken(state, 1, 31.0), UNKNOWN, 31.0, 32.0, 0.0)
    assert breaker.due_at(state) == 32.0 + 40.0


def test_calls_claimed_of_the_room_before_the_outage_take_no_place_and_do_not_leave() -> None:
    state = breaker.taken(trying(10.0), 5, 3.0)
    assert breaker.room(state, 32, 11.0) == 1
    assert not breaker.may_send(state, 3.0)


def test_a_trial_that_never_answers_gives_its_place_up_in_time() -> None:
    state = breaker.taken(trying(10.0), 1, 11.0)
    over = 11.0 + breaker.TRIAL_BOUND
    assert breaker.due_at(state) == over
    assert breaker.room(state, 32, over) == 1
    state = breaker.taken(state, 1, over)
    assert breaker.may_send(state, over)
    assert not breaker.may_send(state, 11.0), "another has its place"


def test_a_trial_that_was_never_sent_gives_its_place_back_and_no_other_does() -> None:
    state = breaker.taken(trying(10.0), 1, 11.0)
    assert breaker.given_back(state, 4.0) is state
    assert breaker.room(breaker.given_back(state, 11.0), 32, 11.0) == 1


class AnyOrder(RuleBasedStateMachine):
    """Calls, answers, probes and time in any order, by what a dispatcher that obeys the breaker would do."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.state: State = Closed()
        self.claimed: list[float] = []  # claimed, not sent
        self.sent: list[float] = []
        self.sent_half_open: list[float] = []  # when each call left that half-open let through

    def become(self, state: State) -> None:
        if isinstance(state, Open) and state != self.state:
            assert 10.0 <= state.until - self.now <= LONGEST
        if isinstance(state, Open) and isinstance(self.state, Open):
            assert state.until >= self.state.until or self.now >= self.state.until, "an outage is not cut short"
        if not isinstance(state, HalfOpen):
            self.sent_half_open = []
        self.state = state

    @rule(seconds=st.floats(0.001, 400.0))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule(most=st.integers(0, 4), wanted=st.integers(0, 4), slow=st.sampled_from([0.0, 0.0, 1.0, 30.0]))
    def calls_are_claimed(self, most: int, wanted: int, slow: float) -> None:
        asked_at = self.now
        calls = min(wanted, breaker.room(self.state, most, self.now))
        self.now += slow
        self.become(breaker.taken(self.state, calls, asked_at))
        self.claimed += [asked_at] * calls

    @precondition(lambda self: self.claimed)
    @rule(data=st.data())
    def one_is_sent(self, data: st.DataObject) -> None:
        asked_at = self.claimed.pop(data.draw(st.integers(0, len(self.claimed) - 1)))
        if breaker.may_send(self.state, asked_at):
            assert not isinstance(self.state, Open)
            self.sent.append(asked_at)
            if isinstance(self.state, HalfOpen):
                recent = [moment for moment in self.sent_half_open if asked_at < moment + breaker.TRIAL_BOUND]
                assert not recent, "two calls at once in half-open"
                self.sent_half_open.append(asked_at)
        else:
            self.become(breaker.given_back(self.state, asked_at))

    @precondition(lambda self: self.sent)
    @rule(data=st.data(), answer=st.sampled_from(GOOD + BAD), jitter=st.floats(0, 1, exclude_max=True))
    def one_is_answered(self, data: st.DataObject, answer: Answer, jitter: float) -> None:
        asked_at = self.sent.pop(data.draw(st.integers(0, len(self.sent) - 1)))
        before = self.state
        self.become(breaker.heard(self.state, answer, asked_at, self.now, jitter))
        if isinstance(before, Open):
            assert self.state is before

    @rule(good=st.booleans(), jitter=st.floats(0, 1, exclude_max=True))
    def the_provider_is_asked_when_due(self, good: bool, jitter: float) -> None:
        due = breaker.due_at(self.state)
        if isinstance(self.state, Open) and due is not None and self.now >= due:
            self.become(breaker.probed(self.state, good, self.now, jitter))

    @invariant()
    def while_open_there_is_no_room(self) -> None:
        if isinstance(self.state, Open):
            assert breaker.room(self.state, 32, self.now) == 0
            assert not any(breaker.may_send(self.state, asked_at) for asked_at in self.claimed)

    @invariant()
    def a_healthy_provider_is_dialled_freely_again_within_a_bound(self) -> None:
        now, state = self.now, self.state
        if isinstance(state, Open):
            now = max(now, state.until)
            state = breaker.probed(state, True, now, 0.5)
        if isinstance(state, HalfOpen):
            if not breaker.room(state, 32, now):
                now = breaker.due_at(state) or now
            assert breaker.room(state, 32, now) == 1
            state = breaker.heard(breaker.taken(state, 1, now), PLACED, now, now, 0.5)
        assert breaker.room(state, 32, now) == 32
        assert now - self.now <= LONGEST + breaker.TRIAL_BOUND


AnyOrder.TestCase.settings = settings(
    max_examples=150, stateful_step_count=60, deadline=None, derandomize=True, database=None
)
test_any_order = AnyOrder.TestCase
