"""When a request fails instead of being answered: had it left this machine, or not?

Two witnesses must agree before a failure is called `NotSent`: the trace httpx gives of its own progress, and
the table of its exception classes below. Where they differ, or one of them is silent, it is `Unknown`: a call
that is not sent again costs a lead some minutes, a call sent twice rings a person twice.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Collection
from typing import Any, Final, Literal

import httpcore
import httpx

from app.ports import NotSent, Unknown
from app.voicenter.wording import short

# `by_trace`: the class alone says nothing; not sent only when the request was seen connecting and no further.
Verdict = Literal["not_sent", "unknown", "by_trace"]

# Measured on httpx 0.28 against servers that cut, hang and refuse; tests/voicenter/test_at_most_once.py does it again.
# Base classes are named too: httpx may raise one, and a class that is new to us must not fall through.
TABLE: Final[dict[type[Exception], Verdict]] = {
    httpx.ConnectError: "not_sent",  # refused, unresolvable, TLS handshake
    httpx.ConnectTimeout: "not_sent",
    httpx.PoolTimeout: "not_sent",
    httpx.UnsupportedProtocol: "not_sent",
    httpx.InvalidURL: "not_sent",
    httpx.WriteError: "unknown",
    httpx.WriteTimeout: "unknown",
    httpx.ReadError: "unknown",
    httpx.ReadTimeout: "unknown",
    httpx.CloseError: "unknown",
    httpx.RemoteProtocolError: "unknown",
    httpx.LocalProtocolError: "unknown",
    httpx.ProtocolError: "unknown",
    httpx.ProxyError: "unknown",  # no proxy is used: should one be met all the same, it may have passed it on
    httpx.NetworkError: "unknown",
    httpx.TimeoutException: "unknown",
    httpx.TransportError: "unknown",
    httpx.DecodingError: "unknown",
    httpx.TooManyRedirects: "unknown",
    httpx.RequestError: "unknown",
    httpx.HTTPStatusError: "unknown",
    httpx.HTTPError: "unknown",
    httpx.CookieConflict: "unknown",
    httpx.StreamError: "unknown",
    httpx.StreamConsumed: "unknown",
    httpx.StreamClosed: "unknown",
    httpx.ResponseNotRead: "unknown",
    httpx.RequestNotRead: "unknown",
    # What httpx is built on; it translates these, and one that slips through has the word of its translation.
    httpcore.ConnectError: "not_sent",
    httpcore.ConnectTimeout: "not_sent",
    httpcore.PoolTimeout: "not_sent",
    httpcore.UnsupportedProtocol: "not_sent",
    httpcore.WriteError: "unknown",
    httpcore.WriteTimeout: "unknown",
    httpcore.ReadError: "unknown",
    httpcore.ReadTimeout: "unknown",
    httpcore.RemoteProtocolError: "unknown",
    httpcore.LocalProtocolError: "unknown",
    httpcore.ProtocolError: "unknown",
    httpcore.ProxyError: "unknown",
    httpcore.NetworkError: "unknown",
    httpcore.TimeoutException: "unknown",
    httpcore.ConnectionNotAvailable: "unknown",  # for its own pool, which sends again elsewhere by itself
    # Python's own: our deadline and every limit of the loop are a TimeoutError, sockets and TLS an OSError.
    TimeoutError: "by_trace",
    ssl.SSLError: "by_trace",
    OSError: "by_trace",
}

_CONNECTING: Final = frozenset({"connection.connect_tcp", "connection.start_tls", "connection.retry"})
_WRITTEN: Final = "http11.send_request_body.complete"


class Progress:
    """How far one request got, as told by httpx's `trace` extension.

    `sent` is set by the first event that is not about connecting, whatever it is called: should a later
    httpx rename its events, everything becomes `Unknown` and nothing is sent twice.
    """

    def __init__(self, *, on_written: Callable[[], None]) -> None:
        self.connecting = False
        self.sent = False
        self._on_written = on_written

    async def __call__(self, event: str, info: Any) -> None:
        """One event: `<layer>.<step>.started`, `.complete` or `.failed`."""
        if event.rpartition(".")[0] in _CONNECTING:
            self.connecting = True
            return
        self.sent = True
        if event == _WRITTEN:
            self._on_written()


def verdict(error: Exception, progress: Progress, hide: Collection[str] = ()) -> NotSent | Unknown:
    """The class of a request that ended in `error` (an httpx error, our own deadline, or a mistake of ours)."""
    if progress.sent:
        return Unknown(f"{type(error).__name__} after the request had left")
    name = "deadline" if isinstance(error, TimeoutError) else type(error).__name__
    if _says(error, progress) == "not_sent":
        return NotSent(short(f"{name} before the request left: {error}".removesuffix(": "), hide))
    return Unknown(f"{name}, and nothing proves that the request had not left")


def _says(error: Exception, progress: Progress) -> Literal["not_sent", "unknown"]:
    """The table's word for the nearest class it names; a class it does not name at all is unknown."""
    word: Verdict = next((TABLE[kind] for kind in type(error).__mro__ if kind in TABLE), "unknown")
    if word == "by_trace":
        return "not_sent" if progress.connecting else "unknown"
    return word
