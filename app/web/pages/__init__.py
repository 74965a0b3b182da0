"""The pages that work without a script: the form, the thank-you page and what leads on from it, a problem.

Pure functions from values to a whole HTML document. Everything is escaped by the templates, nothing is inline, so
the pages live under ``default-src 'none'; style-src 'self'``.
"""

from app.web.pages.contact_form import Choice, contact_form
from app.web.pages.rendering import render
from app.web.pages.status import cancel_page, move_page, thank_you

__all__ = ["Choice", "cancel_page", "contact_form", "move_page", "problem_page", "problem_type_page", "thank_you"]


def problem_page(
    *, title: str, detail: str, language: str, stylesheet: str, site_name: str = "", telephone: str | None = None
) -> str:
    """A problem in two sentences, for a browser that navigated here."""
    return render(
        "problem.html", language, stylesheet, title=title, detail=detail, site_name=site_name, telephone=telephone
    )


def problem_type_page(*, code: str, statuses: str, title: str, remedy: str, stylesheet: str) -> str:
    """What an error's `type` means, for who builds on us; in English, as the documentation is."""
    return render("problem_type.html", "en", stylesheet, code=code, statuses=statuses, title=title, remedy=remedy)
