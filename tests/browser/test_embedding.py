"""Two lines embed the widget, under any page policy, in both languages, once or many times."""

import base64
import gzip
import hashlib

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.fake_service import STATIC, FakeService
from tests.browser.visitor import FLOAT, INLINE, OPENER, PHONE, ask, expect, fill, opened, says, send, until

STRICT = (
    "default-src 'none'; script-src {api}; connect-src {api}; "
    "require-trusted-types-for 'script'; trusted-types 'none'; frame-ancestors 'none'; base-uri 'none'"
)


def test_the_widget_weighs_less_than_8_kib_compressed() -> None:
    assert len(gzip.compress((STATIC / "widget.js").read_bytes(), 9)) < 8192


def test_any_button_of_the_page_opens_a_dialog_under_the_strictest_policy(
    page: Page, service: FakeService, complaints: list[str]
) -> None:
    opened(page, service, OPENER, policy=STRICT.format(api=service.api), script='data-site="main"')
    page.get_by_role("button", name="Talk to us").click()
    ask(page)
    says(page, "We call you as soon")
    assert service.leads[0]["phone"] == PHONE
    assert service.preflights == 0, "asking must not cost a preflight"
    assert complaints == []


@pytest.mark.parametrize(("language", "direction"), [("en", "ltr"), ("he", "rtl")])
def test_the_panel_follows_the_language_and_the_number_stays_left_to_right(
    page: Page, service: FakeService, language: str, direction: str
) -> None:
    opened(page, service, INLINE, language=language)
    panel = page.locator("callback-widget section")
    expect(panel).to_have_css("direction", direction)
    expect(panel).to_have_attribute("lang", language)
    expect(page.locator("#phone")).to_have_css("direction", "ltr")


def test_the_styles_arrive_under_the_strictest_policy(page: Page, service: FakeService) -> None:
    opened(page, service, FLOAT, policy=STRICT.format(api=service.api))
    expect(page.get_by_role("button", name="Call me back")).to_have_css("position", "fixed")


def test_data_auto_adds_the_floating_button(page: Page, service: FakeService) -> None:
    opened(page, service, "", script='data-site="main" data-auto data-lang="he" data-tel="03-000 0000"')
    page.get_by_role("button", name="חזרו אליי").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def test_two_widgets_do_not_mix_up_their_visitors(page: Page, service: FakeService, complaints: list[str]) -> None:
    body = INLINE + '<callback-widget mode="inline" site="second" lang="he"></callback-widget>'
    opened(page, service, body)
    page.locator("#phone").nth(0).fill("054-234 0001")
    page.locator("#phone").nth(1).fill("054-234 0002")
    send(page, language="he")
    until(page, lambda: len(service.leads) == 1, "the second widget sent")
    assert (service.leads[0]["site"], service.leads[0]["phone"]) == ("second", "054-234 0002")
    expect(page.locator("#phone").nth(0)).to_have_value("054-234 0001")
    assert complaints == []


def test_the_script_loaded_twice_is_harmless(page: Page, service: FakeService, complaints: list[str]) -> None:
    twice = f'<script src="{service.api}/widget/v1.js?again"></script>' * 2
    opened(page, service, INLINE + OPENER + twice, script='data-site="main"')
    expect(page.get_by_role("heading", name="We call you back")).to_have_count(1)
    ask(page)
    says(page, "We call you")
    assert len(service.leads) == 1
    assert complaints == []


def test_commands_given_before_the_script_arrives_are_kept(page: Page, service: FakeService) -> None:
    stub = (
        "<script>window.CallbackWidget = window.CallbackWidget || function () {"
        "(CallbackWidget.q = CallbackWidget.q || []).push(arguments) };"
        "CallbackWidget('open'); CallbackWidget('prefill', {phone: '054-234 0009', name: 'Noa'})</script>"
    )
    page.goto(service.page("", head=stub, script='data-site="main"'))
    expect(page.get_by_role("dialog")).to_be_visible()
    expect(page.get_by_label("Phone", exact=True)).to_have_value("054-234 0009")
    page.evaluate("CallbackWidget('close')")
    expect(page.get_by_role("dialog")).to_be_hidden()


