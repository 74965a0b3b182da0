"""Secrets and people never show: one service sees everything go wrong, and then all that it ever said is searched.

Said is what went into the log at its most talkative, tracebacks included, into the metrics and into error answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.crash.books import Books, attempts_of
from tests.crash.service_process import METRICS_TOKEN, ServiceProcess
from tests.sandbox_server import RunningSandbox
from tests.story import CDR_TOKEN, CODE, eventually

SECRET_KEY = "0f6c-canary-secret-key-91d2"
ADMIN_TOKEN = "7b3e-canary-admin-token-40aa"
NAME = "Canarella"
FAMILY = "קנרית"
PHONE = "054-234-5678"
OTHERS = [f"054-987-65{n}" for n in range(10, 30)]
EMAIL = "canarella@nest.example"
MESSAGE = "please sing at my window"
PERSON = {"name": f"{NAME} {FAMILY}", "phone": PHONE, "email": EMAIL, "message": MESSAGE}
AS_JSON = {"content-type": "application/json"}
ECHO = f"no call from {CODE} to {PHONE}, 972542345678 or +972 (54) 234 5678"


@pytest.fixture
def service(sandbox: RunningSandbox, books: Books) -> Iterator[ServiceProcess]:
    """The most talkative service there can be; each engine with one kind of log."""
    form = "json" if books.url.startswith("postgresql") else "console"
    secrets = {"SECRET_KEY": SECRET_KEY, "ADMIN_TOKEN": ADMIN_TOKEN}
    settings = {"LOG_LEVEL": "debug", "LOG_FORMAT": form, "VOICENTER_TIMEOUT": "1", **secrets}
    with ServiceProcess(sandbox.click2call_url, books=books, settings=settings) as service:
        sandbox.set_cdr(url=service.cdr_url)
        yield service


def test_no_secret_and_nobodys_name_or_number_is_ever_said(
    service: ServiceProcess, sandbox: RunningSandbox, books: Books
) -> None:
    said: list[str] = []
    with service.client() as client:
        _a_good_call(client, sandbox, service)
        _the_provider_echoes(client, sandbox, books)
        said += [answer.text for answer in _strange_requests(client)]
        said.append(service.metrics())
        said += [answer.text for answer in _broken_tables(service, books)]
    said.append(service.log)
    everything = "\n".join(said)

    # It did speak of all this, only not by name.
    for word in ("call.placed", "call.refused", "call.unknown", "•••", "Traceback", '"code": "invalid"'):
        assert word in everything, word
    for secret in (CODE, CDR_TOKEN, METRICS_TOKEN, SECRET_KEY, ADMIN_TOKEN):
        assert secret not in everything
    found = re.search("|".join(re.escape(word) for word in _words()), everything, re.IGNORECASE)
    assert found is None, _around(everything, found)
    number = re.search("|".join(_any_spelling(phone) for phone in [PHONE, *OTHERS]), everything)
    assert number is None, _around(everything, number)


def _a_good_call(client: httpx.Client, sandbox: RunningSandbox, service: ServiceProcess) -> None:
    visitor = service.sends_the_form(client, submission_id="first", **PERSON)
    sandbox.phone("SIPdana1").answer()
    sandbox.phone("0542345678").answer()
    sandbox.phone("0542345678").hangup()
    visitor.sees("connected")


def _the_provider_echoes(client: httpx.Client, sandbox: RunningSandbox, books: Books) -> None:
    """Answers that repeat what they were asked, in every way there is to answer badly."""
    bad = Bad(client, sandbox, books)
    bad.answer(OTHERS[5], "refused", answer="refuse", errorcode=1, message=ECHO)
    bad.answer(OTHERS[6], "refused", answer="http_error", status=403, body=ECHO)
    bad.answer(OTHERS[7], "unknown", answer="garbage", body=ECHO)
    bad.answer(OTHERS[8], "unknown", answer="cut")
    sandbox.clear_behaviour()


class Bad:
    """A provider's bad answer to one lead after another; an unknown one costs an agent."""

    def __init__(self, client: httpx.Client, sandbox: RunningSandbox, books: Books) -> None:
        self._client = client
        self._sandbox = sandbox
        self._books = books

    def answer(self, phone: str, state: str, **script: Any) -> None:
        """Sends the form and waits until the attempt is in that state."""
        self._sandbox.set_behaviour("*", **script)
        lead_id = self._client.post("/v1/leads", json={**PERSON, "phone": phone}).json()["lead_id"]

        def states() -> list[str]:
            return [attempt["state"] for attempt in attempts_of(self._books, lead_id)]

        eventually(lambda: states() == [state], lambda: str(states()))


