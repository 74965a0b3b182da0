"""POST /v1/leads reads four content types within bounds, and nothing that is sent makes it fall over."""

from __future__ import annotations

import asyncio
import gzip
import json
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from app.errors import Malformed
from app.web import bodies
from tests.web.exchange import Exchange
from tests.web.problem import assert_problem, field_errors
from tests.web.service import GOOD, ONE_SITE, Service, started

PHONE = "054-234-5678"
LEAD = {"site": "main", "phone": PHONE, "name": "נועה לוי"}
JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
CANARY = "canary-7f3a"


def multipart(fields: dict[str, str], boundary: str = "xX") -> bytes:
    parts = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    )
    return ("".join(parts) + f"--{boundary}--\r\n").encode()


GOOD_BODIES: dict[str, tuple[str, bytes]] = {
    "json": ("application/json", json.dumps(LEAD).encode()),
    "json with charset": ("Application/JSON; Charset=UTF-8", json.dumps(LEAD).encode()),
    "json, not escaped": ("application/json", json.dumps(LEAD, ensure_ascii=False).encode()),
    "json with byte order mark": ("application/json", b"\xef\xbb\xbf" + json.dumps(LEAD).encode()),
    "text": ("text/plain", json.dumps(LEAD).encode()),
    "text with charset": ("text/plain;charset=UTF-8", json.dumps(LEAD).encode()),
    "form": ("application/x-www-form-urlencoded", urlencode(LEAD).encode()),
    "form with charset": ("application/x-www-form-urlencoded; charset=utf-8", urlencode(LEAD).encode()),
    "form, not escaped": ("application/x-www-form-urlencoded", "&".join(f"{k}={v}" for k, v in LEAD.items()).encode()),
    "multipart": ("multipart/form-data; boundary=xX", multipart(LEAD)),
    "multipart, quoted boundary": ('multipart/form-data; boundary="xX"', multipart(LEAD)),
}


@pytest.mark.parametrize("which", GOOD_BODIES)
async def test_each_content_type_is_the_same_lead(service: Service, client: httpx.AsyncClient, which: str) -> None:
    """JSON, form, multipart and text/plain say the same: 202 with the five members, and the lead is on disk."""
    kind, body = GOOD_BODIES[which]
    response = await client.post("/v1/leads", content=body, headers={"content-type": kind})
    assert response.status_code == 202, response.text
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    answer = response.json()
    assert list(answer) == ["lead_id", "outcome", "status_url", "expected_call_at", "message"]
    assert answer["outcome"] == "dialing"
    assert answer["expected_call_at"] is None
    assert answer["status_url"].startswith(f"/v1/leads/{answer['lead_id']}?token=")
    (row,) = await service.rows("SELECT id, site, phone, name, source FROM leads")
    assert row == {
        "id": answer["lead_id"],
        "site": "main",
        "phone": "+972542345678",
        "name": "נועה לוי",
        "source": "api",
    }


UNREADABLE: dict[str, bytes] = {
    "nothing": b"",
    "white space": b"  \n",
    "no json": b"phone=054-234-5678",
    "half": b'{"phone": "054',
    "nan": b'{"phone": "0542345678", "site": "main", "x": NaN}',
    "infinity": b'{"phone": Infinity}',
    "minus infinity": b'{"x": [-Infinity]}',
    "array": b'[{"phone": "0542345678"}]',
    "array of nothing": b"[]",
    "string": b'"0542345678"',
    "number": b"1",
    "null": b"null",
    "true": b"true",
    "two objects": b"{}{}",
    "2,500 deep": b'{"a":' * 2500 + b"1" + b"}" * 2500,
    "deep arrays": b'{"a":' + b"[" * 7000 + b"]" * 7000 + b"}",
    "25 deep": b'{"a":' * 25 + b"1" + b"}" * 25,
    "5,000 digits": b'{"phone": ' + b"1" * 5000 + b"}",
    "201 fields": json.dumps({f"f{n}": n for n in range(201)}).encode(),
    "utf-16": json.dumps(LEAD).encode("utf-16"),
    "utf-16 without mark": json.dumps(LEAD).encode("utf-16-le"),
    "utf-32": json.dumps(LEAD).encode("utf-32"),
    "latin-1": b'{"site": "main", "phone": "0542345678", "name": "\xe9"}',
    "raw NUL": b'{"phone": "054\x002345678"}',
    "comment": b'{"phone": "0542345678"} // lead',
    "single quotes": b"{'phone': '0542345678'}",
}


