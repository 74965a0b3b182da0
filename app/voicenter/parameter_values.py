"""What the vendor's page lets each option of a call be, held before anything is sent.

Vendor page, table "Call Action Request Parameters"; spellings of switches: facts 1.8; `ignoredncstatus`: facts 6.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

# Codes that ISO 639 replaced long ago and browsers and libraries still send.
_RENAMED: Final = {"iw": "he", "ji": "yi", "in": "id"}
MAX_NAME: Final = 64  # characters of a caller's name; the page has no limit


class ParameterError(ValueError):
    """The provider has no words for this call. The message says which parameter and never its value."""


def option_value(name: str, value: object) -> str:
    """The value of option `name` as it is sent, "" when it says nothing. ParameterError when it is not on the page."""
    read = OPTIONS.get(name)
    if read is None:
        raise ParameterError(f"{name[:40]!r} is no parameter of the vendor's page")
    if not isinstance(value, str):
        raise ParameterError(f"{name} must be text")
    text = value.strip()
    return read(name, text) if text else ""


def seconds(name: str, value: object) -> str:
    """Whole seconds above 0, from a number or its digits."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{1,6}", value) or int(value) == 0:
        raise ParameterError(f"{name} must be whole seconds above 0")
    return str(int(value))


def two_letters(language: str) -> str | None:
    """The language alone, in two small letters: "he-IL" and "iw" are he. None when it is no such thing."""
    match = re.fullmatch(r"([A-Za-z]{2})(?:[-_,;\s].*)?", language.strip()[:100], re.DOTALL)
    code = match[1].lower() if match else None
    return _RENAMED.get(code, code) if code else None


def flat(name: str, value: object) -> str:
    """A variable's value: the page knows flat text only."""
    if not isinstance(value, str):
        raise ParameterError(f"{name[:40]} must be text")
    return value


def _switch(name: str, value: str) -> str:
    """Page: "true or 1". Lower-case text is what live integrations send (facts 1.8)."""
    word = value.lower()
    if word not in ("true", "1", "false", "0"):
        raise ParameterError(f"{name} must be true or false")
    return "true" if word in ("true", "1") else "false"


def _caller_id(name: str, value: str) -> str:
    if not re.fullmatch(r"\+?[0-9]{1,24}", value):
        raise ParameterError(f"{name} must be a telephone number in digits")
    return value.removeprefix("+")


def _caller_name(name: str, value: str) -> str:
    if len(value) > MAX_NAME or any(ord(letter) < 32 or ord(letter) == 127 for letter in value):
        raise ParameterError(f"{name} must be one line of at most {MAX_NAME} characters")
    return value


def _language(name: str, value: str) -> str:
    found = two_letters(value)
    if found is None:
        raise ParameterError(f"{name} must be two letters, such as he")
    return found


def _do_not_call(name: str, value: str) -> str:
    if value not in ("1", "2", "3"):
        raise ParameterError(f"{name} must be 1, 2 or 3")
    return value


OPTIONS: Final[dict[str, Callable[[str, str], str]]] = {
    "phonecallerid": _caller_id,
    "phonecallername": _caller_name,
    "targetcallerid": _caller_id,
    "targetcallername": _caller_name,
    "phonemaxdialtime": seconds,
    "targetmaxdialtime": seconds,
    "maxduration": seconds,
    "phoneautoanswer": _switch,
    "targetautoanswer": _switch,
    "checkphonedevicestate": _switch,
    "checktargetdevicestate": _switch,
    "language": _language,
    "ignoredncstatus": _do_not_call,
}
SWITCHES: Final = frozenset(name for name, read in OPTIONS.items() if read is _switch)
