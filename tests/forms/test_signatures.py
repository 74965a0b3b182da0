"""Signatures, computed here by the formulas of the builders' pages, and everything that must make one worthless."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from app.directory_types import PRESETS
from app.forms.signatures import TOLERANCE, Delivery, can_sign, signed

SECRET, OTHER = "whsec-of-the-builder", "the-one-before"
NOW = 1795418100000
URL = "https://leads.example.com/v1/hooks/shop/0123456789abcdef"
BODY = '{"phone":"054-2345678","name":"דנה"}'.encode()


def digest(secret: str, content: bytes) -> bytes:
    return hmac.new(secret.encode(), content, hashlib.sha256).digest()


def in_base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def wpforms(secret: str, at: int, body: bytes) -> dict[str, str]:
    seconds = str(at // 1000)
    told = digest(secret, seconds.encode() + b"." + body).hex()
    return {"x-wpforms-webhook-signature": f"t={seconds},v={told}"}


def webflow(secret: str, at: int, body: bytes) -> dict[str, str]:
    told = digest(secret, str(at).encode() + b":" + body).hex()
    return {"x-webflow-timestamp": str(at), "x-webflow-signature": told}


def typeform(secret: str, at: int, body: bytes) -> dict[str, str]:
    return {"typeform-signature": "sha256=" + in_base64(digest(secret, body))}


def hubspot(secret: str, at: int, body: bytes) -> dict[str, str]:
    told = digest(secret, b"POST" + URL.encode() + body + str(at).encode())
    return {"x-hubspot-request-timestamp": str(at), "x-hubspot-signature-v3": in_base64(told)}


def meta(secret: str, at: int, body: bytes) -> dict[str, str]:
    return {"x-hub-signature-256": "sha256=" + digest(secret, body).hex()}


def tally(secret: str, at: int, body: bytes) -> dict[str, str]:
    return {"tally-signature": in_base64(digest(secret, body))}


Signer = Callable[[str, int, bytes], dict[str, str]]
SIGNERS: dict[str, Signer] = {
    "wpforms": wpforms,
    "webflow": webflow,
    "typeform": typeform,
    "hubspot": hubspot,
    "meta": meta,
    "tally": tally,
}
TIMED = ("wpforms", "webflow", "hubspot")
every_builder = pytest.mark.parametrize("preset", SIGNERS)


def delivery(preset: str, secret: str = SECRET, at: int = NOW, body: bytes = BODY) -> Delivery:
    return Delivery("POST", URL, SIGNERS[preset](secret, at, body), body)


def test_who_can_prove_anything_is_known() -> None:
    assert {preset for preset in PRESETS if can_sign(preset)} == {*SIGNERS, "google_ads"}


@every_builder
def test_the_builders_own_signature_is_good(preset: str) -> None:
    assert signed(preset, delivery(preset), [SECRET], NOW)


@every_builder
def test_while_a_secret_is_changed_both_are_good(preset: str) -> None:
    for secret in (SECRET, OTHER):
        assert signed(preset, delivery(preset, secret), [OTHER, SECRET], NOW)


@every_builder
def test_another_secret_another_body_or_no_signature_is_not(preset: str) -> None:
    good = delivery(preset)
    assert not signed(preset, delivery(preset, "guessed"), [SECRET, OTHER], NOW)
    assert not signed(preset, replace(good, body=BODY.replace(b"054", b"052")), [SECRET], NOW)
    assert not signed(preset, replace(good, headers={}), [SECRET], NOW)
    assert not signed(preset, good, [], NOW)


@every_builder
@pytest.mark.parametrize(
    "told", ["", "sha256=", "=", "t=,v=", "zz", "ü", "t=9,v=zz", "A" * 5000, "sha256=ää", "\udc80"]
)
def test_a_header_that_is_no_signature_is_not(preset: str, told: str) -> None:
    headers = {name: value if "timestamp" in name else told for name, value in delivery(preset).headers.items()}
    assert not signed(preset, replace(delivery(preset), headers=headers), [SECRET], NOW)


@pytest.mark.parametrize("preset", TIMED)
@pytest.mark.parametrize("direction", [1, -1])
def test_a_signature_is_good_for_five_minutes_before_and_after(preset: str, direction: int) -> None:
    good = delivery(preset)
    assert signed(preset, good, [SECRET], NOW + direction * TOLERANCE * 1000)
    assert not signed(preset, good, [SECRET], NOW + direction * (TOLERANCE * 1000 + 1))


@pytest.mark.parametrize("preset", TIMED)
def test_the_time_stamp_is_signed_too(preset: str) -> None:
    """Who kept a signed request cannot send it later under a new time stamp."""
    old, later = delivery(preset), NOW + 3600_000
    fresh = SIGNERS[preset](SECRET, later, b"something else")
    headers = {name: fresh[name] if "timestamp" in name else value for name, value in old.headers.items()}
    if preset == "wpforms":
        headers = {name: value.replace(str(NOW // 1000), str(later // 1000)) for name, value in old.headers.items()}
    assert not signed(preset, replace(old, headers=headers), [SECRET], later)


def test_hubspot_signs_the_public_address_and_the_method() -> None:
    good = delivery("hubspot")
    assert not signed("hubspot", replace(good, url=URL.replace("https", "http")), [SECRET], NOW)
    assert not signed("hubspot", replace(good, method="PUT"), [SECRET], NOW)


def google(key: object) -> Delivery:
    body = json.dumps({"lead_id": "1", "google_key": key}).encode()
    return Delivery("POST", URL, {"content-type": "application/json"}, body)


def test_the_key_of_google_ads_stands_in_the_body() -> None:
    assert signed("google_ads", google(SECRET), [OTHER, SECRET], NOW)
    for key in ("guessed", "", None, 5, [SECRET], "\ud800"):
        assert not signed("google_ads", google(key), [SECRET], NOW)
    assert not signed("google_ads", replace(google(SECRET), body=b"{"), [SECRET], NOW)
    assert not signed("google_ads", google(""), [], NOW)


@pytest.mark.parametrize("preset", [preset for preset in PRESETS if not can_sign(preset)])
def test_who_can_prove_nothing_is_never_signed(preset: str) -> None:
    assert not signed(preset, delivery("typeform"), [SECRET], NOW)


def test_neither_headers_nor_body_are_in_what_is_printed_of_a_delivery() -> None:
    assert "054" not in repr(delivery("typeform"))
    assert "sha256" not in repr(delivery("typeform"))
