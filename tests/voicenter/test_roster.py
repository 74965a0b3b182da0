"""The roster: every extension the account has, or a sentence that tells the operator why there is none."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from app.voicenter.roster import KnownExtension, Roster, RosterUnavailable
from tests.voicenter.conftest import CODE
from tests.voicenter.raw_server import PATIENCE, Peer, Script, http, raw_server
from tests.voicenter.read_only import VERSION, answering, asked, saying

# The vendor's sample (facts 3.1).
DANA: dict[str, Any] = {
    "SIP": "SIPSIP1",
    "Name": "Extension 1",
    "SpeedDial": "11",
    "AccountID": 12345678,
    "AccountName": "Sales",
    "UserName": "John Doe",
    "UserEmail": "user@example.com",
}
KNOWN = KnownExtension("SIPSIP1", "Extension 1", "John Doe", "Sales")


def whole(*entries: Any, **more: Any) -> dict[str, Any]:
    return {"ERR": 0, "DESC": "OK", "EXTENSIONS": list(entries), **more}


async def extensions_at(
    script: Script, told: list[str] | None = None, seconds: float = PATIENCE
) -> tuple[KnownExtension, ...]:
    async with raw_server(script) as server:
        roster = Roster(
            url=server.url,
            code=CODE,
            version=VERSION,
            timeout=seconds,
            on_request=None if told is None else lambda result, _: told.append(result),
        )
        try:
            return await asyncio.wait_for(roster.extensions(), PATIENCE)
        finally:
            await roster.close()


async def reason_at(script: Script, seconds: float = PATIENCE) -> str:
    with pytest.raises(RosterUnavailable) as caught:
        await extensions_at(script, seconds=seconds)
    return caught.value.reason


async def test_the_roster_is_asked_with_the_code_in_the_body_and_read_in_order() -> None:
    async with raw_server(answering(saying(whole(DANA, {"sip": "kGpK4iWq"})))) as server:
        roster = Roster(url=server.url, code=CODE, version=VERSION)
        found = await roster.extensions()
        await roster.close()
    assert found == (KNOWN, KnownExtension("kGpK4iWq", "", "", ""))
    assert asked(server) == [{"code": CODE}]
    assert server.requests[0].startswith(b"POST /ForwardDialer/click2call.aspx HTTP/1.1\r\n")


@pytest.mark.parametrize("bad", [None, 7, "x", [], {}, {"SIP": ""}, {"SIP": None, "Name": "x"}])
async def test_an_entry_that_is_no_extension_costs_itself_only(bad: object) -> None:
    assert await extensions_at(answering(saying(whole(bad, DANA)))) == (KNOWN,)


UNAVAILABLE = {
    "wrong code": (saying(whole()), "wrong account code"),
    "badly formed code": (saying(whole(ERR=1, DESC="Unauthorized")), "ERR 1: Unauthorized (is this server's address"),
    "error as text": (saying(whole(DANA, ERR="1")), "ERR 1"),
    "off the allow-list": (http(b"Forbidden", 403), "HTTP 403: Forbidden (is this server's address"),
    "500": (saying(whole(DANA), 500), "HTTP 500"),
    "page": (http(b"<html><body>Hello"), "not readable: Hello"),
    "empty": (http(b""), "empty answer"),
    "array": (saying([1, 2]), "not readable"),
    "nothing readable in it": (saying(whole({}, "x")), "could be read"),
    "too large": (b"HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\n\r\n" + b" " * 4_200_000, "larger than 4 MiB"),
}


@pytest.mark.parametrize("case", UNAVAILABLE)
async def test_a_roster_that_was_not_learned_is_told_in_a_sentence(case: str) -> None:
    raw, words = UNAVAILABLE[case]

    async def once(peer: Peer) -> None:
        await peer.request()
        await peer.send(raw)

    reason = await reason_at(once)
    assert reason.startswith("Voicenter did not give its list of extensions: ")
    assert words in reason


async def test_a_provider_that_hangs_is_left_at_the_deadline() -> None:
    async def hang(peer: Peer) -> None:
        await peer.request()
        await peer.until_gone()

    assert "no answer within 0.2 seconds" in await reason_at(hang, seconds=0.2)


async def test_the_code_and_phones_are_never_in_the_reason() -> None:
    reason = await reason_at(answering(http(f"<p>{CODE} at 0501234567</p>".encode(), 403)))
    assert "***" in reason
    assert CODE not in reason
    assert "0501234567" not in reason


async def test_every_question_is_counted() -> None:
    told: list[str] = []
    await extensions_at(answering(saying(whole(DANA))), told)
    with pytest.raises(RosterUnavailable):
        await extensions_at(answering(saying(whole())), told)
    assert told == ["ok", "unknown"]
