"""Active calls and the roster answer as the vendor's monitor does."""

from app.sandbox import Behaviour, create_sandbox
from app.sandbox.engine import Engine

from .conftest import Caller

ACTIVE = "/comet/API/GetExtensionsCalls"
ROSTER = "/Comet/api/GetExtensions"


async def _call_of(caller: Caller) -> dict[str, object] | None:
    answer = (await caller.http.post(ACTIVE, json={"code": "sandbox", "extension": "SIPdana1"})).json()
    assert (answer["ERR"], answer["DESC"]) == (0, "OK")
    (extension,) = answer["EXTENSIONS"]
    assert (extension["username"], extension["onlineUserStatus"]) == ("SIPdana1", 1)
    calls: list[dict[str, object]] = extension["calls"]
    return calls[0] if calls else None


async def test_a_call_is_ringing_then_dialing_then_talking_then_gone(caller: Caller) -> None:
    started = await caller.call()
    engine: Engine = caller.sandbox.engine
    seen = [await _call_of(caller)]
    engine.answer("SIPdana1")
    seen.append(await _call_of(caller))
    engine.answer("0501234567")
    seen.append(await _call_of(caller))
    engine.hang_up("SIPdana1")
    assert await _call_of(caller) is None
    assert [(one["callstatus"], one["answered"]) for one in seen if one] == [
        ("Ringing", 0),
        ("Dialing", 0),
        ("Talking", 1),
    ]
    for one in seen:
        assert one is not None
        assert (one["ivrid"], one["callerphone"]) == (started["CALLID"], "0501234567")
        assert one["customdata"] == {"var_lead": "0192f3"}


async def test_a_wrong_code_sees_an_empty_list_and_a_missing_one_an_error(caller: Caller) -> None:
    await caller.call()
    for path, complaint in ((ACTIVE, "Authorization failed."), (ROSTER, "Unauthorized")):
        wrong = (await caller.http.get(path, params={"code": "wrong"})).json()
        assert wrong == {"ERR": 0, "DESC": "OK", "EXTENSIONS": []}
        missing = (await caller.http.get(path)).json()
        assert missing == {"ERR": 1, "DESC": complaint, "EXTENSIONS": []}
    assert [one.params.get("code") for one in caller.sandbox.requests("roster")] == ["***", None]


async def test_the_roster_lists_configured_extensions_and_others_are_refused() -> None:
    sandbox = create_sandbox(extensions={"SIPdana1": "Dana Levi", "SIPnoa02": "Noa Bar"}).state.sandbox
    assert [phone.name for phone in sandbox.phones.on_side("agent")] == ["Dana Levi", "Noa Bar"]
    assert not sandbox.phones.knows("SIPstranger")
    assert sandbox.phones.knows("0521112233")


async def test_an_extension_appears_in_the_roster_once_it_was_used(caller: Caller) -> None:
    await caller.call()
    listed = (await caller.http.get(ROSTER, params={"code": "sandbox"})).json()["EXTENSIONS"]
    assert [one["SIP"] for one in listed] == ["SIPdana1"]


async def test_a_logged_out_user_shows(caller: Caller) -> None:
    changed = await caller.http.post("/sandbox/phones/SIPdana1/status", json={"status": 2})
    assert changed.status_code == 204
    (one,) = (await caller.http.get(ACTIVE, params={"code": "sandbox"})).json()["EXTENSIONS"]
    assert (one["onlineUserStatus"], one["onlineUserID"], one["calls"]) == (2, 0, [])


async def test_active_calls_can_be_spoilt_alone(caller: Caller) -> None:
    caller.sandbox.set_behaviour("active_calls", Behaviour(answer="http_error", status=403, times=1))
    assert (await caller.http.get(ACTIVE, params={"code": "sandbox"})).status_code == 403
    assert (await caller.http.get(ACTIVE, params={"code": "sandbox"})).status_code == 200
