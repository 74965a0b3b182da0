"""Pages come and go, swap their parts, and are kept for the way back: what was typed and the call go on."""

import pytest
from playwright.sync_api import Browser, BrowserType, Page

from tests.browser.fake_service import ACCEPTED, Answer, FakeService
from tests.browser.visitor import FLOAT, INLINE, PHONE, ask, expect, fill, opened, says, send, until

AUTO = 'data-site="main" data-tel="03-000 0000" data-auto'
SWAP = """content => { const body = document.createElement('body');
  const main = document.createElement('main'); main.textContent = content;
  body.append(main); document.body.replaceWith(body); }"""


def test_a_swapped_body_keeps_the_floating_button_and_what_was_typed(
    page: Page, service: FakeService, complaints: list[str]
) -> None:
    """As Turbo does it: a new body element in the old one's place."""
    opened(page, service, "", script=AUTO)
    page.get_by_role("button", name="Call me back").click()
    fill(page)
    page.keyboard.press("Escape")
    page.evaluate(SWAP, "Another page")
    expect(page.get_by_text("Another page")).to_be_visible()
    launcher = page.get_by_role("button", name="Call me back")
    expect(launcher).to_have_count(1)
    launcher.click()
    expect(page.get_by_label("Phone", exact=True)).to_have_value(PHONE)
    send(page)
    says(page, "We call you")
    page.keyboard.press("Escape")
    page.evaluate(SWAP, "A third page")
    service.tell("dialing", "lead_ringing")
    says(page, "Your phone is ringing")
    assert complaints == []


def test_a_body_put_back_from_a_copy_has_one_floating_button(page: Page, service: FakeService) -> None:
    """The way back in such pages shows a clone of the old body, our button in it."""
    opened(page, service, "", script=AUTO)
    page.get_by_role("button", name="Call me back").click()
    fill(page)
    page.keyboard.press("Escape")
    page.evaluate("window.copy = document.body.cloneNode(true)")
    page.evaluate(SWAP, "Another page")
    page.evaluate("document.body.replaceWith(window.copy)")
    expect(page.get_by_role("button", name="Call me back")).to_have_count(1)
    page.get_by_role("button", name="Call me back").click()
    expect(page.get_by_label("Phone", exact=True)).to_have_value(PHONE)


def test_a_floating_button_that_the_page_takes_away_stays_away(page: Page, service: FakeService) -> None:
    opened(page, service, "", script=AUTO)
    expect(page.get_by_role("button", name="Call me back")).to_have_count(1)
    page.evaluate("document.querySelector('callback-widget').remove()")
    page.evaluate("() => new Promise(done => setTimeout(done))")
    expect(page.get_by_role("button", name="Call me back")).to_have_count(0)


def test_a_widget_taken_out_stops_listening_and_goes_on_when_it_is_back(page: Page, service: FakeService) -> None:
    opened(page, service, INLINE)
    ask(page)
    says(page, "We call you")
    page.evaluate("window.kept = document.querySelector('callback-widget'); kept.remove()")
    until(page, lambda: service.streams == 0, "the stream was closed")
    service.tell("dialing", "lead_ringing")
    page.evaluate("document.querySelector('main').append(window.kept)")
    says(page, "Your phone is ringing")


def test_elements_that_come_later_are_widgets_too(page: Page, service: FakeService) -> None:
    opened(page, service, "")
    page.wait_for_function("window.CallbackWidget?.version")
    page.evaluate(
        """() => { const node = document.createElement('callback-widget');
             node.setAttribute('site', 'main'); document.querySelector('main').append(node); }"""
    )
    ask(page)
    says(page, "We call you")


def test_a_page_that_is_left_closes_its_stream_and_opens_it_again_when_it_comes_back(
    page: Page, service: FakeService
) -> None:
    """By the events of the way there and back, which every browser sends."""
    opened(page, service, INLINE)
    ask(page)
    says(page, "We call you")
    until(page, lambda: service.streams == 1, "it listens")
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide', {persisted: true}))")
    until(page, lambda: service.streams == 0, "the stream was closed")
    service.tell("dialing", "lead_ringing")
    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    says(page, "Your phone is ringing")


@pytest.fixture
def remembering(browser_type: BrowserType, browser_type_launch_args: dict[str, object]) -> Browser:
    """A Chromium that keeps pages for the way back, which automation switches off."""
    args = dict(browser_type_launch_args)
    return browser_type.launch(**args, ignore_default_args=["--disable-back-forward-cache"])  # type: ignore[arg-type]


def test_a_page_from_the_back_forward_cache_goes_on(remembering: Browser, service: FakeService) -> None:
    """Really kept and restored: the call is followed again, and the form of another widget is not stuck."""
    with remembering:
        page = remembering.new_page()
        page.set_default_timeout(8000)
        page.add_init_script("addEventListener('pageshow', event => { window.restored = event.persisted })")
        opened(page, service, INLINE)
        ask(page)
        says(page, "We call you")
        page.evaluate("window.here = true")
        page.goto(service.page("Elsewhere"))
        page.go_back(wait_until="commit")
        page.wait_for_function("window.restored && window.here")
        service.tell("dialing", "lead_ringing")
        says(page, "Your phone is ringing")


def test_a_navigation_that_was_stopped_leaves_the_form_as_it_was(page: Page, service: FakeService) -> None:
    """Leaving and staying after all aborts what is under way: it is sent again as the same."""
    service.answers.append(Answer(202, ACCEPTED.body, held=True))
    opened(page, service, INLINE)
    ask(page)
    until(page, lambda: len(service.leads) == 1, "the request left")
    page.evaluate("location.href = '/never'; window.stop()")
    says(page, "Nothing you wrote is lost")
    expect(page.get_by_label("Phone", exact=True)).to_have_value(PHONE)
    service.let_go()
    send(page)
    says(page, "We call you")
    assert len({lead["submission_id"] for lead in service.leads}) == 1


def test_a_page_that_was_left_in_the_middle_has_sent_its_lead(page: Page, service: FakeService) -> None:
    """`keepalive`: who presses the button and follows a link is called all the same."""
    opened(page, service, INLINE + FLOAT)
    fill_first = page.locator("callback-widget[mode=inline]")
    fill_first.get_by_label("Phone", exact=True).fill(PHONE)
    fill_first.locator("[part=submit]").evaluate("node => { node.click(); location.href = '/' }")
    page.wait_for_url("**/")
    until(page, lambda: len(service.leads) == 1, "the lead arrived")
