"""docs/conformance.md names every variable, marker, column and harmless test, and nothing that is not there."""

from __future__ import annotations

import re
from pathlib import Path

from .account import LEAST_PAUSE, MOST_REQUESTS, VARIABLES
from .conftest import MARKERS
from .table import HEAD
from .test_completeness import suite

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "conformance.md").read_text(encoding="utf-8")


def first_cells(first: str) -> list[str]:
    """The first column of the table whose first heading is that."""
    table = re.search(rf"^\| {first} \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
    assert table is not None, f"no table of {first}"
    return [line.split("|")[1].strip().strip("`") for line in table[1].splitlines()]


def test_every_variable_has_a_row_and_no_other_is_named() -> None:
    assert first_cells("variable") == list(VARIABLES)
    assert set(re.findall(r"\bLEADRING_\w+", PAGE)) == set(VARIABLES)


def test_every_marker_has_a_row() -> None:
    assert first_cells("marker") == [marker.partition("(")[0] for marker in MARKERS]


def test_every_harmless_test_has_a_row_with_its_reason() -> None:
    harmless = {name.partition(".")[2] for name, marks in suite().items() if "harmless" in {one.name for one in marks}}
    assert sorted(first_cells("test")) == sorted(harmless)


def test_every_column_of_the_table_is_explained() -> None:
    assert [word for cell in first_cells("column") for word in cell.split(", ")] == list(HEAD)


def test_the_limits_are_the_ones_that_hold() -> None:
    assert f"at most {MOST_REQUESTS} requests, at least {LEAST_PAUSE:g} seconds apart" in PAGE
