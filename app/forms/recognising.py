"""Which builder made a payload: what gives each of them away, and how much it gives away."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from app.forms.answers import node_at

ENOUGH: Final = 3  # points, to be taken for one
Shown = Callable[[Mapping[str, object], str], bool]
_NUMBERED: Final = re.compile(r"\d{1,4}(?:\.\d{1,2})?")
_CF7: Final = re.compile(
    r"your-\w+|_wpcf7\w*|(?:tel|text|email|textarea|menu|checkbox|acceptance|url|number|date)-\d{1,4}"
)
_ZOHO: Final = re.compile(
    r"(?:SingleLine|MultiLine|PhoneNumber|Dropdown|Radio|Checkbox|Website|Address)\d{0,3}(?:_\w+)?|Name_(?:First|Last)"
)
_WIX: Final = re.compile(r"field:.+")


def _has(*paths: str) -> Shown:
    return lambda payload, _: all(node_at(payload, path) not in (None, "") for path in paths)


def _is(path: str, value: str) -> Shown:
    return lambda payload, _: node_at(payload, path) == value


def _keys(pattern: re.Pattern[str], under: str = "", least: int = 1) -> Shown:
    def shown(payload: Mapping[str, object], _: str) -> bool:
        table = node_at(payload, under) if under else payload
        return isinstance(table, dict) and sum(bool(pattern.fullmatch(str(key))) for key in table) >= least

    return shown


def _header(*words: str) -> Shown:
    return lambda _, headers: any(word in headers for word in words)


TELLS: Final[Mapping[str, tuple[tuple[int, Shown], ...]]] = MappingProxyType(
    {
        "elementor": (
            (2, _has("form_id", "form_name")),
            (2, _has("Page URL")),
            (1, _has("Remote IP")),
            (1, _has("User Agent")),
            (2, _has("Powered by")),
            (2, _has("form.id", "form.name", "fields")),
            (2, _has("meta.page_url")),
            (1, _has("meta.remote_ip")),
            (3, _keys(re.compile(r"No Label .+"))),
        ),
        "cf7": ((3, _keys(_CF7)), (1, _keys(_CF7, least=2))),
        "wpforms": ((4, _header("x-wpforms-webhook-")),),
        "gravity": (
            (2, _has("form_id", "date_created")),
            (2, _has("source_url", "id")),
            (2, _keys(_NUMBERED)),
            (1, _has("user_agent")),
        ),
        "webflow": (
            (3, _is("triggerType", "form_submission")),
            (2, _has("payload.data", "payload.submittedAt")),
            (3, _has("data", "site", "d", "_id")),
            (4, _header("x-webflow-")),
        ),
        "wix": (
            (4, _keys(_WIX, "data")),
            (4, _keys(_WIX)),
            (2, _has("data.submissionId")),
            (1, _has("data.formName")),
            (1, _has("data.contact")),
        ),
        "typeform": ((4, _has("form_response.answers")), (1, _has("event_id")), (4, _header("typeform-signature"))),
        "jotform": ((3, _has("rawRequest")), (2, _has("submissionID", "formID"))),
        "hubspot": ((2, _has("vid", "properties")), (2, _has("portal-id")), (3, _header("x-hubspot-signature"))),
        "google_ads": ((4, _has("user_column_data")), (2, _has("google_key")), (1, _has("lead_id", "campaign_id"))),
        "meta": ((4, _has("field_data")), (2, _is("object", "page")), (3, _has("entry.0.changes.0.value.leadgen_id"))),
        "tally": (
            (3, _is("eventType", "FORM_RESPONSE")),
            (2, _has("data.fields", "data.formId")),
            (4, _header("tally-signature")),
        ),
        "zoho": ((3, _keys(_ZOHO)), (1, _keys(_ZOHO, least=2))),
        "zapier": ((3, _header("zapier")),),
        "make": ((3, _header("make/production", "make.com", "integromat")),),
    }
)


def scores(payload: object, headers: Mapping[str, str] | None = None) -> dict[str, int]:
    """Points of every builder that has any, the likeliest first. `headers`: of the request, where it was captured."""
    top = payload[0] if isinstance(payload, list) and len(payload) == 1 else payload
    table = top if isinstance(top, dict) else {}
    told = " ".join((*(headers or {}), (headers or {}).get("user-agent", ""))).lower()
    found = {
        preset: points
        for preset, tells in TELLS.items()
        if (points := sum(worth for worth, shown in tells if shown(table, told)))
    }
    return dict(sorted(found.items(), key=lambda entry: -entry[1]))


def recognise(payload: object, headers: Mapping[str, str] | None = None) -> str:
    """The builder that made it; `generic` when none is likely enough."""
    preset, points = next(iter(scores(payload, headers).items()), ("generic", 0))
    return preset if points >= ENOUGH else "generic"