@pytest.mark.parametrize("kind", ["application/json", "text/plain"])
async def test_what_is_not_one_json_object_is_malformed(service: Service, client: httpx.AsyncClient, kind: str) -> None:
    for which, body in UNREADABLE.items():
        response = await client.post("/v1/leads", content=body, headers={"content-type": kind})
        assert response.status_code == 400, (which, response.text)
        assert_problem(response, 400, "malformed", "0542345678", "054-234")
    assert await service.rows("SELECT id FROM leads") == []


async def test_json_nested_100000_deep_is_too_large_before_it_is_deep(client: httpx.AsyncClient) -> None:
    body = b"[" * 100_000 + b"]" * 100_000
    assert_problem(await client.post("/v1/leads", content=body, headers=JSON), 413, "too_large")
    with pytest.raises(Malformed):
        bodies.decode_json(b'{"a":' + body + b"}")


BAD_FORMS: dict[str, tuple[str, bytes]] = {
    "201 form fields": ("application/x-www-form-urlencoded", b"&".join(b"f%d=1" % n for n in range(201))),
    "form in latin-1": ("application/x-www-form-urlencoded", b"phone=0542345678&name=\xe9"),
    "no boundary": ("multipart/form-data", multipart(LEAD)),
    "empty boundary": ("multipart/form-data; boundary=", multipart(LEAD)),
    "another boundary": ("multipart/form-data; boundary=yY", multipart(LEAD)),
    "a file": (
        "multipart/form-data; boundary=xX",
        b'--xX\r\nContent-Disposition: form-data; name="phone"; filename="a.txt"\r\n\r\n0542345678\r\n--xX--\r\n',
    ),
    "no name": ("multipart/form-data; boundary=xX", b"--xX\r\nContent-Disposition: form-data\r\n\r\n1\r\n--xX--\r\n"),
    "no disposition": ("multipart/form-data; boundary=xX", b"--xX\r\n\r\n1\r\n--xX--\r\n"),
    "201 parts": ("multipart/form-data; boundary=xX", multipart({f"f{n}": "1" for n in range(201)})),
    "charset undefined": ("multipart/form-data; boundary=xX; charset=undefined", multipart(LEAD)),
}


@pytest.mark.parametrize("which", BAD_FORMS)
async def test_a_form_that_cannot_be_read_is_malformed(client: httpx.AsyncClient, which: str) -> None:
    kind, body = BAD_FORMS[which]
    response = await client.post("/v1/leads", content=body, headers={"content-type": kind})
    assert_problem(response, 400, "malformed", "0542345678")


@pytest.mark.parametrize(
    "charset", ["utf-16", "idna", "punycode", "hex", "zlib", "rot13", "unicode_escape", "a\\0", ""]
)
async def test_a_multipart_charset_is_no_lever(client: httpx.AsyncClient, charset: str) -> None:
    """Python knows codecs that are no text encodings, and some that raise what nobody expects."""
    for value in ("0542345678", "a-!!", "\\x", "\\N{x}", "xn--\u00ff"):
        body = multipart({"site": "main", "phone": value})
        header = {"content-type": f"multipart/form-data; boundary=xX; charset={charset}"}
        response = await client.post("/v1/leads", content=body, headers=header)
        assert response.status_code in (202, 400, 404, 422), (charset, value, response.text)


