"""The vendor's two parameter tables: what a request may say, and the sentence that refuses the rest.

From the vendor page (Click To Call API), names compared without regard to case. Beyond the page:
`phonelogincode` is demanded with `phone=logincode`, `ignoredncstatus` is accepted beside the page's
`ignorednostatus` (facts 1.2 and 6), booleans in any letter case (facts 1.8). Only "Phone is missing" is a
sentence of the vendor; the others are ours.
"""

import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

MOST_VARIABLES = 10
_EXTENSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}")
_NUMBER = re.compile(r"0\d{8,9}|[1-9]\d{1,14}")
_CALLER_ID = re.compile(r"\d{3,15}")
_SECONDS = re.compile(r"\d{1,6}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z]{2,4})?")
_VARIABLE = re.compile(r"var_\S{1,64}", re.IGNORECASE)
_KNOWN = frozenset(
    [
        "code",
        "action",
        "format",
        "phone",
        "phonelogincode",
        "target",
        "record",
        "phonecallerid",
        "phonecallername",
        "targetcallerid",
        "targetcallername",
        "phonemaxdialtime",
        "targetmaxdialtime",
        "maxduration",
        "phoneautoanswer",
        "targetautoanswer",
        "checkphonedevicestate",
        "checktargetdevicestate",
        "language",
        "ignoredncstatus",
        "ignorednostatus",
    ]
)
_TRUE_FALSE = frozenset({"true", "false"})
_SWITCH = frozenset({"true", "false", "1", "0"})


class RefusedError(Exception):
    """A request that is answered with ERRORCODE 1; the message is its ERRORMESSAGE."""


@dataclass(frozen=True, kw_only=True)
class CallRequest:
    """A well-formed request. Times are seconds.

    `phone` is rung first, `target` second, whoever they belong to. `phone` is the login code where devices
    float, and then `floating` is true; so it is for `SIPTRUNK`, which names no device either.
    """

    action: Literal["call", "terminate"]
    phone: str
    floating: bool = False
    target: str = ""
    record: bool = False
    phone_caller_id: str = ""
    phone_caller_name: str = ""
    target_caller_id: str = ""
    target_caller_name: str = ""
    phone_max_dial_time: int = 60
    target_max_dial_time: int = 60
    max_duration: int = 7200
    phone_auto_answer: bool = False
    target_auto_answer: bool = False
    check_phone_device_state: bool = False
    check_target_device_state: bool = False
    language: str = ""
    variables: dict[str, str] = field(default_factory=dict)


def read_request(params: dict[str, str], code: str) -> CallRequest:
    """Check a request against the vendor's tables; raises RefusedError with the sentence to answer."""
    given = {name.lower(): value.strip() for name, value in params.items() if not _is_variable(name)}
    if not given.get("code"):
        raise RefusedError("Code is missing")
    if not hmac.compare_digest(given["code"].encode(), code.encode()):
        # What the vendor answers to a wrong code is not documented (facts 1.7).
        raise RefusedError("Authorization failed")
    if given.get("format", "").lower() not in {"", "json", "xml"}:
        raise RefusedError("Format must be XML or json")
    action = given.get("action", "").lower()
    if not action:
        raise RefusedError("Action is missing")
    phone, floating = _phone(given)
    if action == "terminate":
        return CallRequest(action="terminate", phone=phone, floating=floating)
    if action != "call":
        raise RefusedError("Action must be call or terminate")
    return CallRequest(
        action="call",
        phone=phone,
        floating=floating,
        target=_place(given, "target"),
        record=_flag(given, "record", _TRUE_FALSE),
        phone_caller_id=_matching(given, "phonecallerid", _CALLER_ID, "digits"),
        phone_caller_name=given.get("phonecallername", ""),
        target_caller_id=_matching(given, "targetcallerid", _CALLER_ID, "digits"),
        target_caller_name=given.get("targetcallername", ""),
        phone_max_dial_time=_seconds(given, "phonemaxdialtime", 60),
        target_max_dial_time=_seconds(given, "targetmaxdialtime", 60),
        max_duration=_seconds(given, "maxduration", 7200),
        phone_auto_answer=_flag(given, "phoneautoanswer", _SWITCH),
        target_auto_answer=_flag(given, "targetautoanswer", _SWITCH),
        check_phone_device_state=_flag(given, "checkphonedevicestate", _SWITCH),
        check_target_device_state=_flag(given, "checktargetdevicestate", _SWITCH),
        language=_matching(given, "language", _LANGUAGE, "a language such as he or en"),
        variables=_variables(params, given),
    )


def unknown_names(params: Iterable[str]) -> tuple[str, ...]:
    """Which of these are no parameters of the vendor's page; they are taken without a word."""
    return tuple(name for name in params if name.lower() not in _KNOWN and not _is_variable(name))


def _is_variable(name: str) -> bool:
    return name.lower().startswith("var_")


def _phone(given: dict[str, str]) -> tuple[str, bool]:
    phone = _place(given, "phone")
    if phone.lower() != "logincode":
        return phone, phone.upper() == "SIPTRUNK"
    if not given.get("phonelogincode"):
        raise RefusedError("Phonelogincode is missing")
    return given["phonelogincode"], True


def _place(given: dict[str, str], name: str) -> str:
    value = given.get(name, "")
    if not value:
        raise RefusedError(f"{name.capitalize()} is missing")
    if value.startswith("+"):
        raise RefusedError(f"{name.capitalize()} must be without the plus sign")
    pattern = _NUMBER if value.isdecimal() else _EXTENSION
    if not pattern.fullmatch(value):
        raise RefusedError(f"{name.capitalize()} must be a phone number or an extension")
    return value


def _flag(given: dict[str, str], name: str, accepted: frozenset[str]) -> bool:
    value = given.get(name, "").lower()
    if value and value not in accepted:
        raise RefusedError(f"{name.capitalize()} must be true or false")
    return value in {"true", "1"}


def _seconds(given: dict[str, str], name: str, default: int) -> int:
    value = given.get(name, "")
    if not value:
        return default
    if not _SECONDS.fullmatch(value) or int(value) == 0:
        raise RefusedError(f"{name.capitalize()} must be a number of seconds")
    return int(value)


def _matching(given: dict[str, str], name: str, pattern: re.Pattern[str], wanted: str) -> str:
    value = given.get(name, "")
    if value and not pattern.fullmatch(value):
        raise RefusedError(f"{name.capitalize()} must be {wanted}")
    return value


def _variables(params: dict[str, str], given: dict[str, str]) -> dict[str, str]:
    for name in ("ignoredncstatus", "ignorednostatus"):
        if given.get(name, "") not in {"", "1", "2", "3"}:
            raise RefusedError(f"{name.capitalize()} must be 1, 2 or 3")
    variables = {name: value for name, value in params.items() if _is_variable(name)}
    if len(variables) > MOST_VARIABLES:
        raise RefusedError(f"At most {MOST_VARIABLES} var_ parameters are accepted")
    for name in variables:
        if not _VARIABLE.fullmatch(name):
            raise RefusedError("A var_ parameter has no name")
    return variables
