"""The pages without script in a real browser that has none: sent, mended, moved and cancelled in six languages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from app.domain.languages import LANGUAGES, RIGHT_TO_LEFT
from app.web.pages.words import WORDS
from tests.browser.script_free import (
    CONSENT,
    STATES,
    TOML,
    Visit,
    ask_cancel,
    form_wrong,
    overflow,
    status_line,
    status_waiting,
    violations,
)
from tests.store.engines import sqlite_template
from tests.web.service import RunningService, copy_of

__all__ = ["sqlite_template"]


@pytest.fixture
def service(sqlite_template: Path, tmp_path: Path) -> Iterator[RunningService]:
    with RunningService(copy_of(sqlite_template, tmp_path), toml=TOML) as one:
        yield one


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_a_script_everything_can_be_done(
    scriptless: BrowserContext, service: RunningService, language: str
) -> None:
    """A mistake comes back with what was typed; sent, moved to another time, cancelled: each says so in words."""
    words = WORDS[language]
    page = scriptless.new_page()
    visit = Visit(page, service, language)
    visit.go("/f/night?utm_source=card")
    expect(page.locator("html")).to_have_attribute("dir", "rtl" if language in RIGHT_TO_LEFT else "ltr")
    page.get_by_label(words["name"], exact=True).fill("נועה Noa")
    page.get_by_label(words["message"], exact=True).fill("two\nlines")
    page.get_by_label(words["when"], exact=True).select_option(index=2)
    chosen = page.locator("#call_at").input_value()
    visit.send("12")
    expect(page.locator("[role=alert]")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("alert").get_by_role("link")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")  # from the field's start, where the link led
    expect(page.get_by_label(words["name"], exact=True)).to_have_value("נועה Noa")
    expect(page.get_by_label(words["message"], exact=True)).to_have_value("two\nlines")
    expect(page.locator("#call_at")).to_have_value(chosen)
    visit.send()
    page.wait_for_url("**/f/night/thanks?**")
    assert words["at"].split("{time}")[0].strip() in visit.shown()
    first = page.locator("[role=status]").inner_text()
    page.get_by_role("link", name=words["move"]).click()
    page.get_by_label(words["move_title"]).select_option(index=4)
    page.get_by_role("button", name=words["move_send"]).click()
    page.wait_for_url("**/f/night/thanks?**")
    assert page.locator("[role=status]").inner_text() != first
    page.get_by_role("link", name=words["cancel"]).click()
    page.get_by_role("button", name=words["cancel_send"]).click()
    page.wait_for_url("**/f/night/thanks?**")
    expect(page.get_by_role("status")).to_have_text(words["cancelled"])
    page.get_by_role("link", name=words["again"]).click()
    expect(page.locator("#phone")).to_have_value("")


def test_the_status_renews_itself_and_can_be_held_still(scriptless: BrowserContext, service: RunningService) -> None:
    """By the page alone: the browser asks again, hears that the call was cancelled elsewhere, and rests."""
    page = scriptless.new_page()
    status_waiting(Visit(page, service, "en"))
    page.wait_for_url("**/thanks?**")
    page.get_by_role("link", name=WORDS["en"]["hold_still"]).click()
    expect(page.locator("meta[http-equiv=refresh]")).to_have_count(0)
    page.get_by_role("link", name=WORDS["en"]["go_on"]).click()
    page.wait_for_url(re.compile(r"thanks\?(?!.*renew)"))
    lead = re.search(r"lead=([^&]+)&token=([^&]+)", page.url)
    assert lead is not None
    service.on_loop(lambda: service.desk.views.see(lead[1], lead[2]))
    service.on_loop(lambda: service.desk.views.cancel(lead[1], lead[2]))
    page.reload()
    expect(page.get_by_role("status")).to_have_text(WORDS["en"]["cancelled"])
    expect(page.locator("meta[http-equiv=refresh]")).to_have_count(0)


def test_a_page_that_waits_asks_again_by_itself(scriptless: BrowserContext, service: RunningService) -> None:
    page = scriptless.new_page()
    status_line(Visit(page, service, "en"))
    page.wait_for_url("**/thanks?**")
    with page.expect_request(lambda request: "/thanks?" in request.url, timeout=9000):
        expect(page.locator("meta[http-equiv=refresh]")).to_have_attribute("content", "5")


def test_back_shows_how_it_stands_now(scriptless: BrowserContext, service: RunningService) -> None:
    """From the cancelled status back through the browser's history: no page claims what is no longer so."""
    page = scriptless.new_page()
    ask_cancel(Visit(page, service, "en"))
    page.get_by_role("button", name=WORDS["en"]["cancel_send"]).click()
    page.wait_for_url("**/thanks?**")
    page.go_back()
    expect(page.get_by_role("status")).to_have_text(WORDS["en"]["cancelled"])


def test_a_double_click_is_one_lead(page: Page, service: RunningService) -> None:
    """Two submits in one breath, by a form on a page of ours."""
    visit = Visit(page, service, "en")
    visit.go("/f/main")
    page.locator("#phone").fill("054-234 5678")
    page.locator("form button").dblclick()
    page.wait_for_url("**/thanks?**")
    engine = service.desk.store.engine  # type: ignore[attr-defined]
    found = service.on_loop(lambda: engine.read(lambda conn: conn.exec_driver_sql("SELECT id FROM leads").all()))
    assert len(found) == 1


def test_no_address_with_a_token_leaves_as_a_referrer(scriptless: BrowserContext, service: RunningService) -> None:
    page = scriptless.new_page()
    told: list[str] = []
    page.on("request", lambda request: told.append(request.all_headers().get("referer", "")))
    ask_cancel(Visit(page, service, "en"))
    page.get_by_role("button", name=WORDS["en"]["cancel_send"]).click()
    page.wait_for_url("**/thanks?**")
    assert told
    assert not [referrer for referrer in told if "token" in referrer]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_state_is_for_everybody(page: Page, service: RunningService, language: str) -> None:
    """axe finds nothing; at 320 pixels, and with text of twice the size at 640, nothing sticks out to the side, and
    whatever is there to press is 44 pixels high."""
    report = ""
    for state in STATES:
        page.set_viewport_size({"width": 320, "height": 800})
        visit = Visit(page, service, language)
        state(visit)
        visit.settle()
        report += violations(page, ("light", "dark") if language in ("he", "en") else ("light",))
        assert overflow(page) <= 0, state.__name__
        heights = page.locator("button, .way, select, main input:not([type=hidden]):not([type=checkbox]):not(#trap)")
        assert all(high >= 44 for high in heights.evaluate_all("all => all.map(one => one.offsetHeight)"))
        page.set_viewport_size({"width": 640, "height": 800})
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert overflow(page) <= 0, f"{state.__name__} in large text"
    assert report == ""


def test_the_keyboard_goes_through_the_form_in_order(page: Page, service: RunningService) -> None:
    """Without a mistake the first thing is the name; the trap is not on the way."""
    visit = Visit(page, service, "he")
    visit.go("/f/main")
    order = []
    for _ in range(6):
        page.keyboard.press("Tab")
        order.append(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
    assert order == ["name", "phone", "message", "consent", "BUTTON", "A"]
    expect(page.get_by_label(CONSENT)).not_to_be_checked()


def test_browsers_may_fill_in_what_they_know(page: Page, service: RunningService) -> None:
    form_wrong(Visit(page, service, "en"))
    assert [page.locator(f"#{name}").get_attribute("autocomplete") for name in ("name", "phone")] == ["name", "tel"]
