"""/console/map: pasted, uploaded or kept, a payload is read, told in full, and leaves no trace."""

from __future__ import annotations

import json
import re
import tomllib
from typing import Any

import httpx
import pytest

from app.console.handed_in import FORM_BYTES
from app.directory import parse_directory
from app.domain.text import clean
from app.forms.payload import MAX_BYTES
from app.service.sealing import Seal
from tests.console.told_page import read_page
from tests.console.visiting import ADMIN_TOKEN, MAP, assert_console, hand_in, shown, told
from tests.web.conftest import Start
from tests.web.hooking import HOOKED, PHONE, TOKEN, address, send
from tests.web.service import CODE, Service

NUMBER = "542345678"
REQUEST = (
    f"POST {address('quiz')} HTTP/1.1\r\nHost: leads.example.com\r\nContent-Type: application/json\r\n\r\n"
    '{"phone": "054-2345678"}'
)
TABLES = ("leads", "deliveries", "events", "attempts")


async def everything(service: Service) -> list[Any]:
    return [await service.rows(f"SELECT * FROM {table}") for table in TABLES]  # noqa: S608 - our own names


async def ours(client: httpx.AsyncClient) -> list[str]:
    """What is counted of leads and deliveries."""
    lines = (await client.get("/metrics")).text.splitlines()
    return [line for line in lines if line.startswith("leadring_") and "lead_to_request" not in line]


async def kept(service: Service, client: httpx.AsyncClient, body: Any, source: str = "shop") -> str:
    """The id of a delivery that came from a form builder."""
    await send(client, body, source)
    (row,) = await service.rows("SELECT id FROM deliveries ORDER BY received_at DESC, id DESC LIMIT 1")
    return str(row["id"])


def facts(response: httpx.Response) -> dict[str, str]:
    assert_console(response)
    return dict(read_page(response.text).tables["facts"])


async def test_the_form_offers_sources_builders_and_content_types(client: httpx.AsyncClient) -> None:
    page = assert_console(await client.get(MAP))
    assert page.one("form", action=MAP)["enctype"] == "multipart/form-data"
    values = [option.get("value") for option in page.all("option")]
    assert values[:6] == ["", "source:shop", "source:unkept", "source:quiz", "generic", "elementor"]
    assert "application/x-www-form-urlencoded" in page.text
    assert "None is kept just now." in page.text
    assert not page.all("section")


async def test_nothing_is_stored_counted_or_rung(service: Service, client: httpx.AsyncClient) -> None:
    delivery = await kept(service, client, {"where": "none"})
    before = await everything(service)
    counted = await ours(client)
    for answer in (
        await hand_in(client, json.dumps({"phone": PHONE, "name": "Noa"}), **{"as": "source:shop"}),
        await hand_in(client, json.dumps({"phone": "1-900-123-456"}), **{"as": "source:shop"}),
        await hand_in(client, delivery=delivery),
    ):
        assert_console(answer)
    assert await everything(service) == before
    assert service.telephony.calls == []
    assert await ours(client) == counted


async def test_what_was_pasted_is_given_back_to_be_mended(client: httpx.AsyncClient) -> None:
    answer = await hand_in(client, '\n{"tel": "<054>"}', content_type="text/plain", **{"as": "wix"})
    page = assert_console(answer)
    assert '{"tel": "<054>"}' in page.text
    selected = [option.get("value", "") for option in page.all("option") if "selected" in option]
    assert selected == ["wix", ""]
    assert "text/plain" in answer.text.split(" selected>")[2]


async def test_a_whole_request_is_read_as_the_source_in_its_path(client: httpx.AsyncClient) -> None:
    for answer in (await hand_in(client, REQUEST), await hand_in(client, REQUEST.encode())):
        assert_console(answer)
        page = read_page(answer.text)
        assert page.headline == "read as typeform for [sources.quiz]"
        assert page.tables["fields"][1][:2] == ["phone", "054-2345678"]
        assert TOKEN not in told(answer.text), "what is said of it names no token"


HAS_TO = "not demanded; of a source with a signing_secret {} has to prove by {} that it sent this"