@pytest.mark.parametrize(
    "kind",
    [
        None,
        "",
        "json",
        "text/html",
        "application/xml",
        "application/jsonx",
        "application/problem+json",
        "image/png",
        "application/json, text/html",
        "*/*",
        "application / json",
    ],
)
async def test_other_content_types_are_unsupported(client: httpx.AsyncClient, kind: str | None) -> None:
    """Wrong, missing or two at once: 415, before anything is read."""
    headers = {} if kind is None else {"content-type": kind}
    response = await client.post("/v1/leads", content=json.dumps(LEAD).encode(), headers=headers)
    assert_problem(response, 415, "unsupported_media_type", PHONE)


async def test_of_two_content_type_headers_only_the_first_counts(client: httpx.AsyncClient) -> None:
    twice = [("content-type", "text/html"), ("content-type", "application/json")]
    response = await client.post("/v1/leads", content=json.dumps(LEAD).encode(), headers=twice)
    assert_problem(response, 415, "unsupported_media_type")


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "deflate", "br", "gzip, identity", "x"])
async def test_compressed_bodies_are_unsupported(client: httpx.AsyncClient, encoding: str) -> None:
    body = gzip.compress(json.dumps(LEAD).encode())
    response = await client.post("/v1/leads", content=body, headers=JSON | {"content-encoding": encoding})
    assert_problem(response, 415, "unsupported_media_type")


def sized(size: int) -> bytes:
    empty = json.dumps(LEAD | {"message": ""}).encode()
    return json.dumps(LEAD | {"message": "m" * (size - len(empty))}).encode()


async def chunked(body: bytes, size: int = 1000) -> Any:
    for at in range(0, len(body), size):
        yield body[at : at + size]


@pytest.mark.parametrize("form", ["declared", "chunked"])
async def test_16_kib_is_the_last_size_that_fits(client: httpx.AsyncClient, form: str) -> None:
    """Exactly 16,384 bytes are read; one more is 413, declared or not."""
    for size, status in ((16_384, 202), (16_385, 413)):
        body = sized(size)
        assert len(body) == size
        content = body if form == "declared" else chunked(body)
        response = await client.post("/v1/leads", content=content, headers=JSON)
        assert response.status_code == status
        if status == 413:
            assert_problem(response, 413, "too_large", PHONE, "mmmm")


@pytest.mark.parametrize("declared", ["-1", "1e9", "0x10", "", "²", "9" * 30, "9" * 5000])
async def test_a_false_content_length_is_never_a_failure(client: httpx.AsyncClient, declared: str) -> None:
    headers = {b"content-type": b"application/json", b"content-length": declared.encode("latin-1")}
    response = await client.post("/v1/leads", content=chunked(json.dumps(LEAD).encode()), headers=headers)
    assert response.status_code in (202, 400, 413)


