"""What a form knows before it asks, and another time for the call: before sending, and after."""

import pytest
from playwright.sync_api import Page

from tests.browser.fake_service import FakeService, problem
from tests.browser.visitor import FLOAT, INLINE, PHONE, ask, expect, focused, opened, says, until

SLOTS = ["2030-01-06T07:00:00.000Z", "2030-01-06T07:30:00.000Z", "2030-01-07T10:15:00.000Z"]
CLOSED = {"open": False, "opens_at": SLOTS[0], "language": "en", "slots": SLOTS}
BUSY = {"open": True, "busy": True, "language": "en", "slots": SLOTS}
WHEN = "When shall we call?"


@pytest.mark.parametrize("site", [CLOSED, BUSY], ids=["closed", "busy"])
def test_where_nobody_can_call_now_a_time_can_be_chosen(
    page: Page, service: FakeService, site: dict[str, object]
) -> None:
    """In the visitor's own time and language; sent as the moment that was offered, to the letter."""
    service.site = site
    opened(page, service, INLINE)
    choice = page.get_by_label(WHEN)
    expect(choice.locator("option")).to_have_text(
        ["As soon as possible", "Sun, Jan 6, 9:00 AM", "Sun, Jan 6, 9:30 AM", "Mon, Jan 7, 12:15 PM"]
    )
    choice.select_option("Mon, Jan 7, 12:15 PM")
    page.get_by_label("Phone", exact=True).fill(PHONE)
    page.locator("[part=submit]").click()
    says(page, "We call you")
    assert service.leads[0]["call_at"] == SLOTS[2]


def test_as_soon_as_possible_is_no_time_at_all(page: Page, service: FakeService) -> None:
    service.site = CLOSED
    opened(page, service, INLINE)
    expect(page.get_by_label(WHEN)).to_have_value("")
    page.get_by_label("Phone", exact=True).fill(PHONE)
    page.locator("[part=submit]").click()
    says(page, "We call you")
    assert service.leads[0]["call_at"] == ""


def test_while_somebody_is_free_no_time_is_asked_for(page: Page, service: FakeService) -> None:
    service.site = {"open": True, "busy": False, "language": "en", "slots": SLOTS, "usually_within_seconds": 30}
    opened(page, service, INLINE)
    expect(page.get_by_text("Usual wait: \u206830\u2069 seconds.")).to_be_visible()
    expect(page.get_by_label(WHEN)).to_be_hidden()
    ask(page)
    says(page, "We call you")
    assert not service.leads[0].get("call_at")


def test_an_unknown_wait_is_not_said(page: Page, service: FakeService) -> None:
    service.site = {
        "open": True,
        "busy": False,
        "language": "en",
        "usually_within_seconds": None,
        "message": "We are here.",
    }
    opened(page, service, INLINE)
    expect(page.get_by_text("We are here.", exact=True)).to_be_visible()


def test_a_closed_site_says_when_it_calls_in_the_visitors_own_time(page: Page, service: FakeService) -> None:
    service.site = CLOSED | {"message": "We are closed now and will call you at 06.01 07:00."}
    opened(page, service, INLINE)
    expect(page.get_by_text("We are closed now. We call you: \u2068Sun, Jan 6, 9:00 AM\u2069.")).to_be_visible()


@pytest.mark.parametrize("body", [INLINE, FLOAT], ids=["inline", "float"])
def test_where_no_requests_are_taken_there_is_no_form_but_a_telephone(
    page: Page, service: FakeService, body: str
) -> None:
    service.site = {"open": True, "taking": False, "language": "en", "message": "We are not taking requests just now."}
    opened(page, service, body)
    if body == FLOAT:
        page.get_by_role("button", name="Call me back").click()
    says(page, "We are not taking requests just now.")
    expect(page.get_by_role("link", name="03-000 0000")).to_be_visible()
    expect(page.get_by_label("Phone", exact=True)).to_be_hidden()
    if body == FLOAT:
        assert focused(page) == "status"


def test_a_request_that_is_not_taken_says_why_in_the_services_words(page: Page, service: FakeService) -> None:
    service.answers.append(problem(503, "not_taking", detail="We are not taking requests just now."))
    opened(page, service, INLINE)
    ask(page)
    says(page, "We are not taking requests just now.")
    expect(page.get_by_role("link", name="03-000 0000")).to_be_visible()
    expect(page.get_by_label("Phone", exact=True)).to_have_value(PHONE)


