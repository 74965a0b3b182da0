"""Whose a call on the line is: by its id, by our variable, by both phones and the time; and never two attempts'."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import pytest

from app.domain.line import ExtensionNow, LineCall
from app.domain.open_calls import OpenCall
from app.domain.whose_call import EARLY, SOON, ids_to_know, nearness, on_line
from tests.clocks import START

SECOND: Final = 1000
NOW: Final = START + 60 * SECOND
OPEN: Final = OpenCall(
    id="attempt", lead_id="lead", agent_id="dana", site="main", phone="+972541234567", state="placed",
    extension="SIPdana", first_leg="agent", call_id="c1", holds_agent=True, received_at=START, sending_at=START,
    placed_at=START, unknown_at=None, seen_at=None, agent_ringing_at=None, agent_answered_at=None, line_looks=0,
)  # fmt: skip
# Two attempts of one lead with one agent: the first was refused, and ten seconds later came the repeat.
REFUSED: Final = replace(OPEN, id="first", state="refused", call_id=None, holds_agent=False, placed_at=None)
REPEAT: Final = replace(OPEN, id="second", state="unknown", call_id=None, sending_at=START + 10 * SECOND)


def line(**fields: Any) -> LineCall:
    silent: dict[str, Any] = dict.fromkeys(LineCall.__slots__)
    return LineCall(**(silent | fields))


def between_its_phones(**fields: Any) -> LineCall:
    return line(phone="0541234567", **fields)


def began(seconds: int) -> int:
    """What the provider's clock tells, in plain epoch seconds."""
    return START // SECOND + seconds


def on_dana(*calls: LineCall) -> list[ExtensionNow]:
    return [ExtensionNow("SIPdana", "in", calls)]


def test_the_call_id_is_surest_then_our_own_variable_then_extension_and_number() -> None:
    """What is copied from call to call may carry our variable along; the id is what the provider vouches for."""
    phones = between_its_phones()
    ours = line(attempt_id="attempt", call_id="another", phone="0548888888")
    by_id = line(call_id="c1", phone="0549999999")
    told = on_dana(phones)
    assert on_line([OPEN], told, NOW) == {"attempt": phones}
    told.append(ExtensionNow("SIPother", "in", (ours,)))
    assert on_line([OPEN], told, NOW) == {"attempt": ours}
    told.append(ExtensionNow("SIPthird", "in", (by_id,)))
    assert on_line([OPEN], told, NOW) == {"attempt": by_id}


@pytest.mark.parametrize(
    "there",
    [
        line(phone="0549999999"),
        line(),
        line(call_id="c2"),
        line(phone="0541234567", attempt_id="another attempt"),
    ],
    ids=["another number", "no number", "another call", "another attempt's mark"],
)
def test_another_call_on_the_agent_s_extension_is_not_ours(there: LineCall) -> None:
    assert on_line([OPEN], on_dana(there), NOW) == {}


def test_the_lead_s_number_on_another_extension_is_not_our_call() -> None:
    assert on_line([OPEN], [ExtensionNow("SIPyossi", "in", (between_its_phones(),))], NOW) == {}


def test_an_attempt_without_a_call_id_is_not_found_by_a_call_without_one() -> None:
    assert on_line([replace(OPEN, call_id=None)], on_dana(line()), NOW) == {}


def test_the_number_is_known_in_every_spelling() -> None:
    for phone in ("972541234567", "0541234567", "541234567", "00972541234567"):
        assert on_line([replace(OPEN, call_id=None)], on_dana(line(phone=phone)), NOW)


def test_a_leg_with_an_id_of_its_own_is_known_by_its_phones() -> None:
    leg = between_its_phones(call_id="c1-b")
    assert on_line([OPEN], on_dana(leg), NOW) == {"attempt": leg}


# ------------------------------------------------------------------- two attempts between the same phones


