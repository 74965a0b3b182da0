"""The lines that put the form on a website, made from a few wishes. Pure: values in, exact text out."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import Final
from urllib.parse import urlsplit

from app.directory import Site
from app.domain.languages import known_language
from app.web.pages.words import WORDS

MODES: Final = ("inline", "float", "button", "form", "take_over")
SCRIPTED: Final = frozenset({"inline", "float", "button", "take_over"})


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be put on a page. Empty: not said. `language` is one of ours, `colour` is `#rrggbb`."""

    site: Site
    mode: str
    language: str = ""
    colour: str = ""
    telephone: str = ""

    @property
    def scripted(self) -> bool:
        return self.mode in SCRIPTED


@dataclass(frozen=True, slots=True)
class Script:
    """Where the widget is, and what `integrity=` says of this very copy; the evergreen one has none."""

    address: str
    integrity: str = ""


def snippet(wish: Wish, base: str, script: Script) -> str:
    """The lines for the page; `base` is the service's address."""
    parts = [_tag(wish, script)] if wish.scripted else []
    if wish.mode == "inline":
        parts.append("<callback-widget></callback-widget>")
    elif wish.mode == "button":
        parts.append(f'<button type="button" data-callback-open>{escape(_words(wish)["send"])}</button>')
    elif wish.mode in ("form", "take_over"):
        parts.append(_form(wish, base))
    return "\n".join(parts)


def _words(wish: Wish) -> dict[str, str]:
    return dict(WORDS[known_language(wish.language or wish.site.language)])


def _tag(wish: Wish, script: Script) -> str:
    given = {"data-site": wish.site.key, "data-lang": wish.language, "data-tel": wish.telephone}
    pairs = [f' {name}="{escape(value)}"' for name, value in given.items() if value]
    if script.integrity:
        pairs.insert(0, f'\n        integrity="{script.integrity}" crossorigin="anonymous"\n       ')
    auto = " data-auto" if wish.mode == "float" else ""
    return f'<script async src="{escape(script.address)}"{"".join(pairs)}{auto}></script>'


def _form(wish: Wish, base: str) -> str:
    words = {name: escape(text) for name, text in _words(wish).items()}
    language = known_language(wish.language or wish.site.language)
    taken = " data-callback-form" if wish.mode == "take_over" else ""
    lines = [
        f'<form action="{escape(base)}/f/{wish.site.key}" method="post" accept-charset="utf-8"{taken}>',
        f'  <p><label for="callback-name">{words["name"]}</label>',
        '    <input id="callback-name" name="name" autocomplete="name"></p>',
        f'  <p><label for="callback-phone">{words["phone"]}</label>',
        '    <input id="callback-phone" name="phone" type="tel" autocomplete="tel" dir="ltr" required></p>',
    ]
    if wish.site.consent_text:
        consent = escape(wish.site.consent_text)
        lines += [
            f'  <p><label><input type="checkbox" name="consent" value="true"> {consent}</label>',
            f'    <input type="hidden" name="consent_text" value="{consent}"></p>',
        ]
    return "\n".join(
        [
            *lines,
            f'  <p hidden><label>{words["company"]} <input name="_gotcha" autocomplete="off"></label></p>',
            f'  <input type="hidden" name="language" value="{language}">',
            f"  <button>{words['send']}</button>",
            "</form>",
        ]
    )


def style_rule(wish: Wish) -> str:
    """The rule that colours the widget; empty when no colour is wished, or nothing of ours is there to be coloured."""
    if not wish.colour or not wish.scripted:
        return ""
    return f"callback-widget {{ --leadring-accent: {wish.colour}; }}"


def policy_lines(wish: Wish, base: str) -> str:
    """What a page's own Content-Security-Policy has to let in, to be added to its directives."""
    origin = "/".join(base.split("/")[:3])
    lines = [f"script-src {origin}", f"connect-src {origin}"] if wish.scripted else []
    if wish.mode in ("form", "take_over"):
        # Browsers hold form-action against the redirect after the form, too.
        thanks = urlsplit(wish.site.thank_you_url or "")
        also = f" {thanks.scheme}://{thanks.netloc}" if thanks.netloc else ""
        lines.append(f"form-action {origin}{also}")
    return "; ".join(lines)
