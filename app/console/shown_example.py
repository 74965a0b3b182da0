"""An example that was chosen stands in the form as if it had been pasted."""

from __future__ import annotations

from dataclasses import replace

from app.console.handed_in import HandedIn
from app.console.reading import WrongForm
from app.forms.examples import Example, examples


def chosen_example(given: HandedIn) -> tuple[HandedIn, Example | None]:
    """The form without the example that was looked at before, when another is chosen; and that one. WrongForm."""
    if not given.example:
        return given, None
    found = examples().get(given.example)
    if found is None:
        raise WrongForm("example", "There is no example of such a builder.")
    return (replace(given, text="") if _is_example(given.text) else given), found


def with_example(given: HandedIn, example: Example) -> HandedIn:
    """The form as it is shown again: nothing chosen, so that what stands in it can be changed and read."""
    return replace(given, example="", text=example.text)


def _is_example(text: str) -> bool:
    """Whether nobody changed it since it was put there: browsers send every line end as CR LF."""
    lines = text.splitlines()
    return any(lines == one.text.splitlines() for one in examples().values())
