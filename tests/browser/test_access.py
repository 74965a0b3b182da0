"""Everybody can use it: keyboard, screen reader, small screen, forced colours, quiet motion (WCAG 2.2 AA, IS 5568)."""

from typing import Any, Final, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.fake_service import ACCEPTED, Answer, FakeService, problem
from tests.browser.visitor import (
    FLOAT,
    FORM,
    INLINE,
    LANGUAGES,
    LATER,
    OPENER,
    SEND,
    WORDS,
    ask,
    expect,
    focused,
    opened,
    says,
    send,
)

TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SCHEMES: Final[tuple[Literal["light", "dark"], ...]] = ("light", "dark")


def told(found: list[dict[str, Any]]) -> str:
    """What axe found, one line a node; its own report does not understand nodes inside shadow roots."""
    return "".join(f"{one['id']}: {node['target']} {node['any'][:1]}\n" for one in found for node in one["nodes"])


def violations(page: Page, *, without: str | None = None) -> str:
    """axe's report over the whole page in light and in dark, shadow roots included; empty when it finds nothing."""
    options: dict[str, object] = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
    if without:
        options["rules"] = {without: {"enabled": False}}
    report = ""
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        if scheme == "dark":  # nothing but colours has changed
            options["runOnly"] = {"type": "rule", "values": ["color-contrast"]}
        results = Axe().run(page, options=options)
        if results.violations_count:
            report += f"in {scheme}:\n{told(results.response['violations'])}"
    return report


