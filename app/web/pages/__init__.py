"""The pages that work without a script: the form given back, the thank-you page, a problem.

Pure functions from values to a whole HTML document. Everything is escaped by the templates, nothing is inline, so
the pages live under ``default-src 'none'; style-src 'self'; form-action 'self'``.
"""

from collections.abc import Mapping
from typing import Any, Final

from jinja2 import Environment, PackageLoader, StrictUndefined

from app.web.pages.progress import STEPS, progress
from app.web.pages.words import RIGHT_TO_LEFT, WORDS, spoken

__all__ = ["contact_form", "problem_page", "thank_you"]

_ALWAYS: Final = ("name", "phone")
_WHEN_GIVEN: Final = ("email", "message")
_OWN: Final = frozenset({"submission_id", "consent", "consent_text", "_gotcha"})
_KINDS: Final[Mapping[str, Mapping[str, str]]] = {
    "name": {"type": "text", "autocomplete": "name"},
    "phone": {"type": "tel", "autocomplete": "tel", "dir": "ltr"},
    "email": {"type": "email", "autocomplete": "email", "dir": "ltr"},
}

_templates: Final = Environment(
    loader=PackageLoader("app.web", "pages"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def contact_form(
    *,
    action: str,
    site_name: str,
    values: Mapping[str, str],
    errors: Mapping[str, str],
    language: str,
    submission_id: str,
    telephone: str | None = None,
    stylesheet: str,
) -> str:
    """The form, given back with what was typed and every error at its field.

    Fields we do not know travel as hidden ones, or as visible ones when the error is theirs. The trap field comes
    back empty: a browser that filled it by itself must not catch its owner a second time.
    """
    words = WORDS[spoken(language)]
    visible = [*_ALWAYS, *(name for name in _WHEN_GIVEN if name in values or name in errors)]
    visible += [name for name in errors if name not in visible and name not in _OWN]
    fields = [
        {
            "name": name,
            "label": words.get(name, name) if name in (*_ALWAYS, *_WHEN_GIVEN) else name,
            "value": values.get(name, ""),
            "error": errors.get(name, ""),
            "kind": _KINDS.get(name, {"type": "text"}),
        }
        for name in visible
    ]
    return _render(
        "contact_form.html",
        language,
        stylesheet,
        action=action,
        site_name=site_name,
        fields=fields,
        hidden={name: value for name, value in values.items() if name not in visible and name not in _OWN},
        errors=errors,
        anchors={*visible, *({"consent"} if values.get("consent_text") else ())},
        consent=values.get("consent", ""),
        consent_text=values.get("consent_text", ""),
        submission_id=submission_id,
        telephone=telephone,
    )


def thank_you(
    *,
    site_name: str,
    language: str,
    message: str,
    status: Mapping[str, Any] | None,
    refresh_seconds: int | None,
    stylesheet: str,
    telephone: str | None = None,
) -> str:
    """What became of the request; renews itself every `refresh_seconds` until `status` is final.

    `status` is the JSON of the lead's own view, or None for a page that only says `message`.
    """
    told = progress(status, WORDS[spoken(language)]) if status is not None else None
    return _render(
        "thank_you.html",
        language,
        stylesheet,
        site_name=site_name,
        message=message,
        told=told,
        steps=STEPS,
        refresh_seconds=refresh_seconds if told is not None and not told.final else None,
        telephone=telephone,
    )


def problem_page(*, title: str, detail: str, language: str, stylesheet: str) -> str:
    """A problem in two sentences, for a browser that navigated here."""
    return _render("problem.html", language, stylesheet, title=title, detail=detail)


def _render(template: str, language: str, stylesheet: str, **values: Any) -> str:
    tag = spoken(language)
    return _templates.get_template(template).render(
        words=WORDS[tag],
        language=tag,
        direction="rtl" if tag in RIGHT_TO_LEFT else "ltr",
        stylesheet=stylesheet,
        **values,
    )
