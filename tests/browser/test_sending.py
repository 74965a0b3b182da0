"""One request per wish: nothing is sent twice, nothing typed is lost, and there is always a way to phone."""

import pytest
from playwright.sync_api import Page

from tests.browser.fake_service import ACCEPTED, Answer, FakeService, problem
from tests.browser.visitor import INLINE, OPENER, PHONE, ask, expect, fill, focused, opened, says, send, until

CONSENT = "I agree to be called about my request."


def ways_out(page: Page) -> None:
    """The telephone link is there and the number is still typed."""
    expect(page.get_by_role("link", name="03-000 0000")).to_have_attribute("href", "tel:030000000")
    expect(page.get_by_label("Phone", exact=True)).to_have_value(PHONE)


def test_a_double_click_sends_once(page: Page, service: FakeService) -> None:
    service.answers.append(Answer(202, ACCEPTED.body, held=True))
    opened(page, service, INLINE)
    fill(page)
    button = page.get_by_role("button", name="Call me now")
    button.dblclick()
    expect(button).to_have_attribute("aria-disabled", "true")
    page.get_by_label("Phone", exact=True).press("Enter")
    service.let_go()
    says(page, "We call you")
    assert len(service.leads) == 1


@pytest.mark.parametrize("status", [500, 502, 503])
def test_after_a_failure_the_same_submission_is_sent_again(page: Page, service: FakeService, status: int) -> None:
    service.answers.append(problem(status, "storage_unavailable", {"Retry-After": "5"}))
    opened(page, service, INLINE)
    ask(page)
    says(page, "Nothing you wrote is lost")
    ways_out(page)
    send(page)
    says(page, "We call you")
    assert service.leads[0] == service.leads[1], "a retry is the same request to the byte"
    assert len(service.leads[0]["submission_id"]) == 36


def test_other_words_are_another_submission(page: Page, service: FakeService) -> None:
    service.answers.append(problem(500, "oops"))
    opened(page, service, INLINE)
    ask(page)
    says(page, "Nothing you wrote is lost")
    ask(page, phone="054-234 9999")
    says(page, "We call you")
    assert service.leads[0]["submission_id"] != service.leads[1]["submission_id"]


def test_ten_seconds_of_silence_are_a_failure_and_the_retry_is_the_same(page: Page, service: FakeService) -> None:
    service.answers.append(Answer(202, ACCEPTED.body, held=True))
    page.clock.install()
    opened(page, service, INLINE)
    ask(page)
    until(page, lambda: len(service.leads) == 1, "the request left")
    page.clock.fast_forward(10_001)
    says(page, "Nothing you wrote is lost")
    ways_out(page)
    service.let_go()
    send(page)
    says(page, "We call you")
    assert service.leads[0]["submission_id"] == service.leads[1]["submission_id"]


def test_without_a_network_the_form_waits(page: Page, service: FakeService) -> None:
    opened(page, service, INLINE)
    page.context.set_offline(True)
    ask(page)
    says(page, "Nothing you wrote is lost")
    ways_out(page)
    page.context.set_offline(False)
    send(page)
    says(page, "We call you")
    assert len(service.leads) == 1


def test_a_mistake_is_shown_at_its_field_and_gets_the_focus(page: Page, service: FakeService) -> None:
    errors = [{"field": "phone", "code": "not_callable", "message": "server's words"}]
    service.answers.append(problem(422, "invalid", errors=errors))
    opened(page, service, INLINE)
    ask(page)
    field = page.get_by_label("Phone", exact=True)
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description("We cannot call this number.")
    expect(field).to_be_focused()
    expect(field).to_have_value(PHONE)
    ask(page, phone="054-234 1111")
    says(page, "We call you")
    expect(field).to_have_attribute("aria-invalid", "false")


