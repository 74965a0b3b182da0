"""Our own variables, wherever the provider puts them when they come back.

Top level, `CustomData`, `CUSTOM_DATA` or `customdata`, as an object, as JSON text or flattened by a form, with and
without `var_`: the sources differ (facts 2.5), so all of these are looked at.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from app.voicenter.body import lowered
from app.voicenter.cdr_body import open_records
from app.voicenter.cdr_values import text

# CustomData, CUSTOM_DATA, customdata; and the same flattened by a form: CustomData[var_lead].
_CUSTOM: Final = re.compile(r"custom_?data(?:[\[.](\w{1,64})\]?)?")


def custom_data(fields: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The objects in which custom data came, names in lower case. `fields` are by lower-case name."""
    places: list[dict[str, Any]] = []
    flattened: dict[str, Any] = {}
    for name, value in fields.items():
        match = _CUSTOM.fullmatch(name) if name.startswith("custom") else None
        if match and match[1]:
            flattened[match[1]] = value
        elif match and value:
            inner = [value] if isinstance(value, Mapping) else open_records(value)
            places.extend(lowered(each) for each in inner)
    return [*places, flattened] if flattened else places


def our_variables(fields: Mapping[str, Any]) -> dict[str, Any]:
    """`lead` and `attempt`; the spelling we sent, `var_`, before the bare one. `fields` are by lower-case name."""
    found: dict[str, Any] = {}
    places = (*custom_data(fields), fields)
    for prefix in ("var_", ""):
        for place in places:
            for name in ("lead", "attempt"):
                if name not in found and text(place.get(prefix + name)) is not None:
                    found[name] = place[prefix + name]
    return found
