"""[[agents]] of leadring.toml: the people who take the calls, and where they are rung."""

from __future__ import annotations

import re
from collections.abc import Collection

from app.directory_reading import Table
from app.directory_sites import KEY_MEANS, KEY_PATTERN, read_hours_name
from app.directory_types import Agent

AGENT_KEYS = (
    "id",
    "name",
    "extension",
    "login_code",
    "skills",
    "hours",
    "priority",
    "weight",
    "enabled",
)
SIP_TRUNK = "SIPTRUNK"  # the provider's own words, vendor page: an extension behind a SIP trunk,
LOGIN_CODE = "logincode"  # and one that follows whoever is logged in
_PHONE_LIKE = re.compile(r"\+?[\d ().-]*\d[\d ().-]*")


def read_agent(table: Table, hours: Collection[str]) -> Agent | None:
    """One agent; None when the id or the extension cannot be used."""
    agent_id = table.required("id", pattern=KEY_PATTERN, means=KEY_MEANS)
    extension = _extension(table)
    login_code = table.text("login_code", pattern=r"[A-Za-z0-9_-]{1,32}", means="letters and digits") or None
    if extension == LOGIN_CODE and not login_code:
        table.wrong("login_code", f'is missing: extension = "{LOGIN_CODE}" needs it')
    if login_code and extension not in (LOGIN_CODE, None):
        table.wrong("login_code", f'does nothing here: it belongs to extension = "{LOGIN_CODE}"')
    agent = Agent(
        id=agent_id or "",
        name=table.text("name", many=100) or agent_id or "",
        extension=extension or "",
        login_code=login_code,
        skills=frozenset(table.texts("skills")),
        hours=read_hours_name(table, hours),
        priority=table.whole("priority", 1, 1, 100),
        weight=table.whole("weight", 1, 1, 100),
        enabled=table.flag("enabled", True),
    )
    return agent if agent_id and extension else None


def place_of_call(agent: Agent) -> str | None:
    """What two agents may not share: the extension, or the login code; None for SIPTRUNK, which may repeat."""
    if agent.extension == SIP_TRUNK:
        return None
    return f"{LOGIN_CODE} {agent.login_code}" if agent.extension == LOGIN_CODE else agent.extension


def _extension(table: Table) -> str | None:
    """The extension with its letter case untouched (facts 1.2); a phone number becomes bare digits."""
    text = table.required("extension")
    if text is None:
        return None
    for keyword in (SIP_TRUNK, LOGIN_CODE):
        if text != keyword and text.lower() == keyword.lower():
            table.wrong("extension", f'must be written exactly "{keyword}"')
            return None
    if _PHONE_LIKE.fullmatch(text):
        digits = re.sub(r"\D", "", text)
        if not digits.isascii() or len(digits) > 15:
            table.wrong("extension", "must be a phone number of at most 15 digits, or an extension")
            return None
        return digits
    if not re.fullmatch(r"[A-Za-z0-9_.@-]+", text):
        table.wrong("extension", "must be letters and digits, as the provider's panel shows it")
        return None
    return text
