"""An agent on a call that is none of ours, on hold, at lunch; and lists that are old or empty."""

import httpx
import pytest

from app.sandbox import Behaviour
from app.sandbox.engine import CannotError
from app.sandbox.pages import snapshot
from tests.sandbox_server import RunningSandbox

from .conftest import CALL, Caller

ACTIVE, ROSTER = "/comet/API/GetExtensionsCalls", "/Comet/api/GetExtensions"


async def _lines(caller: Caller) -> list[tuple[str, str, str, str]]:
    listed = (await caller.http.get(ACTIVE, params={"code": "sandbox"})).json()["EXTENSIONS"]
    calls = [(one["username"], call) for one in listed for call in one["calls"]]
    return [(name, call["callstatus"], call["direction"], call["callerphone"]) for name, call in calls]


async def test_a_busy_agent_shows_and_our_call_finds_the_line_busy(caller: Caller) -> None:
    assert (await caller.http.post("/sandbox/phones/SIPdana1/busy", json={"phone": "0731112222"})).status_code == 200
    assert await _lines(caller) == [("SIPdana1", "Talking", "Incoming", "0731112222")]
    assert (await caller.call())["ERRORCODE"] == 0
    assert caller.sandbox.calls[1].agent.status == "BUSY"
    assert (await caller.http.post("/sandbox/phones/SIPdana1/free")).status_code == 200
    assert await _lines(caller) == []
    await caller.call()
    assert caller.sandbox.calls[2].agent.state == "ringing"


async def test_an_outside_call_can_ring_and_be_held(caller: Caller) -> None:
    caller.sandbox.busy("SIPdana1", state="ringing")
    caller.sandbox.busy("SIPnoa02", "0731112223", "hold")
    assert [line[:2] for line in await _lines(caller)] == [("SIPdana1", "Ringing"), ("SIPnoa02", "Hold")]
    for deed, status in (("answer", "Talking"), ("hold", "Hold"), ("resume", "Talking")):
        assert (await caller.http.post(f"/sandbox/phones/SIPdana1/{deed}")).status_code == 200
        assert (await _lines(caller))[0][1] == status


async def test_who_is_in_a_call_gets_no_second_one_and_ours_is_not_freed(caller: Caller) -> None:
    await caller.call()
    assert (await caller.http.post("/sandbox/phones/SIPdana1/busy")).status_code == 409
    with pytest.raises(CannotError, match="no call from outside"):
        caller.sandbox.free("SIPdana1")
    assert caller.sandbox.calls[0].live


async def test_an_outside_call_leaves_one_record_of_an_incoming_call(caller: Caller) -> None:
    caller.sandbox.busy("SIPdana1", "0731112222")
    caller.clock.advance(30)
    assert caller.sandbox.free("SIPdana1").ended_by == "elsewhere"
    caller.clock.advance(5)
    body = {"code": "sandbox", "search": {"fromdate": "2000-01-01", "todate": "2100-01-01"}}
    (row,) = (await caller.http.post("/hub/cdr/", json=body)).json()["CDR_LIST"]
    assert (row["cdrtype"], row["type"], row["callernumber"]) == (1, "Incoming Call", "0731112222")
    assert (row["targetnumber"], row["duration"], row["price"]) == ("SIPdana1", 30, 0)


async def test_who_called_from_elsewhere_is_no_lead_on_the_page_not_even_afterwards(caller: Caller) -> None:
    caller.sandbox.busy("SIPdana1", "0731112222")
    assert snapshot(caller.sandbox)["leads"] == []
    caller.sandbox.free("SIPdana1")
    assert snapshot(caller.sandbox)["leads"] == []
    await caller.call(phone="SIPnoa02")
    caller.sandbox.engine.answer("SIPnoa02")
    leads = snapshot(caller.sandbox)["leads"]
    assert isinstance(leads, list)
    assert [one["number"] for one in leads] == ["0501234567"]


async def test_terminate_ends_whatever_is_on_the_line(caller: Caller) -> None:
    caller.sandbox.busy("SIPdana1")
    await caller.call(action="terminate", target=None, var_lead=None)
    assert await _lines(caller) == []


@pytest.mark.parametrize("status", [1, 2, 3, 5, 7, 9, 11, 12, 13])
async def test_every_login_status_shows(caller: Caller, status: int) -> None:
    caller.sandbox.login("SIPdana1", status)
    (one,) = (await caller.http.get(ACTIVE, params={"code": "sandbox"})).json()["EXTENSIONS"]
    assert (one["onlineUserStatus"], one["onlineUserID"] != 0) == (status, status == 1)


async def test_a_stale_list_repeats_the_last_honest_one(caller: Caller) -> None:
    await caller.call()
    assert len(await _lines(caller)) == 1
    caller.sandbox.engine.decline("SIPdana1")
    caller.sandbox.set_behaviour("active_calls", Behaviour(answer="stale"))
    assert len(await _lines(caller)) == 1
    caller.sandbox.clear_behaviour("active_calls")
    assert await _lines(caller) == []


@pytest.mark.parametrize(("api", "path"), [("active_calls", ACTIVE), ("roster", ROSTER)])
async def test_a_list_can_be_empty_or_an_error_of_its_own(caller: Caller, api: str, path: str) -> None:
    await caller.call()
    caller.sandbox.set_behaviour(api, Behaviour(answer="empty", times=1))
    empty = (await caller.http.get(path, params={"code": "sandbox"})).json()
    assert empty == {"ERR": 0, "DESC": "OK", "EXTENSIONS": []}
    caller.sandbox.set_behaviour(api, Behaviour(answer="refuse", times=1))
    refused = (await caller.http.get(path, params={"code": "sandbox"})).json()
    assert refused == {"ERR": 2, "DESC": "Internal error.", "EXTENSIONS": []}
    assert len((await caller.http.get(path, params={"code": "sandbox"})).json()["EXTENSIONS"]) == 1


def test_it_is_all_there_for_another_thread(running: RunningSandbox) -> None:
    running.busy("SIPdana1", "0731112222")
    running.login("SIPnoa02", 3)
    assert running.extensions == ["SIPdana1", "SIPnoa02"]
    running.phone("SIPdana1").hold()
    running.phone("SIPdana1").resume()
    assert running.free("SIPdana1")["incoming"]
    running.set_call_log(delay=0)
    with httpx.Client(trust_env=False) as client:
        search = {"fromdate": "2000-01-01", "todate": "2100-01-01"}
        rows = client.post(running.call_log_url, json={"code": "sandbox", "search": search}).json()["CDR_LIST"]
        assert len(rows) == 1
        shown = {one["number"]: one for one in client.get(f"{running.url}/sandbox/phones").json()}
        assert (shown["SIPnoa02"]["user_status"], shown["SIPdana1"]["busy"]) == (3, False)
        assert client.post(running.click2call_url, json=CALL).json()["ERRORCODE"] == 0
        busy = [one["number"] for one in client.get(f"{running.url}/sandbox/phones").json() if one["busy"]]
        assert busy == ["SIPdana1"]
