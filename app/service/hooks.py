"""The webhooks' door: who is let in, what is made of what they bring, and what they hear."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Final

import structlog

from app.directory import Source
from app.domain.deliveries import FINAL
from app.errors import LeadringError, Refusal, StorageUnavailable, Unauthorized, Unavailable, Unreadable
from app.forms.meta import handshake, leadgens
from app.forms.payload import decode
from app.forms.signatures import Delivery as SignedRequest
from app.forms.signatures import signed
from app.service.deliveries import Deliveries
from app.service.heard import heard
from app.service.rules import Rules
from app.service.webhook_reading import FETCHED

MOST_TOKENS: Final = 2
READ_BESIDE: Final = 8 * 1024  # bytes of a body from which on a thread reads it
_NOBODY: Final = "-" * 32  # compared with where there is nothing to compare with
_CLOSED: Final = "This address takes nothing."

log = structlog.get_logger("leadring.deliveries")


class Hooks:
    """Takes what form builders send. `wake`: somebody is to look at open deliveries now."""

    def __init__(self, rules: Rules, deliveries: Deliveries, wake: Callable[[], None]) -> None:
        self._rules = rules
        self._deliveries = deliveries
        self._wake = wake

    def admit(self, key: str, token: str) -> Source:
        """The source of that address. Unauthorized: the same, also in time, for a wrong token and a wrong name."""
        source = self._rules.directory.sources.get(key)
        tokens = source.tokens if source is not None else ()
        # As many comparisons, of as many bytes, however many tokens there are, how long, and whether there is a source.
        known = (*tokens, *(_NOBODY,) * MOST_TOKENS)[:MOST_TOKENS]
        given = hashlib.sha256(token.encode("utf-8", "replace")).digest()
        fits = [hmac.compare_digest(hashlib.sha256(one.encode()).digest(), given) for one in known]
        if source is None or not any(fits[: len(tokens)]):
            log.warning("delivery.turned_away", source=source.key if source else None, why="wrong token or name")
            raise Unauthorized(_CLOSED)
        return source

    def verify(self, source: Source, request: SignedRequest) -> None:
        """Unauthorized unless the source signed it; nothing where no `signing_secret` is configured."""
        now = self._deliveries.store.clock.now()
        if source.signing_secrets and not signed(source.preset, request, source.signing_secrets, now):
            log.warning("delivery.turned_away", source=source.key, why="not signed with its signing_secret")
            raise Unauthorized(_CLOSED)

    def greeting(self, source: Source, query: dict[str, str]) -> str:
        """What a GET hears: Meta's challenge, or that the address is right. Unauthorized for a wrong challenge."""
        if "hub.mode" not in query:
            return "ready\n"
        challenge = handshake(query, source.tokens) if source.preset == FETCHED else None
        if challenge is None:
            raise Unauthorized(_CLOSED)
        return challenge

    async def take(self, source: Source, content_type: str, body: bytes) -> str:
        """What became of it, in a word for the sender, once it is on disk.

        Unreadable, NotTaking, or Unavailable when nothing could be stored.
        """
        if not body.strip():
            raise Unreadable("There is nothing in the body.")
        try:
            if source.preset == FETCHED:
                return await self._take_word(source, content_type, body)
            return await self._take_form(source, content_type, body)
        except StorageUnavailable as error:
            raise Unavailable from error

    async def _take_form(self, source: Source, content_type: str, body: bytes) -> str:
        # A large one takes longer to read than everybody else should wait.
        if len(body) > READ_BESIDE:
            reading = await asyncio.to_thread(self._deliveries.read, source, content_type, body)
        else:
            reading = self._deliveries.read(source, content_type, body)
        own_id = reading.mapped.delivery_id if reading.mapped is not None else None
        kept = await self._deliveries.keep(source, content_type, body, own_id)
        if kept.again and kept.verdict in FINAL:
            return "duplicate"
        verdict = await self._deliveries.finish(source, kept, reading)
        if verdict == "failed" and kept.body is None:
            raise LeadringError("A delivery could not be read, and is not kept.")
        return heard(verdict, reading.why)

    async def _take_word(self, source: Source, content_type: str, body: bytes) -> str:
        """Meta tells of leads, and is asked for them after it has been answered."""
        try:
            told = leadgens(decode(content_type, body))
        except Refusal as refusal:
            raise Unreadable(str(refusal)) from refusal
        if not told:
            return "ignored"  # it also tells of other things, and ends the subscription of who refuses them
        words = [
            (one.leadgen_id, json.dumps({"leadgen_id": one.leadgen_id, "created_at": one.created_at}).encode())
            for one in told
        ]
        kept = await self._deliveries.keep_words(source, words)
        self._wake()
        return "duplicate" if all(one.again for one in kept) else "accepted"
