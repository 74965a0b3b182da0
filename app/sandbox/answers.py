"""How an answer is written (JSON, or the XML-RPC of the vendor page) and how it is spoilt on request."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from html import escape

from fastapi import Response
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from .behaviour import Behaviour
from .signals import Signal

_CHUNK = 64 * 1024


class ConnectionCutError(ConnectionError):
    """Raised where there is no real connection to cut: an application called without a server."""


@dataclass(frozen=True)
class Answer:
    """The honest answer, before any behaviour spoils it."""

    body: bytes
    media_type: str


def click2call_answer(code: int, message: str, call_id: str, *, as_json: bool) -> Answer:
    """Keys in upper case; ERRORCODE is a number in JSON and a string in XML (facts 1.6)."""
    if as_json:
        return json_answer({"ERRORCODE": code, "ERRORMESSAGE": message, "CALLID": call_id})
    members = xml_members((("ERRORCODE", str(code)), ("ERRORMESSAGE", message), ("CALLID", call_id)))
    body = (
        "<methodResponse>\n<params>\n<param>\n<value>\n<struct>\n"
        f"{members}</struct>\n</value>\n</param>\n</params>\n</methodResponse>\n"
    )
    return Answer(body.encode(), "text/xml; charset=utf-8")


def json_answer(data: object) -> Answer:
    return Answer(json.dumps(data, ensure_ascii=False).encode(), "application/json; charset=utf-8")


def xml_members(pairs: Iterable[tuple[str, str]]) -> str:
    """XML-RPC struct members, every value a string."""
    return "".join(
        f"<member>\n<name>{escape(name)}</name>\n<value><string>{escape(value)}</string></value>\n</member>\n"
        for name, value in pairs
    )


async def respond(answer: Answer, behaviour: Behaviour, released: Signal) -> Response:
    """The HTTP response that the behaviour asks for; waits end early when `released` fires."""
    match behaviour.answer:
        case "slow":
            await released.wait(1.0 if behaviour.seconds is None else behaviour.seconds)
        case "hang":
            return HangingResponse(released)
        case "cut":
            return CutResponse()
        case "half":
            return CutResponse(answer)
        case "garbage" | "http_error":
            default = 200 if behaviour.answer == "garbage" else 500
            return Response(
                "<html>Service Unavailable</html>" if behaviour.body is None else behaviour.body,
                status_code=behaviour.status or default,
                media_type=behaviour.content_type or "text/html",
            )
        case "drip":
            pause = 0.05 if behaviour.seconds is None else behaviour.seconds
            return StreamingResponse(_drip(answer.body, pause, released), media_type=answer.media_type)
        case "huge":
            size = int((8.0 if behaviour.megabytes is None else behaviour.megabytes) * 1024 * 1024)
            return StreamingResponse(_huge(size), media_type=answer.media_type)
        case _:
            pass
    return Response(answer.body, media_type=answer.media_type)


class HangingResponse(Response):
    """Never answers; when released, or when the client has gone, the connection is closed without a word."""

    def __init__(self, released: Signal) -> None:
        super().__init__()
        self._released = released

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        gone = asyncio.ensure_future(_client_gone(receive))
        released = asyncio.ensure_future(self._released.wait())
        try:
            await asyncio.wait({gone, released}, return_when=asyncio.FIRST_COMPLETED)
            client_left = gone.done()
        finally:
            for task in (gone, released):
                task.cancel()
            await asyncio.gather(gone, released, return_exceptions=True)
        if not client_left:
            await _cut(receive)


class CutResponse(Response):
    """Closes the connection without answering, or (given an answer) in the middle of it."""

    def __init__(self, answer: Answer | None = None) -> None:
        super().__init__()
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._answer is not None:
            length = str(len(self._answer.body)).encode()
            headers = [(b"content-type", self._answer.media_type.encode()), (b"content-length", length)]
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            half = self._answer.body[: len(self._answer.body) // 2]
            await send({"type": "http.response.body", "body": half, "more_body": True})
        await _cut(receive, flush=self._answer is not None)


async def _cut(receive: Receive, *, flush: bool = False) -> None:
    # ASGI has no word for "hang up": the server's own transport is behind the bound method it handed us.
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    if not isinstance(transport, asyncio.BaseTransport) and not hasattr(transport, "abort"):
        raise ConnectionCutError("the sandbox cut the connection")
    if flush:
        transport.close()  # type: ignore[union-attr]
    else:
        transport.abort()  # type: ignore[union-attr]
    await _client_gone(receive)


async def _client_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        continue


async def _drip(body: bytes, pause: float, released: Signal) -> AsyncIterator[bytes]:
    for index in range(len(body)):
        yield body[index : index + 1]
        await released.wait(pause)


async def _huge(size: int) -> AsyncIterator[bytes]:
    yield b'{"ERRORCODE": 0, "ERRORMESSAGE": "'
    for start in range(0, size, _CHUNK):
        yield b"A" * min(_CHUNK, size - start)
        # One turn of the loop, so that a client that has had enough can be noticed.
        await asyncio.sleep(0)
    yield b'", "CALLID": "too much to read"}'
