"""Where somebody is rung: an extension, a telephone number, or one of the provider's two words for "it depends"."""

from __future__ import annotations

import re
from typing import Literal

from app.directory_reading import Table
from app.directory_types import Agent

SIP_TRUNK = "SIPTRUNK"  # the provider's own words, vendor page: an extension behind a SIP trunk,
LOGIN_CODE = "logincode"  # and one that follows whoever is logged in
_PHONE_LIKE = re.compile(r"\+?[\d ().-]*\d[\d ().-]*")


def read_extension(table: Table, key: Literal["extension", "ivr"]) -> str | None:
    """The extension with its letter case untouched (facts 1.2); a phone number becomes bare digits.

    None, and a mistake, when it cannot be used. Only an agent's may be one of the provider's words.
    """
    text = table.required(key)
    if text is None:
        return None
    for word in (SIP_TRUNK, LOGIN_CODE):
        if text.lower() == word.lower() and key == "ivr":
            table.wrong(key, f'cannot be "{word}": an IVR has a number or an extension of its own')
            return None
        if text != word and text.lower() == word.lower():
            table.wrong(key, f'must be written exactly "{word}"')
            return None
    if _PHONE_LIKE.fullmatch(text):
        digits = re.sub(r"\D", "", text)
        if not digits.isascii() or len(digits) > 15:
            table.wrong(key, "must be a phone number of at most 15 digits, or an extension")
            return None
        return digits
    if not re.fullmatch(r"[A-Za-z0-9_.@-]+", text):
        table.wrong(key, "must be letters and digits, as the provider's panel shows it")
        return None
    return text


def place_of_call(agent: Agent) -> str | None:
    """What two people may not share: the extension, or the login code; None for SIPTRUNK, which may repeat."""
    if agent.extension == SIP_TRUNK:
        return None
    return f"{LOGIN_CODE} {agent.login_code}" if agent.extension == LOGIN_CODE else agent.extension


def can_ring_second(agent: Agent) -> bool:
    """Whether it can be rung after the lead: the provider knows its two words for `phone` only (vendor page)."""
    return agent.extension not in (SIP_TRUNK, LOGIN_CODE)
