"""The pages that work without a script keep what was typed, say what is wrong, and trust nobody's text."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from app.domain.languages import LANGUAGES
from app.web.pages import contact_form, problem_page, thank_you
from app.web.pages.embed_words import EMBED_WORDS
from app.web.pages.words import WORDS
from tests.web.pages import Page

HOSTILE = "\"><script>alert(1)</script><img src=x onerror='y'>"
STATIC = Path(__file__).parent.parent / "static"


def form(**changes: Any) -> str:
    given: dict[str, Any] = {
        "action": "/f/main",
        "site_name": "Example Ltd",
        "values": {},
        "errors": {},
        "language": "en",
        "submission_id": "s-1",
        "stylesheet": "/static/pages.css",
    }
    return contact_form(**given | changes)


def thanks(status: Mapping[str, Any] | None, language: str = "en", message: str = "Noted.", **more: Any) -> str:
    return thank_you(
        site_name="Example Ltd",
        language=language,
        message=message,
        status=status,
        refresh_seconds=3,
        stylesheet="/static/pages.css",
        **more,
    )


def every_page() -> list[str]:
    values = {"name": HOSTILE, "phone": HOSTILE, HOSTILE: HOSTILE, "consent_text": HOSTILE, "message": HOSTILE}
    errors = {"phone": HOSTILE, HOSTILE: HOSTILE, "consent": HOSTILE}
    status = {"state": "dialing", "agent_name": HOSTILE, "caller_id": HOSTILE, "timeline": []}
    return [
        form(values=values, errors=errors, action=HOSTILE, site_name=HOSTILE, submission_id=HOSTILE, telephone=HOSTILE),
        thanks(status, message=HOSTILE),
        thanks(None, message=HOSTILE),
        problem_page(title=HOSTILE, detail=HOSTILE, language="he", stylesheet="/static/pages.css"),
    ]


@pytest.mark.parametrize("html", every_page())
def test_text_from_outside_never_becomes_markup(html: str) -> None:
    page = Page(html)
    assert not page.all("script")
    assert not page.all("img")
    assert "alert(1)" in page.text


@pytest.mark.parametrize("html", every_page())
def test_nothing_is_inline_so_the_strictest_policy_lets_the_page_in(html: str) -> None:
    page = Page(html)
    assert not page.all("style")
    assert not [attrs for _, attrs in page.tags if "style" in attrs or any(name.startswith("on") for name in attrs)]
    assert page.one("link", rel="stylesheet")["href"] == "/static/pages.css"


@pytest.mark.parametrize("html", [form(language="he"), thanks(None, "he")])
def test_the_sites_name_keeps_its_direction(html: str) -> None:
    """`Example Ltd.` in a Hebrew page has its full stop at its end."""
    page = Page(html)
    names = [tag for tag, _ in page.tags].index("bdi")
    assert page.tags[names - 1] == ("p", {"class": "site"})


def test_what_was_typed_comes_back_known_fields_visible_and_unknown_ones_hidden() -> None:
    page = Page(form(values={"name": "Noa", "phone": "054", "product": "roof", "utm_source": "ads", "email": "a@b.c"}))
    assert page.one("form")["action"] == "/f/main"
    assert page.one("form")["method"] == "post"
    assert page.one("input", name="name")["value"] == "Noa"
    assert page.one("input", name="phone") | {"value": "054", "dir": "ltr"} == page.one("input", name="phone")
    assert page.one("input", name="email")["value"] == "a@b.c"
    assert page.one("input", name="product") == {"type": "hidden", "name": "product", "value": "roof"}
    assert page.one("input", name="utm_source")["value"] == "ads"


def test_every_field_is_sent_once() -> None:
    values = {"submission_id": "old", "phone": "1", "consent": "true", "consent_text": "Yes", "_gotcha": "filled"}
    page = Page(form(values=values, submission_id="new", errors={"phone": "Check it"}))
    names = [attrs["name"] for tag, attrs in page.tags if tag in ("input", "textarea") and attrs.get("name")]
    assert sorted(names) == sorted(set(names))
    assert page.one("input", name="submission_id")["value"] == "new"
    assert page.one("input", name="_gotcha").get("value", "") == ""
    assert "checked" in page.one("input", name="consent")


def test_an_error_stands_at_its_field_and_in_a_summary_that_links_to_it() -> None:
    page = Page(form(values={"phone": "12"}, errors={"phone": "This is not a phone number."}))
    field = page.one("input", name="phone")
    assert field["aria-invalid"] == "true"
    assert page.one("p", id=field["aria-describedby"])["class"] == "error"
    assert page.one("a", href="#phone")
    assert page.one("div", role="alert")
    assert page.text.count("This is not a phone number.") == 2


def test_an_error_on_a_field_we_do_not_know_makes_that_field_visible() -> None:
    page = Page(form(values={"call_at": "soon", "phone": "1"}, errors={"call_at": "Not a time."}))
    assert page.one("input", name="call_at")["type"] == "text"
    assert page.one("a", href="#call_at")


def test_a_form_without_mistakes_shows_no_alarm() -> None:
    page = Page(form())
    assert not page.all("div", role="alert")
    assert not [attrs for _, attrs in page.tags if "aria-invalid" in attrs]


def test_a_message_keeps_its_first_line_break() -> None:
    # HTML drops one line break after <textarea>; the template spends its own.
    assert '<textarea id="message" name="message" rows="4">\n\nhello</textarea>' in form(values={"message": "\nhello"})


@pytest.mark.parametrize(
    ("language", "lang", "direction"),
    [
        ("he", "he", "rtl"),
        ("he-IL", "he", "rtl"),
        ("iw", "he", "rtl"),
        ("ar-EG", "ar", "rtl"),
        ("ru", "ru", "ltr"),
        ("fr_CA", "fr", "ltr"),
        ("es", "es", "ltr"),
        ("en", "en", "ltr"),
        ("de", "en", "ltr"),
    ],
)
def test_a_page_names_its_language_and_direction(language: str, lang: str, direction: str) -> None:
    html = Page(form(language=language)).one("html")
    assert (html["lang"], html["dir"]) == (lang, direction)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_everything_with_the_same_blanks(language: str) -> None:
    ours, english = WORDS[language], WORDS["en"]
    assert list(ours) == list(english)
    assert ours["language"] == language
    for key, text in ours.items():
        assert re.findall(r"{\w+}", text) == re.findall(r"{\w+}", english[key]), key
        assert text == text.strip(), key
        assert language == "en" or text != english[key], f"{key} is left in English"


def test_both_languages_of_the_snippet_page_say_everything() -> None:
    assert list(EMBED_WORDS["en"]) == list(EMBED_WORDS["he"])
    assert all(EMBED_WORDS["he"].values())


def test_the_page_renews_itself_until_the_end_and_then_rests() -> None:
    assert Page(thanks({"state": "waiting", "timeline": []})).one("meta", **{"http-equiv": "refresh"})["content"] == "3"
    for state in ("connected", "exhausted", "expired", "cancelled", "failed"):
        assert not Page(thanks({"state": state})).all("meta", **{"http-equiv": "refresh"})
    assert not Page(thanks(None)).all("meta", **{"http-equiv": "refresh"})


@pytest.mark.parametrize(
    ("status", "said", "step"),
    [
        ({"state": "waiting", "position": 3}, "You are number \u20683\u2069 in line.", "Request received"),
        (
            {"state": "waiting", "expected_call_at": "2026-11-24T09:30:00+02:00", "position": 3},
            "We will call you on Tuesday, 24 November at 09:30.",
            "Request received",
        ),
        ({"state": "held"}, "We call you as soon as somebody is free.", "Request received"),
        (
            {"state": "waiting", "timeline": [{"event": "lead_busy"}, {"event": "retry"}]},
            "Your line was busy. We call you as soon as somebody is free.",
            "Request received",
        ),
        (
            {
                "state": "dialing",
                "agent_name": "Dana",
                "caller_id": "03-5550123",
                "timeline": [{"event": "agent_ringing"}],
            },
            "Calling \u2068Dana\u2069 now. Your phone will ring from \u206803-5550123\u2069.",
            "Our phone rings",
        ),
        (
            {"state": "dialing", "timeline": [{"event": "agent_answered"}]},
            "\u2068our team\u2069 is on the line. Your phone will ring next.",
            "Your phone rings",
        ),
        (
            {"state": "dialing", "timeline": [{"event": "lead_ringing"}]},
            "Your phone is ringing. Please pick up.",
            "Your phone rings",
        ),
        (
            {"state": "dialing", "timeline": [{"event": "lead_ringing"}, {"event": "connected"}]},
            "You are connected.",
            "Connected",
        ),
        ({"state": "connected"}, "You are connected.", "Connected"),
    ],
)
def test_the_status_is_said_in_words(status: Mapping[str, Any], said: str, step: str) -> None:
    html = thanks(status)
    assert said in Page(html).text
    assert re.search(rf'aria-current="step">{step}<', html)


@pytest.mark.parametrize("state", ["exhausted", "expired", "failed", "cancelled"])
def test_a_sad_end_offers_our_telephone_and_shows_no_steps(state: str) -> None:
    page = Page(thanks({"state": state}, telephone="03-555 0123"))
    assert page.one("a", href="tel:035550123")
    assert not page.all("li")


def test_hebrew_status_is_hebrew() -> None:
    assert "מקומכם בתור: \u20682\u2069." in Page(thanks({"state": "waiting", "position": 2}, language="he")).text


def test_the_sheet_uses_logical_properties_only() -> None:
    sheet = (STATIC / "pages.css").read_text(encoding="utf-8")
    assert not re.findall(r"(?:margin|padding|border|inset)-(?:left|right)|[^-]\b(?:left|right)\s*:", sheet)
