"""Words of the website's keep their own direction inside a widget of the other: seen by where the letters stand."""

import pytest
from playwright.sync_api import Locator, Page

from tests.browser.fake_service import FakeService
from tests.browser.visitor import ask, expect, opened, says

ENGLISH = "I agree to be called about my request."
HEBREW = "אני מסכים לקבל שיחה בנוגע לבקשה שלי."
PLACES = """(node, words) => {
  const walker = document.createTreeWalker(node, NodeFilter.SHOW_TEXT);
  const at = (text, index) => {
    const range = document.createRange();
    range.setStart(text, index);
    range.setEnd(text, index + 1);
    return range.getBoundingClientRect().x;
  };
  for (let text; (text = walker.nextNode());) {
    const index = text.data.indexOf(words);
    if (index >= 0) return [at(text, index), at(text, index + words.length - 1)];
  }
}"""


def stands(where: Locator, words: str) -> str:
    """Which way these words run: where their first character stands, and their last one, the full stop."""
    first, last = where.evaluate(PLACES, words)
    return "ltr" if first < last else "rtl"


@pytest.mark.parametrize(("language", "words", "way"), [("he", ENGLISH, "ltr"), ("en", HEBREW, "rtl")])
def test_a_consent_text_of_the_other_direction_has_its_full_stop_at_its_end(
    page: Page, service: FakeService, language: str, words: str, way: str
) -> None:
    """Also the heading; and what is sent is the text as it was given, to the letter."""
    service.site = {"open": True, "language": language, "consent_text": words}
    page.set_viewport_size({"width": 1200, "height": 800})
    heading = "Roofs & Co." if language == "he" else "גגות ושות׳."
    opened(page, service, f'<callback-widget site="main" heading="{heading}"></callback-widget>', language=language)
    box = page.get_by_role("checkbox", name=words)
    box.check()
    assert stands(page.locator("callback-widget [part=label]", has=box), words) == way
    assert stands(page.get_by_role("heading", name=heading), heading) == way
    expect(page.locator("callback-widget section")).to_have_css("direction", "rtl" if language == "he" else "ltr")
    ask(page, language=language)
    says(page, {"en": "We call you", "he": "נתקשר אליכם"}[language])
    assert service.leads[0]["consent_text"] == words


def test_names_and_numbers_in_a_hebrew_sentence(page: Page, service: FakeService) -> None:
    """The agent's name and the number that will ring; and the website's own telephone."""
    opened(page, service, '<callback-widget site="main" tel="+972-3-000 0000"></callback-widget>', language="he")
    ask(page, language="he")
    says(page, "נתקשר אליכם")
    service.tell("dialing", "agent_answered", agent_name="Dana (sales)", caller_id="+972-3-555 0123")
    says(page, "Dana (sales) על הקו.")
    status = page.locator("callback-widget [role=status]")
    assert [stands(status, words) for words in ("Dana (sales)", "+972-3-555 0123")] == ["ltr", "ltr"]
    service.tell("failed", "failed")
    link = page.get_by_role("link", name="+972-3-000 0000")
    expect(link).to_be_visible()
    assert stands(link, "+972-3-000 0000") == "ltr"
