"""A call, in the provider's words: what goes out on the wire, every value a string.

Names and limits: the vendor's page, tables "Call Action Request Parameters" and "Terminate Action"; doubtful
spellings: facts 1.2. Which leg is rung first only changes which names a person's options have.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal

from app.ports import CallRequest
from app.voicenter.destinations import LOGIN_CODE, agent_destination, is_keyword, is_number, lead_destination
from app.voicenter.parameter_values import (
    OPTIONS,
    SWITCHES,
    ParameterError,
    flat,
    option_value,
    seconds,
    two_letters,
)

Format = Literal["json", "xml"]

FORMATS: Final[dict[Format, str]] = {"json": "json", "xml": "XML"}  # vendor page, row format
MAX_VARIABLES: Final = 10  # vendor page, row var_*: "The limit is 10 parameters"
PREFIX: Final = "var_"
# What only the call itself may say.
OWN: Final = frozenset({"code", "action", "phone", "phonelogincode", "target", "format", "record"})
DEVICE_STATE: Final = "checkphonedevicestate"
# Option of one leg → the same option of the other.
_OTHER_LEG: Final = {
    name: name.replace("phone", "target") if "phone" in name else name.replace("target", "phone") for name in OPTIONS
}
_OTHER_RESTRICTED: Final = {"1": "2", "2": "1", "3": "3"}  # `ignoredncstatus`: of phone, of target, of both


def call_parameters(call: CallRequest, code: str, format: Format) -> dict[str, str]:  # noqa: A002 - the provider's word
    """The parameters of one `action=call`, in sending order, with at most ten `var_*`.

    ParameterError, a ValueError, when a value is not one of those the vendor's page has. What `options` say
    never replaces what the call itself says; of variables beyond the tenth the later ones, in the order given,
    stay behind. An option that is off or empty is left out, as being there might read as on (facts 1.2).
    """
    ours = {"code": _known(code), "action": "call", **_destinations(call), "format": FORMATS[format]}
    options = _options(call)
    if call.first == "lead":
        options = _lead_first(call, options)
    ours.update(options)
    ours["record"] = "true" if call.record else "false"
    ours.update(_variables(call))
    return {_carried(name): _carried(value) for name, value in ours.items()}


def hang_up_parameters(extension: str, code: str, format: Format) -> dict[str, str]:  # noqa: A002 - the provider's word
    """The parameters of `action=terminate`, for "Voicenter extension To hang up" (vendor page); ParameterError."""
    if is_keyword(extension) or extension.startswith("+"):  # bare digits may be an extension's name
        raise ParameterError("only an extension can be hung up, not a telephone number, SIPTRUNK or logincode")
    return {
        "code": _carried(_known(code)),
        "action": "terminate",
        "phone": agent_destination(extension),
        "format": FORMATS[format],
    }


def _known(code: str) -> str:
    if not code:
        raise ParameterError("the account code is missing")
    return code


def _destinations(call: CallRequest) -> dict[str, str]:
    lead = lead_destination(call.lead_phone)
    if call.first == "lead":
        if call.login_code is not None or is_keyword(call.extension):
            raise ParameterError("a login code or SIPTRUNK cannot be rung second")
        return {"phone": lead, "target": agent_destination(call.extension)}
    if call.login_code is not None:
        # vendor page: phone=logincode phonelogincode=[login code]
        if not re.fullmatch(r"[\w.@-]{1,64}", call.login_code, re.ASCII):
            raise ParameterError("phonelogincode must be letters and digits")
        return {"phone": LOGIN_CODE, "phonelogincode": call.login_code, "target": lead}
    if call.extension.lower() == LOGIN_CODE:
        raise ParameterError("phonelogincode is missing")
    return {"phone": agent_destination(call.extension), "target": lead}


def _options(call: CallRequest) -> dict[str, str]:
    """Options by the names they have when the agent is rung first."""
    # Without it an offline agent is rung into the void instead of refused with code 3 (facts 1.2).
    options = {DEVICE_STATE: "true"}
    for name, value in call.options.items():
        name = name.strip().lower()
        if name in OWN or name.startswith(PREFIX):
            continue
        text = option_value(name, value)
        if text == "false" and name in SWITCHES and name != DEVICE_STATE:
            options.pop(name, None)
        elif text:
            options[name] = text
    for name, whole in (
        ("phonemaxdialtime", call.ring_agent),
        ("targetmaxdialtime", call.ring_lead),
        ("maxduration", call.max_duration),
    ):
        if whole is not None:
            options[name] = seconds(name, whole)
    if call.language is not None and (language := two_letters(call.language)):
        options.setdefault("language", language)
    return options


def _lead_first(call: CallRequest, options: dict[str, str]) -> dict[str, str]:
    """The same options under the names of the other leg; device states are known of extensions only."""
    swapped = {_OTHER_LEG[name]: value for name, value in options.items()}
    swapped.pop(DEVICE_STATE, None)  # that would be the lead's own telephone
    agents = _OTHER_LEG[DEVICE_STATE]
    if is_number(call.extension) or swapped.get(agents) == "false":
        swapped.pop(agents, None)
    if "ignoredncstatus" in swapped:
        swapped["ignoredncstatus"] = _OTHER_RESTRICTED[swapped["ignoredncstatus"]]
    return swapped


def _variables(call: CallRequest) -> dict[str, str]:
    """`var_lead` and `var_attempt` first: by them a CDR finds its attempt; then the site's own."""
    variables = {f"{PREFIX}lead": flat("lead", call.lead_id), f"{PREFIX}attempt": flat("attempt", call.attempt_id)}
    taken = set(variables)
    for name, value in _named_variables(call):
        if len(variables) == MAX_VARIABLES:
            break
        if not re.fullmatch(r"\w{1,64}", name, re.ASCII) or len(name) == len(PREFIX):
            raise ParameterError("the name of a variable must be letters, digits and underscores")
        if name.lower() not in taken:
            taken.add(name.lower())
            variables[name] = flat(name, value)
    return variables


def _named_variables(call: CallRequest) -> Iterator[tuple[str, str]]:
    for name, value in call.variables.items():
        yield (name if name.lower().startswith(PREFIX) else PREFIX + name), value
    for name, value in call.options.items():
        if name.lower().startswith(PREFIX):
            yield name, value


def _carried(text: str) -> str:
    """Text that every encoding of a request can carry: a lone surrogate would break a GET's query."""
    return text.encode("utf-8", "replace").decode("utf-8")
