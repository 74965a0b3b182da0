"""POST /v1/voicenter/cdr/{token}: whatever the provider pushes is kept word for word and thanked for."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import httpx
import pytest

from tests.web.conftest import Start
from tests.web.problem import assert_problem
from tests.web.service import CDR_TOKEN, Service, started

URL = f"/v1/voicenter/cdr/{CDR_TOKEN}"
RECORD = {"ivruniqueid": "stranger-1", "type": "Click2Call leg2", "status": "ANSWER", "duration": 11}
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
XML = (
    '<?xml version="1.0"?><methodCall><methodName>cdr</methodName><params><param><value><struct><member>'
    "<name>ivruniqueid</name><value><string>x</string></value></member></struct></value></param></params></methodCall>"
)
PUSHES: dict[str, tuple[str, bytes]] = {
    "object": (JSON, json.dumps(RECORD).encode()),
    "array of one": (JSON, json.dumps([RECORD]).encode()),
    "array of two": (JSON, json.dumps([RECORD, RECORD]).encode()),
    "form": (FORM, urlencode(RECORD).encode()),
    "json as a form": (FORM, json.dumps(RECORD).encode()),
    "json in a string": (JSON, json.dumps(json.dumps(RECORD)).encode()),
    "xml-rpc": ("text/xml", XML.encode()),
    "no content type": ("", json.dumps(RECORD).encode()),
    "a strange content type": ("image/png", json.dumps(RECORD).encode()),
    "hebrew": (JSON, json.dumps(RECORD | {"name": "נועה"}, ensure_ascii=False).encode()),
    "windows-1255": ("text/plain; charset=windows-1255", "נועה".encode("cp1255")),
    "utf-16": (JSON, json.dumps(RECORD).encode("utf-16")),
    "garbage": ("application/octet-stream", bytes(range(256))),
    "NUL": (JSON, b'{"a": "\x00"}'),
    "escaped NUL": (JSON, b'{"ivruniqueid": "\\u0000", "status": "\\ud800"}'),
    "half": (JSON, b'{"ivruniqueid": "x'),
    "deep": (JSON, b"[" * 100_000),
    "entity bomb": ("text/xml", b'<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><methodCall>&b;</methodCall>'),
    "number": (JSON, b"1"),
    "null": (JSON, b"null"),
    "bad charset": ("application/json; charset=undefined", b"\xff"),
}
EMPTY: dict[str, bytes] = {"nothing": b"", "white space": b" \r\n\t"}


async def push(client: httpx.AsyncClient, kind: str, body: bytes) -> httpx.Response:
    return await client.post(URL, content=body, headers={"content-type": kind} if kind else {})


@pytest.mark.parametrize("which", PUSHES)
async def test_every_push_is_kept_raw_and_acknowledged(database_url: str, which: str) -> None:
    """Known or strange, whole or broken: 200 and the exact body the provider expects, and the text is stored."""
    kind, body = PUSHES[which]
    async with started(database_url) as service, service.client() as client:
        response = await push(client, kind, body)
        assert (response.status_code, response.json()) == (200, {"err": 0, "errdesc": "OK"})
        assert response.headers["content-type"] == "application/json"
        (row,) = await service.rows("SELECT body FROM cdrs")
        if kind in (JSON, FORM, "text/xml", "") and which not in ("utf-16", "NUL"):
            assert row["body"] == body.decode("utf-8")
        elif which == "windows-1255":
            assert row["body"] == "נועה"


async def test_a_repeat_is_acknowledged_and_kept_once(service: Service, client: httpx.AsyncClient) -> None:
    kind, body = PUSHES["object"]
    for _ in range(3):
        assert (await push(client, kind, body)).json() == {"err": 0, "errdesc": "OK"}
    assert len(await service.rows("SELECT id FROM cdrs")) == 1


@pytest.mark.parametrize("which", EMPTY)
async def test_an_empty_push_is_acknowledged(client: httpx.AsyncClient, which: str) -> None:
    response = await push(client, JSON, EMPTY[which])
    assert (response.status_code, response.json()) == (200, {"err": 0, "errdesc": "OK"})


async def test_a_wrong_token_is_404_like_an_unknown_path(service: Service, client: httpx.AsyncClient) -> None:
    for token in (CDR_TOKEN[:-1], CDR_TOKEN + "x", CDR_TOKEN.upper(), "x", "%00", "%D7%A9", "%ff", CDR_TOKEN + "/"):
        response = await client.post(f"/v1/voicenter/cdr/{token}", content=b"{}")
        assert response.status_code in (307, 404)
        if response.status_code == 404:
            assert_problem(response, 404, "not_found", CDR_TOKEN[:-1])
    assert await service.rows("SELECT id FROM cdrs") == []


async def test_without_a_token_configured_there_is_no_such_door(start: Start) -> None:
    async with start(voicenter_cdr_token=None) as service, service.client() as client:
        for token in (CDR_TOKEN, "None", "", "%20"):
            assert_problem(await client.post(f"/v1/voicenter/cdr/{token}", content=b"{}"), 404, "not_found")


async def test_half_a_mebibyte_is_the_most(service: Service, client: httpx.AsyncClient) -> None:
    assert (await push(client, JSON, b'"' + b"x" * (512 * 1024 - 2) + b'"')).status_code == 200
    assert_problem(await push(client, JSON, b'"' + b"x" * (512 * 1024 - 1) + b'"'), 413, "too_large")


async def test_the_token_is_in_no_answer_metric_or_document(client: httpx.AsyncClient) -> None:
    await push(client, JSON, b"{}")
    for path in ("/metrics", "/openapi.json", "/readyz"):
        assert CDR_TOKEN not in (await client.get(path)).text
