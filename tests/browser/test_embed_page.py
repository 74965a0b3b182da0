"""The page that makes the snippet, in a real browser: with script and without, small and large, and its preview."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.script_free import TOML, overflow, violations
from tests.store.engines import sqlite_template
from tests.web.service import RunningService, copy_of

__all__ = ["sqlite_template"]

TITLE = {"en": "Put the form on a website", "he": "להציב את הטופס באתר"}
MAKE = {"en": "Make the lines", "he": "הכנת השורות"}


@pytest.fixture
def service(sqlite_template: Path, tmp_path: Path) -> Iterator[RunningService]:
    with RunningService(copy_of(sqlite_template, tmp_path), toml=TOML) as one:
        yield one


@pytest.mark.parametrize("language", ["en", "he"])
def test_without_a_script_the_lines_are_made_all_the_same(
    browser: Browser, service: RunningService, language: str
) -> None:
    context = browser.new_context(java_script_enabled=False, locale="en-GB")
    page = context.new_page()
    page.goto(f"{service.url}/embed?lang={language}")
    expect(page.get_by_role("heading", name=TITLE[language])).to_be_visible()
    page.locator("#site").fill("wrong")
    page.get_by_role("button", name=MAKE[language]).click()
    expect(page.locator("[role=alert]")).to_be_focused()
    expect(page.locator("#site")).to_have_attribute("aria-invalid", "true")
    page.locator("#site").fill("main")
    page.locator("#mode").select_option("form")
    page.locator("#language").select_option("es")
    page.get_by_role("button", name=MAKE[language]).click()
    expect(page.locator("pre").first).to_contain_text(f'action="{service.url}/f/main"')
    expect(page.locator("pre").first).to_contain_text("Llámenme")
    expect(page.locator("#mode")).to_have_value("form")
    expect(page.locator("button.copy")).to_have_count(0)
    expect(page.frame_locator("iframe").locator("form")).to_be_visible()
    context.close()


@pytest.mark.parametrize("mode", ["inline", "float", "button", "form", "take_over"])
def test_the_preview_shows_it_and_sends_nothing(
    page: Page, service: RunningService, complaints: list[str], mode: str
) -> None:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    page.goto(f"{service.url}/embed?site=main&mode={mode}&colour=%23663399&lang=en")
    frame = page.frame_locator("iframe")
    if mode in ("float", "button"):
        frame.get_by_role("button", name="Call me back").click()
        expect(frame.get_by_role("dialog")).to_be_visible()
    phone = frame.locator("input[type=tel]")
    expect(phone).to_be_visible()
    if mode in ("inline", "float", "button"):
        expect(frame.get_by_role("checkbox")).to_be_visible()  # what the site asks is known there, too
        colour = frame.locator("[part=submit]").evaluate("node => getComputedStyle(node).backgroundColor")
        assert colour == "rgb(102, 51, 153)"
    assert complaints == []
    phone.fill("054-234 5678")
    phone.press("Enter")
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert sent == []


def test_a_button_copies_the_exact_lines(browser: Browser, service: RunningService) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"], locale="en-GB")
    page = context.new_page()
    page.goto(f"{service.url}/embed?site=main&mode=inline&lang=en")
    lines = page.locator("pre").first.text_content()
    page.get_by_role("button", name="Copy", exact=True).first.click()
    expect(page.get_by_role("status").first).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == lines
    context.close()


@pytest.mark.parametrize("language", ["en", "he"])
def test_it_is_for_everybody(page: Page, service: RunningService, complaints: list[str], language: str) -> None:
    """axe finds nothing in any state, light or dark; nothing sticks out at 320 pixels or in text of twice the size."""
    report = ""
    for query in ("", "&site=wrong&colour=red", "&site=main&mode=take_over&page=https://evil.example&colour=%23aabbcc"):
        page.set_viewport_size({"width": 320, "height": 800})
        page.goto(f"{service.url}/embed?lang={language}{query}")
        report += violations(page)
        assert overflow(page) <= 0, query
        page.set_viewport_size({"width": 640, "height": 800})
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert overflow(page) <= 0, f"{query} in large text"
    assert report == ""
    assert [line for line in complaints if "404" not in line] == []
