"""The call log of a call that is over (facts 4)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from .answers import Answer
from .hands import Hands
from .provider import Face
from .rows import row

Placing = Callable[..., str]
FORM = "%Y-%m-%dT%H:%M:%SZ"


def window(**shift: float) -> dict[str, object]:
    """Ten minutes around now in GMT, or around now plus `shift`, as timedelta takes it."""
    middle = datetime.now(UTC) + timedelta(**shift)
    around = timedelta(minutes=5)
    return {"fromdate": (middle - around).strftime(FORM), "todate": (middle + around).strftime(FORM)}


def lowered(answer: Answer) -> list[dict[str, Any]]:
    """Rows whose keys are compared without regard to case, as facts 4 advises."""
    assert answer.member("ERROR_NUMBER") == 0, str(answer)
    return [{name.lower(): value for name, value in one.items()} for one in answer.rows("CDR_LIST")]


@pytest.fixture
def ended_call(calling: Face, hands: Hands) -> Placing:
    """Places a call that ends because the agent declines; its CALLID."""
    hands.call_log()

    def place(phone: str = "SIPdana1", target: str = "0501234567") -> str:
        call_id = calling(phone=phone, target=target).call_id
        hands.do(phone, "decline")
        return call_id

    return place


@pytest.mark.row("call log: two rows", "call log: answer")
def test_a_call_has_two_rows_that_lead_back_to_its_call_id(call_log: Face, ended_call: Placing) -> None:
    """Facts 2.3: types 9 and 10 for the legs of Click2Call; facts 4: hits counted; no push is needed for it."""
    call_id = ended_call()
    answer = call_log(search=window())
    rows = lowered(answer)
    assert sorted(int(one["cdrtype"]) for one in rows) == [9, 10]
    assert (answer.member("TOTAL_HITS"), answer.member("RETURN_HITS"), answer.member("STATUS_CODE")) == (2, 2, 200)
    assert call_id in {one["callid"] for one in rows}


@pytest.mark.row("call log: fields")
def test_named_fields_come_as_named_and_alone(call_log: Face, ended_call: Placing) -> None:
    """Facts 4: with `fields` given, rows in PascalCase."""
    ended_call()
    wanted = ["CallID", "DialStatus", "Date"]
    for one in call_log(search=window(), fields=wanted).rows("CDR_LIST"):
        assert sorted(one) == sorted(wanted)


@pytest.mark.row("call log: no fields")
def test_without_named_fields_all_come_in_lower_case(call_log: Face, ended_call: Placing) -> None:
    """Facts 4: without `fields`, all-lower-case rows."""
    ended_call()
    rows = call_log(search=window()).rows("CDR_LIST")
    assert len(rows) == 2
    for one in rows:
        assert {"callid", "dialstatus", "recordurl", "representativecode"} <= set(one)
        assert [name for name in one if name != name.lower()] == []


@pytest.mark.row("call log: GET")
def test_a_flat_get_finds_the_same_rows(call_log: Face, ended_call: Placing) -> None:
    """Facts 4: GET is flat with repeated fields."""
    ended_call()
    got = call_log(window(), method="GET", fields=["CallID", "CdrType"])
    posted = call_log(search=window(), fields=["CallID", "CdrType"])
    assert list(got.rows("CDR_LIST")) == list(posted.rows("CDR_LIST")) != []


@pytest.mark.row("call log: window")
def test_dates_are_gmt_and_bound_what_is_found(call_log: Face, ended_call: Placing) -> None:
    """Facts 4: dates in GMT+0. Israel's wall clock, two or three hours ahead, finds nothing."""
    ended_call()
    assert len(lowered(call_log(search=window()))) == 2
    assert lowered(call_log(search=window(hours=-1))) == []
    assert lowered(call_log(search=window(hours=2.5))) == []


@pytest.mark.row("call log: window")
def test_the_date_of_a_row_is_gmt(call_log: Face, ended_call: Placing) -> None:
    """Facts 2.6: `Date` is UTC, unlike the `time` of a pushed record."""
    ended_call()
    for one in lowered(call_log(search=window())):
        age = datetime.now(UTC) - datetime.fromisoformat(one["date"])
        assert timedelta(seconds=-1) <= age < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        row("call log search: phones", "phones", ["0521112233"]),
        row("call log search: extensions", "extensions", ["SIPnoa02"]),
        row("call log search: callID", "callID", None),
    ],
)
def test_a_search_can_be_narrowed_to_a_call(
    call_log: Face, ended_call: Placing, name: str, value: list[str] | None
) -> None:
    """Facts 4: phones, extensions, callID of `search`."""
    ended_call()
    wanted = ended_call(phone="SIPnoa02", target="0521112233")
    rows = lowered(call_log(search={**window(), name: value or wanted}, fields=["CallID", "CallerExtension"]))
    every = lowered(call_log(search=window(), fields=["CallID"]))
    assert len(every) == 4
    assert 1 <= len(rows) <= 2
    assert wanted in {one["callid"] for one in rows}


@pytest.mark.row("call log search: cdrTypes")
@pytest.mark.parametrize("cdr_type", [9, 10])
def test_a_search_can_be_narrowed_to_a_leg(call_log: Face, ended_call: Placing, cdr_type: int) -> None:
    """Facts 4: cdrTypes of `search`; 9 is leg 1, 10 leg 2."""
    ended_call()
    rows = lowered(call_log(search={**window(), "cdrTypes": [cdr_type]}))
    assert [int(one["cdrtype"]) for one in rows] == [cdr_type]


@pytest.mark.parametrize(
    "dates",
    [
        row("call log: dates missing", {"todate": "2026-01-01T00:00:00Z"}, id="from"),
        row("call log: dates missing", {"fromdate": "2026-01-01T00:00:00Z"}, id="to"),
        row("call log: dates unreadable", {"fromdate": "yesterday", "todate": "now"}),
    ],
)
def test_bad_dates_are_an_error(call_log: Face, dates: dict[str, str]) -> None:
    """Facts 4: both are mandatory, ISO 8601; 5/404."""
    answer = call_log(search=dates)
    assert (answer.member("ERROR_NUMBER"), answer.member("STATUS_CODE")) == (5, 404)
    assert len(answer.rows("CDR_LIST")) == 0


@pytest.mark.row("call log: code wrong")
@pytest.mark.parametrize("code", ["wrong", None])
def test_a_wrong_code_sees_nothing(call_log: Face, ended_call: Placing, code: str | None) -> None:
    """Facts 4: 2/403."""
    ended_call()
    answer = call_log(search=window(), signed=False, code=code)
    assert (answer.member("ERROR_NUMBER"), answer.member("STATUS_CODE")) == (2, 403)
    assert len(answer.rows("CDR_LIST")) == 0


@pytest.mark.row("call log: address refused")
def test_an_address_that_is_not_allowed_is_refused(call_log: Face, hands: Hands) -> None:
    """Facts 4: 4/403, the caller's IP is not authorised."""
    hands.script("call_log", answer="refuse", errorcode=4)
    answer = call_log(search=window())
    assert (answer.member("ERROR_NUMBER"), answer.member("STATUS_CODE")) == (4, 403)


@pytest.mark.row("call log: rate limit")
def test_the_thirty_first_request_of_a_minute_is_refused(call_log: Face) -> None:
    """Facts 4: 30 requests a minute; 1/403."""
    numbers = [call_log(search=window(), fields=["CallID"]).member("ERROR_NUMBER") for _ in range(31)]
    assert numbers == [0] * 30 + [1]
