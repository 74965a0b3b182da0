"""The page with the two telephones."""

import re
from collections.abc import Iterator

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect, sync_playwright

from app.sandbox.extensions import make_extensions
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


def test_of_many_agents_one_is_found_sent_to_lunch_and_put_on_another_call(page: Page) -> None:
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    with RunningSandbox(extensions=300) as sandbox:
        page.goto(f"{sandbox.url}/")
        expect(page.locator(".desk")).to_have_count(4)
        expect(page.get_by_role("heading", name="Telephones", exact=True)).to_be_visible()
        expect(page).to_have_title("Telephones · Leadring")
        expect(page.locator("#found")).to_have_text("4 shown of 300")
        page.get_by_role("searchbox", name="Find an agent").fill("nobody of that name")
        expect(page.locator("#found")).to_have_text("Nobody found among 300")
        expect(page.locator(".desk")).to_have_count(0)
        page.get_by_role("searchbox", name="Find an agent").fill(sandbox.extensions[250])
        expect(page.locator(".desk")).to_have_count(1)
        expect(page.locator("#found")).to_have_text("1 shown of 1 found, 300 in all")
        desk = page.locator(".desk")
        desk.get_by_role("combobox").select_option("Lunch")
        desk.get_by_role("button", name="Busy with another call").click()
        expect(desk).to_have_attribute("data-state", "talking")
        expect(desk).to_contain_text("Call from elsewhere")
        desk.get_by_role("button", name="Hold").click()
        expect(desk).to_have_attribute("data-state", "hold")
        problems = [v["id"] for v in Axe().run(page).response["violations"]]
        desk.get_by_role("button", name="Hang up").click()
        expect(page.locator("#recent tbody")).to_contain_text("Call from elsewhere")
        expect(page.locator("#recent tbody")).to_contain_text(sandbox.extensions[250])
        expect(page.locator("#recent tbody")).to_contain_text(make_extensions(300)[sandbox.extensions[250]])
        (lunch,) = [one for one in _phones(sandbox) if one["user_status"] == 3]
        assert lunch["number"] == sandbox.extensions[250]
    assert problems == []
    # The stream that the end of the sandbox cut is the browser's to complain about.
    assert [one for one in complaints if "ERR_" not in one] == []


def test_with_the_lead_first_the_leads_telephone_is_leg_1(running: RunningSandbox, page: Page) -> None:
    httpx.post(running.click2call_url, json=CALL | {"phone": "0501234567", "target": "SIPdana1"}, trust_env=False)
    page.goto(f"{running.url}/")
    expect(page.locator("#leads-leg")).to_have_text("Leg 1")
    page.get_by_role("button", name="Answer: Mobile phone 050-123-4567").click()
    expect(page.locator(".mobile")).to_contain_text("Ringing the agent")
    page.get_by_role("button", name="Answer: Desk phone of SIPdana1").click()
    expect(page.locator(".desk")).to_have_attribute("data-state", "talking")
    expect(page.locator(".mobile")).to_have_attribute("data-state", "talking")
    page.get_by_role("button", name="Hang up: Desk phone of SIPdana1").click()
    expect(page.locator("#recent tbody")).to_contain_text("Connected")


@pytest.mark.parametrize(
    ("sent", "title", "number"),
    [
        ({"targetcallerid": "0722776772", "targetcallername": "Roof Ltd"}, "Roof Ltd", "072-277-6772"),
        ({"targetcallerid": "0722776772"}, "072-277-6772", ""),
        ({}, "Leadring", ""),
    ],
    ids=["name and number", "number", "nothing"],
)
def test_the_leads_display_shows_who_calls_and_both_say_that_the_call_ended(
    running: RunningSandbox, page: Page, sent: dict[str, str], title: str, number: str
) -> None:
    httpx.post(running.click2call_url, json=CALL | sent, trust_env=False)
    running.phone("SIPdana1").answer()
    page.goto(f"{running.url}/")
    mobile = page.locator(".mobile")
    expect(mobile).to_have_attribute("data-state", "ringing")
    for _ in range(2):
        expect(mobile.locator(".m-title")).to_have_text(title)
        expect(mobile.locator(".m-number")).to_have_text(number)
        expect(mobile.locator(".own")).to_have_text("050-123-4567")
        if running.calls()[0]["live"]:
            running.phone("0501234567").decline()
        expect(mobile.locator(".m-state")).to_have_text("Call ended")
        expect(page.locator(".desk .lcd-state")).to_have_text("Call ended")


def test_seconds_left_are_said_in_the_order_of_the_language(running: RunningSandbox, page: Page) -> None:
    httpx.post(running.click2call_url, json=CALL, trust_env=False)
    for language, order in (("en", r"^\d+ s left$"), ("he", r"^נותרו \d+ שנ׳$")):
        page.goto(f"{running.url}/?lang={language}")
        expect(page.locator(".desk .lcd-time")).to_have_text(re.compile(order))
        expect(page.locator(".desk .lcd-time")).to_have_attribute("dir", "auto")


def test_a_ringing_telephone_moves_its_own_page_and_not_the_one_around_it(running: RunningSandbox, page: Page) -> None:
    """In a low frame the telephone that begins to ring comes into view; the outer page stands still."""
    frame = f'<iframe src="{running.url}/" width="400" height="420"></iframe>'
    page.set_content(f'<p id="top">Read me</p><div style="height: 3000px"></div>{frame}')
    inner = page.frame_locator("iframe")
    httpx.post(running.click2call_url, json=CALL, trust_env=False)
    expect(inner.locator(".desk")).to_have_attribute("data-state", "ringing")
    running.phone("SIPdana1").answer()
    expect(inner.locator(".mobile")).to_have_attribute("data-state", "ringing")
    (telephones,) = [one for one in page.frames if one is not page.main_frame]
    telephones.wait_for_function("scrollY > 0")
    inside = telephones.evaluate(
        "() => { const box = document.querySelector('.mobile').getBoundingClientRect();"
        " return Math.abs((box.top + box.bottom) / 2 - innerHeight / 2); }"
    )
    assert inside < 150
    assert page.evaluate("scrollY") == 0


def test_numbers_of_the_call_list_stay_on_one_line_on_a_narrow_screen(running: RunningSandbox, page: Page) -> None:
    page.set_viewport_size({"width": 320, "height": 800})
    httpx.post(running.click2call_url, json=CALL, trust_env=False)
    page.goto(f"{running.url}/")
    number = page.locator("#recent tbody").get_by_text("050-123-4567")
    expect(number).to_have_css("white-space", "nowrap")
    assert number.evaluate("node => node.getClientRects().length") == 1
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def _phones(sandbox: RunningSandbox) -> list[dict[str, object]]:
    shown: list[dict[str, object]] = httpx.get(f"{sandbox.url}/sandbox/phones", trust_env=False).json()
    return shown
