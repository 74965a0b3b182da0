"""The roster (`GetExtensions`): which extensions the account has, without any state (facts 3.1)."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

from app.voicenter.active_calls import listed
from app.voicenter.body import lowered
from app.voicenter.questions import Questions, UnansweredError, said

SECONDS: Final = 10.0
MAX_BYTES: Final = 4 * 1024 * 1024  # several thousand extensions


class RosterUnavailable(Exception):
    """The roster could not be learned. `reason` is a sentence for operators, without the account code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class KnownExtension:
    """An extension the provider knows. `sip` is what `phone` takes, letter for letter; the others may be ""."""

    sip: str
    name: str
    user: str
    account: str


class Roster:
    """Asks which extensions there are. `url` is the whole address, as in LEADRING_VOICENTER_EXTENSIONS_URL.

    `on_request(result, seconds)` hears of every question: ok or unknown. `timeout` is the total in seconds.
    """

    def __init__(
        self,
        *,
        url: str,
        code: str,
        version: str,
        timeout: float = SECONDS,
        on_request: Callable[[str, float], None] | None = None,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._questions = Questions(
            url=url, code=code, version=version, seconds=timeout, max_bytes=MAX_BYTES, ssl_context=ssl_context
        )
        self._on_request = on_request

    async def extensions(self) -> tuple[KnownExtension, ...]:
        """Every extension of the account, in the provider's order. RosterUnavailable when that is not learned."""
        began = monotonic()
        result = "unknown"
        try:
            entries = listed(await self._questions.ask())
            found = tuple(known for entry in entries if (known := _known(entry)) is not None)
            if not found:
                raise UnansweredError("no extension in the list could be read", own=True)
            result = "ok"
        except UnansweredError as error:
            reason = self._questions.told(error)
            raise RosterUnavailable(f"Voicenter did not give its list of extensions: {reason}") from None
        finally:
            if self._on_request is not None:
                self._on_request(result, monotonic() - began)
        return found

    async def close(self) -> None:
        """Close idle connections; the object is not used afterwards."""
        await self._questions.close()


def _known(entry: Any) -> KnownExtension | None:
    fields = lowered(entry) if isinstance(entry, dict) else {}
    sip = said(fields, "sip")
    if not sip:
        return None
    return KnownExtension(sip, said(fields, "name"), said(fields, "username"), said(fields, "accountname"))