def test_a_time_that_is_over_is_a_mistake_at_its_field(page: Page, service: FakeService) -> None:
    service.site = CLOSED
    errors = [{"field": "call_at", "code": "out_of_range", "message": "That time is over."}]
    service.answers.append(problem(422, "invalid", errors=errors))
    opened(page, service, INLINE)
    page.get_by_label(WHEN).select_option(index=1)
    page.get_by_label("Phone", exact=True).fill(PHONE)
    page.locator("[part=submit]").click()
    expect(page.get_by_label(WHEN)).to_have_accessible_description("That time is over.")
    expect(page.get_by_label(WHEN)).to_be_focused()


def test_a_call_that_waits_can_be_moved(page: Page, service: FakeService) -> None:
    service.site = BUSY
    service.tell("waiting", "received", position=3)
    opened(page, service, INLINE)
    ask(page)
    says(page, "You are number 3 in line.")
    page.get_by_label(WHEN).select_option("Sun, Jan 6, 9:30 AM")
    page.get_by_role("button", name="Change the time").click()
    says(page, "We call you: Sun, Jan 6, 9:30 AM.")
    assert service.moved == [SLOTS[1]]
    assert focused(page) == "status"
    expect(page.get_by_role("button", name="Cancel the call")).to_be_visible()


def test_a_promised_call_can_be_moved_to_now(page: Page, service: FakeService) -> None:
    service.site = CLOSED
    service.tell("waiting", "received", "scheduled", expected_call_at=SLOTS[2])
    opened(page, service, INLINE)
    page.get_by_label("Phone", exact=True).fill(PHONE)
    page.locator("[part=submit]").click()
    says(page, "Mon, Jan 7")
    page.get_by_label(WHEN).select_option("As soon as possible")
    before = page.evaluate("new Date().toISOString()")
    page.get_by_role("button", name="Change the time").click()
    until(page, lambda: len(service.moved) == 1, "the call was moved")
    assert before <= service.moved[0] <= page.evaluate("new Date().toISOString()")


@pytest.mark.parametrize("state", ["dialing", "connected", "failed"])
def test_once_it_rings_or_is_over_there_is_nothing_to_move(page: Page, service: FakeService, state: str) -> None:
    service.site = BUSY
    opened(page, service, INLINE)
    ask(page)
    move = page.get_by_role("button", name="Change the time")
    expect(move).to_be_visible()
    page.get_by_label(WHEN).focus()
    service.tell(state, "agent_ringing")
    expect(move).to_be_hidden()
    expect(page.get_by_label(WHEN)).to_be_hidden()
    assert focused(page) == "status", "the focus is not lost with the choice"


def test_a_move_that_came_too_late_says_so_and_offers_the_telephone(page: Page, service: FakeService) -> None:
    service.site = BUSY
    service.move_answer = problem(409, "conflict")
    opened(page, service, INLINE)
    ask(page)
    page.get_by_role("button", name="Change the time").click()
    says(page, "that did not work")
    expect(page.get_by_role("link", name="03-000 0000")).to_be_visible()
    service.tell("dialing", "lead_ringing")
    says(page, "Your phone is ringing")


def test_a_move_to_a_time_that_is_over_says_what_is_wrong(page: Page, service: FakeService) -> None:
    service.site = BUSY
    errors = [{"field": "call_at", "code": "out_of_range", "message": "That time is over."}]
    service.move_answer = problem(422, "invalid", errors=errors)
    opened(page, service, INLINE)
    ask(page)
    page.get_by_label(WHEN).select_option(index=1)
    page.get_by_role("button", name="Change the time").click()
    says(page, "That time is over.")


def test_the_time_that_was_chosen_survives_closing_the_dialog(page: Page, service: FakeService) -> None:
    service.site = CLOSED
    opened(page, service, FLOAT)
    for attempt in (1, 2):
        page.get_by_role("button", name="Call me back").first.click()
        choice = page.get_by_label(WHEN)
        expect(choice).to_be_visible()
        if attempt == 1:
            choice.select_option(index=2)
            page.keyboard.press("Escape")
    expect(choice.locator("option")).to_have_count(4)
    expect(choice).to_have_value(SLOTS[1])
