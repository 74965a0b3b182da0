"""Whom the provider is to ring, in its words: a number, an extension, or one of its two keywords.

Vendor page, rows `phone` and `target`: E.164 without the plus sign, Israeli numbers also as 0…, or an extension;
`SIPTRUNK` and `logincode` are known for `phone` only.
"""

from __future__ import annotations

import re
from typing import Final

from app.domain.phone import E164, for_provider
from app.voicenter.parameter_values import ParameterError

SIP_TRUNK: Final = "SIPTRUNK"
LOGIN_CODE: Final = "logincode"

_NUMBER: Final = re.compile(r"\+?[0-9]{7,15}")  # fewer digits are an extension's
_EXTENSION: Final = re.compile(r"[A-Za-z0-9_.@-]{1,64}")


def lead_destination(phone: str) -> str:
    """The lead's number; ParameterError when it is not E.164."""
    try:
        return for_provider(phone)
    except ValueError:
        raise ParameterError("the lead's phone is not an E.164 number") from None


def agent_destination(extension: str) -> str:
    """An extension as it was configured, letter for letter (facts 1.2); a phone number without its plus sign."""
    if E164.fullmatch(extension):
        return for_provider(extension)
    if not _EXTENSION.fullmatch(extension):
        raise ParameterError("the extension is neither a SIP code nor a number")
    return extension


def is_number(extension: str) -> bool:
    """Whether this is an ordinary telephone number, which no device state is known of."""
    return _NUMBER.fullmatch(extension) is not None


def is_keyword(extension: str) -> bool:
    """Whether the provider picks the extension by itself."""
    return extension.lower() in (SIP_TRUNK.lower(), LOGIN_CODE.lower())