@pytest.mark.parametrize(
    ("seconds", "whose"), [(0, "first"), (6, "first"), (8, "second"), (10, "second"), (35, "second"), (-30, "first")]
)
def test_a_call_comes_from_the_request_that_was_sent_last_before_it(seconds: int, whose: str) -> None:
    shown = between_its_phones(call_id="x", raw_time=began(seconds))
    for calls in ([REFUSED, REPEAT], [REPEAT, REFUSED]):
        assert on_line(calls, on_dana(shown), NOW) == {whose: shown}


def test_a_call_that_does_not_say_when_it_began_is_the_last_request_s() -> None:
    shown = between_its_phones(call_id="x")
    for calls in ([REFUSED, REPEAT], [REPEAT, REFUSED]):
        assert on_line(calls, on_dana(shown), NOW) == {"second": shown}


def test_a_call_with_another_id_is_rather_the_attempt_s_of_which_no_id_is_known() -> None:
    shown = between_its_phones(call_id="x")
    assert on_line([REFUSED, replace(REPEAT, state="placed", call_id="c2")], on_dana(shown), NOW) == {"first": shown}


def test_of_two_calls_each_has_its_own_attempt() -> None:
    one, other = between_its_phones(call_id="c1"), between_its_phones(call_id="c2", attempt_id="second")
    calls = [replace(REFUSED, call_id="c1"), REPEAT]
    assert on_line(calls, on_dana(one, other), NOW) == {"first": one, "second": other}


def test_beside_a_call_that_is_known_another_entry_between_its_phones_is_its_second_leg() -> None:
    known, leg = between_its_phones(call_id="c2"), between_its_phones(call_id="c2-b")
    calls = [REFUSED, replace(REPEAT, state="placed", call_id="c2")]
    assert on_line(calls, on_dana(known, leg), NOW) == {"second": known}
    assert on_line(calls, on_dana(leg, known), NOW) == {"second": known}


def test_of_two_attempts_with_one_call_id_our_variable_names_the_one_and_without_it_it_is_the_latest() -> None:
    calls = [replace(REFUSED, call_id="c1"), replace(REPEAT, call_id="c1")]
    for mark, whose in (("first", "first"), (None, "second"), ("a third one's", "second")):
        shown = line(call_id="c1", attempt_id=mark)
        assert on_line(calls, on_dana(shown), NOW) == {whose: shown}


def test_a_call_whose_id_is_another_attempt_s_is_not_taken_for_one_of_these_by_its_phones() -> None:
    """An attempt that is over, whose call is still shown: the account is seconds old."""
    shown = between_its_phones(call_id="over")
    assert ids_to_know([REFUSED], on_dana(shown)) == ["over"]
    assert on_line([REFUSED], on_dana(shown), NOW, {"over"}) == {}
    assert on_line([REFUSED], on_dana(shown), NOW, {"x"}) == {"first": shown}


def test_only_what_its_phones_alone_would_tell_has_to_be_looked_up() -> None:
    told = on_dana(
        between_its_phones(call_id="c1"),
        between_its_phones(call_id="x", attempt_id="attempt"),
        between_its_phones(),
        line(call_id="y", phone="0549999999"),
    )
    assert ids_to_know([OPEN], told) == []


def test_a_call_that_surely_began_before_the_request_does_not_come_from_it() -> None:
    """The agent had rung the number by hand; by no reading of the provider's clock is it ours."""
    shown = between_its_phones(call_id="x", raw_time=began(-4 * 3600))
    assert on_line([REFUSED], on_dana(shown), NOW) == {}
    assert on_line([REFUSED], on_dana(replace(shown, raw_time=None)), NOW) != {}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (5 * SECOND, 6 * SECOND),
        (SOON, -EARLY - 1),
        (0, SOON + 1),
        (-EARLY, SOON + 1),
        (-EARLY - 1, -EARLY - 2),
        (SOON + 1, SOON + 2),
        (SOON + 1, None),
    ],
)
def test_the_last_request_before_a_call_is_nearest_and_an_unknown_beginning_is_farthest(
    first: int, second: int | None
) -> None:
    """Milliseconds from the request to the call."""

    def near(after: int | None) -> tuple[int, int]:
        return nearness(None if after is None else START + after, START)

    assert near(first) < near(second)