async def test_a_body_that_does_not_end_is_given_up(client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a body and then silence: 408 after the time a body may take, not never."""
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.05)

    async def silent() -> Any:
        yield b'{"phone": "'
        await asyncio.Event().wait()

    response = await client.post("/v1/leads", content=silent(), headers=JSON)
    assert_problem(response, 408, "timeout")


async def test_a_visitor_who_leaves_mid_body_is_no_error_of_ours(service: Service) -> None:
    """A half-sent body and a closed connection are the visitor's doing: no 5xx is counted, nothing is stored."""
    exchange = Exchange(service.app, "POST", "/v1/leads", headers=JSON, body=b'{"pho', ends=False)
    exchange.disconnect()
    await exchange.done()
    assert exchange.status != 500
    assert 'status="5' not in service.desk.metrics.render().decode()
    assert await service.rows("SELECT id FROM leads") == []


FIELD_MISTAKES: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({"site": "main"}, {"phone": "missing"}),
    ({"site": "main", "phone": ""}, {"phone": "missing"}),
    ({"site": "main", "phone": "  \u200f "}, {"phone": "missing"}),
    ({"site": "main", "phone": None}, {"phone": "missing"}),
    ({"site": "main", "phone": 542345678}, {"phone": "impossible"}),
    ({"site": "main", "phone": 10**4000}, {"phone": "impossible"}),
    ({"site": "main", "phone": 1.5}, {"phone": "impossible"}),
    ({"site": "main", "phone": True}, {"phone": "impossible"}),
    ({"site": "main", "phone": ["0542345678"]}, {"phone": "impossible"}),
    ({"site": "main", "phone": {"full": "0542345678"}}, {"phone": "impossible"}),
    ({"site": "main", "phone": "not a number"}, {"phone": "impossible"}),
    ({"site": "main", "phone": "0" * 65}, {"phone": "impossible"}),
    ({"site": "main", "phone": "054\u00002345678"}, {"phone": "impossible"}),
    ({"site": "main", "phone": "\ud8000542345678"}, {"phone": "impossible"}),
    ({"site": "main", "phone": "0542345678\r\n&action=hangup"}, {"phone": "impossible"}),
    ({"site": "main", "phone": "SIPTRUNK"}, {"phone": "impossible"}),
    ({"site": "main", "phone": "*83"}, {"phone": "not_callable"}),
    ({"site": "main", "phone": "#31#0542345678"}, {"phone": "not_callable"}),
    ({"site": "main", "phone": "100"}, {"phone": "not_callable"}),
    ({"site": "main", "phone": "1-900-555-555"}, {"phone": "not_callable"}),
    ({"phone": PHONE}, {"site": "missing"}),
    ({"site": "", "phone": PHONE}, {"site": "missing"}),
    ({"site": "main", "phone": PHONE, "submission_id": "x" * 65}, {"submission_id": "too_long"}),
    ({"site": "main", "phone": PHONE, "call_at": "tomorrow"}, {"call_at": "malformed"}),
    ({"site": "main", "phone": PHONE, "call_at": "2026-01-05T12:00"}, {"call_at": "malformed"}),
    ({"site": "main", "phone": PHONE, "call_at": "2026-01-05T09:00+00:00"}, {"call_at": "out_of_range"}),
    ({"site": "main", "phone": PHONE, "call_at": "2027-01-05T10:00+00:00"}, {"call_at": "out_of_range"}),
    ({"site": "main", "phone": PHONE, "call_at": "0001-01-01T00:00+23:59"}, {"call_at": "malformed"}),
    ({"site": "main", "phone": PHONE, "call_at": "9999-12-31T23:59-23:59"}, {"call_at": "malformed"}),
    ({"site": "main", "call_at": "x", "submission_id": "y" * 65}, dict.fromkeys(("phone", "call_at"), "")),
]


async def test_every_mistake_is_named_at_its_field(service: Service, client: httpx.AsyncClient) -> None:
    """422 `invalid` with one error per field; all of them at once, the input in none of them."""
    for fields, wanted in FIELD_MISTAKES:
        response = await client.post("/v1/leads", content=json.dumps(fields), headers=JSON)
        body = assert_problem(response, 422, "invalid", "0542345678", "054-234-5678", "hangup", "SIPTRUNK", "tomorrow")
        found = field_errors(body)
        if "" in wanted.values():
            assert set(wanted) < set(found), fields
        elif set(wanted) == {"call_at"}:
            assert set(found) == {"call_at"}, fields
            assert found["call_at"] in ("malformed", "out_of_range")
        else:
            assert {key: "impossible" if value == "not_callable" and fields.get("phone") == "SIPTRUNK" else value
                    for key, value in found.items()} == wanted, fields  # fmt: skip
    assert await service.rows("SELECT id FROM leads") == []


async def test_a_site_nobody_knows_is_404(client: httpx.AsyncClient) -> None:
    for site in (CANARY, "\ud800", "\u0000", "MAIN", "main/", {"a": 1}, 7, ["main"]):
        response = await client.post("/v1/leads", content=json.dumps({"site": site, "phone": PHONE}), headers=JSON)
        assert_problem(response, 404, "unknown_site", CANARY, PHONE)


