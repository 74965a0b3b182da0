"""What a visitor does to the widget, in the words of the page."""

import json
import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.fake_service import STATIC, FakeService

PHONE = "054-234 5678"
INLINE = '<callback-widget mode="inline" site="main" tel="03-000 0000"></callback-widget>'
FLOAT = '<callback-widget mode="float" site="main" tel="03-000 0000"></callback-widget>'
OPENER = '<button type="button" data-callback-open>Talk to us</button>'
FORM = """<form action="{api}/f/main" method="post" accept-charset="utf-8" data-callback-form data-tel="03-000 0000">
<p><label for="their-name">Your name</label><input id="their-name" name="name"></p>
<p><label>Your phone <input type="tel" name="phone" required></label></p>
<p><label><input type="checkbox" name="roof" value="flat"> Flat</label>
<label><input type="checkbox" name="roof" value="tiled"> Tiled</label></p>
<input type="hidden" name="product" value="solar"><button>Go</button></form>"""
LANGUAGES = ("en", "he", "ar", "ru", "fr", "es")
RIGHT_TO_LEFT = ("he", "ar")


def _words() -> dict[str, dict[str, str]]:
    source = (STATIC / "widget.js").read_text(encoding="utf-8")
    found = {
        tag: dict(re.findall(r"(\w+): '([^']*)'", source.split(f"\n{tag}: {{")[1].split("\n},")[0]))
        for tag in ("en", "he")
    }
    files = ((STATIC / "words" / f"{tag}.json").read_text(encoding="utf-8") for tag in LANGUAGES[2:])
    return found | {tag: json.loads(text) for tag, text in zip(LANGUAGES[2:], files, strict=True)}


WORDS = _words()
SEND = {tag: words["send"] for tag, words in WORDS.items()}
LATER = {tag: words["later"] for tag, words in WORDS.items()}
PHONE_LABEL = {tag: words["phone"] for tag, words in WORDS.items()}


def fill(page: Page, *, phone: str = PHONE, language: str = "en") -> None:
    """Type a number."""
    page.get_by_label(PHONE_LABEL[language], exact=True).fill(phone)


def send(page: Page, *, language: str = "en") -> None:
    """Press the widget's button."""
    page.get_by_role("button", name=SEND[language]).click()


def ask(page: Page, *, phone: str = PHONE, language: str = "en") -> None:
    """Type a number and send it."""
    fill(page, phone=phone, language=language)
    send(page, language=language)


def says(page: Page, words: str) -> None:
    """The status region says `words` (isolates around names and numbers do not count)."""
    page.wait_for_function(
        """words => [...document.querySelectorAll('callback-widget')].some(widget => {
             const said = widget.shadowRoot?.querySelector('[role=status]')?.textContent || '';
             return said.replace(/[\\u2066-\\u2069]/g, '').includes(words);
           })""",
        arg=words,
    )


def until(page: Page, met: Callable[[], bool], what: str) -> None:
    """Let the page live until `met`, at most two seconds; the browser's own clock paces the looks."""
    for _ in range(100):
        if met():
            return
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done, 15)))")
    raise AssertionError(f"never happened: {what}")


def opened(
    page: Page, service: FakeService, body: str, *, language: str = "en", policy: str = "", script: str = ""
) -> None:
    """Open a host page that embeds the widget on another origin."""
    page.goto(service.page(body, language=language, policy=policy, script=script))


def focused(page: Page) -> str:
    """Id, part or text of what has the focus, inside shadow roots too."""
    words: str = page.evaluate(
        """() => { let node = document.activeElement;
             while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
             return node?.id || node?.getAttribute('part') || node?.textContent || ''; }"""
    )
    return words


__all__ = [
    "FLOAT",
    "FORM",
    "INLINE",
    "LANGUAGES",
    "LATER",
    "OPENER",
    "PHONE",
    "RIGHT_TO_LEFT",
    "SEND",
    "WORDS",
    "ask",
    "expect",
    "fill",
    "focused",
    "opened",
    "says",
    "send",
    "until",
]