def test_an_opener_can_name_its_site(page: Page, service: FakeService) -> None:
    opened(page, service, INLINE + '<a href="#x" data-callback-open="roofs">Roofs</a>')
    page.get_by_text("Roofs").click()
    page.get_by_role("dialog").get_by_label("Phone", exact=True).fill(PHONE)
    page.get_by_role("dialog").get_by_role("button", name="Call me now").click()
    until(page, lambda: len(service.leads) == 1, "the lead arrived")
    assert service.leads[0]["site"] == "roofs"


def test_an_opener_leads_to_the_inline_form_when_that_is_all_there_is(page: Page, service: FakeService) -> None:
    opened(page, service, INLINE + OPENER)
    page.get_by_role("button", name="Talk to us").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_label("Name (optional)")).to_be_focused()


def test_a_website_can_add_words_and_languages(page: Page, service: FakeService) -> None:
    """A language of its own, said in English where it says nothing; and one word of a language that is here."""
    words = (
        "<script>window.callbackStrings = {it: {send: 'Chiamatemi', phone: 'Telefono'}, he: {send: 'צלצלו אליי'},"
        " fr: {send: 'Allô'}}</script>"
    )
    page.goto(service.page(INLINE, language="it", head=words))
    expect(page.get_by_role("button", name="Chiamatemi")).to_be_visible()
    expect(page.get_by_label("Name (optional)")).to_be_visible()
    for language, send_word, name in (("he", "צלצלו אליי", "שם (לא חובה)"), ("fr", "Allô", "Nom (facultatif)")):
        page.goto(service.page(INLINE, language=language, head=words))
        expect(page.get_by_role("button", name=send_word)).to_be_visible()
        expect(page.get_by_label(name)).to_be_visible()


def test_what_was_typed_survives_a_move_within_the_page(page: Page, service: FakeService) -> None:
    opened(page, service, f'<div id="there"></div>{INLINE}')
    fill(page)
    page.evaluate("document.querySelector('#there').append(document.querySelector('callback-widget'))")
    expect(page.get_by_label("Phone", exact=True)).to_have_value(PHONE)


def test_a_closed_site_says_so_and_does_not_promise_a_call_now(page: Page, service: FakeService) -> None:
    service.site = {"open": False, "opens_at": "2030-01-06T09:00:00+02:00", "language": "en"}
    opened(page, service, INLINE)
    expect(page.get_by_text("We are closed now")).to_contain_text("9:00")
    expect(page.get_by_role("button", name="Call me back")).to_be_visible()


def test_a_site_that_cannot_be_asked_does_not_stop_the_form(page: Page, service: FakeService) -> None:
    service.site = None
    opened(page, service, INLINE)
    ask(page)
    says(page, "We call you")


def test_without_a_script_what_stands_inside_the_element_is_shown(browser: Browser, service: FakeService) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(service.page('<callback-widget><a href="tel:030000000">Phone us</a></callback-widget>'))
    expect(page.get_by_role("link", name="Phone us")).to_be_visible()
    context.close()


@pytest.mark.parametrize("honest", [True, False])
def test_a_pinned_copy_runs_only_when_its_hash_is_right(page: Page, service: FakeService, honest: bool) -> None:
    source = (STATIC / "widget.js").read_bytes() if honest else b"something else"
    digest = base64.b64encode(hashlib.sha384(source).digest()).decode()
    opened(page, service, INLINE, script=f'integrity="sha384-{digest}" crossorigin="anonymous"')
    page.wait_for_load_state("load")
    expect(page.get_by_role("button", name="Call me now")).to_have_count(1 if honest else 0)
