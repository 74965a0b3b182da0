"""Templates to HTML: everything is escaped by them, and every page knows its language and direction."""

from typing import Any, Final

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

from app.domain.languages import RIGHT_TO_LEFT, known_language
from app.web.pages.words import WORDS

_templates: Final = Environment(
    loader=PackageLoader("app.web", "pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
# First-strong isolates keep a name's or a number's own direction inside a Hebrew sentence.
_ISOLATE: Final = "\u2068{}\u2069"


def isolated(text: str) -> str:
    """The text, set apart from the direction of the sentence around it."""
    return _ISOLATE.format(text)


def put(sentence: str, value: str) -> str:
    """The sentence with a name or a number in its place."""
    return sentence.replace("{n}", isolated(value))


def templates_of(package: str) -> Environment:
    """The templates in the `pages` of another package, under the same rules; these here may be built upon."""
    return _templates.overlay(loader=ChoiceLoader([PackageLoader(package, "pages"), PackageLoader("app.web", "pages")]))


def render(template: str, language: str, stylesheet: str, templates: Environment = _templates, /, **values: Any) -> str:
    """A whole page in the language of ours that this tag means."""
    tag = known_language(language)
    given = {"words": WORDS[tag], "direction": "rtl" if tag in RIGHT_TO_LEFT else "ltr"} | values
    return templates.get_template(template).render(language=tag, stylesheet=stylesheet, **given)
