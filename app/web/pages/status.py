"""What became of the request, and what its visitor can still change, without a script."""

from collections.abc import Mapping, Sequence
from typing import Any

from app.domain.languages import known_language
from app.web.pages.contact_form import Choice
from app.web.pages.progress import STEPS, progress
from app.web.pages.rendering import put, render
from app.web.pages.words import WORDS


def thank_you(
    *,
    site_name: str,
    language: str,
    message: str,
    status: Mapping[str, Any] | None,
    refresh_seconds: int | None,
    stylesheet: str,
    telephone: str | None = None,
    when: str = "",
    links: Mapping[str, str] | None = None,
    notice: str = "",
) -> str:
    """What became of the request; renews itself every `refresh_seconds` until `status` is final.

    `status` is the JSON of the lead's own view, or None for a page that only says `message`. `when` is its time as a
    phrase; without it, as it is written in the status. `links` lead to what can be done: `move`, `cancel`, `hold_still`
    or `go_on` (renewing), and `again`.
    """
    told = progress(status, WORDS[known_language(language)], when) if status is not None else None
    return render(
        "thank_you.html",
        language,
        stylesheet,
        site_name=site_name,
        message=message,
        notice=notice,
        told=told,
        steps=STEPS,
        links=links or {},
        refresh_seconds=refresh_seconds if told is not None and not told.final else None,
        telephone=telephone,
    )


def cancel_page(
    *, site_name: str, language: str, stylesheet: str, action: str, hidden: Mapping[str, str], back: str
) -> str:
    """Asks once more before the call is cancelled; `hidden` is what the answer carries."""
    return render(
        "cancel.html", language, stylesheet, site_name=site_name, action=action, hidden=hidden, back=back, error=""
    )


def move_page(
    *,
    site_name: str,
    language: str,
    stylesheet: str,
    action: str,
    hidden: Mapping[str, str],
    back: str,
    slots: Sequence[Choice],
    zone: str,
    error: str = "",
) -> str:
    """The moments to choose another one from."""
    return render(
        "move.html",
        language,
        stylesheet,
        site_name=site_name,
        action=action,
        hidden=hidden,
        back=back,
        slots=slots,
        zone=put(WORDS[known_language(language)]["zone"], zone),
        error=error,
    )
