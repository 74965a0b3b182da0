"""Everybody can use it: keyboard, screen reader, small screen, forced colours, quiet motion (WCAG 2.2 AA, IS 5568)."""

from collections.abc import Callable
from typing import Final, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.fake_service import FakeService, problem
from tests.browser.visitor import FLOAT, INLINE, LATER, OPENER, SEND, ask, expect, focused, opened, says, send

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")


def violations(page: Page, *, without: str | None = None) -> str:
    """axe's report over the whole page in light and in dark, shadow roots included; empty when it finds nothing."""
    options: dict[str, object] = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
    if without:
        options["rules"] = {without: {"enabled": False}}
    report = ""
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        results = Axe().run(page, options=options)
        if results.violations_count:
            report += f"in {scheme}:\n{results.generate_report()}"
    return report


def show_form(page: Page, service: FakeService, language: str) -> None:
    service.site = {"open": True, "language": language, "consent_text": "I agree. מסכים."}
    opened(page, service, INLINE + FLOAT, language=language)
    expect(page.get_by_role("checkbox")).to_be_visible()


def show_dialog(page: Page, service: FakeService, language: str) -> None:
    opened(page, service, FLOAT, language=language)
    page.get_by_role("button", name=LATER[language]).click()
    expect(page.get_by_role("dialog")).to_be_visible()


def show_error(page: Page, service: FakeService, language: str) -> None:
    service.answers.append(problem(500, "oops"))
    opened(page, service, INLINE, language=language)
    ask(page, language=language)
    expect(page.get_by_role("link", name="03-000 0000")).to_be_visible()


def show_mistake(page: Page, service: FakeService, language: str) -> None:
    opened(page, service, INLINE, language=language)
    ask(page, phone="1", language=language)
    expect(page.locator("#phone")).to_have_attribute("aria-invalid", "true")


def show_status(page: Page, service: FakeService, language: str) -> None:
    service.tell("waiting", "received", position=2)
    opened(page, service, INLINE, language=language)
    ask(page, language=language)
    says(page, "number 2" if language == "en" else "בתור: 2")


@pytest.mark.parametrize("language", ["en", "he"])
@pytest.mark.parametrize("show", [show_form, show_dialog, show_error, show_mistake, show_status])
def test_axe_finds_nothing(
    page: Page, service: FakeService, show: Callable[[Page, FakeService, str], None], language: str
) -> None:
    show(page, service, language)
    page.evaluate("document.documentElement.style.colorScheme = 'light dark'")
    assert violations(page) == ""


@pytest.mark.parametrize("language", ["en", "he"])
@pytest.mark.parametrize("path", ["/demo?lang={}", "/thanks?lang={}"])
def test_axe_finds_nothing_on_our_own_pages(page: Page, service: FakeService, path: str, language: str) -> None:
    page.goto(service.api + path.format(language))
    page.wait_for_load_state("load")
    # The script-free status page has to renew itself; it loses nothing that was typed, there is nothing to type.
    assert violations(page, without="meta-refresh") == ""


@pytest.mark.parametrize("language", ["en", "he"])
def test_the_keyboard_alone_is_enough(page: Page, service: FakeService, language: str) -> None:
    opened(page, service, FLOAT, language=language)
    page.keyboard.press("Tab")
    assert focused(page) == "launcher"
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert focused(page) == "name"
    page.keyboard.press("Tab")
    page.keyboard.type("054-234 5678")
    page.keyboard.press("Tab")
    assert focused(page) == "submit", "the trap is not on the way"
    page.keyboard.press("Enter")
    says(page, "We call you" if language == "en" else "נתקשר אליכם")
    assert focused(page) == "status"
    assert service.leads[0]["phone"] == "054-234 5678"


@pytest.mark.parametrize("body", [FLOAT, OPENER], ids=["float", "opener"])
def test_escape_closes_the_dialog_and_the_focus_goes_back(page: Page, service: FakeService, body: str) -> None:
    opened(page, service, body, script='data-site="main"')
    button = page.get_by_role("button", name="Call me back" if body == FLOAT else "Talk to us")
    button.focus()
    for close in ("Escape", "Enter"):
        page.keyboard.press("Enter")
        expect(page.get_by_role("dialog")).to_be_visible()
        if close == "Enter":
            page.get_by_role("button", name="Close").focus()
        page.keyboard.press(close)
        expect(page.get_by_role("dialog")).to_be_hidden()
        expect(button).to_be_focused()


