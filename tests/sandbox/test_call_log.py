"""The call log: what is asked, what comes back, and how it says no (facts 4)."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.sandbox import Behaviour

from .conftest import Caller

LOG = "/hub/cdr/"
PUSH_AND_LOG_NAMES = {"CallID": "ivruniqueid", "DialStatus": "status", "Duration": "duration", "RingTime": "dialtime"}


def _window(caller: Caller, **search: object) -> dict[str, object]:
    now = datetime.fromtimestamp(caller.clock.now(), UTC)
    dates = {"fromdate": (now - timedelta(hours=1)).isoformat(), "todate": now.strftime("%Y-%m-%dT%H:%M:%S")}
    return {"code": "sandbox", "search": dates | search}


async def _ask(caller: Caller, body: dict[str, Any] | None = None, **search: object) -> dict[str, Any]:
    answer = await caller.http.post(LOG, json=_window(caller, **search) if body is None else body)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


async def _talk(caller: Caller, **params: object) -> dict[str, object]:
    """A conversation: 4 s of ringing, 6 s more, 70 s of talk; then long enough for the log."""
    caller.sandbox.set_behaviour("*", Behaviour(agent="answer", agent_after=4, lead="answer", lead_after=6, talk=70))
    answer = await caller.call(**params)
    caller.clock.advance(85)
    return answer


async def test_a_call_has_two_rows_in_lower_case_when_no_fields_are_named(caller: Caller) -> None:
    call_id = (await _talk(caller, record="true"))["CALLID"]
    found = await _ask(caller, sort=[])
    assert [found[name] for name in ("ERROR_NUMBER", "ERROR_DESCRIPTION", "STATUS_CODE")] == [0, "OK", 200]
    assert (found["TOTAL_HITS"], found["RETURN_HITS"]) == (2, 2)
    leg2, leg1 = found["CDR_LIST"]
    assert all(name == name.lower() for name in leg1)
    assert (leg1["callid"], leg1["cdrtype"], leg1["type"]) == (call_id, 9, "Click2Call leg1")
    assert (leg1["dialstatus"], leg1["ringtime"], leg1["targetextension"]) == ("ANSWER", 4, "SIPdana1")
    assert (leg2["cdrtype"], leg2["duration"], leg2["targetnumber"]) == (10, 70, "972501234567")
    assert leg2["recordurl"].endswith(".mp3")
    assert leg2["price"] == 24
    assert leg2["customdata"] == {"var_lead": "0192f3", "AiExists": False, "OriginalIvrUniqueID": call_id}


async def test_named_fields_come_in_pascal_case_and_alone(caller: Caller) -> None:
    call_id = (await _talk(caller))["CALLID"]
    found = await _ask(caller, _window(caller, cdrTypes=[9]) | {"fields": ["callid", "Date", "CustomData", "Nonsense"]})
    started = datetime.fromtimestamp(caller.sandbox.calls[0].started_at, UTC)
    assert found["CDR_LIST"] == [
        {"CallID": call_id, "Date": started.strftime("%Y-%m-%dT%H:%M:%SZ"), "CustomData": {"var_lead": "0192f3"}}
    ]


async def _settle() -> None:
    # The push is a task: it sets its timer when it is first run, and only then can time be moved for it.
    await asyncio.sleep(0)


async def test_the_log_agrees_with_what_is_pushed(caller: Caller) -> None:
    caller.sandbox.cdr.options = replace(
        caller.sandbox.cdr.options, url="http://127.0.0.1:9/nobody", delay=1, attempts=1
    )
    caller.sandbox.set_behaviour("*", Behaviour(agent="busy"))
    await caller.call()
    await _settle()
    caller.clock.advance(2)
    pushed = {one.type: one.record for one in await caller.sandbox.wait_for_cdr(1)}
    found = await _ask(caller, _window(caller, cdrTypes=[9]) | {"fields": ["Type", *PUSH_AND_LOG_NAMES]})
    (row,) = found["CDR_LIST"]
    assert {name: pushed[row["Type"]][theirs] for name, theirs in PUSH_AND_LOG_NAMES.items()} == {
        name: row[name] for name in PUSH_AND_LOG_NAMES
    }


async def test_rows_appear_only_after_the_delay_even_when_nothing_is_pushed(caller: Caller) -> None:
    caller.sandbox.set_behaviour("*", Behaviour(agent="busy", cdr="none"))
    await caller.http.put("/sandbox/call_log", json={"delay": 120})
    await caller.call()
    caller.clock.advance(119)
    assert (await _ask(caller))["CDR_LIST"] == []
    caller.clock.advance(1)
    rows = (await _ask(caller))["CDR_LIST"]
    assert sorted((row["cdrtype"], row["dialstatus"]) for row in rows) == [(9, "BUSY"), (10, "NOTCALLED")]


@pytest.mark.parametrize(
    ("search", "hits"),
    [
        ({"phones": ["972501234567"]}, 2),
        ({"phones": ["0501234567"]}, 2),
        ({"phones": ["0509999999"]}, 0),
        ({"extensions": ["SIPdana1"]}, 2),
        ({"extensions": ["sipdana1"]}, 0),
        ({"cdrTypes": [10]}, 1),
        ({"cdrTypes": [1, 8]}, 0),
        ({"callID": "nobody"}, 0),
        ({"IdentityCriteria": "Account"}, 2),
        ({"fromdate": "2001-01-01", "todate": "2001-12-31"}, 0),
    ],
    ids=str,
)
async def test_a_search_leaves_out_what_does_not_fit(caller: Caller, search: dict[str, Any], hits: int) -> None:
    await _talk(caller)
    assert (await _ask(caller, **search))["TOTAL_HITS"] == hits


async def test_one_call_is_found_by_its_id(caller: Caller) -> None:
    call_id = (await _talk(caller))["CALLID"]
    (row,) = (await _ask(caller, callID=call_id))["CDR_LIST"]
    assert row["cdrtype"] == 9


async def test_rows_are_sorted_as_asked_and_cut_at_the_most(caller: Caller) -> None:
    await _talk(caller)
    body = _window(caller) | {"fields": ["CdrType"], "sort": [{"field": "cdrtype", "order": "asc"}]}
    assert [row["CdrType"] for row in (await _ask(caller, body))["CDR_LIST"]] == [9, 10]
    await caller.http.put("/sandbox/call_log", json={"most_rows": 1})
    found = await _ask(caller, body | {"sort": [{"field": "Duration", "order": "desc"}]})
    assert (found["TOTAL_HITS"], found["RETURN_HITS"], found["CDR_LIST"]) == (2, 1, [{"CdrType": 9}])


async def test_a_query_may_be_flat(caller: Caller) -> None:
    await _talk(caller)
    dates: Any = _window(caller)["search"]
    asked = [("code", "sandbox"), *dates.items(), ("fields", "CdrType"), ("fields", "DialStatus"), ("cdrTypes", "10")]
    found = (await caller.http.get(LOG.rstrip("/"), params=asked)).json()
    assert found["CDR_LIST"] == [{"CdrType": 10, "DialStatus": "ANSWER"}]


@pytest.mark.parametrize(
    "dates",
    [
        {},
        {"fromdate": "2026-01-01"},
        {"fromdate": "yesterday", "todate": "today"},
        {"fromdate": "2026-02-01", "todate": "2026-01-01"},
    ],
    ids=str,
)
async def test_dates_that_are_missing_or_make_no_sense_are_error_5(caller: Caller, dates: dict[str, str]) -> None:
    found = await _ask(caller, {"code": "sandbox", "search": dates})
    assert (found["ERROR_NUMBER"], found["STATUS_CODE"], found["CDR_LIST"]) == (5, 404, [])


async def test_a_wrong_or_missing_code_is_error_2_and_is_never_remembered(caller: Caller) -> None:
    for body in ({"code": "wrong"}, {}):
        found = await _ask(caller, body)
        assert (found["ERROR_NUMBER"], found["STATUS_CODE"]) == (2, 403)
    await _ask(caller)
    assert [one.params.get("code") for one in caller.sandbox.requests("call_log")] == ["***", None, "***"]


async def test_the_thirty_first_request_of_a_minute_is_error_1(caller: Caller) -> None:
    errors = [(await _ask(caller))["ERROR_NUMBER"] for _ in range(31)]
    assert errors == [0] * 30 + [1]
    caller.clock.advance(60)
    assert (await _ask(caller))["ERROR_NUMBER"] == 0


@pytest.mark.parametrize(("number", "status"), [(1, 403), (4, 403), (5, 404), (77, 500)])
async def test_a_script_forces_any_error(caller: Caller, number: int, status: int) -> None:
    caller.sandbox.set_behaviour("call_log", Behaviour(answer="refuse", errorcode=number, times=1))
    found = await _ask(caller)
    assert (found["ERROR_NUMBER"], found["STATUS_CODE"]) == (number, status)
    assert (await _ask(caller))["ERROR_NUMBER"] == 0


async def test_errors_may_show_in_the_http_status(caller: Caller) -> None:
    await caller.http.put("/sandbox/call_log", json={"http_status": True})
    assert (await caller.http.post(LOG, json={"code": "wrong"})).status_code == 403
    assert (await caller.http.post(LOG, json={"code": "sandbox"})).status_code == 404
    assert (await caller.http.get("/sandbox/call_log")).json()["http_status"] is True


async def test_its_answers_can_be_spoilt_empty_or_old(caller: Caller) -> None:
    caller.sandbox.set_behaviour("call_log", Behaviour(answer="http_error", status=503, times=1))
    assert (await caller.http.post(LOG, json=_window(caller))).status_code == 503
    assert (await _ask(caller))["TOTAL_HITS"] == 0
    await _talk(caller)
    caller.sandbox.set_behaviour("call_log", Behaviour(answer="stale", times=1))
    assert (await _ask(caller))["TOTAL_HITS"] == 0
    assert (await _ask(caller))["TOTAL_HITS"] == 2
    caller.sandbox.set_behaviour("call_log", Behaviour(answer="empty", times=1))
    assert (await _ask(caller))["CDR_LIST"] == []


async def test_variables_can_be_kept_from_the_log(caller: Caller) -> None:
    await caller.http.put("/sandbox/call_log", json={"variables": False})
    await _talk(caller)
    rows = (await _ask(caller, cdrTypes=[9]))["CDR_LIST"]
    assert rows[0]["customdata"] == {"AiExists": False}


async def test_impossible_options_are_refused(caller: Caller) -> None:
    for wrong in ({"delay": -1}, {"per_minute": -1}, {"most_rows": 0}):
        assert (await caller.http.put("/sandbox/call_log", json=wrong)).status_code == 422
