"""What a form builder can prove: that the body is the one it sent, by a secret that it shares with us.

| preset | signature | over | written | time |
|---|---|---|---|---|
| wpforms | X-WPForms-Webhook-Signature: t=…,v=… | `t.body` | hex | t, seconds |
| webflow | X-Webflow-Signature | `timestamp:body` | hex | X-Webflow-Timestamp, ms |
| typeform | Typeform-Signature: sha256=… | body | base64 | none |
| hubspot | X-HubSpot-Signature-v3 | method, address, body, timestamp | base64 | X-HubSpot-Request-Timestamp, ms |
| meta | X-Hub-Signature-256: sha256=… | body | hex | none |
| tally | Tally-Signature | body | base64 | none |
| google_ads | none: `google_key` within the body is the secret itself | – | – | none |

WPForms signs what PHP would write as JSON, also when it sends a form: only its JSON can be verified. Webflow signs
the webhooks that were made by its API, not those made in its dashboard.
"""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, Literal

from app.errors import Refusal
from app.forms.payload import decode

TOLERANCE: Final = 300  # seconds, before and after: both clocks are wrong sometimes
_LONGEST: Final = 512  # characters of a signature's header


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request as it came: the whole public address, header names in lower case, the body's very bytes."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Scheme:
    """How one builder signs with HMAC-SHA256. `over` are the signed parts, in their order, with nothing between.

    `begins` stands before the signature in its header. With `pairs`, the header holds `t=…,v=…` instead.
    """

    header: str
    over: tuple[str, ...]
    written: Literal["hex", "base64"]
    begins: str = ""
    pairs: bool = False
    time_header: str = ""
    time_unit: int = 1000  # milliseconds in one unit of the time stamp


SCHEMES: Final[Mapping[str, Scheme]] = MappingProxyType(
    {
        "wpforms": Scheme("x-wpforms-webhook-signature", ("time", ".", "body"), "hex", pairs=True),
        "webflow": Scheme(
            "x-webflow-signature", ("time", ":", "body"), "hex", time_header="x-webflow-timestamp", time_unit=1
        ),
        "typeform": Scheme("typeform-signature", ("body",), "base64", begins="sha256="),
        "hubspot": Scheme(
            "x-hubspot-signature-v3",
            ("method", "url", "body", "time"),
            "base64",
            time_header="x-hubspot-request-timestamp",
            time_unit=1,
        ),
        "meta": Scheme("x-hub-signature-256", ("body",), "hex", begins="sha256="),
        "tally": Scheme("tally-signature", ("body",), "base64"),
    }
)


def can_sign(preset: str) -> bool:
    """Whether this builder can prove who it is by anything beside the address."""
    return preset in SCHEMES or preset == "google_ads"


def signed(preset: str, delivery: Delivery, secrets: Sequence[str], now: int) -> bool:
    """Whether one of `secrets` made the delivery's signature, and its time stamp is within five minutes of `now` (ms).

    Google Ads does not sign: there the secret stands in the body as `google_key`, so anybody who sees one lead can send
    others; this reads the body to find it. False for builders that can prove nothing, and without a secret.
    """
    if preset == "google_ads":
        return _has_key(delivery, secrets)
    scheme = SCHEMES.get(preset)
    if scheme is None or not secrets:
        return False
    told = delivery.headers.get(scheme.header, "")[:_LONGEST].strip()
    time, signature = _pairs(told) if scheme.pairs else (delivery.headers.get(scheme.time_header, "").strip(), told)
    if not signature.startswith(scheme.begins) or not _timely(scheme, time, now):
        return False
    given = _digest(signature.removeprefix(scheme.begins), scheme.written)
    content = _content(scheme, delivery, time)
    # Every secret is tried, whichever fits: how long it takes says nothing.
    fits = [hmac.compare_digest(hmac.digest(secret.encode(), content, "sha256"), given) for secret in secrets]
    return any(fits)


def sign(preset: str, delivery: Delivery, secret: str, now: int) -> dict[str, str]:
    """The headers by which this builder would prove at `now` (ms) that it sent the delivery; none where it has none.

    What `signed` accepts, for whoever tries an address before the builder does.
    """
    scheme = SCHEMES.get(preset)
    if scheme is None:
        return {}
    time = str(now // scheme.time_unit)
    made = hmac.digest(secret.encode(), _content(scheme, delivery, time), "sha256")
    told = scheme.begins + (made.hex() if scheme.written == "hex" else base64.b64encode(made).decode())
    if scheme.pairs:
        return {scheme.header: f"t={time},v={told}"}
    return ({scheme.time_header: time} if scheme.time_header else {}) | {scheme.header: told}


def _content(scheme: Scheme, delivery: Delivery, time: str) -> bytes:
    """What is signed."""
    parts = {
        "time": time.encode(),
        "body": delivery.body,
        "method": delivery.method.upper().encode("utf-8", "replace"),
        "url": delivery.url.encode("utf-8", "replace"),
    }
    return b"".join(parts.get(part, part.encode()) for part in scheme.over)


def _pairs(told: str) -> tuple[str, str]:
    found = dict(part.strip().partition("=")[::2] for part in told.split(","))
    return found.get("t", ""), found.get("v", "")


def _timely(scheme: Scheme, time: str, now: int) -> bool:
    if "time" not in scheme.over:
        return True
    if not (time.isascii() and time.isdigit() and len(time) <= 15):
        return False
    return abs(int(time) * scheme.time_unit - now) <= TOLERANCE * 1000


def _digest(signature: str, written: str) -> bytes:
    """The bytes that were written; none, which never fit, when it is not hex or base64."""
    try:
        return bytes.fromhex(signature) if written == "hex" else base64.b64decode(signature, validate=True)
    except (ValueError, binascii.Error):
        return b""


def _has_key(delivery: Delivery, secrets: Sequence[str]) -> bool:
    try:
        payload = decode(delivery.headers.get("content-type", "application/json"), delivery.body)
    except Refusal:
        return False
    told = payload.get("google_key") if isinstance(payload, dict) else None
    given = told.encode("utf-8", "replace") if isinstance(told, str) else b""
    fits = [hmac.compare_digest(secret.encode(), given) for secret in secrets if secret]
    return any(fits)
