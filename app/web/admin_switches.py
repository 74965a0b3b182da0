"""/v1/admin/switches: stop taking leads, and stop placing calls, each by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from fastapi import Request
from fastapi.responses import JSONResponse, Response

from app.clock import to_iso
from app.domain.switches import SWITCHES, WHY_LENGTH, Switch, SwitchName
from app.domain.text import clean
from app.errors import FieldError, Invalid, StorageUnavailable, Unavailable
from app.web.admin import admin_router
from app.web.bodies import read_fields
from app.web.desk import desk
from app.web.leads import problems
from app.web.ops import NO_STORE

router = admin_router()

_SWITCH: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["on", "since", "who", "why"],
    "properties": {
        "on": {"type": "boolean"},
        "since": {"type": ["string", "null"], "format": "date-time"},
        "who": {"type": ["string", "null"]},
        "why": {"type": ["string", "null"]},
    },
}
_BOTH: Final[dict[str, Any]] = {
    "type": "object",
    "required": list(SWITCHES),
    "properties": dict.fromkeys(SWITCHES, _SWITCH),
}
_STANDING: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "Both switches", "content": {"application/json": {"schema": _BOTH}}}
}


@router.get("/switches", operation_id="admin_see_switches", responses={**_STANDING, **problems(401, 404, 503)})
async def see_switches(request: Request) -> Response:
    """Whether leads are taken and calls placed, since when, by whom and why."""
    try:
        return _both(await desk(request).switches.look())
    except StorageUnavailable as error:
        raise Unavailable("The switches could not be read just now; please try again.") from error


@router.post(
    "/switches",
    operation_id="admin_turn_switches",
    responses={**_STANDING, **problems(400, 401, 404, 408, 413, 415, 422, 503)},
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "properties": {
                            **{name: {"type": "boolean"} for name in SWITCHES},
                            "why": {"type": "string", "maxLength": WHY_LENGTH, "examples": ["Voicenter is down"]},
                        },
                        "additionalProperties": False,
                    }
                }
            },
        }
    },
)
async def turn_switches(request: Request) -> Response:
    """Turn one or both; what is not named stays as it is. Every replica has seen it within two seconds."""
    wanted, why = _read(await read_fields(request))
    try:
        return _both(await desk(request).switches.turn(wanted, "admin", why))
    except StorageUnavailable as error:
        raise Unavailable("The switches could not be turned just now; please try again.") from error


def _read(fields: Mapping[str, object]) -> tuple[Mapping[SwitchName, bool], str | None]:
    """Which to turn, and why. Invalid."""
    wanted: dict[SwitchName, bool] = {}
    errors: list[FieldError] = []
    for name in SWITCHES:
        value = fields.get(name)
        if isinstance(value, bool):
            wanted[name] = value
        elif name in fields:
            errors.append(FieldError(name, "not_boolean", "This must be true or false."))
    why = fields.get("why")
    if not isinstance(why, str | None):
        errors.append(FieldError("why", "not_text", "This must be text."))
    if not set(fields) <= {*SWITCHES, "why"}:
        # What was sent is never repeated, a name neither.
        errors.append(FieldError("body", "unknown_field", "Only taking, dialling and why are understood."))
    if not wanted and not errors:
        errors.append(FieldError("body", "missing", "Say what taking or dialling, or both, should be."))
    if errors:
        raise Invalid(errors)
    return wanted, clean(why, WHY_LENGTH) or None if isinstance(why, str) else None


def _both(switches: Mapping[SwitchName, Switch]) -> Response:
    body = {name: {**asdict(switch), "since": to_iso(switch.since)} for name, switch in switches.items()}
    return JSONResponse(body, headers=NO_STORE)