def _strange_requests(client: httpx.Client) -> list[httpx.Response]:
    """Whatever a form, a robot or a provider may get wrong; all of them are answered with an error."""
    stranger = {
        "type": "Click2Call leg2",
        "status": "ANSWER",
        "target": "972542345678",
        "representative_name": NAME,
    }
    assert client.post(f"/v1/voicenter/cdr/{CDR_TOKEN}", json=stranger).status_code == 200
    assert client.post(f"/v1/voicenter/cdr/{CDR_TOKEN}", content=f"<{NAME} {PHONE}".encode()).status_code == 200
    answers = [
        client.post("/v1/leads", json={**PERSON, "phone": f"{PHONE} or {OTHERS[0]}"}),
        client.post("/v1/leads", json={**PERSON, "submission_id": "first", "message": MESSAGE + "!"}),
        client.post("/v1/leads", json={**PERSON, "site": NAME}),
        client.post("/v1/leads", json={**PERSON, "call_at": PHONE}),
        client.post("/v1/leads", content=f'{{"phone": "{PHONE}", "name": {NAME}'.encode(), headers=AS_JSON),
        client.post("/v1/leads", content=f'{{"n": NaN, "name": "{NAME}"}} {PHONE}'.encode(), headers=AS_JSON),
        client.post("/v1/leads", content=f'["{PHONE}", "{NAME}"]'.encode(), headers=AS_JSON),
        client.post("/v1/leads", content=f"{NAME} {PHONE}".encode(), headers={"content-type": "image/png"}),
        client.post("/v1/leads", json={**PERSON, "message": MESSAGE * 2000}),
        client.get(f"/v1/leads/{PHONE}", params={"token": CDR_TOKEN}),
        client.get(f"/v1/leads/{NAME}/events", params={"token": PHONE * 10}),
        client.get(f"/nowhere/{NAME}/{PHONE}", params={"phone": "+972542345678", "code": CODE}),
        client.post(f"/v1/voicenter/cdr/{CDR_TOKEN}x", json=stranger),
        client.get("/metrics", headers={"authorization": f"Bearer {CDR_TOKEN}"}),
        client.get("/v1/admin/switches", headers={"authorization": f"Bearer {ADMIN_TOKEN}x"}),
        client.post("/v1/admin/switches", json=PERSON, headers={"authorization": f"Bearer {ADMIN_TOKEN}"}),
        client.get("/console/map", headers={"cookie": f"leadring_console={ADMIN_TOKEN}"}),
        client.post("/console/sign-in", data={"token": f"{ADMIN_TOKEN}x", "then": PHONE}),
        client.post("/console/sign-in", data={"token": ADMIN_TOKEN, "then": NAME}, headers={"origin": "null"}),
        client.post("/console/map", files={"file": (NAME, f"{NAME} {PHONE}".encode())}),
    ]
    assert [answer.status_code for answer in answers if not 400 <= answer.status_code < 500] == []
    return answers


def _broken_tables(service: ServiceProcess, books: Books) -> list[httpx.Response]:
    """The database refuses a row, and says which; a table is gone, and the statement is in the error."""
    refused = "CREATE TRIGGER never BEFORE INSERT ON leads BEGIN SELECT RAISE(ABORT, 'never'); END"
    if books.url.startswith("postgresql"):
        refused = "ALTER TABLE leads ADD CONSTRAINT never CHECK (name = 'somebody else') NOT VALID"
    books.change(refused)
    answers = [service.post({**PERSON, "phone": OTHERS[1]})]
    books.change("ALTER TABLE leads RENAME TO leads_of_another_day")
    answers.append(service.post({**PERSON, "phone": OTHERS[2]}))
    heard = [answer for answer in answers if answer is not None]
    assert [answer.status_code // 100 for answer in heard] == [5, 5]
    return heard


def _words() -> list[str]:
    texts = [NAME, FAMILY, EMAIL, MESSAGE]
    return texts + [text.encode("unicode_escape").decode() for text in texts] + [repr(FAMILY.encode())[2:-1]]


def _any_spelling(phone: str) -> str:
    """A pattern of the number's nine national digits with anything but letters and digits between them."""
    digits = re.sub(r"\D", "", phone)[1:]
    return r"[^0-9a-zA-Z\n]{0,3}".join(digits)


def _around(text: str, found: re.Match[str] | None) -> str:
    return "" if found is None else text[max(0, found.start() - 400) : found.end() + 200]


def test_the_search_finds_numbers_however_they_are_written() -> None:
    pattern = _any_spelling(PHONE)
    for spelling in ("0542345678", "+972542345678", "+972 (54) 234-5678", "054.234.5678", "%2B972-54-234-5678"):
        assert re.search(pattern, f"to {spelling}!"), spelling
    assert not re.search(pattern, "+972•••••678")
