"""The whole way in a real browser, with the real service and the sandbox: Send, both phones, what the page says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.story import Story

WORDS = {
    "en": {"connected": "Connected", "thanks": "Thank you"},
    "he": {"connected": "מחוברים", "thanks": "תודה"},
}


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    with Story(tmp_path) as story:
        yield story


@pytest.mark.parametrize("language", ["en", "he"])
def test_the_widget_follows_the_call_from_send_to_talking(
    page: Page, story: Story, complaints: list[str], language: str
) -> None:
    """The visitor sends, the agent's phone rings and is answered, then the visitor's; the widget says so live."""
    page.goto(f"{story.url}/demo/{language}")
    widget = page.locator("callback-widget[mode=inline]")
    widget.locator("input[type=tel]").fill("054-234-5678")
    widget.locator("button[type=submit]").click()
    (request,) = story.requests(1)
    assert (request["params"]["target"], request["method"]) == ("0542345678", "POST")
    story.sandbox.phone(request["phone"]).answer()
    steps = widget.locator("li[aria-current=step]")
    story.sandbox.phone("0542345678").answer()
    expect(steps).to_have_text(WORDS[language]["connected"])
    story.sandbox.phone("0542345678").hangup()
    expect(widget.locator("[role=status]")).to_contain_text(WORDS[language]["connected"])
    assert complaints == []


@pytest.mark.parametrize("language", ["en", "he"])
def test_the_plain_form_works_after_a_mistake_and_without_script(page: Page, story: Story, language: str) -> None:
    """A wrong number comes back with everything typed; mended and sent from our own page, it is accepted."""
    context = page.context.browser.new_context(java_script_enabled=False)  # type: ignore[union-attr]
    try:
        plain = context.new_page()
        plain.set_default_timeout(8000)
        plain.goto(f"{story.url}/demo/{language}")
        form = plain.locator('form[action="/f/main"]')
        form.locator("[name=name]").fill("Noa Levi")
        form.locator("[name=phone]").fill("12")
        form.locator("button").click()
        expect(plain.locator("[name=name]")).to_have_value("Noa Levi")
        expect(plain.locator("[name=phone]")).to_have_attribute("aria-invalid", "true")
        plain.locator("[name=phone]").fill("054-234-5678")
        plain.locator("button").first.click()
        plain.wait_for_url("**/f/main/thanks?**")
        (request,) = story.requests(1)
        assert request["params"]["target"] == "0542345678"
        story.sandbox.phone(request["phone"]).answer()
        story.sandbox.phone("0542345678").answer()
        story.sandbox.phone("0542345678").hangup()
        for _ in range(20):
            plain.reload()
            if WORDS["he"]["connected"] in plain.content() or WORDS["en"]["connected"] in plain.content():
                break
        else:
            pytest.fail("the thank-you page never said that the call was connected")
    finally:
        context.close()
