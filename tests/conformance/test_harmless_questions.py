"""Active calls, roster and call log: they only read, so a real account may be asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from .provider import Face

pytestmark = pytest.mark.harmless

WRONG = "0000000000000000"
ACTIVE = {"name", "representative", "username", "onlineUserID", "onlineUserStatus", "calls"}
LISTED = {"SIP", "Name", "SpeedDial", "AccountID", "AccountName", "UserName", "UserEmail"}
LOG = ["CDR_LIST", "ERROR_DESCRIPTION", "ERROR_NUMBER", "RETURN_HITS", "STATUS_CODE", "TOTAL_HITS"]


def last_minute() -> dict[str, object]:
    """The smallest window that holds anything, in GMT (facts 4)."""
    now = datetime.now(UTC)
    form = "%Y-%m-%dT%H:%M:%SZ"
    return {"fromdate": (now - timedelta(minutes=1)).strftime(form), "todate": now.strftime(form)}


@pytest.mark.row("active calls: answer", "active calls: row")
def test_active_calls_lists_extensions_with_their_calls(active_calls: Face) -> None:
    """Facts 3.2: ERR 0, and per extension who is logged in and which calls there are."""
    answer = active_calls()
    assert (answer.kind, answer.member("ERR"), answer.member("DESC")) == ("json", 0, "OK")
    assert answer.rows("EXTENSIONS").without(ACTIVE) == set()


@pytest.mark.row("active calls: extension")
@pytest.mark.guess("3.2")
def test_active_calls_of_an_extension_that_is_none_are_empty(active_calls: Face) -> None:
    """Facts 3.2 has `extension` as a filter; an unknown one is not described."""
    answer = active_calls(extension="NOSUCH00")
    assert (answer.member("ERR"), len(answer.rows("EXTENSIONS"))) == (0, 0)


@pytest.mark.row("active calls: code missing")
def test_active_calls_without_code_are_an_error(active_calls: Face) -> None:
    """Facts 3.2: ERR 1, authorization failed."""
    assert active_calls(signed=False).member("ERR") == 1


@pytest.mark.row("active calls: code wrong")
def test_active_calls_of_a_wrong_code_are_empty(active_calls: Face) -> None:
    """Facts 3.2: empty EXTENSIONS means a wrong code."""
    assert len(active_calls(code=WRONG).rows("EXTENSIONS")) == 0


@pytest.mark.row("roster: answer", "roster: row")
def test_the_roster_lists_extensions_without_any_state(roster: Face) -> None:
    """Facts 3.1: keys of a row; no status field."""
    answer = roster()
    assert (answer.kind, answer.member("ERR"), answer.member("DESC")) == ("json", 0, "OK")
    rows = answer.rows("EXTENSIONS")
    assert rows.without(LISTED) == set()
    assert not any("onlineUserStatus" in one for one in rows)


@pytest.mark.row("roster: code missing")
def test_the_roster_without_code_is_an_error(roster: Face) -> None:
    """Facts 3.1: ERR 1 for a code that is badly formed."""
    assert roster(signed=False).member("ERR") == 1


@pytest.mark.row("roster: code wrong")
def test_the_roster_of_a_wrong_code_is_no_error_but_empty(roster: Face) -> None:
    """Facts 3.1: ERR 0 and an empty list."""
    answer = roster(code=WRONG)
    assert (answer.member("ERR"), len(answer.rows("EXTENSIONS"))) == (0, 0)


@pytest.mark.row("call log: answer")
def test_the_call_log_of_a_minute_is_answered(call_log: Face) -> None:
    """Facts 4: the six keys."""
    answer = call_log(search=last_minute(), fields=["CallID"])
    assert sorted(answer.names) == LOG
    assert answer.member("ERROR_NUMBER") == 0, str(answer)


@pytest.mark.row("call log: dates missing")
def test_the_call_log_without_dates_is_an_error(call_log: Face) -> None:
    """Facts 4: both dates are mandatory; 5/404."""
    answer = call_log(search={})
    assert (answer.member("ERROR_NUMBER"), answer.member("STATUS_CODE")) == (5, 404), str(answer)


@pytest.mark.row("call log: code wrong")
def test_the_call_log_of_a_wrong_code_is_an_error(call_log: Face) -> None:
    """Facts 4: 2/403."""
    answer = call_log(code=WRONG, search=last_minute())
    assert (answer.member("ERROR_NUMBER"), answer.member("STATUS_CODE")) == (2, 403), str(answer)