def test_a_mistake_the_widget_does_not_know_is_said_in_the_servers_words(page: Page, service: FakeService) -> None:
    errors = [{"field": "email", "code": "strange", "message": "This email looks odd."}]
    service.answers.append(problem(422, "invalid", errors=errors))
    opened(page, service, INLINE)
    ask(page)
    says(page, "This email looks odd.")


@pytest.mark.parametrize(
    ("typed", "said"), [("", "Please write your number."), ("12 34", "This is not a phone number.")]
)
def test_a_hopeless_number_is_not_sent(page: Page, service: FakeService, typed: str, said: str) -> None:
    opened(page, service, INLINE)
    ask(page, phone=typed)
    expect(page.get_by_text(said)).to_be_visible()
    assert focused(page) == "phone"
    assert service.leads == []


def test_too_many_requests_say_how_long_to_wait_and_the_button_waits(page: Page, service: FakeService) -> None:
    service.answers.append(problem(429, "rate_limited", {"Retry-After": "7"}))
    page.clock.install()
    opened(page, service, INLINE)
    ask(page)
    says(page, "try again in 7 seconds")
    ways_out(page)
    button = page.get_by_role("button", name="Call me now")
    expect(button).to_have_attribute("aria-disabled", "true")
    page.get_by_label("Phone", exact=True).press("Enter")
    page.clock.fast_forward(7_001)
    expect(button).to_have_attribute("aria-disabled", "false")
    assert len(service.leads) == 1
    send(page)
    says(page, "We call you")
    assert service.leads[0]["submission_id"] == service.leads[1]["submission_id"]


def test_a_submission_in_flight_is_asked_for_again_by_itself(page: Page, service: FakeService) -> None:
    service.answers.append(problem(409, "in_flight", {"Retry-After": "2"}))
    page.clock.install()
    opened(page, service, INLINE)
    ask(page)
    says(page, "Sending")
    until(page, lambda: len(service.leads) == 1, "the first request left")
    page.clock.fast_forward(2_001)
    says(page, "We call you")
    assert service.leads[0] == service.leads[1]


def test_the_lead_carries_where_it_came_from_and_a_trap_that_people_leave_empty(
    page: Page, service: FakeService
) -> None:
    body = INLINE.replace("></", '><input type="hidden" name="product" value="roof"></')
    url = service.page(body)
    page.goto(f"{url}?utm_source=ads&utm_campaign=spring&gclid=g-1&secret=no", referer="https://search.example/")
    page.goto(f"{url}?utm_source=later")
    page.get_by_label("Name (optional)").fill("Noa")
    ask(page)
    says(page, "We call you")
    lead = service.leads[0]
    assert (lead["utm_source"], lead["utm_campaign"], lead["gclid"]) == ("ads", "spring", "g-1"), (
        "the first touch counts"
    )
    assert lead["referrer"] == "https://search.example/"
    assert lead["page_url"] == f"{url}?utm_source=later"
    assert (lead["name"], lead["product"], lead["site"]) == ("Noa", "roof", "main")
    assert lead["_gotcha"] == ""
    assert int(lead["elapsed_ms"]) >= 0
    assert "secret" not in lead
    assert service.lead_headers[0]["Content-Type"] == "application/x-www-form-urlencoded;charset=UTF-8"
    assert "Cookie" not in service.lead_headers[0]


def test_a_forbidden_storage_does_not_lose_the_campaign(page: Page, service: FakeService) -> None:
    page.add_init_script("Object.defineProperty(window, 'sessionStorage', {get() { throw new DOMException('no') }})")
    page.goto(service.page(INLINE) + "?utm_source=ads")
    ask(page)
    says(page, "We call you")
    assert service.leads[0]["utm_source"] == "ads"


