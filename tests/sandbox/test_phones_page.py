"""The page with the two telephones."""

import re
from collections.abc import Iterator

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect, sync_playwright

from app.sandbox.words import WORDS
from tests.sandbox_server import RunningSandbox

from .conftest import CALL, Caller


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        page = browser.new_page(reduced_motion="reduce")
        page.set_default_timeout(10_000)
        yield page
        browser.close()


def test_english_and_hebrew_say_the_same_things() -> None:
    assert WORDS["en"].keys() == WORDS["he"].keys()
    assert all(WORDS["he"].values())


async def test_the_page_loads_nothing_from_elsewhere_and_may_be_framed(caller: Caller) -> None:
    answer = await caller.http.get("/", params={"lang": "he"})
    assert 'dir="rtl"' in answer.text
    assert "frame-ancestors" not in answer.headers["content-security-policy"]
    assert "x-frame-options" not in answer.headers
    assert re.findall(r"(?:src|href)=\"(?:https?:)?//", answer.text) == []
    for asset in set(re.findall(r"(?:src|href)=\"(sandbox/assets/[^\"#]+)", answer.text)):
        assert (await caller.http.get(f"/{asset}")).status_code == 200


def test_a_person_answers_both_phones_and_hangs_up(running: RunningSandbox, page: Page) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{running.url}/")
    expect(page.locator("#link")).to_have_attribute("data-state", "live")
    httpx.post(running.click2call_url, json=CALL, trust_env=False)
    agent, lead = page.locator(".desk"), page.locator(".mobile")
    expect(agent).to_have_attribute("data-state", "ringing")
    expect(agent).to_contain_text("050-123-4567")
    expect(agent).to_contain_text("0192f3")
    page.get_by_role("button", name="Answer: Desk phone of SIPdana1").click()
    expect(agent).to_have_attribute("data-state", "dialing")
    expect(lead).to_have_attribute("data-state", "ringing")
    problems = [v["id"] for v in Axe().run(page).response["violations"]]
    page.get_by_role("button", name="Let it ring: Mobile phone 050-123-4567").click()
    expect(lead).to_have_attribute("data-state", "quiet")
    page.get_by_role("button", name="Answer: Mobile phone 050-123-4567").click()
    expect(agent).to_have_attribute("data-state", "talking")
    page.get_by_role("button", name="Hang up: Mobile phone 050-123-4567").click()
    expect(page.locator("#recent tbody")).to_contain_text("Connected")
    page.get_by_role("switch", name="Phone switched on: Desk phone of SIPdana1").click()
    expect(agent).to_have_attribute("data-online", "false")
    assert problems == []
    assert complaints == []
    assert running.calls()[0]["ended_by"] == "lead"


def test_the_page_in_hebrew_reads_from_the_right(running: RunningSandbox, page: Page) -> None:
    httpx.post(running.click2call_url, json=CALL, trust_env=False)
    page.goto(f"{running.url}/?lang=he")
    expect(page.locator(".desk")).to_contain_text("פנייה נכנסת")
    expect(page.get_by_role("button", name="דחייה: הטלפון השולחני של SIPdana1")).to_be_visible()
    desk, mobile = page.locator(".desk").bounding_box(), page.locator(".mobile").bounding_box()
    assert desk is not None
    assert mobile is not None
    assert desk["x"] > mobile["x"]