def test_focus_goes_back_to_an_opener_that_never_had_it(page: Page, service: FakeService) -> None:
    """Safari gives a clicked button no focus, so the dialog's own memory of it is empty."""
    opened(page, service, OPENER, script='data-site="main"')
    button = page.get_by_role("button", name="Talk to us")
    button.evaluate("node => node.click()")
    expect(page.get_by_role("dialog")).to_be_visible()
    page.keyboard.press("Escape")
    expect(button).to_be_focused()


def test_the_dialog_keeps_the_focus_inside_and_is_named(page: Page, service: FakeService) -> None:
    opened(page, service, '<a href="#outside">Outside</a>' + FLOAT)
    page.get_by_role("button", name="Call me back").click()
    expect(page.get_by_role("dialog")).to_have_accessible_name("We call you back")
    seen = set()
    for _ in range(8):
        page.keyboard.press("Tab")
        seen.add(focused(page))
    assert {"name", "phone", "submit", "close"} <= seen
    assert "Outside" not in seen


def test_the_status_region_is_there_before_it_speaks(page: Page, service: FakeService) -> None:
    opened(page, service, INLINE)
    region = page.locator("callback-widget [role=status]")
    expect(region).to_have_count(1)
    expect(region).to_be_empty()


def test_focus_is_not_lost_when_the_cancel_button_goes(page: Page, service: FakeService) -> None:
    opened(page, service, INLINE)
    ask(page)
    page.get_by_role("button", name="Cancel the call").focus()
    service.tell("dialing", "lead_ringing")
    says(page, "Your phone is ringing")
    assert focused(page) == "status"


@pytest.mark.parametrize("language", ["en", "he"])
@pytest.mark.parametrize("path", ["widget", "/demo?lang={}", "/thanks?lang={}"])
def test_320_pixels_are_wide_enough(page: Page, service: FakeService, path: str, language: str) -> None:
    page.set_viewport_size({"width": 320, "height": 640})
    if path == "widget":
        opened(page, service, INLINE + FLOAT, language=language)
        page.get_by_role("button", name=LATER[language]).click()
        box = page.get_by_role("dialog").bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 320
    else:
        page.goto(service.api + path.format(language))
    page.wait_for_load_state("load")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


@pytest.mark.parametrize("language", ["en", "he"])
def test_everything_to_press_is_at_least_44_pixels_high(page: Page, service: FakeService, language: str) -> None:
    opened(page, service, INLINE + FLOAT, language=language)
    page.get_by_role("button", name=LATER[language]).click()
    page.get_by_role("button", name=SEND[language]).last.wait_for()
    heights = page.evaluate(
        """() => [...document.querySelectorAll('callback-widget')].flatMap(widget =>
             [...widget.shadowRoot.querySelectorAll('button, input:not([name=_gotcha])')])
             .filter(node => node.checkVisibility()).map(node => node.getBoundingClientRect().height)"""
    )
    assert len(heights) >= 6
    assert min(heights) >= 44


def test_a_bright_accent_gets_dark_letters(page: Page, service: FakeService) -> None:
    opened(page, service, INLINE)
    page.evaluate("document.querySelector('callback-widget').style.setProperty('--leadring-accent', '#ffd400')")
    assert violations(page) == ""
    colour = page.locator("callback-widget [part=submit]").evaluate("node => getComputedStyle(node).color")
    assert colour.startswith("lab(0 ")


def test_forced_colours_keep_the_borders(page: Page, service: FakeService) -> None:
    page.emulate_media(forced_colors="active")
    opened(page, service, INLINE)
    border = page.locator("callback-widget [part=submit]").evaluate("node => getComputedStyle(node).borderTopColor")
    assert border not in ("rgba(0, 0, 0, 0)", "transparent")


def test_reduced_motion_stops_the_pulse(page: Page, service: FakeService) -> None:
    page.emulate_media(reduced_motion="reduce")
    opened(page, service, INLINE)
    ask(page)
    says(page, "We call you")
    name = page.locator("[aria-current=step]").evaluate("node => getComputedStyle(node, '::before').animationName")
    assert name == "none"


def test_the_widget_ignores_the_hosts_letters(page: Page, service: FakeService) -> None:
    opened(page, service, f'<div id="loud">{INLINE}</div>')
    page.evaluate(
        "Object.assign(document.querySelector('#loud').style, {textTransform: 'uppercase', letterSpacing: '9px'})"
    )
    heading = page.get_by_role("heading", name="We call you back")
    expect(heading).to_have_css("text-transform", "none")
    expect(heading).to_have_css("letter-spacing", "normal")
    send(page)
    expect(page.get_by_text("Please write your number.")).to_be_visible()