@pytest.mark.parametrize(
    ("as_", "signature"),
    [
        (
            "source:quiz",
            "demanded: who does not prove by its header typeform-signature to have the signing_secret hears",
        ),
        ("source:shop", "not demanded: generic cannot sign, and the token in the address is all that is asked for"),
        ("typeform", HAS_TO.format("typeform", "its header typeform-signature")),
        ("google_ads", HAS_TO.format("google_ads", "google_key in the body")),
    ],
    ids=["demanded", "cannot", "could", "in the body"],
)
async def test_it_says_whether_a_signature_is_demanded(client: httpx.AsyncClient, as_: str, signature: str) -> None:
    assert facts(await hand_in(client, f"phone={PHONE}", **{"as": as_}))["signature"].startswith(signature)


async def test_it_says_what_its_hours_and_an_operators_switch_make_of_it(
    service: Service, client: httpx.AsyncClient, start: Start
) -> None:
    night = HOOKED + f'[sources.night]\nsite = "night"\ntoken = "{TOKEN}"\n'
    service.desk.rules.replace(parse_directory(night))
    said = facts(await hand_in(client, f"phone={PHONE}", **{"as": "source:night"}))
    assert said["it would become"] == (
        "a lead that is rung from 2026-01-05 22:00 on (Asia/Jerusalem): its site is closed"
    )
    await service.desk.switches.turn({"taking": False}, "admin", "")
    said = facts(await hand_in(client, f"phone={PHONE}", **{"as": "source:shop"}))
    assert said["it would become"].startswith("no lead now: no leads are taken")
    assert said["the builder would hear"].startswith("503 not_taking: ")


async def test_what_is_said_that_the_builder_would_hear_is_what_it_hears(
    service: Service, client: httpx.AsyncClient
) -> None:
    for body in (
        {"phone": PHONE, "name": "Noa"},
        {"phone": "+14155552671"},
        {"phone": "1-900-123-456"},
        {"phone": "054-2345679", "is_test": True},
        {"phone": "12"},
        {"plan": "gold"},
        b'{"phone":',
        b"nothing",
    ):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        said = facts(await hand_in(client, content, content_type="application/json", **{"as": "source:shop"}))
        heard = await send(client, body)
        if heard.status_code == 200:
            assert said["the builder would hear"] == f'200 {{"outcome": "{heard.json()["outcome"]}"}}'
        else:
            problem = heard.json()
            assert said["the builder would hear"] == f"{heard.status_code} {problem['code']}: {problem['detail']}"
    states = [
        (row["state"], row["reason"]) for row in await service.rows("SELECT state, reason FROM leads ORDER BY id")
    ]
    assert len(states) == 2
    assert states[1] == ("held", "country")


async def test_lines_that_mend_what_is_missing_can_be_copied_and_do(
    service: Service, client: httpx.AsyncClient
) -> None:
    answer = await hand_in(client, f"where to ring={PHONE}&who=Dana Levi", **{"as": "source:shop"})
    page = read_page(answer.text)
    assert page.instead == "with this in the place of its map, phone and name would be found for certain:"
    assert page.to_write == (
        '[sources.shop.map]\nphone = "where to ring"\nname = "who"\nemail = "email"\ncall_at = "when"\n'
    )
    mended = re.sub(r"map = \{ phone = \"phone\", name.*\n", "", HOOKED) + page.to_write
    service.desk.rules.replace(parse_directory(mended))
    page = read_page((await hand_in(client, f"where to ring={PHONE}&who=Dana Levi", **{"as": "source:shop"})).text)
    assert [(row[0], row[-1]) for row in page.tables["fields"][1:]] == [("phone", "certain"), ("name", "certain")]
    assert page.to_write == ""


# ------------------------------------------------------------------------------------------------ kept deliveries


