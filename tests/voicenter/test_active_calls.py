"""Active calls: who is there and what is on the line, read whatever state the answer is in; or why it is not."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.ports import ExtensionNow, LineCall
from app.voicenter.active_calls import ActiveCalls, read_extensions
from app.voicenter.body import lowered
from app.voicenter.questions import Reply, UnansweredError
from tests.voicenter.conftest import CODE
from tests.voicenter.raw_server import PATIENCE, Script, http, raw_server
from tests.voicenter.read_only import VERSION, answering, asked, saying

CALL: dict[str, Any] = {
    "callStarted": 1602465818,
    "callAnswered": 1602465819,
    "answered": 1,
    "callername": "somebody",
    "callerphone": "0722776772",
    "callstatus": "Talking",
    "customdata": {"var_lead": "lead-1", "var_attempt": "attempt-1"},
    "direction": "Outgoing",
    "ivrid": "20201012abcdef",
    "recording": {"Filename": "1.mp3", "IsMuted": 0},
    "did": "",
}
USER: dict[str, Any] = {
    "name": "User 2",
    "representative": "User 2",
    "username": "SIPSIP2",
    "extensionID": 97483478,
    "userID": 46454322,
    "onlineUserID": 46454322,
    "onlineUserStatus": 1,
    "calls": [CALL],
}
TALKING = LineCall("20201012abcdef", "attempt-1", "0722776772", "talking", 1602465818)


def whole(*entries: Any, **more: Any) -> dict[str, Any]:
    return {"ERR": 0, "DESC": "OK", "EXTENSIONS": list(entries), **more}


def read(*entries: Any) -> list[ExtensionNow]:
    return read_extensions(Reply(200, lowered(whole(*entries))))


async def look_at(script: Script, code: str = CODE) -> tuple[list[ExtensionNow] | None, str | None, list[str]]:
    told: list[str] = []
    async with raw_server(script) as server:
        client = ActiveCalls(
            url=server.url, code=code, version=VERSION, on_request=lambda result, seconds: told.append(result)
        )
        try:
            return await asyncio.wait_for(client.look(), PATIENCE), client.trouble, told
        finally:
            await client.close()


async def test_a_look_asks_for_all_extensions_with_the_code_in_the_body() -> None:
    async with raw_server(answering(saying(whole(USER)))) as server:
        client = ActiveCalls(url=server.url + "/", code=CODE, version=VERSION)
        found = await client.look()
        await client.close()
    assert found == [ExtensionNow("SIPSIP2", "in", (TALKING,))]
    assert server.requests[0].startswith(b"POST /ForwardDialer/click2call.aspx/GetExtensionsCalls HTTP/1.1\r\n")
    assert asked(server) == [{"code": CODE}]


@pytest.mark.parametrize(
    ("status", "login"),
    [
        (1, "in"),
        (" 1 ", "in"),
        (1.0, "in"),
        (2, "out"),
        *((number, "break") for number in (3, 5, 7, 9, 11, 12, 13)),
        (0, None),
        (4, None),
        (99, None),
        (None, None),
        ("Login", None),
        (True, None),
        ([], None),
    ],
)
def test_the_login_is_in_out_or_a_break_and_what_is_not_listed_is_not_told(status: object, login: str | None) -> None:
    (now,) = read({**USER, "onlineUserStatus": status})
    assert now.login == login


def test_a_missing_login_is_not_told() -> None:
    (now,) = read({"username": "SIPa"})
    assert now == ExtensionNow("SIPa", None, ())


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("Ringing", "ringing"),
        ("Dialing", "dialing"),
        ("Talking", "talking"),
        (" HOLD ", "talking"),
        ("Parked", None),
        ("", None),
        (None, None),
        (7, None),
    ],
)
def test_a_call_keeps_the_extension_busy_whatever_its_status(word: object, status: str | None) -> None:
    (now,) = read({**USER, "calls": [{**CALL, "callstatus": word}]})
    assert now.calls == (replace(TALKING, status=status),)  # type: ignore[arg-type]


@pytest.mark.parametrize(("told", "read_as"), [("1602465818", 1602465818), (0, 0), ("soon", None), (None, None)])
def test_when_a_call_began_is_told_as_it_is_written(told: object, read_as: int | None) -> None:
    """Its clock is in doubt, and nothing is concluded here."""
    (now,) = read({**USER, "calls": [{**CALL, "callStarted": told}]})
    assert now.calls == (replace(TALKING, raw_time=read_as),)


@pytest.mark.parametrize(
    "custom",
    [
        {"customdata": {"VAR_Attempt": "A"}},
        {"CustomData": {"attempt": "A", "AiExists": True}},
        {"customData": '{"var_attempt": "A"}'},
        {"CUSTOM_DATA": [{"var_attempt": "A"}]},
        {"var_attempt": "A"},
        {"customdata": {}, "Var_Attempt": "A"},
    ],
)
def test_our_attempt_is_found_in_every_place_it_may_come_back(custom: dict[str, Any]) -> None:
    (now,) = read({**USER, "calls": [{"ivrid": "x", **custom}]})
    assert now.calls[0].attempt_id == "A"


@pytest.mark.parametrize("custom", [None, "", "x", 7, [], {}, {"var_lead": "L"}, {"var_attempt": {"a": 1}}])
def test_without_our_variable_a_call_is_not_called_ours(custom: object) -> None:
    (now,) = read({**USER, "calls": [{**CALL, "customdata": custom}]})
    assert now.calls[0].attempt_id is None


@pytest.mark.parametrize(
    ("number", "digits"),
    [
        ("0722776772", "0722776772"),
        ("+972-50 123 4567", "972501234567"),
        (972501234567, "972501234567"),
        ("SIPSIP1", None),
        ("anonymous", None),
        ("", None),
        (None, None),
    ],
)
def test_the_other_side_is_told_in_digits(number: object, digits: str | None) -> None:
    (now,) = read({**USER, "calls": [{**CALL, "callerphone": number}]})
    assert now.calls[0].phone == digits


@pytest.mark.parametrize("bad", [None, 7, "x", [], {}, {"username": ""}, {"username": None, "calls": [CALL]}])
def test_an_entry_that_is_no_extension_costs_itself_only(bad: object) -> None:
    assert [now.extension for now in read(bad, USER, bad)] == ["SIPSIP2"]


@pytest.mark.parametrize("calls", [None, {}, "none", 0, [None, "x", 7]])
def test_calls_that_are_none_are_none(calls: object) -> None:
    (now,) = read({**USER, "calls": calls})
    assert now.calls == ()


def test_several_calls_on_one_extension_are_all_told() -> None:
    (now,) = read({**USER, "calls": [CALL, {**CALL, "ivrid": "other"}]})
    assert [call.call_id for call in now.calls] == ["20201012abcdef", "other"]


BLIND = {
    "error": (saying(whole(USER, ERR=1, DESC="Authorization failed.")), "Authorization failed"),
    "error as text": (saying(whole(USER, ERR="2", DESC="Internal error.")), "ERR 2"),
    "error in words": (saying(whole(USER, ERR="no")), "ERR no"),
    "empty list": (saying(whole()), "empty list"),
    "no list": (saying({"ERR": 0}), "no list"),
    "list that is none": (saying({"ERR": 0, "EXTENSIONS": {"a": 1}}), "no list"),
    "nothing readable in it": (saying(whole({}, None)), "could be read"),
    "403 of a page": (http(b"<h1>Forbidden</h1>", 403), "HTTP 403: Forbidden (is this server's address"),
    "403 of an object": (saying({"ERR": 4, "DESC": "IP"}, 403), "HTTP 403: ERR 4 IP (is this server's address"),
    "401": (http(b"", 401), "allow-list"),
    "500 with a list": (saying(whole(USER), 500), "HTTP 500"),
    "302": (http(b"", 302, b"Location: /x"), "HTTP 302"),
    "page": (http(b"<html>hello</html>"), "not readable: hello"),
    "empty": (http(b""), "empty answer"),
    "half": (http(b'{"ERR": 0, "EXTENSIONS": [{"userna'), "not readable"),
    "cut": (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{", "RemoteProtocolError"),
    "no http": (b"\x00\x01\r\n\r\n", "RemoteProtocolError"),
    "too large": (b"HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n" + b" " * 4_200_000, "larger than 4 MiB"),
}


@pytest.mark.parametrize("case", BLIND)
async def test_what_shows_nobody_is_not_learned_and_says_why(case: str) -> None:
    raw, words = BLIND[case]

    async def once(peer: Any) -> None:
        await peer.request()
        await peer.send(raw)

    found, trouble, told = await look_at(once)
    assert found is None
    assert trouble is not None
    assert words in trouble
    assert told == ["unknown"]


async def test_trouble_is_over_with_the_next_good_look() -> None:
    async with raw_server(answering(saying(whole()), saying(whole(USER)))) as server:
        client = ActiveCalls(url=server.url, code=CODE, version=VERSION)
        seen = [client.trouble]
        for _ in range(2):
            await client.look()
            seen.append(client.trouble)
        await client.close()
    assert [trouble is None for trouble in seen] == [True, False, True]


async def test_a_port_where_nobody_listens_is_said(caplog: pytest.LogCaptureFixture) -> None:
    client = ActiveCalls(url="http://127.0.0.1:9", code=CODE, version=VERSION)
    assert await client.look() is None
    await client.close()
    assert client.trouble is not None
    assert client.trouble.startswith("ConnectError")
    assert "could not be read: ConnectError" in caplog.text


async def test_a_trouble_is_logged_when_it_begins_changes_and_ends_and_not_at_every_look(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is looked every few seconds; an outage of an hour is three lines."""
    caplog.set_level("INFO", "leadring.voicenter")
    good, down, shut = saying(whole(USER)), http(b"", 503), http(b"", 403)
    async with raw_server(answering(good, down, down, down, shut, shut, good, good)) as server:
        client = ActiveCalls(url=server.url, code=CODE, version=VERSION)
        for _ in range(8):
            await client.look()
        await client.close()
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 3, lines
    assert "503" in lines[0]
    assert "403" in lines[1]
    assert lines[2] == "active calls can be read again"


