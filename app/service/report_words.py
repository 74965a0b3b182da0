"""What the provider reported of a leg, as the history keeps it, made ready to be read aloud."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from app.directory import Agent

_BEGAN: Final = re.compile(r"\bbegan (\S+Z)")
_PRICE: Final = re.compile(r"\bprice (\d[\d.]*)(?=,|$)")


def read_report(why: str, agent: Agent | None, zone: ZoneInfo) -> str:
    """A kept report for reading: its moment on our one clock, its price with the unit (facts 2.2)."""

    def here(match: re.Match[str]) -> str:
        try:
            moment = datetime.fromisoformat(match[1])
        except ValueError:
            return match[0]
        return f"began {moment.astimezone(zone):%H:%M:%S}"

    why = _PRICE.sub(r"price \1 agorot", _BEGAN.sub(here, why, count=1))
    return why.replace("(agent)", "(IVR)", 1) if agent is not None and agent.line_of is not None else why
