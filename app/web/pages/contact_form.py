"""The form: shown by us, or given back with what was typed and every error at its field."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.domain.languages import known_language
from app.web.pages.rendering import put, render
from app.web.pages.words import WORDS

Typed = Mapping[str, str | Sequence[str]]

_ALWAYS: Final = ("name", "phone")
_WHEN_GIVEN: Final = ("email", "message")
_OWN: Final = frozenset({"submission_id", "consent", "consent_text", "_gotcha"})
_KINDS: Final[Mapping[str, Mapping[str, str]]] = {
    "name": {"type": "text", "autocomplete": "name"},
    "phone": {"type": "tel", "autocomplete": "tel", "dir": "ltr"},
    "email": {"type": "email", "autocomplete": "email", "dir": "ltr"},
}


@dataclass(frozen=True, slots=True)
class Choice:
    """A moment that can be chosen: what the form sends, and how it is told."""

    value: str
    label: str


def contact_form(
    *,
    action: str,
    site_name: str,
    values: Typed,
    errors: Mapping[str, str],
    language: str,
    submission_id: str,
    telephone: str | None = None,
    stylesheet: str,
    notice: str = "",
    intro: str = "",
    slots: Sequence[Choice] = (),
    zone: str = "",
) -> str:
    """`errors` by field; `notice` is what is wrong with none of them. `slots` are offered to choose from.

    Fields we do not know travel as hidden ones, as often as they have values, or as visible ones when the error is
    theirs. The trap field comes back empty: a browser that filled it by itself must not catch its owner a second
    time. A moment that is none of `slots` was chosen in another form, and travels hidden, too.
    """
    words = WORDS[known_language(language)]
    chosen = _one(values.get("call_at", ""))
    choosing = bool(slots) and (not chosen or chosen in {slot.value for slot in slots} or "call_at" in errors)
    visible = [*_ALWAYS, *(name for name in _WHEN_GIVEN if name in values or name in errors)]
    visible += [name for name in errors if name not in visible and name not in _OWN]
    if choosing and "call_at" not in visible:
        visible.insert(len(_ALWAYS), "call_at")
    fields = [
        {
            "name": name,
            "label": words["when"] if name == "call_at" and choosing else words.get(name, name),
            "value": _one(values.get(name, "")),
            "error": errors.get(name, ""),
            "kind": _KINDS.get(name, {"type": "text"}),
            "slots": slots if name == "call_at" and choosing else (),
        }
        for name in visible
    ]
    hidden = [
        (name, text)
        for name, value in values.items()
        if name not in visible and name not in _OWN
        for text in ([value] if isinstance(value, str) else value)
    ]
    return render(
        "contact_form.html",
        language,
        stylesheet,
        action=action,
        site_name=site_name,
        fields=fields,
        hidden=hidden,
        errors=errors,
        notice=notice,
        intro=intro or words["form_intro"],
        zone=put(words["zone"], zone) if zone else "",
        anchors={*visible, *({"consent"} if values.get("consent_text") else ())},
        consent=_one(values.get("consent", "")),
        consent_text=_one(values.get("consent_text", "")),
        submission_id=submission_id,
        telephone=telephone,
    )


def _one(value: str | Sequence[str]) -> str:
    """What a field that holds one value shows: the first that says something."""
    return value if isinstance(value, str) else next((text for text in value if text), "")
