"""What leaves this machine for one call, what its answer becomes, and what others are told of it."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable
from dataclasses import replace
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from app.ports import Answer, CallRequest, NotSent, Placed, Refused, Unknown
from tests.voicenter.asking import METHODS, Client, Method, ask, place_at
from tests.voicenter.conftest import CODE
from tests.voicenter.raw_server import ACCEPTED, PATIENCE, Peer, answer_all, http, raw_server


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


async def test_a_call_the_provider_has_no_words_for_is_not_sent_and_says_which(
    client: Client, call: CallRequest
) -> None:
    wrong = replace(call, options={"ignoredncstatus": "0501234567"})
    answer, server = await place_at(answer_all, client, wrong)
    assert answer == NotSent("the request could not be made: ignoredncstatus must be 1, 2 or 3", ours=True)
    assert server.peers == []


@METHODS
async def test_with_the_lead_first_the_legs_change_places_on_the_wire(
    client: Client, call: CallRequest, method: Method
) -> None:
    _, server = await place_at(answer_all, client, replace(call, first="lead"), method=method)
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    query = {name: values[0] for name, values in parse_qs(urlsplit(head.split(b" ")[1].decode()).query).items()}
    parameters = json.loads(body) if method == "post" else query
    assert (parameters["phone"], parameters["target"]) == ("0501234567", "KGpK4iWq")
    assert (parameters["phonemaxdialtime"], parameters["targetmaxdialtime"]) == ("30", "20")


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
