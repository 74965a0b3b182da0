"""A form of the website's own, taken over: sent without leaving the page, and by itself when there is no script."""

import re

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.fake_service import ACCEPTED, Answer, FakeService, problem
from tests.browser.visitor import FORM, PHONE, expect, opened, says, until


def form(service: FakeService, more: str = "") -> str:
    return FORM.format(api=service.api).replace("<button>", more + "<button>")


def go(page: Page, *, phone: str = PHONE) -> None:
    page.get_by_label("Your phone").fill(phone)
    page.get_by_role("button", name="Go").click()


def test_the_forms_own_fields_are_sent_and_the_call_is_followed_in_its_place(
    page: Page, service: FakeService, complaints: list[str]
) -> None:
    page.goto(service.page(form(service)) + "?utm_source=ads")
    page.get_by_label("Your name").fill("Noa")
    page.get_by_label("Flat").check()
    page.get_by_label("Tiled").check()
    go(page)
    says(page, "We call you as soon as somebody is free.")
    lead = service.leads[0]
    assert (lead["name"], lead["phone"], lead["product"], lead["utm_source"]) == ("Noa", PHONE, "solar", "ads")
    assert (lead["source"], lead["site"], lead["language"]) == ("form", "main", "en")
    assert len(lead["submission_id"]) == 36
    assert service.bodies[0].count("roof=") == 2, "boxes of one name are all sent"
    expect(page.get_by_label("Your phone")).to_be_hidden()
    service.tell("dialing", "agent_answered", agent_name="Dana", caller_id="03-5550123")
    says(page, "Dana is on the line. Your phone will ring from 03-5550123.")
    service.tell("connected", "connected")
    says(page, "Connected")
    page.get_by_role("button", name="Ask for another call").click()
    expect(page.get_by_label("Your phone")).to_be_focused()
    assert page.url.endswith("?utm_source=ads")
    assert (service.posted, service.preflights, complaints) == ([], 0, [])


def test_mistakes_are_shown_at_the_forms_own_fields(page: Page, service: FakeService) -> None:
    """Beside what the field was described by before; and taken back when it is right."""
    errors = [
        {"field": "phone", "code": "impossible", "message": "x"},
        {"field": "email", "code": "strange", "message": "This email looks odd."},
        {"field": "elsewhere", "code": "strange", "message": "Something else."},
    ]
    service.answers.append(problem(422, "invalid", errors=errors))
    email = '<p id="hint">For the offer.</p><input aria-label="Email" name="email" aria-describedby="hint">'
    opened(page, service, form(service, email))
    go(page, phone="054-234 567")
    phone = page.get_by_label("Your phone")
    expect(phone).to_have_accessible_description("This is not a phone number. Please check it.")
    expect(phone).to_have_attribute("aria-invalid", "true")
    expect(phone).to_be_focused()
    expect(page.get_by_label("Email")).to_have_accessible_description("For the offer. This email looks odd.")
    says(page, "Something else.")
    expect(phone).to_have_value("054-234 567")
    go(page)
    says(page, "We call you")
    assert service.leads[0]["submission_id"] != service.leads[1]["submission_id"]
    assert page.evaluate("document.querySelector('[name=phone]').getAttribute('aria-invalid')") == "false"
    assert page.locator(".callback-error:visible").count() == 0


@pytest.mark.parametrize("trouble", ["500", "offline", "429"])
def test_what_was_typed_survives_a_failure_and_is_sent_again_as_the_same(
    page: Page, service: FakeService, trouble: str
) -> None:
    opened(page, service, form(service))
    if trouble != "offline":
        service.answers.append(problem(int(trouble), "oops", {"Retry-After": "1"}))
    page.context.set_offline(trouble == "offline")
    go(page)
    says(page, "try again")
    expect(page.get_by_role("link", name="03-000 0000")).to_be_visible()
    expect(page.get_by_label("Your phone")).to_have_value(PHONE)
    page.context.set_offline(False)
    button = page.get_by_role("button", name="Go")
    expect(button).to_have_attribute("aria-disabled", "false")
    button.click()
    says(page, "We call you")
    assert len({lead["submission_id"] for lead in service.leads}) == 1


