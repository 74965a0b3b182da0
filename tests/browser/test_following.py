"""After sending, the widget says in words how the call stands, live, and how to phone us when it went wrong."""

import pytest
from playwright.sync_api import Page

from tests.browser.fake_service import TOKEN, FakeService
from tests.browser.visitor import INLINE, ask, expect, opened, says


def step(page: Page) -> str:
    """The step that is marked as the current one."""
    return page.locator("[aria-current=step]").inner_text()


def test_the_visitor_sees_both_telephones_ring(page: Page, service: FakeService, complaints: list[str]) -> None:
    opened(page, service, INLINE)
    ask(page)
    says(page, "We call you as soon as somebody is free.")
    service.tell("waiting", "received", "waiting", position=2)
    says(page, "You are number 2 in line.")
    service.tell("dialing", "received", "agent_ringing", agent_name="Dana", caller_id="03-5550123")
    says(page, "Calling Dana now. Your phone will ring from 03-5550123.")
    assert step(page) == "Our phone rings"
    service.tell("dialing", "received", "agent_ringing", "agent_answered", agent_name="Dana", caller_id="03-5550123")
    says(page, "Dana is on the line. Your phone will ring from 03-5550123.")
    service.tell("dialing", "agent_answered", "lead_ringing", agent_name="Dana")
    says(page, "Your phone is ringing. Please pick up.")
    assert step(page) == "Your phone rings"
    service.tell("connected", "lead_ringing", "connected", agent_name="Dana")
    says(page, "Connected")
    assert service.polls == 0, "the stream was enough"
    assert complaints == []


def test_a_promised_time_is_said(page: Page, service: FakeService) -> None:
    service.tell("waiting", "scheduled", expected_call_at="2030-01-06T09:00:00+02:00", position=4)
    opened(page, service, INLINE)
    ask(page)
    says(page, "We call you: Sun, Jan 6, 9:00")


def test_after_no_answer_the_next_try_is_said(page: Page, service: FakeService) -> None:
    service.tell("waiting", "lead_ringing", "lead_no_answer", "retry")
    opened(page, service, INLINE)
    ask(page)
    says(page, "You did not answer. We call you as soon as somebody is free.")


def test_in_hebrew_the_words_are_hebrew(page: Page, service: FakeService) -> None:
    service.tell("dialing", "agent_ringing", agent_name="דנה", caller_id="03-5550123")
    opened(page, service, INLINE, language="he")
    ask(page, language="he")
    says(page, "מתקשרים עכשיו אל דנה. מיד יצלצל הטלפון שלכם מהמספר 03-5550123.")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("exhausted", "we could not reach you"),
        ("expired", "nobody was free in time"),
        ("failed", "the call failed"),
        ("cancelled", "Cancelled"),
    ],
)
def test_a_sad_end_offers_a_telephone_and_another_try(page: Page, service: FakeService, state: str, words: str) -> None:
    opened(page, service, INLINE)
    ask(page)
    service.tell(state, state)
    says(page, words)
    expect(page.get_by_role("link", name="03-000 0000")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel the call")).to_be_hidden()
    service.tell("waiting")
    page.get_by_role("button", name="Ask for another call").click()
    ask(page)
    says(page, "We call you")
    assert service.leads[0]["submission_id"] != service.leads[1]["submission_id"], "a new wish is a new submission"


def test_a_broken_stream_is_replaced_by_asking(page: Page, service: FakeService) -> None:
    service.stream = "broken"
    page.clock.install()
    opened(page, service, INLINE)
    service.tell("waiting", "received", position=2)
    ask(page)
    says(page, "You are number 2 in line.")
    assert service.polls == 1
    service.tell("dialing", "lead_ringing")
    page.clock.fast_forward(9_000)
    says(page, "Your phone is ringing")
    service.tell("connected", "connected")
    page.clock.fast_forward(5_000)
    says(page, "Connected")
    polls = service.polls
    page.clock.fast_forward(60_000)
    assert service.polls == polls, "after the end nobody asks any more"


def test_a_stream_swallowed_on_the_way_is_replaced_by_asking(page: Page, service: FakeService) -> None:
    service.stream = "silent"
    page.clock.install()
    opened(page, service, INLINE)
    service.tell("dialing", "lead_ringing")
    ask(page)
    page.wait_for_function("() => document.querySelector('callback-widget').shadowRoot.querySelector('form').hidden")
    page.clock.fast_forward(5_001)
    says(page, "Your phone is ringing")


def test_a_call_not_yet_ringing_can_be_cancelled(page: Page, service: FakeService) -> None:
    opened(page, service, INLINE)
    ask(page)
    page.get_by_role("button", name="Cancel the call").click()
    says(page, "Cancelled. We will not call you.")
    assert service.deleted == [f"/v1/leads/lead-1?token={TOKEN}"]


def test_once_it_rings_there_is_no_cancel_button(page: Page, service: FakeService) -> None:
    opened(page, service, INLINE)
    ask(page)
    expect(page.get_by_role("button", name="Cancel the call")).to_be_visible()
    service.tell("dialing", "agent_ringing")
    expect(page.get_by_role("button", name="Cancel the call")).to_be_hidden()


def test_a_cancel_that_came_too_late_says_so(page: Page, service: FakeService) -> None:
    service.delete_status = 409
    opened(page, service, INLINE)
    ask(page)
    page.get_by_role("button", name="Cancel the call").click()
    says(page, "that did not work")
    service.tell("dialing", "lead_ringing")
    says(page, "Your phone is ringing")
