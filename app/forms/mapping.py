"""A decoded payload → our fields."""

from __future__ import annotations

from types import MappingProxyType

from app.directory_types import Source
from app.forms.mapped import Mapped


def map_payload(payload: object, source: Source, default_country: str) -> Mapped:
    """What was sent, in our words; `default_country` is whose numbers are written without a country code.

    Never raises, whatever was sent: a phone that is not there is not in `fields`. It depends on its arguments alone,
    so that a body that was kept can be read again with a better `map`.
    """
    values = payload if isinstance(payload, dict) else {}
    found = {
        ours: str(values[name])
        for ours, names in source.map.items()
        for name in names[:1]
        if isinstance(values.get(name), str)
    }
    extra = {str(name): str(value) for name, value in values.items() if isinstance(value, str)}
    told = {ours: f'override "{source.map[ours][0]}"' for ours in found}
    return Mapped(
        MappingProxyType(found), MappingProxyType(extra), MappingProxyType(told), False, None, None, is_test=False
    )