def test_a_double_click_sends_once(page: Page, service: FakeService) -> None:
    service.answers.append(Answer(202, ACCEPTED.body, held=True))
    opened(page, service, form(service))
    page.get_by_label("Your phone").fill(PHONE)
    page.get_by_role("button", name="Go").dblclick()
    says(page, "Sending")
    service.let_go()
    says(page, "We call you")
    assert len(service.leads) == 1


def test_the_browsers_own_validation_comes_first(page: Page, service: FakeService) -> None:
    opened(page, service, form(service))
    page.get_by_role("button", name="Go").click()
    expect(page.get_by_label("Your phone")).to_be_focused()
    go(page)
    says(page, "We call you")
    assert len(service.leads) == 1, "the empty form was never sent"


def test_whoever_prevents_the_submission_is_respected(page: Page, service: FakeService) -> None:
    opened(page, service, form(service))
    page.evaluate(
        "document.forms[0].addEventListener('submit', event => { event.preventDefault(); window.mine = true })"
    )
    go(page)
    page.wait_for_function("window.mine")
    assert page.locator("callback-widget").count() == 0
    assert (service.leads, service.posted) == ([], [])


def test_a_page_can_stop_it_by_the_widgets_own_event(page: Page, service: FakeService) -> None:
    opened(page, service, form(service))
    page.evaluate("addEventListener('callback:submit', event => { event.preventDefault(); window.mine = true })")
    go(page)
    page.wait_for_function("window.mine")
    assert service.leads == []


def test_values_of_the_form_win_and_the_pressed_button_counts(page: Page, service: FakeService) -> None:
    more = (
        '<input type="hidden" name="language" value="ru"><input type="hidden" name="utm_source" value="theirs">'
        '<input type="hidden" name="submission_id" value="their-own"><input type="hidden" name="utm_medium" value="">'
        '<button name="kind" value="urgent">Urgent</button>'
    )
    page.goto(service.page(form(service, more)) + "?utm_source=ads&utm_medium=cpc")
    page.get_by_label("Your phone").fill(PHONE)
    page.get_by_role("button", name="Urgent").click()
    until(page, lambda: len(service.leads) == 1, "the lead arrived")
    lead = service.leads[0]
    assert (lead["language"], lead["utm_source"], lead["submission_id"]) == ("ru", "theirs", "their-own")
    assert (lead["utm_medium"], lead["kind"]) == ("cpc", "urgent")


def test_a_form_that_arrives_later_is_taken_over_too(page: Page, service: FakeService) -> None:
    opened(page, service, '<div id="there"></div>')
    page.wait_for_function("window.CallbackWidget?.version")
    page.evaluate(
        "html => document.querySelector('#there').append(document.createRange().createContextualFragment(html))",
        form(service),
    )
    go(page)
    says(page, "We call you")


def test_a_form_that_is_not_marked_goes_its_own_way(page: Page, service: FakeService) -> None:
    opened(page, service, form(service).replace(" data-callback-form", ""))
    page.wait_for_function("window.CallbackWidget?.version")
    go(page)
    page.wait_for_url("**/thanks?*")
    assert (len(service.posted), service.leads) == (1, [])


def test_it_is_hidden_after_success_whatever_the_websites_style_says(page: Page, service: FakeService) -> None:
    opened(page, service, form(service))
    page.evaluate("document.forms[0].style.setProperty('display', 'grid')")
    go(page)
    says(page, "We call you")
    expect(page.get_by_label("Your phone")).to_be_hidden()


@pytest.mark.parametrize("obstacle", ["no script", "blocked"])
def test_without_the_script_the_form_posts_by_itself(browser: Browser, service: FakeService, obstacle: str) -> None:
    context = browser.new_context(java_script_enabled=obstacle == "blocked")
    page = context.new_page()
    page.route("**/widget/v1.js", lambda route: route.abort())
    page.goto(service.page(form(service)))
    go(page)
    page.wait_for_url(re.compile("/thanks"))
    assert service.posted[0]["phone"] == PHONE
    assert service.posted[0]["product"] == "solar"
    context.close()