async def test_a_kept_delivery_is_offered_and_read_by_its_own_source(
    service: Service, client: httpx.AsyncClient
) -> None:
    lead = await kept(service, client, {"phone": PHONE, "name": "Noa"})
    lost = await kept(service, client, {"where to ring": "0542345670 evenings"})
    page = assert_console(await client.get(MAP))
    offered = [option["value"] for option in page.all("option") if option.get("value") in (lead, lost)]
    assert offered == [lost, lead]
    assert page.one("optgroup", label="shop")
    assert NUMBER not in page.text
    assert f"2026-01-05 12:00:00 no_phone (phone missing) {lost}" in " ".join(page.text.split())
    for fields in ({"delivery": lost}, {"delivery_id": f" {lost} "}):
        answer = await hand_in(client, **fields)
        assert_console(answer)
        assert "read as generic for [sources.shop]" in shown(answer)
        assert f"Delivery 2026-01-05 12:00:00 no_phone (phone missing) {lost}" in shown(answer)
        assert ["where to ring", "0542345670 evenings"] in read_page(answer.text).tables["beside"]
    answer = await hand_in(client, delivery=lead, **{"as": "wix"})
    assert read_page(answer.text).headline == "read as wix"


async def test_a_kept_delivery_is_as_old_as_it_is(service: Service, client: httpx.AsyncClient) -> None:
    lost = await kept(service, client, {"phone": PHONE})
    service.clock.advance(1000)
    answer = await hand_in(client, delivery=lost)
    assert "not rung: it was sent more than 15m ago: the guard stale would hold it" in shown(answer)


async def test_a_delivery_that_cannot_be_had_says_why(service: Service, client: httpx.AsyncClient) -> None:
    unkept = await kept(service, client, {"plan": "gold"}, "unkept")
    page = assert_console(await client.get(MAP))
    assert unkept not in page.text
    sealed = await kept(service, client, {"plan": "gold"})
    house = service.desk.deliveries
    shop = service.desk.rules.directory.sources["shop"]
    word = (await house.keep_words(shop, [("444", b'{"leadgen_id": "444"}')]))[0].id
    assert word not in assert_console(await client.get(MAP)).text
    house._seal = Seal("another secret")
    for one, said in (
        (word, "This one only tells of a lead: what Meta answers is not there to be read."),
        (unkept, "Of this delivery no body is kept."),
        ("nowhere<b>", "There is no delivery with this id."),
        (sealed, "LEADRING_SECRET_KEY is another one"),
    ):
        answer = await hand_in(client, delivery_id=one)
        page = assert_console(answer, 404)
        assert said in page.text
        assert page.one("input", id="delivery_id")["value"] == one
        assert "#delivery_id" in page.links


# ------------------------------------------------------------------------------------------------ wrong forms


@pytest.mark.parametrize(
    ("payload", "fields", "field", "said"),
    [
        ("", {}, "payload", "Paste a payload, upload one, or choose a delivery or an example."),
        (" \n", {}, "payload", "Paste a payload"),
        ("x=1", {"delivery_id": "y"}, "payload", "Hand in one payload"),
        ("x=1", {"example": "wix"}, "payload", "Hand in one payload"),
        ("", {"example": "nobody"}, "example", "There is no example of such a builder."),
        (b"", {}, "file", "There is nothing in it."),
        ("x=1", {"as": "source:gone"}, "as", "There is no such source"),
        ("x=1", {"as": "gone"}, "as", "There is no such builder."),
        ("POST /x HTTP/1.1\r\nHost: x\r\n\r\n", {}, "payload", "There is nothing in it."),
    ],
    ids=[
        "nothing",
        "blank",
        "two",
        "pasted and example",
        "no such example",
        "empty file",
        "source",
        "builder",
        "empty request",
    ],
)
async def test_what_is_wrong_with_the_form_is_said_at_its_field(
    client: httpx.AsyncClient, payload: str | bytes, fields: dict[str, str], field: str, said: str
) -> None:
    answer = await hand_in(client, payload, **fields)
    page = assert_console(answer, 422)
    assert said in page.text
    assert f"#{field}" in page.links
    (wrong,) = [attrs for _, attrs in page.tags if attrs.get("aria-invalid")]
    assert wrong["id"] == field
    assert f"{field}-error" in wrong["aria-describedby"]
    assert not page.all("section")