SLOTS = ["2030-01-06T07:00:00.000Z", "2030-01-06T07:30:00.000Z"]
# What the service tells after sending, one after the other; the last of each life is over.
LIVES: Final[tuple[tuple[tuple[str, tuple[str, ...], dict[str, object]], ...], ...]] = (
    (
        ("waiting", ("received",), {"position": 2}),
        ("waiting", ("received", "scheduled"), {"expected_call_at": SLOTS[1]}),
        ("dialing", ("agent_ringing",), {"agent_name": "Dana", "caller_id": "03-5550123"}),
        ("dialing", ("agent_answered",), {"agent_name": "Dana"}),
        ("dialing", ("lead_ringing",), {"agent_name": "Dana"}),
        ("connected", ("connected",), {}),
    ),
    (("failed", ("failed",), {}),),
    (("cancelled", ("cancelled",), {}),),
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_axe_finds_nothing_in_any_state(page: Page, service: FakeService, language: str) -> None:
    """Form, choice of times, mistakes, sending, failure, and all that becomes of a call; in light and in dark."""
    words = WORDS[language]
    busy = {"open": True, "busy": True, "language": language, "slots": SLOTS, "consent_text": "OK 1-2-3"}
    service.site = busy
    opened(page, service, INLINE, language=language)
    page.evaluate("document.documentElement.style.colorScheme = 'light dark'")
    expect(page.get_by_role("checkbox")).to_be_visible()
    expect(page.get_by_label(words["when"])).to_be_visible()
    found = {"form": violations(page)}
    ask(page, phone="1", language=language)
    expect(page.get_by_text(words["impossible"])).to_be_visible()
    found["mistake"] = violations(page)
    service.answers.append(problem(500, "oops"))
    ask(page, language=language)
    expect(page.get_by_role("link", name="03-000 0000")).to_be_visible()
    found["failure"] = violations(page)
    service.answers.append(Answer(202, ACCEPTED.body, held=True))
    send(page, language=language)
    says(page, words["sending"])
    found["sending"] = violations(page)
    service.tell("waiting", "received")
    service.let_go()
    for number, life in enumerate(LIVES):
        if number:
            service.tell("waiting", "received")
            page.get_by_role("button", name=words["again"]).click()
            send(page, language=language)
        says(page, words["waiting"])
        for state, events, more in life:
            service.tell(state, *events, **more)
            expect(page.locator("[part=cancel]")).to_be_visible(visible=state == "waiting")
            found[f"{state} {events} {more}"] = violations(page)
    assert len(found) == 12
    assert {state: report for state, report in found.items() if report} == {}


@pytest.mark.parametrize("language", LANGUAGES)
def test_axe_finds_nothing_in_the_dialog_the_websites_form_and_a_closed_door(
    page: Page, service: FakeService, language: str
) -> None:
    words = WORDS[language]
    service.site = {"open": True, "taking": False, "language": language, "message": words["closed"]}
    body = FLOAT + FORM.format(api=service.api).replace(" required", "")
    opened(page, service, body, language=language)
    page.evaluate("document.documentElement.style.colorScheme = 'light dark'")
    errors = [{"field": "phone", "code": "missing", "message": "x"}]
    service.answers.append(problem(422, "invalid", errors=errors))
    page.get_by_role("button", name="Go").click()
    expect(page.get_by_text(words["missing"])).to_be_visible()
    found = {"form": violations(page)}
    page.get_by_role("button", name=words["later"]).click()
    says(page, words["closed"])
    found["dialog"] = violations(page)
    assert {state: report for state, report in found.items() if report} == {}


@pytest.mark.parametrize("language", ["en", "he"])
@pytest.mark.parametrize("path", ["/demo?lang={}", "/thanks?lang={}"])
def test_axe_finds_nothing_on_our_own_pages(page: Page, service: FakeService, path: str, language: str) -> None:
    page.goto(service.api + path.format(language))
    page.wait_for_load_state("load")
    # The script-free status page has to renew itself; it loses nothing that was typed, there is nothing to type.
    assert violations(page, without="meta-refresh") == ""


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_keyboard_alone_is_enough(page: Page, service: FakeService, language: str) -> None:
    service.site = {"open": True, "busy": True, "language": language, "slots": SLOTS}
    opened(page, service, FLOAT, language=language)
    expect(page.get_by_role("button", name=LATER[language])).to_be_visible()
    page.keyboard.press("Tab")
    assert focused(page) == "launcher"
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    assert focused(page) == "name"
    page.keyboard.press("Tab")
    page.keyboard.type("054-234 5678")
    expect(page.get_by_label(WORDS[language]["when"])).to_be_visible()
    page.keyboard.press("Tab")
    assert focused(page) == "call_at"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Tab")
    assert focused(page) == "submit", "the trap is not on the way"
    page.keyboard.press("Enter")
    says(page, WORDS[language]["waiting"])
    assert focused(page) == "status"
    assert (service.leads[0]["phone"], service.leads[0]["call_at"]) == ("054-234 5678", SLOTS[0])
    for name in ("call_at", "move", "cancel"):
        page.keyboard.press("Tab")
        assert focused(page) == name
    page.keyboard.press("Enter")
    says(page, WORDS[language]["cancelled"])
    assert focused(page) == "status"


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


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_to_press_is_at_least_44_pixels_high(page: Page, service: FakeService, language: str) -> None:
    opened(page, service, INLINE + FLOAT, language=language)
    page.get_by_role("button", name=LATER[language], exact=True).click()
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
    expect(page.get_by_role("button", name="Call me now")).to_be_visible()
    assert violations(page) == ""


def test_forced_colours_keep_the_borders(page: Page, service: FakeService) -> None:
    page.emulate_media(forced_colors="active")
    opened(page, service, INLINE)
    border = page.locator("callback-widget [part=submit]").evaluate("node => getComputedStyle(node).borderTopColor")
    assert border not in ("rgba(0, 0, 0, 0)", "transparent")


def test_nothing_moves(page: Page, service: FakeService) -> None:
    """So there is nothing for reduced motion to stop."""
    opened(page, service, INLINE)
    ask(page)
    says(page, "We call you")
    moving = page.evaluate(
        """() => [...document.querySelector('callback-widget').shadowRoot.querySelectorAll('*')].filter(node =>
             ['', '::before', '::after'].some(part => { const style = getComputedStyle(node, part || null);
               return style.animationName !== 'none' || style.transitionDuration !== '0s'; })).length"""
    )
    assert moving == 0


def test_letters_of_twice_the_size_still_fit(page: Page, service: FakeService) -> None:
    """200 % text on a screen of 640 pixels, and on one of 320."""
    service.site = {"open": True, "busy": True, "language": "en", "slots": SLOTS}
    for width in (640, 320):
        page.set_viewport_size({"width": width, "height": 640})
        opened(page, service, INLINE)
        page.evaluate("document.documentElement.style.fontSize = '200%'")
        expect(page.get_by_label("When shall we call?")).to_be_visible()
        expect(page.get_by_role("button", name="Call me now")).to_have_css("font-size", "32px")
        ask(page)
        says(page, "We call you")
        assert page.evaluate("document.documentElement.scrollWidth") <= width


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
