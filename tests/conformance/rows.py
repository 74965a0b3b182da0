"""Tying tests to the rows of the checklist, so that a row without a test, or a removed test, is noticed."""

from __future__ import annotations

import pytest
from _pytest.mark import ParameterSet


def row(name: str, *values: object, guess: str | None = None, id: str | None = None) -> ParameterSet:  # noqa: A002
    """One case of a parametrised test; its id and mark name the row. `guess`: the note where the vendor is silent."""
    marks = [pytest.mark.row(name)] + ([pytest.mark.guess(guess)] if guess else [])
    shown = name.replace(": ", "=").replace(" ", "-")
    return pytest.param(*values, marks=marks, id=f"{shown}-{id}" if id else shown)
