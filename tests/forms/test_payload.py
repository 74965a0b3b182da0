"""Bodies are decoded by what they say they are, or by what they are; every mistake is a Refusal."""

from __future__ import annotations

import json

import pytest

from app.errors import Malformed, TooLarge, UnsupportedMediaType
from app.forms.payload import MAX_BYTES, MAX_FIELDS, decode

FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=xx"


def part(name: str, value: str, more: str = "") -> str:
    return f'--xx\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n{value}\r\n'


def test_brackets_are_nested_and_repeated_names_are_lists() -> None:
    body = b"fields[a][value]=1&fields[a][type]=tel&c[]=x&c[]=y&d=1&d=2&plain=z"
    assert decode(FORM, body) == {
        "fields": {"a": {"value": "1", "type": "tel"}},
        "c": ["x", "y"],
        "d": ["1", "2"],
        "plain": "z",
    }


@pytest.mark.parametrize("name", ["a[b", "a]b[", "[a]", "a[b]c", "a[1][2][3][4][5]", "[]"])
def test_a_name_that_is_no_nested_one_is_taken_as_it_is(name: str) -> None:
    assert decode(FORM, f"{name}=1&x=2".encode()) == {name: "1", "x": "2"}


def test_a_name_that_is_a_value_and_a_table_keeps_both() -> None:
    assert decode(FORM, b"a=1&a[b]=2") == {"a": "1", "a[b]": "2"}
    assert decode(FORM, b"a[b]=2&a=1") == {"a": {"b": "2"}}


def test_json_within_a_string_is_opened_once() -> None:
    raw = json.dumps({"q3_name": {"first": "Dana"}, "inner": '{"x": 1}'})
    assert decode(FORM, f"rawRequest={raw}".encode()) == {
        "rawRequest": {"q3_name": {"first": "Dana"}, "inner": '{"x": 1}'}
    }
    assert decode("application/json", json.dumps({"data": '{"phone": "1"}'}).encode()) == {"data": {"phone": "1"}}


@pytest.mark.parametrize("message", ["{not json}", "{", "{}}", "{" * 2000 + "}" * 2000])
def test_braces_in_a_message_stay_what_they_are(message: str) -> None:
    assert decode("application/json", json.dumps({"message": message}).encode()) == {"message": message}


@pytest.mark.parametrize("kind", ["text/plain", FORM, "", "text/plain; charset=utf-8"])
def test_json_is_read_whatever_it_is_called(kind: str) -> None:
    assert decode(kind, b' {"phone": "054-2345678"}') == {"phone": "054-2345678"}


def test_plain_text_may_be_a_form() -> None:
    assert decode("text/plain", "phone=054-2345678&name=דנה".encode()) == {"phone": "054-2345678", "name": "דנה"}
    assert decode("text/plain", b"{a=1") == {"{a": "1"}


def test_multipart_takes_texts_and_of_files_the_name() -> None:
    body = part("name", "דנה") + part("file", "\x00\x01", '; filename="plan.pdf"') + part("a[b]", "1") + "--xx--\r\n"
    assert decode(MULTIPART, body.encode()) == {"name": "דנה", "file": "plan.pdf", "a": {"b": "1"}}
    assert decode(MULTIPART, body.replace("\r\n", "\n").encode()) == decode(MULTIPART, body.encode())


def test_what_is_not_utf_8_is_read_with_marks_and_old_hebrew_as_what_it_says() -> None:
    assert decode(FORM, b"phone=0542345678&name=%E3%F0%E4") == {"phone": "0542345678", "name": "\ufffd\ufffd\ufffd"}
    assert decode(f"{FORM}; charset=windows-1255", b"name=%E3%F0%E4") == {"name": "דנה"}
    assert decode("application/json", b'\xef\xbb\xbf{"a": 1}') == {"a": 1}
    assert decode('application/json; charset="nonsense"', b'{"a": 1}') == {"a": 1}


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b""),
        ("application/json", b"{"),
        ("application/json", b'{"a": NaN}'),
        ("application/json", b'{"a": ' + b"9" * 5000 + b"}"),
        ("application/json", b"[" * 30 + b"]" * 30),
        ("application/json", b"[" * 60_000),
        (FORM, b""),
        (FORM, b"no pairs at all"),
        ("text/plain", b'{"a": '),
        ("multipart/form-data", b"--xx"),
        (MULTIPART, b"nothing"),
        (MULTIPART, b"--xx\r\n\r\nno name\r\n--xx--"),
        ('multipart/form-data; boundary=""', b"--"),
    ],
)
def test_what_cannot_be_read_is_malformed(kind: str, body: bytes) -> None:
    with pytest.raises(Malformed):
        decode(kind, body)


def test_more_than_300_fields_or_64_kib_are_too_large() -> None:
    assert len(decode(FORM, "&".join(f"a{n}=1" for n in range(MAX_FIELDS)).encode())) == MAX_FIELDS  # type: ignore[arg-type]
    for kind, body in (
        (FORM, "&".join(f"a{n}=1" for n in range(MAX_FIELDS + 1)).encode()),
        (MULTIPART, "".join(part(f"a{n}", "1") for n in range(MAX_FIELDS + 1)).encode()),
        ("application/json", b" " * (MAX_BYTES + 1)),
    ):
        with pytest.raises(TooLarge):
            decode(kind, body)


@pytest.mark.parametrize("kind", ["text/html", "image/png", "application/xml", "multipart/mixed"])
def test_other_media_types_are_not_understood(kind: str) -> None:
    with pytest.raises(UnsupportedMediaType):
        decode(kind, b"{}")
