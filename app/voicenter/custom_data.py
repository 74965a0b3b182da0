"""Our own variables, wherever the provider puts them when they come back.

Top level, `CustomData`, `CUSTOM_DATA` or `customdata`, as an object, as JSON text or flattened by a form, with and
without `var_`: the sources differ (facts 2.5), so all of these are looked at. So are two shapes no source has
shown: a list of names and values, and an object within the object.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import islice
from typing import Any, Final

from app.voicenter.body import lowered
from app.voicenter.cdr_body import MAX_RECORDS, open_records
from app.voicenter.cdr_values import our_id, text

# CustomData, CUSTOM_DATA, customdata; and the same flattened by a form: CustomData[var_lead].
_CUSTOM: Final = re.compile(r"custom_?data(?:[\[.](\w{1,64})\]?)?")


def custom_data(fields: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The objects in which custom data came, outer ones first, names in lower case. `fields` are by such names too."""
    places: list[dict[str, Any]] = []
    nested: list[dict[str, Any]] = []
    flattened: dict[str, Any] = {}
    for name, value in fields.items():
        match = _CUSTOM.fullmatch(name) if name.startswith("custom") else None
        if match and match[1]:
            flattened[match[1]] = value
        elif match and value:
            outer = _places(value)
            places.extend(outer)
            nested.extend(islice((place for each in outer for place in _nested(each)), MAX_RECORDS))
    return [*places, flattened, *nested] if flattened else [*places, *nested]


def _places(value: Any) -> list[dict[str, Any]]:
    """The objects in `value`, names in lower case; after them, as one more, what their names and values say."""
    objects = [lowered(each) for each in ([value] if isinstance(value, Mapping) else open_records(value))]
    pairs: dict[str, Any] = {}
    for each in objects:
        name = text(each.get("name")) or text(each.get("key"))
        if name is not None and "value" in each:
            pairs.setdefault(name.lower(), each["value"])
    return [*objects, pairs] if pairs else objects


def _nested(place: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The objects that an object of custom data holds; not what these hold."""
    return [each for value in place.values() if isinstance(value, Mapping | list) for each in _places(value)]


def our_variables(fields: Mapping[str, Any]) -> dict[str, str]:
    """`lead` and `attempt`; the spelling we sent, `var_`, before the bare one. `fields` are by lower-case name."""
    found: dict[str, str] = {}
    places = (*custom_data(fields), fields)
    for prefix in ("var_", ""):
        for place in places:
            for name in ("lead", "attempt"):
                if name not in found and (value := our_id(place.get(prefix + name))) is not None:
                    found[name] = value
    return found
