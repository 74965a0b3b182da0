"""A connection whose bytes are no request: refused in the one error shape, before there is an application to ask."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.errors import HeadTooLarge, Malformed, Refusal
from app.ids import new_request_id
from app.web.desk import Desk
from app.web.middleware import SECURITY
from app.web.problems import MEDIA_TYPE, document

# What a request line and its headers may take that come in several pieces; the first piece is as large as the loop
# reads at once (256 KiB). The parser itself would keep whatever comes.
HEAD_BYTES: Final = 64 * 1024


# What may come after a head and be no body: the sizes of chunks, however small, and fields after the last of them.
BESIDE_BYTES: Final = 4 * 1024 * 1024


class Connection(HttpToolsProtocol):
    """uvicorn's, with two differences: what cannot be parsed hears problem+json, and endless fields are cut off."""

    _head: int | None = None  # bytes of the head that is being read, without its first piece; None beside a head
    _beside: int | None = None  # bytes since the head that were no body; None while no body is being read

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._head = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._head is not None:  # fields after a body are nothing that anybody asks for
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._head, self._beside = None, 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        if self._beside is not None:
            self._beside -= len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._beside = None
        super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        reading = self.headers
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._head is not None and self.headers is reading:
            self._head += len(data)
            if self._head > HEAD_BYTES:
                self._refuse(HeadTooLarge())
        elif self._beside is not None:
            self._beside += len(data)
            if self._beside > BESIDE_BYTES:
                self.transport.close()  # an answer may be under way by now: there is no place for another

    def send_400_response(self, msg: str) -> None:
        """uvicorn's answer to what its parser refuses; its own words are in the log."""
        self._refuse(Malformed("This is not a request in HTTP/1.1."))

    def _refuse(self, refusal: Refusal) -> None:
        """Answer and hang up: where a request begins in what follows, nobody can tell."""
        request_id = new_request_id()
        desk = getattr(self.config.app.state, "desk", None)  # type: ignore[union-attr]
        # Whom it was sent to is not known for sure either: without a public URL the address is relative.
        base = (desk.public_url or "").rstrip("/") if isinstance(desk, Desk) else ""
        body = document(base, request_id, refusal.status, refusal.code, refusal.title, str(refusal))
        headers = [
            *self.server_state.default_headers,
            (b"content-type", MEDIA_TYPE.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
            (b"x-request-id", request_id.encode()),
            *SECURITY,
            (b"connection", b"close"),
        ]
        status = f"HTTP/1.1 {refusal.status} {HTTPStatus(refusal.status).phrase}\r\n".encode()
        self.transport.write(status + b"".join(b"%b: %b\r\n" % pair for pair in headers) + b"\r\n" + body)
        self.transport.close()
