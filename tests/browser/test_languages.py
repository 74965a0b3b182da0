"""Six languages, whole or not at all, under every page policy, in every shape the widget has."""

import re

import pytest
from playwright.sync_api import Page, Route

from tests.browser.fake_service import STATIC, FakeService
from tests.browser.test_embedding import STRICT
from tests.browser.visitor import (
    FLOAT,
    FORM,
    INLINE,
    LANGUAGES,
    PHONE,
    RIGHT_TO_LEFT,
    SEND,
    WORDS,
    expect,
    opened,
    until,
)

NO_STYLES = "default-src 'none'; script-src {api}; connect-src {api}; base-uri 'none'"
FILES = LANGUAGES[2:]


def test_every_language_says_exactly_what_english_says() -> None:
    """The same keys, the same places for names and numbers; nothing empty, nothing that was forgotten in English."""
    assert set(WORDS) == {"en", "he"} | {path.stem for path in (STATIC / "words").glob("*")}
    for language, words in WORDS.items():
        assert words.keys() == WORDS["en"].keys(), language
        for key, text in words.items():
            english = WORDS["en"][key]
            assert text.strip() == text != "", (language, key)
            assert re.findall(r"\{\w*\}", text) == re.findall(r"\{\w*\}", english), (language, key)
            assert language == "en" or text != english, (language, key)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_word_is_longer_than_a_small_screen(page: Page, service: FakeService, language: str) -> None:
    """320 pixels: nothing sticks out anywhere, what is pressed has two lines at most, a heading too."""
    page.set_viewport_size({"width": 320, "height": 640})
    opened(page, service, INLINE, language=language)
    expect(page.get_by_role("button", name=SEND[language])).to_be_visible()
    long = page.evaluate(
        """words => { const root = document.querySelector('callback-widget').shadowRoot; const found = [];
          const panel = root.querySelector('[part=panel]');
          const lines = node => node.getClientRects().length && Math.round(
            (node.getBoundingClientRect().height - parseFloat(getComputedStyle(node).paddingBlockStart) * 2)
            / parseFloat(getComputedStyle(node).lineHeight));
          const tries = {'[part=submit]': 2, '[part=heading]': 2, '[part=status]': 5, '[part=label]': 3};
          for (const part in tries) for (const key in words) {
            const node = root.querySelector(part), old = [...node.childNodes];
            node.replaceChildren(words[key].replace('{n}', '03-555 0123'));
            const button = /^(send|later|cancel|move|again)$/.test(key), heading = key === 'title';
            if (panel.scrollWidth > panel.clientWidth) found.push([part, key]);
            if (part === '[part=submit]' && button || part === '[part=heading]' && heading || part === '[part=status]')
              if (lines(node) > tries[part]) found.push([part, key, lines(node)]);
            node.replaceChildren(...old);
          }
          return found; }""",
        WORDS[language],
    )
    assert long == []


@pytest.mark.parametrize("policy", ["", NO_STYLES, STRICT], ids=["no policy", "strict", "trusted types"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_visitor_asks_in_his_language_in_every_shape_under_every_policy(
    page: Page, service: FakeService, complaints: list[str], language: str, policy: str
) -> None:
    """Inline, float and the website's own form, on one page."""
    words = WORDS[language]
    body = INLINE + FLOAT + FORM.format(api=service.api)
    opened(page, service, body, language=language, policy=policy.format(api=service.api))
    direction = "rtl" if language in RIGHT_TO_LEFT else "ltr"

    inline = page.locator("callback-widget[mode=inline]")
    inline.get_by_label(words["phone"], exact=True).fill("054-234 0001")
    inline.get_by_role("button", name=words["send"]).click()
    expect(inline.get_by_role("status")).to_contain_text(words["waiting"])
    expect(inline.locator("[part=panel]")).to_have_attribute("lang", language)
    expect(inline.locator("[part=panel]")).to_have_css("direction", direction)

    page.get_by_role("button", name=words["later"]).click()
    floating = page.get_by_role("dialog")
    expect(floating).to_have_accessible_name(words["title"])
    floating.get_by_label(words["phone"], exact=True).fill("054-234 0002")
    floating.get_by_role("button", name=words["send"]).click()
    expect(floating.get_by_role("status")).to_contain_text(words["waiting"])
    page.keyboard.press("Escape")

    page.get_by_label("Your phone").fill(PHONE)
    page.get_by_role("button", name="Go").click()
    expect(page.locator("callback-widget[mode=form]").get_by_role("status")).to_contain_text(words["waiting"])

    assert [lead["phone"] for lead in service.leads] == ["054-234 0001", "054-234 0002", PHONE]
    assert {lead["language"] for lead in service.leads} == {language}
    assert service.preflights == 0, "asking must not cost a preflight"
    assert complaints == []


@pytest.mark.parametrize("shape", ["inline", "float"])
def test_until_the_words_are_there_no_other_language_is_shown(page: Page, service: FakeService, shape: str) -> None:
    """A floating button waits; a form in the page keeps its place, empty."""
    held: list[Route] = []
    page.route("**/widget/words/fr.json", lambda route: held.append(route))
    opened(page, service, FLOAT if shape == "float" else INLINE, language="fr")
    until(page, lambda: len(held) == 1, "the words were asked for")
    assert page.evaluate("document.querySelector('callback-widget').shadowRoot.childElementCount") == 0
    height = page.locator("callback-widget").evaluate("node => node.getBoundingClientRect().height")
    assert height > 300 if shape == "inline" else height == 0
    held[0].continue_()
    name = WORDS["fr"]["send" if shape == "inline" else "later"]
    expect(page.get_by_role("button", name=name)).to_be_visible()
    after = page.locator("callback-widget").evaluate("node => node.getBoundingClientRect().height")
    assert abs(after - height) < 120, "the page hardly moves"


def test_the_words_are_asked_for_before_the_page_is_read(page: Page, service: FakeService) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url.rsplit("/", 1)[1]))
    opened(page, service, INLINE, language="ru")
    expect(page.get_by_role("button", name=SEND["ru"])).to_be_visible()
    assert asked.index("ru.json") < asked.index("main"), "before any widget is built and asks for its site"
    assert asked.count("ru.json") == 1


@pytest.mark.parametrize("trouble", ["absent", "silent"])
def test_without_its_words_it_is_english_and_says_so(page: Page, service: FakeService, trouble: str) -> None:
    """Not there, or silent for three seconds: English with its own direction. The lead keeps its language."""
    service.has_words = trouble != "absent"
    if trouble == "silent":
        page.route("**/widget/words/ar.json", lambda route: None)
    opened(page, service, INLINE, language="ar")
    expect(page.get_by_role("button", name="Call me now")).to_be_visible()
    panel = page.locator("callback-widget [part=panel]")
    expect(panel).to_have_attribute("lang", "en")
    expect(panel).to_have_css("direction", "ltr")
    page.get_by_label("Phone", exact=True).fill(PHONE)
    page.get_by_role("button", name="Call me now").click()
    until(page, lambda: len(service.leads) == 1, "the lead arrived")
    assert service.leads[0]["language"] == "ar"


def test_a_widget_may_speak_another_language_than_its_page(page: Page, service: FakeService) -> None:
    other = '<callback-widget site="main" lang="es-MX"></callback-widget>'
    opened(page, service, INLINE + other)
    expect(page.get_by_role("button", name=SEND["en"])).to_be_visible()
    expect(page.get_by_role("button", name=SEND["es"])).to_be_visible()
