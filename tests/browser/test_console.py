"""The console in a real browser without any script: signed in to, read with, and left; for everybody to use."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.script_free import overflow, violations
from tests.forms.payloads import body, fixture
from tests.store.engines import sqlite_template
from tests.web.hooking import HOOKED, address
from tests.web.service import RunningService, copy_of

__all__ = ["sqlite_template"]

TOKEN = "admin-token-in-a-browser"
EVERYTHING = {
    "where": "054-234-5678",
    "שם": "<b>דנה לוי</b>\u202e",
    "תקציב": "10,000",
    "x" * 90: "y" * 900,
    "_gotcha": "robot",
}


@pytest.fixture
def service(sqlite_template: Path, tmp_path: Path) -> Iterator[RunningService]:
    with RunningService(copy_of(sqlite_template, tmp_path), toml=HOOKED, admin_token=TOKEN) as one:
        yield one


def sign_in(page: Page, service: RunningService, token: str = TOKEN, path: str = "/console/map") -> None:
    page.goto(service.url + path)
    page.get_by_label("Admin token").fill(token)
    press(page, "Sign in")


def press(page: Page, button: str) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name=button, exact=True).click()


def read(page: Page, payload: str) -> None:
    page.get_by_label("Payload", exact=True).fill(payload)
    press(page, "Read it")


def deliver(page: Page, service: RunningService) -> None:
    """One delivery without a number, which is kept."""
    answer = page.request.post(service.url + address(), data={"plan": "gold"})
    assert answer.status == 422


def test_without_a_script_everything_can_be_done(
    scriptless: BrowserContext, service: RunningService, tmp_path: Path
) -> None:
    """A wrong token, the right one; pasted, uploaded, and kept; and out, after which no page opens any more."""
    page = scriptless.new_page()
    deliver(page, service)
    sign_in(page, service, "wrong")
    expect(page.get_by_role("alert")).to_have_text("This is not the admin token.")
    expect(page.get_by_label("Admin token")).to_be_focused()
    page.get_by_label("Admin token").fill(TOKEN)
    press(page, "Sign in")
    assert page.url == service.url + "/console/map", "on to where one wanted to go"
    (cookie,) = scriptless.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/console")
    page.get_by_label("Read it as").select_option("elementor")
    read(page, body(fixture("elementor-he")).decode())
    expect(page.get_by_role("heading", name="read as elementor")).to_be_focused()
    expect(page.get_by_role("row", name="phone 054-2345678")).to_contain_text("+972542345678")
    expect(page.get_by_label("Read it as")).to_have_value("elementor")
    captured = tmp_path / "captured.txt"
    captured.write_text(json.dumps(EVERYTHING), encoding="utf-8")
    page.get_by_label("Payload", exact=True).fill("")
    page.get_by_label("Or a file with it").set_input_files(captured)
    page.get_by_label("Read it as").select_option("source:shop")
    press(page, "Read it")
    expect(page.get_by_role("region", name="To write into leadring.toml")).to_contain_text("[sources.shop.map]")
    page.goto(service.url + "/console")
    page.get_by_role("link", name="Read a payload").first.click()
    page.get_by_label("Or a delivery that is kept").select_option(index=1)
    press(page, "Read it")
    expect(page.get_by_role("heading", name="read as generic for [sources.shop]")).to_be_visible()
    page.get_by_role("link", name="Read a payload").click()
    press(page, "Sign out")
    assert page.url == service.url + "/console"
    page.go_back()
    expect(page.get_by_label("Admin token")).to_be_visible()
    expect(page.get_by_label("Payload", exact=True)).to_have_count(0)


def test_a_file_far_too_large_is_told_so_on_the_page(page: Page, service: RunningService, tmp_path: Path) -> None:
    flood = tmp_path / "flood.json"
    flood.write_bytes(b"x" * 5_000_000)
    sign_in(page, service)
    page.get_by_label("Or a file with it").set_input_files(flood)
    press(page, "Read it")
    expect(page.get_by_role("alert")).to_be_focused()
    expect(page.get_by_role("alert")).to_contain_text("64 KiB that a webhook may be")


def test_a_form_on_another_page_does_nothing(page: Page, service: RunningService) -> None:
    """With the session of who is signed in behind it: neither is anything read, nor is he signed out."""
    sign_in(page, service)
    for path in ("/console/map", "/console/sign-out", "/console/sign-in"):
        page.goto("about:blank")
        page.set_content(f'<form method="post" action="{service.url}{path}"><button>go</button></form>')
        press(page, "go")
        expect(page.get_by_role("heading", level=1)).to_have_text("Origin not allowed")
    page.goto(service.url + "/console/map")
    expect(page.get_by_label("Payload", exact=True)).to_be_visible()


def test_it_is_for_everybody(page: Page, service: RunningService, complaints: list[str]) -> None:
    """axe finds nothing in any state, light or dark; at 320 pixels and in text of twice the size nothing sticks out;
    whatever is there to press is 44 pixels high."""
    deliver(page, service)
    report = ""

    def look(state: str) -> None:
        nonlocal report
        page.set_viewport_size({"width": 320, "height": 800})
        report += violations(page)
        assert overflow(page) <= 0, state
        heights = page.locator("button, select, textarea, .way, nav a, dt a, input:not([type=hidden])")
        assert all(high >= 44 for high in heights.evaluate_all("all => all.map(one => one.offsetHeight)")), state
        page.set_viewport_size({"width": 640, "height": 800})
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        assert overflow(page) <= 0, f"{state} in large text"

    page.goto(service.url + "/console")
    look("sign-in")
    sign_in(page, service, "wrong")
    look("wrong token")
    sign_in(page, service)
    look("empty form")
    page.get_by_label("Read it as").select_option("source:shop")
    read(page, json.dumps(EVERYTHING))
    for part in ("To write into leadring.toml", "The submission", "Found for our fields"):
        expect(page.get_by_role("region", name=part)).to_be_visible()
    look("result with everything")
    read(page, json.dumps({"plan": "gold"}))
    look("result without a number")
    read(page, '{"phone":')
    look("what cannot be read")
    read(page, "")
    look("form with a mistake")
    page.goto("about:blank")
    page.set_content(f'<form method="post" action="{service.url}/console/map"><button>go</button></form>')
    press(page, "go")
    look("refused")
    page.goto(service.url + "/console")
    look("first page")
    assert report == ""
    assert [line for line in complaints if "the server responded with a status of" not in line] == []


def test_the_keyboard_reaches_what_scrolls_and_what_is_to_be_copied(page: Page, service: RunningService) -> None:
    sign_in(page, service)
    read(page, json.dumps(EVERYTHING))
    expect(page.get_by_role("heading", name="read as generic")).to_be_focused()
    reached = []
    for _ in range(5):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.getAttribute('aria-labelledby')"))
    assert reached == ["facts", "fields", "beside", "to-write", None]