async def test_the_only_site_needs_no_name(sqlite_url: str) -> None:
    async with started(sqlite_url, toml=ONE_SITE) as service, service.client() as client:
        response = await client.post("/v1/leads", json={"phone": PHONE})
        assert response.status_code == 202
        assert_problem(await client.post("/v1/leads", json={"phone": PHONE, "site": "x"}), 404, "unknown_site")


async def test_every_documented_field_is_kept_where_it_belongs(service: Service, client: httpx.AsyncClient) -> None:
    """Known fields in their columns, attribution apart, everything else in `extra`."""
    known = {
        "name": "Noa Levi",
        "email": "noa@example.com",
        "message": "first line\nsecond line",
        "language": "en",
        "consent": "true",
        "consent_text": "I agree to be called back.",
    }
    attribution = {
        "page_url": "https://www.example.com/p?q=1",
        "referrer": "https://search.example",
        "utm_source": "s",
        "utm_campaign": "c",
        "utm_anything": "a",
        "gclid": "g",
        "gbraid": "gb",
        "wbraid": "wb",
        "fbclid": "f",
    }
    extra = {"rooms": "3", "תקציב": "1,000", "nested": {"a": [1, None, True]}, "number": 12, "flag": False}
    given = {"site": "main", "phone": PHONE, "elapsed_ms": 1200, "_gotcha": "", **known, **attribution, **extra}
    assert (await client.post("/v1/leads", json=given)).status_code == 202
    (row,) = await service.rows("SELECT * FROM leads")
    assert {name: row[name] for name in known} == known
    assert json.loads(row["attribution"]) == attribution
    kept = json.loads(row["extra"])
    assert set(kept) == set(extra)
    assert (kept["rooms"], kept["תקציב"], kept["number"], kept["flag"]) == ("3", "1,000", "12", "false")


async def test_everything_is_capped_and_nothing_unstorable_is_stored(
    service: Service, client: httpx.AsyncClient
) -> None:
    """Caps hold in characters; controls, NUL, lone surrogates and bidi overrides are gone; 30 extras at most."""
    junk = "\u0000\u0007\ud800\u202e\u2066\ufeff\u2028"
    given: dict[str, Any] = {
        "site": "main",
        "phone": PHONE,
        "name": junk + "n" * 500,
        "email": "e" * 500 + "\r\nbcc: all",
        "message": "m" + junk + "\r\n" + "e\u0301" * 10 + "a" + "\u0301" * 800,
        "language": "en" + "x" * 50,
        "consent": "c" * 100,
        "consent_text": "t" * 2100,
        "page_url": "u" * 2100,
        "utm_" + "k" * 200: "v",
        junk + "odd": junk + "value",
        junk: "nameless",
        **{f"extra{n:02}": "x" for n in range(40)},
    }
    response = await client.post("/v1/leads", content=json.dumps(given), headers=JSON)
    assert response.status_code == 202, response.text
    (row,) = await service.rows("SELECT * FROM leads")
    lengths = {name: len(row[name]) for name in ("name", "email", "language", "consent", "consent_text")}
    assert lengths == {"name": 200, "email": 254, "language": 16, "consent": 32, "consent_text": 2000}
    assert row["name"] == "n" * 200
    assert "\n" not in row["email"]
    assert row["message"].startswith("m\n\u00e9")
    assert len(row["message"]) < 50
    extra, attribution = json.loads(row["extra"]), json.loads(row["attribution"])
    assert len(extra) == 30
    assert extra["odd"] == "value"
    assert "nameless" not in extra.values()
    assert len(attribution["page_url"]) == 2000
    assert all(len(name) <= 64 for name in [*extra, *attribution])
    stored = json.dumps(row, ensure_ascii=False)
    assert not any(character in stored for character in junk)


