"""Leads who phone in themselves: who has talked with us is not called any more."""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from app.domain.phone import PhoneRefused, read_phone
from app.ports import CallRecord, Store
from app.service.hub import Hub
from app.service.rules import Rules
from app.service.tokens import Tokens

log = structlog.get_logger("leadring.phoned_in")


class PhonedIn:
    """Ends waiting leads by the records of calls that came from their numbers. Repeats change nothing."""

    def __init__(self, store: Store, rules: Rules, hub: Hub, tokens: Tokens) -> None:
        self._store = store
        self._rules = rules
        self._hub = hub
        self._tokens = tokens

    async def heard(self, body: str, records: Sequence[CallRecord]) -> None:
        """Look through the records of a CDR that is kept as `body`, once they have been applied."""
        if not self._rules.policy.cancel_when_phoned_in:
            return
        for record in records:
            talk = talked(record)
            number = caller(record, self._rules.policy.default_country) if talk else None
            if number is None:
                continue
            agent = self._agent(record.extension)
            lead_id = await self._store.phoned_in(body, record, self._tokens.phone_key(number), agent, talk)
            if lead_id is not None:
                log.info("lead.phoned_in", lead_id=lead_id, agent_id=agent, talk_seconds=talk)
                self._hub.changed([lead_id])

    def _agent(self, extension: str | None) -> str | None:
        agents = self._rules.directory.people
        return next((agent.id for agent in agents if extension is not None and agent.extension == extension), None)


def talked(record: CallRecord) -> int:
    """For how many seconds somebody who phoned in talked with us; 0 wherever that is not certain."""
    if not record.incoming or record.status != "ANSWER" or record.agent_reached is False:
        return 0
    return record.talk_seconds or 0


def caller(record: CallRecord, default_country: str) -> str | None:
    """Whose call it was, as E.164; the provider writes numbers from abroad without their plus."""
    for spelling in (record.phone or "", f"+{record.phone}"):
        try:
            return read_phone(spelling, default_country).e164
        except PhoneRefused:
            continue
    return None