async def test_the_code_and_phones_are_never_in_the_reason(caplog: pytest.LogCaptureFixture) -> None:
    for answer in (
        http(f"<p>{CODE} may not call 0501234567</p>".encode(), 403),
        saying(whole(ERR=1, DESC=f"{CODE} 0501234567")),
    ):
        _, trouble, _ = await look_at(answering(answer))
        assert trouble is not None
        for secret in (CODE, "0501234567"):
            assert secret not in trouble + caplog.text


async def test_cancelling_a_look_passes_through() -> None:
    async def hang(peer: Any) -> None:
        await peer.request()
        await peer.until_gone()

    async with raw_server(hang) as server:
        client = ActiveCalls(url=server.url, code=CODE, version=VERSION)
        task = asyncio.create_task(client.look())
        await asyncio.wait_for(server.arrived.wait(), PATIENCE)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await client.close()


def test_five_hundred_extensions_are_all_read() -> None:
    entries = [{**USER, "username": f"KGpK{number:04}", "calls": [CALL] * (number % 2)} for number in range(500)]
    found = read(*entries)
    assert len({now.extension for now in found}) == 500
    assert sum(len(now.calls) for now in found) == 250


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | st.sampled_from([CALL, USER]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*USER, *CALL]), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=200)
@given(st.lists(VALUES, max_size=4), VALUES)
def test_any_answer_is_extensions_or_a_reason(entries: list[object], error: object) -> None:
    body = json.loads(json.dumps(whole(*entries, ERR=error)))
    try:
        found = read_extensions(Reply(200, lowered(body)))
    except UnansweredError:
        return
    assert found
    for now in found:
        assert now.extension
        assert now.login in ("in", "out", "break", None)
        for call in now.calls:
            assert call.phone is None or call.phone.isdecimal()
