"""Whatever comes, reading it raises a Refusal or nothing, and takes no longer than its size allows."""

from __future__ import annotations

import json
import time
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.directory_types import PRESETS
from app.errors import Refusal
from app.forms.captured import read_captured
from app.forms.learning import learn
from app.forms.payload import MAX_BYTES, decode
from app.forms.signatures import Delivery, signed
from tests.forms.payloads import FIXTURES, body, fixture, mapped

KINDS = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain", "")
TELLING = """
phone name value type tel title label id fields data answers field first last full area values options payload
form_response field_data properties 1.3 email טלפון
"""
WORDS = st.sampled_from(TELLING.split())
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=40),
    WORDS,
    st.just("054-2345678"),
)
ANYTHING = settings(max_examples=100, deadline=None)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5), st.dictionaries(st.one_of(WORDS, st.text(max_size=12)), inner, max_size=6)
    ),
    max_leaves=40,
)


@ANYTHING
@given(kind=st.one_of(st.sampled_from(KINDS), st.text(max_size=60)), content=st.binary(max_size=600))
def test_any_bytes_are_decoded_or_refused(kind: str, content: bytes) -> None:
    try:
        payload = decode(kind, content)
    except Refusal:
        return
    mapped(payload)


@ANYTHING
@given(content=st.binary(max_size=300), preset=st.sampled_from(PRESETS))
def test_any_bytes_are_signed_or_not(content: bytes, preset: str) -> None:
    headers = dict.fromkeys(("typeform-signature", "x-webflow-timestamp", "tally-signature"), content.decode("latin-1"))
    assert not signed(preset, Delivery("POST", "https://x.example", headers, content), ["secret"], 0)


@ANYTHING
@given(payload=JSON, preset=st.sampled_from(PRESETS), name=WORDS)
def test_any_payload_is_mapped_into_texts(payload: object, preset: str, name: str) -> None:
    found = mapped(payload, preset, phone=(name,), name=(name, "last"))
    for told in (found.fields, found.extra, found.found_as):
        assert all(told.values())
    assert set(found.found_as) == set(found.fields)
    assert not {"phone", "name", "site"} & set(found.extra)


@ANYTHING
@given(payload=JSON)
def test_any_payload_can_be_learned_from(payload: object) -> None:
    learn(payload, {}, "IL")


@ANYTHING
@given(content=st.binary(max_size=400))
def test_any_file_is_a_captured_body(content: bytes) -> None:
    read_captured(b"POST /v1/hooks/shop/x HTTP/1.1\r\n" + content)
    read_captured(content)


def longest(text: str) -> str:
    return text * (60_000 // len(text))


@pytest.mark.parametrize(
    "payload",
    [
        {"a" * 60_000: "054-2345678"},
        {"phone": longest("0")},
        {"phone": longest("054-2345678,")},
        {"phone": longest("5 ")},
        {"x": longest("<")},
        {longest("<a"): "1"},
        {longest("q1_"): "1"},
        {longest("aA"): "1"},
        {f"f{number}": f"054-23{number:05}" for number in range(3000)},
        {f"phone {number}": f"abc {number}" for number in range(3000)},
        {"fields": [{"label": "same", "value": str(number)} for number in range(1500)]},
        {"fields": [{"label": "x", "value": ["a"] * 50, "options": [{"id": "a", "text": "b"}] * 50}] * 20},
        [[[[[[[[[[[[["054-2345678"]]]]]]]]]]]]],
        {"email": longest("a@")},
        {"page_url": "https://" + longest("a.")},
        {"submitted_at": longest("1"), "date": longest("1/")},
        {"name": longest("א ")},
        {longest("i agree to "): "on"},
        {"phone": "\u0301" * 60_000},
    ],
    ids=range(19),
)
def test_the_longest_payloads_are_read_at_once(payload: object) -> None:
    """Of processor time, so that a busy machine does not count: measured, a tenth of this at most."""
    content = json.dumps(payload, ensure_ascii=False).encode()[:MAX_BYTES]
    began = time.process_time()
    try:
        decode("application/json", content)
        decode("text/plain", b"a=" + quote(content[:20_000]).encode())
    except Refusal:
        pass
    mapped(payload)
    learn(payload, {}, "IL")
    assert time.process_time() - began < 5


@pytest.mark.parametrize("name", FIXTURES)
def test_half_a_payload_is_refused_or_read(name: str) -> None:
    """A connection that breaks off leaves any beginning of it."""
    told = fixture(name)
    whole = body(told)
    for end in range(0, len(whole), 37):
        try:
            payload = decode(told["content_type"], whole[:end])
        except Refusal:
            continue
        mapped(payload, told["preset"])
