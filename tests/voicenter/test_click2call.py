"""One call is at most one request, and its answer says the truth: against servers that cut, hang and lie."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Literal
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from app.ports import Answer, CallRequest, NotSent, Placed, Refused, Unknown
from app.voicenter.answer import MAX_BYTES
from app.voicenter.click2call import Click2Call
from tests.voicenter.conftest import CODE
from tests.voicenter.raw_server import ACCEPTED, PATIENCE, Peer, RawServer, Script, answer_all, http, raw_server

Client = Callable[..., Click2Call]
Method = Literal["post", "get"]
METHODS = pytest.mark.parametrize("method", ["post", "get"])


async def ask(client: Click2Call, call: CallRequest) -> Answer:
    try:
        return await asyncio.wait_for(client.place(call), PATIENCE)
    finally:
        await client.close()


async def place_at(
    script: Script, client: Client, call: CallRequest, tls: ssl.SSLContext | None = None, **settings: object
) -> tuple[Answer, RawServer]:
    async with raw_server(script, tls) as server:
        return await ask(client(server.url, **settings), call), server


# -------------------------------------------------------------------------------------------- what is sent


async def test_a_post_carries_everything_in_its_body_and_nothing_in_its_url(client: Client, call: CallRequest) -> None:
    answer, server = await place_at(answer_all, client, call)
    assert answer == Placed("20240601abc123def456")
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /ForwardDialer/click2call.aspx HTTP/1.1\r\n")
    assert json.loads(body) == {
        "code": CODE,
        "action": "call",
        "phone": "KGpK4iWq",
        "target": "0501234567",
        "format": "json",
        "checkphonedevicestate": "true",
        "phonemaxdialtime": "20",
        "targetmaxdialtime": "30",
        "maxduration": "7200",
        "record": "false",
        "var_lead": call.lead_id,
        "var_attempt": call.attempt_id,
    }


async def test_the_headers_say_who_asks_and_for_what(client: Client, call: CallRequest) -> None:
    _, server = await place_at(answer_all, client, call, version="1.2.3", format="xml")
    head = server.requests[0].partition(b"\r\n\r\n")[0].lower().decode()
    headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:])
    assert headers["user-agent"] == "leadring/1.2.3"
    assert headers["accept"].startswith("text/xml")
    assert headers["content-type"] == "application/json"
    assert headers["accept-encoding"] == "identity"
    assert "cookie" not in headers


async def test_a_get_encodes_every_value_into_the_query_it_adds_to(client: Client, call: CallRequest) -> None:
    async with raw_server(answer_all) as server:
        tricky = replace(call, variables={"campaign": "a&target=0529999999#=%20+ \u05d0\ud800"})
        answer = await ask(client(server.url + "?account=7", method="get"), tricky)
    assert isinstance(answer, Placed)
    line = server.requests[0].split(b"\r\n")[0].decode()
    verb, target, _ = line.split(" ")
    query = parse_qs(urlsplit(target).query, strict_parsing=True)
    assert verb == "GET"
    assert query["account"] == ["7"]
    assert query["target"] == ["0501234567"]
    assert query["code"] == [CODE]
    assert query["var_campaign"] == ["a&target=0529999999#=%20+ \u05d0?"]


async def test_cookies_are_not_sent_back_and_redirects_are_not_followed(client: Client, call: CallRequest) -> None:
    async def redirect(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.send(http(b"", 302, b"Location: /elsewhere", b"Set-Cookie: a=b"))

    async with raw_server(redirect) as server:
        dialler = client(server.url)
        first = await dialler.place(call)
        second = await ask(dialler, call)
    assert isinstance(first, Refused)
    assert first.rule == "configuration"
    assert second == first
    assert len(server.requests) == 2
    assert all(b"ookie" not in request for request in server.requests)


async def test_proxies_from_the_environment_are_ignored(
    client: Client, call: CallRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    answer, _ = await place_at(answer_all, client, call)
    assert isinstance(answer, Placed)


@pytest.mark.parametrize(
    "url", ["", "ftp://example.com", "https://", "api.voicenter.com", "https://a/#b", "http://a:b"]
)
def test_an_address_that_is_none_is_refused_at_start(client: Client, url: str) -> None:
    with pytest.raises(Exception, match=r"(?i)url|port"):
        client(url)


# ------------------------------------------------------------- the experiment: at most once, and the right class


@METHODS
async def test_a_server_that_reads_the_request_and_cuts_got_it_once(
    client: Client, call: CallRequest, method: Method
) -> None:
    async def cut(peer: Peer) -> None:
        await peer.request()
        peer.abort()

    answer, server = await place_at(cut, client, call, method=method)
    assert isinstance(answer, Unknown)
    assert (len(server.requests), len(server.peers)) == (1, 1)


@METHODS
async def test_a_server_that_reads_the_request_and_closes_politely_got_it_once(
    client: Client, call: CallRequest, method: Method
) -> None:
    async def leave(peer: Peer) -> None:
        await peer.request()

    answer, server = await place_at(leave, client, call, method=method)
    assert isinstance(answer, Unknown)
    assert (len(server.requests), len(server.peers)) == (1, 1)


@METHODS
async def test_a_server_that_cuts_the_connection_unread_leaves_it_unknown(
    client: Client, call: CallRequest, method: Method
) -> None:
    async def slam(peer: Peer) -> None:
        peer.abort()

    answer, server = await place_at(slam, client, call, method=method)
    assert isinstance(answer, Unknown)
    assert (len(server.requests), len(server.peers)) == (0, 1)


@METHODS
async def test_a_kept_connection_the_server_has_closed_is_seen_and_not_used(
    client: Client, call: CallRequest, method: Method
) -> None:
    async def once(peer: Peer) -> None:
        await peer.request()
        await peer.send(http(ACCEPTED))

    async with raw_server(once) as server:
        dialler = client(server.url, method=method)
        first = await dialler.place(call)
        await asyncio.wait_for(server.ended.wait(), PATIENCE)  # its end of the connection is closed now
        second = await ask(dialler, call)
    assert isinstance(first, Placed)
    assert isinstance(second, Placed)
    assert (len(server.requests), len(server.peers)) == (2, 2)


@METHODS
async def test_a_kept_connection_that_breaks_under_the_request_is_not_tried_again(
    client: Client, call: CallRequest, method: Method
) -> None:
    async def once_then_cut(peer: Peer) -> None:
        await peer.request()
        await peer.send(http(ACCEPTED))
        await peer.request()
        peer.abort()

    async with raw_server(once_then_cut) as server:
        dialler = client(server.url, method=method)
        first = await dialler.place(call)
        second = await ask(dialler, call)
    assert isinstance(first, Placed)
    assert isinstance(second, Unknown)
    assert (len(server.requests), len(server.peers)) == (2, 1)


@METHODS
async def test_a_kept_connection_cut_at_the_first_byte_is_not_tried_again(
    client: Client, call: CallRequest, method: Method
) -> None:
    """The race that a look at the socket cannot see: the server lets go just as the request comes in."""

    async def once_then_slam(peer: Peer) -> None:
        await peer.request()
        await peer.send(http(ACCEPTED))
        await peer.first_byte()
        peer.abort()

    async with raw_server(once_then_slam) as server:
        dialler = client(server.url, method=method)
        first = await dialler.place(call)
        second = await ask(dialler, call)
    assert isinstance(first, Placed)
    assert isinstance(second, Unknown)
    assert (len(server.requests), len(server.peers)) == (1, 1)


@METHODS
@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 200 OK\r\nContent-Le", http(ACCEPTED)[:-3]])
async def test_a_server_that_hangs_is_left_at_the_deadline(
    client: Client, call: CallRequest, method: Method, said: bytes
) -> None:
    async def hang(peer: Peer) -> None:
        await peer.request()
        await peer.send(said)
        await peer.until_gone()

    async with raw_server(hang) as server:
        answer = await ask(client(server.url, method=method, timeout=0.2), call)
        await asyncio.wait_for(server.gone.wait(), PATIENCE)  # and the connection is not left open
    assert isinstance(answer, Unknown)
    assert (len(server.requests), len(server.peers)) == (1, 1)


async def test_a_dripping_server_does_not_outlive_the_deadline(client: Client, call: CallRequest) -> None:
    """Every byte is on time for a limit per read; the whole is not."""

    async def drip(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            await peer.send(b" ")
            await asyncio.sleep(0.01)

    answer, server = await place_at(drip, client, call, timeout=0.3)
    assert isinstance(answer, Unknown)
    assert len(server.requests) == 1


@METHODS
async def test_a_refused_port_is_not_sent(client: Client, call: CallRequest, method: Method) -> None:
    async with raw_server(answer_all) as server:
        url = server.url
    answer = await ask(client(url, method=method), call)
    assert isinstance(answer, NotSent)


@METHODS
async def test_a_name_that_does_not_resolve_is_not_sent(client: Client, call: CallRequest, method: Method) -> None:
    answer = await ask(client("http://no-such-host.invalid/x", method=method, timeout=3.0), call)
    assert isinstance(answer, NotSent)


@contextmanager
def full_port() -> Iterator[int]:
    """A port whose queue of new connections is full, so that connecting hangs."""
    with socket.socket() as listener, socket.socket() as first, socket.socket() as second:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for filler in (first, second):
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


@METHODS
async def test_a_connection_that_does_not_come_about_is_not_sent(
    client: Client, call: CallRequest, method: Method
) -> None:
    with full_port() as port:
        by_total = await ask(client(f"http://127.0.0.1:{port}/", method=method, timeout=0.2), call)
        by_connect = await ask(client(f"http://127.0.0.1:{port}/", method=method, connect_timeout=0.2), call)
    assert isinstance(by_total, NotSent)
    assert isinstance(by_connect, NotSent)
    assert "ConnectTimeout" in by_connect.why


async def test_a_tls_handshake_that_hangs_is_not_sent(
    client: Client, call: CallRequest, trusting: ssl.SSLContext
) -> None:
    async def silent(peer: Peer) -> None:
        await peer.until_gone()

    async with raw_server(silent) as server:
        url = server.url.replace("http:", "https:")
        answer = await ask(client(url, ssl_context=trusting, connect_timeout=0.2), call)
        await asyncio.wait_for(server.gone.wait(), PATIENCE)
    assert isinstance(answer, NotSent)
    assert server.requests == []


async def test_a_tls_handshake_that_is_cut_is_not_sent(
    client: Client, call: CallRequest, trusting: ssl.SSLContext
) -> None:
    async def slam(peer: Peer) -> None:
        await peer.first_byte()
        peer.abort()

    async with raw_server(slam) as server:
        answer = await ask(client(server.url.replace("http:", "https:"), ssl_context=trusting), call)
    assert isinstance(answer, NotSent)
    assert len(server.peers) == 1


async def test_over_tls_calls_are_placed_and_the_connection_is_kept(
    client: Client, call: CallRequest, server_tls: ssl.SSLContext, trusting: ssl.SSLContext
) -> None:
    async with raw_server(answer_all, server_tls) as server:
        dialler = client(server.url, ssl_context=trusting)
        first = await dialler.place(call)
        second = await ask(dialler, call)
    assert isinstance(first, Placed)
    assert isinstance(second, Placed)
    assert (len(server.requests), len(server.peers)) == (2, 1)


@pytest.mark.parametrize("cut", [False, True])
async def test_over_tls_a_closed_kept_connection_is_seen_too(
    client: Client, call: CallRequest, server_tls: ssl.SSLContext, trusting: ssl.SSLContext, cut: bool
) -> None:
    answered = asyncio.Event()

    async def once(peer: Peer) -> None:
        await peer.request()
        await peer.send(http(ACCEPTED))
        await answered.wait()
        if cut:
            peer.abort()

    async with raw_server(once, server_tls) as server:
        dialler = client(server.url, ssl_context=trusting)
        first = await dialler.place(call)
        answered.set()
        await asyncio.wait_for(server.ended.wait(), PATIENCE)
        second = await ask(dialler, call)
    assert isinstance(first, Placed)
    assert isinstance(second, Placed)
    assert (len(server.requests), len(server.peers)) == (2, 2)


async def test_a_certificate_nobody_vouches_for_is_not_sent_and_said(
    client: Client, call: CallRequest, server_tls: ssl.SSLContext
) -> None:
    answer, server = await place_at(answer_all, client, call, server_tls)
    assert isinstance(answer, NotSent)
    assert "CERTIFICATE_VERIFY_FAILED" in answer.why
    assert server.requests == []


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"HTTP/9.9 abc\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 200_000,
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    ],
)
async def test_an_answer_that_is_no_http_is_unknown(client: Client, call: CallRequest, garbage: bytes) -> None:
    async def lie(peer: Peer) -> None:
        await peer.request()
        await peer.send(garbage)

    answer, server = await place_at(lie, client, call)
    assert isinstance(answer, Unknown)
    assert len(server.requests) == 1


async def test_an_endless_answer_is_left_at_the_cap(client: Client, call: CallRequest) -> None:
    async def flood(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000000\r\n\r\n" + ACCEPTED)
        while True:
            await peer.send(b" " * MAX_BYTES)

    async with raw_server(flood) as server:
        answer = await ask(client(server.url), call)
        await asyncio.wait_for(server.ended.wait(), PATIENCE)
    assert isinstance(answer, Unknown)
    assert "64 KiB" in answer.why


async def test_an_answer_cut_before_its_announced_length_is_unknown(client: Client, call: CallRequest) -> None:
    async def short(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + ACCEPTED)

    answer, _ = await place_at(short, client, call)
    assert isinstance(answer, Unknown)


async def test_a_refusal_is_read_from_the_wire(client: Client, call: CallRequest) -> None:
    async def refuse(peer: Peer) -> None:
        await peer.request()
        await peer.send(http(b'{"ERRORCODE": 3, "ERRORMESSAGE": "offline", "CALLID": ""}', 200))

    answer, _ = await place_at(refuse, client, call)
    assert answer == Refused(3, "offline", "agent_offline")


async def test_a_number_the_provider_has_no_spelling_for_is_not_sent(client: Client, call: CallRequest) -> None:
    answer, server = await place_at(answer_all, client, replace(call, lead_phone="nonsense"))
    assert isinstance(answer, NotSent)
    assert "nonsense" not in answer.why
    assert server.peers == []


async def test_cancelling_passes_through_and_closes_the_connection(client: Client, call: CallRequest) -> None:
    async def hang(peer: Peer) -> None:
        await peer.request()
        await peer.until_gone()

    async with raw_server(hang) as server:
        dialler = client(server.url)
        task = asyncio.create_task(dialler.place(call))
        await asyncio.wait_for(server.arrived.wait(), PATIENCE)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await asyncio.wait_for(server.gone.wait(), PATIENCE)
        await dialler.close()
    assert len(server.requests) == 1


# ------------------------------------------------------------------------------------- what others are told


async def numbered(peer: Peer) -> None:
    """One request a connection: accepted, refused, then cut."""
    await peer.request()
    if peer.number == 0:
        await peer.send(http(ACCEPTED, 200, b"Connection: close"))
    elif peer.number == 1:
        await peer.send(http(b'{"ERRORCODE": 4}', 200, b"Connection: close"))


async def test_every_request_is_counted_under_its_result(client: Client, call: CallRequest) -> None:
    told: list[tuple[str, float]] = []
    async with raw_server(numbered) as server:
        dialler = client(server.url, on_request=lambda result, seconds: told.append((result, seconds)))
        for _ in range(3):
            await dialler.place(call)
    await ask(dialler, call)
    assert [result for result, _ in told] == ["ok", "refused", "unknown", "not_sent"]
    assert all(0 <= seconds < PATIENCE for _, seconds in told)


@METHODS
async def test_no_log_record_holds_the_code_or_a_phone(
    client: Client, call: CallRequest, method: Method, caplog: pytest.LogCaptureFixture
) -> None:
    async def echo(peer: Peer) -> None:
        while True:
            body = await peer.request()
            words = body.decode("latin-1").replace('"', "'").replace("\r\n", " ")
            await peer.send(http(json.dumps({"ERRORCODE": 1, "ERRORMESSAGE": words[-400:] + CODE}).encode()))

    caplog.set_level(logging.DEBUG, "leadring.voicenter")
    private = replace(call, login_code="lg-7788")
    for script in (answer_all, echo, numbered):
        await place_at(script, client, private, method=method)
    await ask(client("http://127.0.0.1:9/", method=method), private)
    ours = [record for record in caplog.records if record.name.startswith("leadring")]
    assert len(ours) == 4
    for record in ours:
        said = record.getMessage() + repr(record.args) + repr(record.exc_info)
        for secret in (CODE, quote(CODE, safe=""), "0501234567", "972501234567", "lg-7788"):
            assert secret not in said


async def test_the_code_is_in_no_representation_of_the_client(client: Client) -> None:
    dialler = client("http://127.0.0.1:9/")
    assert CODE not in repr(dialler) + str(dialler)
    await dialler.close()


@pytest.mark.parametrize("step", ["before", "after"])
async def test_the_crash_point_lies_between_the_request_on_the_wire_and_its_answer(
    client: Client, call: CallRequest, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """A process killed there has sent its request: the server must get it whole, or nothing at all before."""
    reached: list[str] = []
    server_seen = asyncio.Event()
    monkeypatch.setattr("app.faults.point", reached.append)

    async def wait(peer: Peer) -> None:
        if step == "after":
            await peer.request()
            server_seen.set()
        await peer.until_gone()

    async with raw_server(wait) as server:
        url = server.url if step == "after" else server.url.replace("http:", "https:")
        answer = await ask(client(url, timeout=0.4, connect_timeout=0.2), call)
    if step == "after":
        assert server_seen.is_set()
        assert isinstance(answer, Unknown)
        assert reached == ["dispatch.request_sent"]
    else:
        assert isinstance(answer, NotSent)
        assert reached == []


async def gather(calls: list[Awaitable[Answer]]) -> list[Answer]:
    return await asyncio.wait_for(asyncio.gather(*calls), PATIENCE)


async def test_many_calls_at_once_each_have_their_own_connection(client: Client, call: CallRequest) -> None:
    everybody = asyncio.Event()

    async def together(peer: Peer) -> None:
        await peer.request()
        if peer.number == 19:
            everybody.set()
        await everybody.wait()  # no answer before all twenty have asked
        await peer.send(http(b'{"ERRORCODE": 0, "CALLID": "call-%d"}' % peer.number))
        await peer.until_gone()

    async with raw_server(together) as server:
        dialler = client(server.url)
        answers = await gather([dialler.place(call) for _ in range(20)])
        await dialler.close()
    assert {answer.call_id for answer in answers if isinstance(answer, Placed)} == {f"call-{n}" for n in range(20)}
    assert len(server.requests) == 20