@pytest.mark.parametrize("ticked", [True, False])
def test_consent_is_recorded_word_for_word_only_when_ticked(page: Page, service: FakeService, ticked: bool) -> None:
    service.site = {"open": True, "language": "en", "consent_text": CONSENT}
    opened(page, service, INLINE)
    box = page.get_by_role("checkbox", name=CONSENT)
    expect(box).not_to_be_checked()
    if ticked:
        box.check()
    ask(page)
    says(page, "We call you")
    sent = (service.leads[0].get("consent"), service.leads[0].get("consent_text"))
    assert sent == (("true", CONSENT) if ticked else (None, None))


def test_a_required_consent_is_asked_for_before_sending(page: Page, service: FakeService) -> None:
    service.site = {"open": True, "language": "en", "consent_text": CONSENT, "consent_required": True}
    opened(page, service, INLINE)
    box = page.get_by_role("checkbox", name=CONSENT)
    expect(box).to_be_visible()
    ask(page)
    expect(box).to_be_focused()
    expect(box).to_have_accessible_description("Please tick this box.")
    assert service.leads == []


def test_events_tell_the_page_what_happened_and_never_who(page: Page, service: FakeService) -> None:
    service.tell("connected", "connected", agent_name="Dana", caller_id="03-5550123")
    names = "ready open close invalid submit success error status"
    page.add_init_script(
        f"""window.dataLayer = []; window.heard = [];
        for (const name of '{names}'.split(' '))
          addEventListener('callback:' + name, event =>
            heard.push({{name, ...event.detail, composed: event.composed}}))"""
    )
    service.answers.append(problem(500, "oops"))
    opened(page, service, OPENER, script='data-site="main"')
    page.get_by_role("button", name="Talk to us").click()
    page.get_by_label("Name (optional)").fill("Noa Secret")
    ask(page, phone="1")
    ask(page)
    says(page, "Nothing you wrote is lost")
    send(page)
    says(page, "Connected")
    page.keyboard.press("Escape")
    page.wait_for_function("heard.some(event => event.name === 'close')")
    heard = page.evaluate("heard")
    assert {event["name"] for event in heard} == set(names.split())
    assert all(event["site"] == "main" and event["composed"] for event in heard)
    success = next(event for event in heard if event["name"] == "success")
    assert (success["lead_id"], success["outcome"]) == ("lead-1", "waiting")
    layer = page.evaluate("JSON.stringify(dataLayer)")
    assert '"callback_success"' in layer
    assert '"event":"callback_status","callback_event":"connected"' in layer
    for secret in ("Noa", "234", "Dana", "5550123", "token"):
        assert secret not in layer + page.evaluate("JSON.stringify(heard)")


@pytest.mark.parametrize(("outcome", "told"), [("dialing", 1), ("scheduled", 1), ("duplicate", 0)])
def test_analytics_hears_of_a_new_lead_once_and_as_gtag_would_say_it(
    page: Page, service: FakeService, outcome: str, told: int
) -> None:
    """`data-ga4`, also where nothing has made `dataLayer` yet; a lead that joined another one is none of its own."""
    service.answers.append(Answer(202, {**ACCEPTED.body, "outcome": outcome}))
    opened(page, service, INLINE, script="data-ga4")
    ask(page)
    says(page, "We call you")
    heard = page.evaluate("(window.dataLayer || []).filter(entry => entry.length).map(entry => [...entry])")
    assert heard == [["event", "generate_lead", {"lead_source": "callback", "site": "main"}]] * told


def test_analytics_hears_nothing_unless_it_was_asked_for(page: Page, service: FakeService) -> None:
    page.add_init_script("window.dataLayer = []")
    opened(page, service, INLINE)
    ask(page)
    says(page, "We call you")
    assert page.evaluate("dataLayer.filter(entry => !/^callback_/.test(entry.event))") == []


def test_a_page_can_refuse_the_submission(page: Page, service: FakeService) -> None:
    opened(page, service, INLINE)
    page.evaluate("addEventListener('callback:submit', event => event.preventDefault())")
    ask(page)
    expect(page.get_by_role("button", name="Call me now")).not_to_have_attribute("aria-disabled", "true")
    assert service.leads == []
