"""Hanging up: one request, one class, and no call id anywhere."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ports import HangUp, HungUp, NotSent, Refused, Unknown
from app.voicenter.answer import read_hang_up
from tests.voicenter.asking import METHODS, Client, Method
from tests.voicenter.conftest import CODE
from tests.voicenter.raw_server import PATIENCE, Peer, RawServer, Script, http, raw_server
from tests.voicenter.read_only import answering, saying

XML = b"""<methodResponse><params><param><value><struct>
<member><name>ERRORCODE</name><value><string>0</string></value></member>
<member><name>ERRORMESSAGE</name><value><string>OK</string></value></member>
</struct></value></param></params></methodResponse>"""


async def hang_up_at(
    script: Script, client: Client, extension: str = "KGpK4iWq", **settings: object
) -> tuple[HangUp, RawServer]:
    async with raw_server(script) as server:
        dialler = client(server.url, **settings)
        try:
            return await asyncio.wait_for(dialler.hang_up(extension), PATIENCE), server
        finally:
            await dialler.close()


@METHODS
async def test_the_request_names_the_extension_and_the_action_alone(client: Client, method: Method) -> None:
    answer, server = await hang_up_at(answering(saying({"ERRORCODE": 0, "ERRORMESSAGE": "OK"})), client, method=method)
    assert answer == HungUp()
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    query = {name: values[0] for name, values in parse_qs(urlsplit(head.split(b" ")[1].decode()).query).items()}
    parameters = json.loads(body) if method == "post" else query
    assert parameters == {"code": CODE, "action": "terminate", "phone": "KGpK4iWq", "format": "json"}


@pytest.mark.parametrize(
    "body",
    [
        b'{"ERRORCODE": 0}',
        b'{"ERRORCODE": "0", "CALLID": ""}',
        b'{"ERRORCODE": 0, "CALLID": "20240601abc123def456"}',
        b'\xef\xbb\xbf{"errorcode": 0.0}',
        XML,
    ],
)
def test_code_zero_is_hung_up_with_or_without_a_call_id(body: bytes) -> None:
    assert read_hang_up(200, body) == HungUp()


@pytest.mark.parametrize(
    ("code", "rule"), [(1, "request_wrong"), (2, "once_more"), (3, "agent_offline"), (4, "agent_blocked"), (9, None)]
)
def test_any_other_code_is_a_refusal(code: int, rule: str | None) -> None:
    answer = read_hang_up(200, json.dumps({"ERRORCODE": str(code), "ERRORMESSAGE": "no"}).encode())
    assert answer == Refused(code, "no", rule or "configuration")  # type: ignore[arg-type] # a rule by its name


@pytest.mark.parametrize("status", [401, 403, 404, 302])
def test_a_shut_door_is_a_refusal_without_a_code(status: int) -> None:
    answer = read_hang_up(status, b"<h1>no</h1>")
    assert isinstance(answer, Refused)
    assert (answer.code, answer.rule) == (None, "configuration")


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, b""), (200, b"<html></html>"), (200, b"{}"), (500, b'{"ERRORCODE": 0}'), (408, b'{"ERRORCODE": 0}')],
)
def test_what_proves_nothing_is_unknown(status: int, body: bytes) -> None:
    assert isinstance(read_hang_up(status, body), Unknown)
    assert isinstance(read_hang_up(200, b'{"ERRORCODE": 0}', truncated=True), Unknown)


@given(st.integers(100, 599), st.binary(max_size=200).filter(lambda body: b"ERRORCODE" not in body.upper()))
def test_any_bytes_have_a_class_and_never_that_of_success(status: int, body: bytes) -> None:
    """Bytes that do not say it, that is: the words of this code are among what is tried."""
    assert isinstance(read_hang_up(status, body), Refused | Unknown)


async def test_a_cut_after_the_request_is_unknown_and_not_repeated(client: Client) -> None:
    async def cut(peer: Peer) -> None:
        await peer.request()
        peer.abort()

    answer, server = await hang_up_at(cut, client)
    assert isinstance(answer, Unknown)
    assert len(server.requests) == 1


async def test_a_silent_provider_is_left_at_the_deadline(client: Client) -> None:
    async def hang(peer: Peer) -> None:
        await peer.request()
        await peer.until_gone()

    answer, _ = await hang_up_at(hang, client, timeout=0.2)
    assert isinstance(answer, Unknown)


async def test_nothing_leaves_for_what_is_no_extension(client: Client) -> None:
    answer, server = await hang_up_at(answering(http(b"")), client, extension="+972501234567")
    assert isinstance(answer, NotSent)
    assert "telephone number" in answer.why
    assert server.peers == []


async def test_a_refused_port_is_not_sent(client: Client) -> None:
    async with raw_server(answering(http(b""))) as server:
        url = server.url
    dialler = client(url)
    assert isinstance(await dialler.hang_up("KGpK4iWq"), NotSent)
    await dialler.close()


async def test_hanging_up_is_counted_apart_from_calling(client: Client) -> None:
    calls: list[str] = []
    hung: list[str] = []
    await hang_up_at(
        answering(saying({"ERRORCODE": 1, "ERRORMESSAGE": f"Phone is missing, {CODE}"})),
        client,
        on_request=lambda result, _: calls.append(result),
        on_hang_up=lambda result, _: hung.append(result),
    )
    assert (calls, hung) == ([], ["refused"])


async def test_the_code_is_not_in_the_words_of_a_refusal(client: Client) -> None:
    answer, _ = await hang_up_at(answering(saying({"ERRORCODE": 1, "ERRORMESSAGE": f"bad {CODE}"})), client)
    assert answer == Refused(1, "bad ***", "request_wrong")
