"""Meta's Lead Ads: the webhook names leads by their id, and the answers are asked for afterwards.

Known from Meta's pages at second hand; try it with a test lead before relying on it (docs/builders.md).
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

FIELDS: Final = "id,created_time,field_data,form_id,ad_id,ad_name,campaign_id,campaign_name,is_organic,platform"
_ID: Final = re.compile(r"[0-9]{1,32}")
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9._-]{1,256}")


@dataclass(frozen=True, slots=True)
class Leadgen:
    """One lead that Meta told of. `created_at` in milliseconds since the epoch; None where it is not said."""

    leadgen_id: str
    page_id: str | None
    form_id: str | None
    created_at: int | None


def leadgens(payload: object) -> tuple[Leadgen, ...]:
    """The leads that a webhook names, each once, all of them; none for a body that is something else."""
    found: dict[str, Leadgen] = {}
    for entry in _list(payload, "entry"):
        for change in _list(entry, "changes"):
            value = change.get("value") if isinstance(change, dict) and change.get("field") == "leadgen" else None
            if isinstance(value, dict) and (one := _id(value.get("leadgen_id"))):
                created = value.get("created_time")
                found.setdefault(
                    one,
                    Leadgen(
                        one,
                        _id(value.get("page_id")),
                        _id(value.get("form_id")),
                        created * 1000 if type(created) is int and 0 < created < 10**11 else None,
                    ),
                )
    return tuple(found.values())


def handshake(query: Mapping[str, str], verify_tokens: Sequence[str]) -> str | None:
    """What to answer, as plain text, to the GET by which Meta tries an address; None when it is to be refused."""
    told = query.get("hub.verify_token", "").encode("utf-8", "replace")
    fits = [hmac.compare_digest(token.encode(), told) for token in verify_tokens if token]
    challenge = query.get("hub.challenge", "")
    if query.get("hub.mode") != "subscribe" or not any(fits) or not _CHALLENGE.fullmatch(challenge):
        return None
    return challenge


def lead_payload(answer: object) -> dict[str, object] | None:
    """What Meta answered when asked for a lead, as a payload for `map_payload`; None when it holds no answers."""
    if not isinstance(answer, dict) or not isinstance(answer.get("field_data"), list):
        return None
    return {str(name): value for name, value in answer.items()}


def _list(value: object, key: str) -> list[object]:
    inner = value.get(key) if isinstance(value, dict) else None
    return inner if isinstance(inner, list) else []


def _id(value: object) -> str | None:
    """An id as text. Meta writes them as text or as whole numbers, by version."""
    text = str(value) if isinstance(value, str) or type(value) is int else ""
    return text if _ID.fullmatch(text) else None
