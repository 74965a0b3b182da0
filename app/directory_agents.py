"""[[agents]] of leadring.toml: the people who take the calls, and where they are rung."""

from __future__ import annotations

from collections.abc import Collection

from app.directory_extensions import LOGIN_CODE, read_extension
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


def read_agent(table: Table, hours: Collection[str]) -> Agent | None:
    """One agent; None when the id or the extension cannot be used."""
    agent_id = table.required("id", pattern=KEY_PATTERN, means=KEY_MEANS)
    extension = read_extension(table, "extension")
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