async def test_hundreds_of_utm_names_are_bounded(service: Service, client: httpx.AsyncClient) -> None:
    given = {"site": "main", "phone": PHONE, **{f"utm_{n}": "x" for n in range(150)}}
    assert (await client.post("/v1/leads", json=given)).status_code == 202
    (row,) = await service.rows("SELECT attribution FROM leads")
    assert len(json.loads(row["attribution"])) == 30


@pytest.mark.parametrize("kind", ["form", "multipart"])
async def test_of_a_repeated_name_the_first_that_is_filled_counts(
    service: Service, client: httpx.AsyncClient, kind: str
) -> None:
    pairs = [("site", "main"), ("name", ""), ("name", "first"), ("name", "second"), ("phone", PHONE), ("phone", "1")]
    if kind == "form":
        response = await client.post("/v1/leads", content=urlencode(pairs), headers=FORM)
    else:
        body = "".join(f'--b\r\nContent-Disposition: form-data; name="{n}"\r\n\r\n{v}\r\n' for n, v in pairs)
        header = {"content-type": "multipart/form-data; boundary=b"}
        response = await client.post("/v1/leads", content=(body + "--b--\r\n").encode(), headers=header)
    assert response.status_code == 202
    (row,) = await service.rows("SELECT name, phone FROM leads")
    assert row == {"name": "first", "phone": "+972542345678"}


async def test_the_source_is_one_of_few_words(service: Service, client: httpx.AsyncClient) -> None:
    """`source` becomes a metric label, so only known words count, and nothing else."""
    numbers = iter(range(10))
    for given, kept in (("widget", "widget"), ("form", "form"), ("x" * 40, "api"), (None, "api"), ({"a": 1}, "api")):
        lead = LEAD | {"phone": f"054234567{next(numbers)}", "source": given}
        response = await client.post("/v1/leads", json=lead)
        (row,) = await service.rows(f"SELECT source FROM leads WHERE id = '{response.json()['lead_id']}'")  # noqa: S608
        assert row["source"] == kept


@pytest.mark.parametrize("door", ["/v1/leads", "/f/main"])
async def test_a_forms_own_field_of_that_name_stays_with_the_lead(
    service: Service, client: httpx.AsyncClient, door: str
) -> None:
    """`source` is what many a form calls the question how somebody found it."""
    await client.post(door, data=LEAD | {"source": "a friend"})
    (row,) = await service.rows("SELECT extra FROM leads")
    assert row["extra"] == '{"source": "a friend"}'


@pytest.mark.parametrize("bad", ["\u0000", "\ud800", "a\u0000b\udfff", "\u202e"])
async def test_unstorable_characters_anywhere_are_no_failure_on_either_database(database_url: str, bad: str) -> None:
    """NUL (which PostgreSQL refuses) and lone surrogates (which no UTF-8 has) in every field and every name."""
    names = ("name", "email", "message", "language", "consent", "consent_text", "submission_id", "source", "page_url",
             "utm_x", "gclid", "_next", "call_at", "elapsed_ms", "other", bad)  # fmt: skip
    async with started(database_url) as service, service.client() as client:
        for number, name in enumerate(names):
            lead = {"site": "main", "phone": f"05423456{number:02}", name: bad + "x"}
            response = await client.post("/v1/leads", content=json.dumps(lead), headers=JSON)
            assert response.status_code in (202, 422), (name, response.text)
            if response.status_code == 202:
                seen = await client.get(response.json()["status_url"])
                assert seen.status_code == 200


async def test_hostile_hosts_are_answered(service: Service) -> None:
    """Whatever stands in Host, the answer is one of ours."""
    for host in ("[", "a@b", "x:y", "a b", "\xff", "<script>", "x" * 3000, "[::1]:80", ":0", "%00", ""):
        for path in ("/nowhere", "/v1/leads", "/v1/leads/", "/f/main"):
            exchange = Exchange(service.app, "POST", path, headers={"host": host, "origin": GOOD, **JSON}, body=b"{}")
            await exchange.done()
            assert exchange.status in (307, 403, 404, 422), (host, path)
