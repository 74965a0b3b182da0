"""Every bad answer in the field's list has a rule, for each of the five questions that are asked over the wire.

A call: how it is classed decides whether a phone may ring twice. The others: they are not learned, and say why.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from app.ports import CallRequest, Refused, Unknown
from app.voicenter.active_calls import ActiveCalls
from app.voicenter.call_log import VoicenterCallLog
from app.voicenter.click2call import Click2Call
from app.voicenter.roster import Roster, RosterUnavailable
from tests.voicenter.conftest import CODE
from tests.voicenter.raw_server import PATIENCE, Peer, Script, http, raw_server
from tests.voicenter.read_only import VERSION

TLS = ssl.create_default_context()  # once: making one takes longer than most of these tests
MEGABYTE = 1024 * 1024
CALL_ID = "20240601abc123def456"

# What comes back → whether a call may be under way, and the code where it is refused.
ANSWERS: dict[str, tuple[bytes, type[Refused | Unknown], int | None]] = {
    "unknown code": (http(b'{"ERRORCODE": 42, "ERRORMESSAGE": "new", "CALLID": ""}'), Refused, 42),
    "negative code": (http(b'{"ERRORCODE": -7}'), Refused, -7),
    "string code": (http(b'{"ERRORCODE": "3", "CALLID": ""}'), Refused, 3),
    "wrong key case": (http(b'{"errorCode": 4, "callId": ""}'), Refused, 4),
    "byte order mark": (http(b'\xef\xbb\xbf{"ERRORCODE": 3}'), Refused, 3),
    "web page": (http(b"<!DOCTYPE html><html><body>Welcome</body></html>"), Unknown, None),
    "empty": (http(b""), Unknown, None),
    "no content": (b"HTTP/1.1 204 No Content\r\n\r\n", Unknown, None),
    "no call id": (http(b'{"ERRORCODE": 0, "ERRORMESSAGE": "OK"}'), Unknown, None),
    "empty call id": (http(b'{"ERRORCODE": 0, "CALLID": ""}'), Unknown, None),
    "refusal with a call id": (http(b'{"ERRORCODE": 3, "CALLID": "%s"}' % CALL_ID.encode()), Unknown, None),
    "401": (http(b"", 401), Refused, None),
    "403": (http(b"<h1>Forbidden</h1>", 403), Refused, None),
    "429": (http(b"slow down", 429), Refused, None),
    "500": (http(b"oops", 500), Unknown, None),
    "502": (http(b"<h1>Bad Gateway</h1>", 502), Unknown, None),
    "503 with a refusal": (http(b'{"ERRORCODE": 3}', 503), Unknown, None),
    "301": (http(b"", 301, b"Location: https://127.0.0.1:9/"), Refused, None),
    "307": (http(b"", 307, b"Location: /ForwardDialer/click2call.aspx"), Refused, None),
    "gzip nobody asked for": (http(b"\x1f\x8b\x08\x00", 200, b"Content-Encoding: gzip"), Unknown, None),
    "two answers": (http(b'{"ERRORCODE": 3}') + http(b'{"ERRORCODE": 0}'), Refused, 3),
}


@asynccontextmanager
async def asking(
    url: str, call: CallRequest, seconds: float
) -> AsyncIterator[dict[str, Callable[[], Awaitable[object]]]]:
    """Every question there is, by its name."""
    dialler = Click2Call(url=url, code=CODE, version=VERSION, timeout=seconds, ssl_context=TLS)
    presence = ActiveCalls(url=url, code=CODE, version=VERSION, timeout=seconds, ssl_context=TLS)
    roster = Roster(url=url, code=CODE, version=VERSION, timeout=seconds, ssl_context=TLS)
    call_log = VoicenterCallLog(url=url, code=CODE, version=VERSION, timeout=seconds, ssl_context=TLS)

    async def extensions() -> object:
        try:
            return await roster.extensions()
        except RosterUnavailable:
            return None

    yield {
        "place": lambda: dialler.place(call),
        "hang_up": lambda: dialler.hang_up("KGpK4iWq"),
        "look": presence.look,
        "roster": extensions,
        "call_log": lambda: call_log.calls(0, 60_000),
    }
    for client in (dialler, presence, roster, call_log):
        await client.close()


QUESTIONS = ("place", "hang_up", "look", "roster", "call_log")


async def ask_at(script: Script, call: CallRequest, name: str, seconds: float = PATIENCE) -> tuple[object, int]:
    """What came of one question, and how many requests the provider got for it."""
    async with raw_server(script) as server, asking(server.url, call, seconds) as questions:
        answer = await asyncio.wait_for(questions[name](), PATIENCE)
    return answer, len(server.requests)


def answers_once(raw: bytes) -> Script:
    async def answer(peer: Peer) -> None:
        await peer.request()
        await peer.send(raw)

    return answer


@pytest.mark.parametrize("case", ANSWERS)
async def test_a_call_with_this_answer_is_classed_so_and_asked_for_once(case: str, call: CallRequest) -> None:
    raw, kind, code = ANSWERS[case]
    answer, requests = await ask_at(answers_once(raw), call, "place")
    assert isinstance(answer, kind)
    assert getattr(answer, "code", None) == code
    assert requests == 1


@pytest.mark.parametrize("case", ANSWERS)
@pytest.mark.parametrize("name", ["look", "roster", "call_log"])
async def test_nothing_is_learned_from_this_answer_and_it_is_asked_once(
    case: str, name: str, call: CallRequest
) -> None:
    answer, requests = await ask_at(answers_once(ANSWERS[case][0]), call, name)
    assert answer is None
    assert requests == 1


def unfinished(name: str, answer: object) -> bool:
    """Whether this is how a question says that it got no whole answer."""
    return isinstance(answer, Unknown) if name in ("place", "hang_up") else answer is None


@pytest.mark.parametrize("name", QUESTIONS)
async def test_of_fifty_megabytes_only_the_beginning_is_read(name: str, call: CallRequest) -> None:
    sent = 0

    async def flood(peer: Peer) -> None:
        nonlocal sent
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (50 * MEGABYTE))
        for _ in range(50):
            await peer.send(b" " * MEGABYTE)
            sent += 1

    answer, requests = await ask_at(flood, call, name)
    assert unfinished(name, answer)
    assert sent < 40
    assert requests == 1


@pytest.mark.parametrize("name", QUESTIONS)
async def test_a_byte_now_and_then_does_not_outlive_the_deadline(name: str, call: CallRequest) -> None:
    """Every byte comes in time for a limit per read; the whole does not."""

    async def drip(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            await peer.send(b" ")
            await asyncio.sleep(0.01)

    answer, requests = await ask_at(drip, call, name, seconds=0.2)
    assert unfinished(name, answer)
    assert requests == 1


@pytest.mark.parametrize("name", QUESTIONS)
async def test_no_redirect_is_followed_so_the_code_goes_nowhere_else(name: str, call: CallRequest) -> None:
    async with raw_server(answers_once(http(b"{}"))) as elsewhere:
        location = b"Location: " + elsewhere.url.encode()
        for status in (301, 302, 303, 307, 308):
            _, requests = await ask_at(answers_once(http(b"", status, location)), call, name)
            assert requests == 1
    assert elsewhere.peers == []
