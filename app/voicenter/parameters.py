"""A call, in the provider's words: what goes out on the wire, every value a string.

Names and limits: the vendor's page, table "Call Action Request Parameters"; doubtful spellings: facts 1.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal

from app.domain.phone import E164, for_provider
from app.ports import CallRequest

Format = Literal["json", "xml"]

MAX_VARIABLES: Final = 10  # vendor page, row var_*: "The limit is 10 parameters"
PREFIX: Final = "var_"
# The page says "true or 1" and "true / false"; lower-case text is what live integrations send (facts 1.8).
SWITCHES: Final = frozenset(
    {"record", "phoneautoanswer", "targetautoanswer", "checkphonedevicestate", "checktargetdevicestate"}
)


def call_parameters(call: CallRequest, code: str, format: Format) -> dict[str, str]:  # noqa: A002 - the provider's word
    """The parameters of one `action=call`, in sending order, with at most ten `var_*`.

    ValueError when a phone cannot be written the provider's way. What `options` say never replaces what the
    call itself says; of variables beyond the tenth the later ones, in the order given, stay behind.
    """
    ours: dict[str, str] = {"code": code, "action": "call"}
    if call.login_code is not None:
        ours["phone"] = "logincode"  # vendor page: phone=logincode phonelogincode=[login code]
        ours["phonelogincode"] = call.login_code
    else:
        ours["phone"] = _first_destination(call.extension)
    ours["target"] = for_provider(call.lead_phone)
    ours["format"] = format
    options = {name.strip().lower(): value for name, value in call.options.items()}
    # Without it an offline agent is rung into the void instead of refused with code 3 (facts 1.2).
    ours["checkphonedevicestate"] = options.pop("checkphonedevicestate", "true").lower()
    for name, seconds in (
        ("phonemaxdialtime", call.ring_agent),
        ("targetmaxdialtime", call.ring_lead),
        ("maxduration", call.max_duration),
    ):
        if seconds is not None:
            ours[name] = str(seconds)
    ours["record"] = "true" if call.record else "false"
    for name, value in options.items():
        if name and not name.startswith(PREFIX):
            ours.setdefault(name, value)
    ours.update(_variables(call))
    return {_carried(name): _value(name, value) for name, value in ours.items()}


def _first_destination(extension: str) -> str:
    """An extension as it was configured, letter for letter; a phone number without its plus sign."""
    return for_provider(extension) if E164.fullmatch(extension) else extension


def _variables(call: CallRequest) -> dict[str, str]:
    """`var_lead` and `var_attempt` first: by them a CDR finds its attempt; then the site's own."""
    variables = {f"{PREFIX}lead": call.lead_id, f"{PREFIX}attempt": call.attempt_id}
    taken = set(variables)
    for name, value in _named_variables(call):
        if len(variables) == MAX_VARIABLES:
            break
        if name.lower() not in taken:
            taken.add(name.lower())
            variables[name] = value
    return variables


def _named_variables(call: CallRequest) -> Iterator[tuple[str, str]]:
    for name, value in call.variables.items():
        yield (name if name.lower().startswith(PREFIX) else PREFIX + name), value
    for name, value in call.options.items():
        if name.lower().startswith(PREFIX):
            yield name, value


def _value(name: str, value: str) -> str:
    return _carried(value.strip().lower() if name in SWITCHES else value)


def _carried(text: str) -> str:
    """Text that every encoding of a request can carry: a lone surrogate would break a GET's query."""
    return text.encode("utf-8", "replace").decode("utf-8")
