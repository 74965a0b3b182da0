"""The script-free road and the demo page, in a real browser."""

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.fake_service import FakeService
from tests.browser.visitor import PHONE, expect, says

NAME = {"en": "Name", "he": "שם"}
PHONE_WORD = {"en": "Phone", "he": "טלפון"}
BUTTON = {"en": "Send, and call me", "he": "שליחה, ותתקשרו אליי"}
AGAIN = {"en": "Call me back", "he": "חזרו אליי"}


@pytest.mark.parametrize("language", ["en", "he"])
def test_without_a_script_a_mistake_comes_back_with_what_was_typed_and_then_it_works(
    browser: Browser, service: FakeService, language: str
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{service.api}/demo?lang={language}")
    page.get_by_label(NAME[language], exact=True).fill("Noa")
    page.get_by_label(PHONE_WORD[language], exact=True).fill("12")
    page.get_by_role("button", name=BUTTON[language]).click()
    expect(page.get_by_role("alert").get_by_role("link")).to_have_attribute("href", "#phone")
    field = page.get_by_label(PHONE_WORD[language], exact=True)
    expect(field).to_have_value("12")
    expect(page.locator("html")).to_have_attribute("dir", "rtl" if language == "he" else "ltr")
    field.fill(PHONE)
    page.get_by_role("button", name=AGAIN[language]).click()
    expect(page.get_by_role("status")).to_be_visible()
    assert page.url.endswith(f"/thanks?lang={language}")
    first, second = service.posted
    assert (second["name"], second["phone"], second["roof"]) == ("Noa", PHONE, first["roof"])
    assert second["submission_id"] == "s-1"
    context.close()


@pytest.mark.parametrize("language", ["en", "he"])
def test_the_demo_page_works_under_its_policy(
    page: Page, service: FakeService, complaints: list[str], language: str
) -> None:
    service.tell("dialing", "agent_ringing", agent_name="Dana")
    page.goto(f"{service.api}/demo?lang={language}")
    expect(page.frame_locator("iframe").get_by_role("heading", name="Two telephones")).to_be_visible()
    talk = page.locator("#talk")
    talk.locator("#phone").fill(PHONE)
    talk.locator("[part=submit]").click()
    says(page, "Dana")
    expect(page.locator("#clock")).not_to_be_empty()
    assert complaints == []


def test_the_demo_page_without_a_sandbox_shows_no_empty_frame(page: Page, service: FakeService) -> None:
    page.route("**/demo?lang=en", lambda route: route.fulfill(body=route.fetch().text().replace(service.elsewhere, "")))
    page.goto(f"{service.api}/demo?lang=en")
    expect(page.locator("iframe")).to_have_count(0)


def test_the_telephones_stay_in_sight_on_a_wide_screen(page: Page, service: FakeService) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(f"{service.api}/demo?lang=en")
    page.locator("#write-title").scroll_into_view_if_needed()
    expect(page.locator("iframe")).to_be_in_viewport(ratio=0.9)


def test_every_button_of_the_demo_opens_the_dialog(page: Page, service: FakeService) -> None:
    page.goto(f"{service.api}/demo?lang=en")
    page.get_by_role("button", name="What would my roof give?").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.get_by_role("dialog").locator("#phone").fill(PHONE)
    page.get_by_role("dialog").locator("[part=submit]").click()
    says(page, "We call you")
