"""What is asked of the provider for one claim: the agent's extension, the lead's number, and the rules in force."""

from __future__ import annotations

from app.directory import Directory, options_for, record_for
from app.domain.deadline import ring_time
from app.domain.lead import Claim, Lead
from app.ports import CallRequest


def call_request(claim: Claim, directory: Directory, now: int) -> CallRequest | None:
    """The request at that moment (ms); None when the agent is no longer in the directory."""
    agent = directory.agents.get(claim.attempt.agent_id)
    if agent is None:
        return None
    site = directory.sites.get(claim.lead.site)
    policy = directory.policy
    return CallRequest(
        lead_id=claim.lead.id,
        attempt_id=claim.attempt.id,
        extension=agent.extension,
        lead_phone=claim.lead.phone,
        login_code=agent.login_code,
        ring_agent=ring_time(policy.ring_agent, claim.lead.deadline_at, now),
        ring_lead=policy.ring_lead,
        max_duration=policy.max_duration,
        record=record_for(policy, site),
        options=options_for(policy, site),
        variables=_fill(dict(site.variables) if site else {}, claim.lead),
        first=claim.attempt.first_leg,
        language=claim.lead.asked_language or None,
    )


def _fill(variables: dict[str, str], lead: Lead) -> dict[str, str]:
    """The site's variables, with the lead's fields that the operator named in braces."""
    known = {"name": lead.name, "message": lead.message, "language": lead.language, "site": lead.site}
    filled: dict[str, str] = {}
    for key, text in variables.items():
        for field, value in known.items():
            text = text.replace("{" + field + "}", value)
        filled[key] = text[:200]
    return filled