async def test_as_much_as_a_webhook_may_be_and_not_more(client: httpx.AsyncClient) -> None:
    whole = f"phone={PHONE}&x=".ljust(MAX_BYTES, "y")
    for payload in (whole, whole.encode()):
        assert_console(await hand_in(client, payload))
    for payload in (whole + "y", whole.encode() + b"y", b"x=" + b"y" * FORM_BYTES):
        page = assert_console(await hand_in(client, payload), 413)
        assert "64 KiB that a webhook may be: its sender would hear 413 too_large" in page.text
    answer = await client.post(address(), content=(whole + "y").encode(), headers={"content-type": "text/plain"})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


# ------------------------------------------------------------------------------------------------ strangers' text


MARKUP = "<script>alert(1)</script>\"'><img src=x onerror=y>&amp;"
BIDI = "\u202edrow\u202c\u2066x\u2069\x1b[31m\x00"


@pytest.mark.parametrize("where", ["value", "name", "path", "type"])
async def test_strangers_text_is_shown_as_text(client: httpx.AsyncClient, where: str) -> None:
    hostile = MARKUP + BIDI
    payloads: dict[str, Any] = {
        "value": {"name": hostile, "message": hostile, "phone": PHONE, "plan": hostile},
        "name": {hostile: "gold", f"phone {hostile}": PHONE},
        "path": {"data": {hostile: {"phone": PHONE}}},
        "type": {"fields": {"x": {"type": f"tel {hostile}", "value": PHONE, "title": hostile}}},
    }
    payload = payloads[where]
    for content in (json.dumps(payload), json.dumps(payload).encode(), json.dumps(payload, ensure_ascii=False)):
        answer = await hand_in(client, content)
        assert_console(answer)
        said = told(answer.text)
        assert "<script" not in answer.text
        assert "<img" not in answer.text
        assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x08\x1b]", said)
        assert "alert(1)" in said


async def test_a_name_to_be_copied_hides_nothing_and_is_the_very_name(client: httpx.AsyncClient) -> None:
    name = 'a\u202eb\u200bc"\\<i>'
    answer = await hand_in(client, json.dumps({name: PHONE}))
    assert_console(answer)
    page = read_page(answer.text)
    assert '"a\\u202Eb\\u200Bc\\"\\\\<i>"' in page.to_write
    assert tomllib.loads(page.to_write)["sources"]["your-source"]["map"]["phone"] == name


async def test_what_is_long_or_deep_is_cut_and_breaks_nothing(client: httpx.AsyncClient) -> None:
    deep: Any = PHONE
    for _ in range(30):
        deep = {"x": deep}
    for payload in (
        {"name": "x" * 60_000, "phone": PHONE},
        deep,
        {"y" * 60_000: PHONE},
        {"z": {"phone": "1" * 60_000}},
    ):
        answer = await hand_in(client, json.dumps(payload).encode())
        assert_console(answer)
        assert len(told(answer.text)) < 12_000
    answer = await hand_in(client, ("[" * 5000 + "]" * 5000).encode())
    assert "422 unreadable" in facts(answer)["the builder would hear"]
    many = await hand_in(client, json.dumps({f"f{number}": "x" for number in range(3000)}).encode())
    assert_console(many)


def test_what_is_shown_is_what_would_be_stored() -> None:
    assert clean(BIDI, 200) == "drowx[31m"


async def test_no_secret_and_nothing_of_a_payload_reaches_log_or_page(
    service: Service, client: httpx.AsyncClient, capfd: pytest.CaptureFixture[str]
) -> None:
    delivery = await kept(service, client, {"where": f"{PHONE} canary-evening"})
    pages = [
        await client.get("/console"),
        await client.get(MAP),
        await hand_in(client, json.dumps({"phone": PHONE, "name": "canary-name"})),
        await hand_in(client, delivery=delivery),
        await hand_in(client, b"\xff" * 70_000),
        await hand_in(client, "x=1", **{"as": "source:quiz"}),
    ]
    log = capfd.readouterr()
    for secret in (CODE, ADMIN_TOKEN, TOKEN, "new-secret", "old-secret"):
        for text in (log.out, log.err, *(page.text for page in pages)):
            assert secret not in text
    assert "/console/map" in log.out
    for word in ("canary", NUMBER, "054-234"):
        assert word not in log.out + log.err
