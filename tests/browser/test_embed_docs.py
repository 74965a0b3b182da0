"""Every option the widget has is on the page that explains it, and what that page tells people to write works."""

import re
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Page

from tests.browser.fake_service import STATIC, FakeService
from tests.browser.visitor import FLOAT, INLINE, LANGUAGES, LATER, PHONE, expect, says

WIDGET: Final = (STATIC / "widget.js").read_text(encoding="utf-8")
DOCS: Final = (Path(__file__).parents[2] / "docs" / "embed.md").read_text(encoding="utf-8")


def found(pattern: str, at_least: int) -> list[str]:
    """What the widget's source names; fewer than `at_least` means this test no longer reads the source rightly."""
    names = sorted(set(re.findall(pattern, WIDGET)))
    assert len(names) >= at_least, pattern
    return names


@pytest.mark.parametrize("name", found(r"option\('(\w+)'\)", 4))
def test_every_option_is_explained_for_the_element_and_for_the_script(name: str) -> None:
    assert f"| `{name}` | `data-{name}` |" in DOCS


@pytest.mark.parametrize("name", ["mode", "inline", "float", "dialog", "data-auto", "data-api", "data-callback-open"])
def test_every_mode_and_switch_is_explained(name: str) -> None:
    assert re.search(rf"{name.removeprefix('data-')}\b", WIDGET)
    assert re.search(rf"`[^`]*{name}[^`]*`", DOCS)


@pytest.mark.parametrize("name", found(r"--leadring-[a-z-]+", 9))
def test_every_property_is_explained(name: str) -> None:
    assert f"`{name}`" in DOCS


@pytest.mark.parametrize("name", found(r"emit\('(\w+)'", 8))
def test_every_event_is_explained(name: str) -> None:
    assert f"`callback:{name}`" in DOCS


@pytest.mark.parametrize("name", [*found(r"(?:el\('\w+', |button\()'(\w+)'", 14), "panel"])
def test_every_part_is_explained(name: str) -> None:
    assert f"`{name}`" in DOCS.split("style the parts:")[1].split("```")[0]


@pytest.mark.parametrize("name", ["open", "close", "prefill"])
def test_every_command_is_explained(name: str) -> None:
    assert re.search(rf"^  (async )?{name}[(:]", WIDGET, re.MULTILINE)
    assert f"CallbackWidget('{name}'" in DOCS


@pytest.mark.parametrize(
    "name", ["_gotcha", "elapsed_ms", "submission_id", "page_url", "referrer", "source", "consent_text"]
)
def test_every_field_the_widget_adds_is_explained(name: str) -> None:
    assert name in WIDGET
    assert f"`{name}`" in DOCS


@pytest.mark.parametrize(
    "name", ["data-ga4", "data-callback-form", "callbackStrings", "callback-error", "callback_event"]
)
def test_what_stands_in_a_pages_own_code_is_explained(name: str) -> None:
    code = {"data-ga4": "'ga4' in page", "data-callback-form": "callbackForm == null"}.get(name, name)
    assert code in WIDGET
    assert name in DOCS


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_is_named(language: str) -> None:
    assert f"`{language}`" in DOCS


def test_every_picture_is_shown_and_none_is_missing() -> None:
    images = {path.name for path in (Path(__file__).parents[2] / "docs" / "images").glob("widget-*.png")}
    assert images == set(re.findall(r"images/(widget-[\w-]+\.png)", DOCS))
    sizes = {
        path.name: path.stat().st_size for path in (Path(__file__).parents[2] / "docs" / "images").glob("widget-*")
    }
    assert max(sizes.values()) <= 40_000
    assert len(sizes) <= 24


def example(words: str, service: FakeService) -> str:
    """The one block of HTML on the page that says this, its indentation aside, for our own service."""
    found = [block for block in re.findall(r"```html\n(.*?)```", DOCS, re.DOTALL) if words in block]
    assert len(found) == 1, words
    return str(found[0]).replace("https://calls.example.com", service.api)


def plain(service: FakeService, body: str) -> str:
    """A page that loads nothing by itself."""
    url = service.page(body)
    html, headers = service.pages[url.removeprefix(service.elsewhere)]
    service.pages[url.removeprefix(service.elsewhere)] = (
        re.sub(r"<script async src.*?</script>", "", html, count=1),
        headers,
    )
    return url


def test_the_first_two_lines_make_a_form(page: Page, service: FakeService) -> None:
    page.goto(plain(service, example("<callback-widget></callback-widget>", service)))
    page.get_by_label("Phone", exact=True).fill(PHONE)
    page.get_by_role("button", name="Call me now").click()
    says(page, "We call you")
    assert service.leads[0]["site"] == "main"


def test_what_tag_manager_is_given_makes_a_floating_button(page: Page, service: FakeService) -> None:
    """Its parts are run late and one by one, as Tag Manager does."""
    page.goto(plain(service, ""))
    source = re.search(r"<script>(.*)</script>", example("widget.dataset.auto", service), re.DOTALL)
    assert source is not None
    page.add_script_tag(content=source[1])
    page.get_by_role("button", name=LATER["en"]).click()
    page.get_by_label("Phone", exact=True).fill(PHONE)
    page.get_by_role("button", name="Call me now").click()
    says(page, "We call you")
    assert service.leads[0]["site"] == "main"


def test_the_form_that_is_taken_over_is_followed_in_its_place(page: Page, service: FakeService) -> None:
    page.goto(plain(service, example("data-callback-form data-tel", service)))
    page.wait_for_function("window.CallbackWidget?.version")
    page.get_by_label("Phone").fill(PHONE)
    page.get_by_role("button", name="Call me back").click()
    says(page, "We call you")
    assert (service.leads[0]["source"], service.posted) == ("form", [])


def test_the_words_of_a_website_are_said(page: Page, service: FakeService) -> None:
    page.goto(service.page(INLINE, language="it", head=example("callbackStrings", service)))
    expect(page.get_by_role("heading", name="La richiamiamo")).to_be_visible()


def test_the_stub_keeps_commands_until_the_script_is_there(page: Page, service: FakeService) -> None:
    stub = example("CallbackWidget.q", service) + "<script>CallbackWidget('open', 'main')</script>"
    page.goto(service.page(FLOAT, head=stub))
    expect(page.get_by_role("dialog")).to_be_visible()
