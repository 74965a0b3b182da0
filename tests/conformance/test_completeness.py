"""The suite looked at from outside: no row without a test, no test without a row, nothing harmful called harmless."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .account import MOST_REQUESTS
from .checklist import ACTIVE_CALLS, CALL, CALL_LOG, CDR, REQUEST, ROSTER, ROWS, TERMINATE

HERE = Path(__file__).parent
# These test the suite itself and say nothing about a provider.
OF_THE_SUITE = {"test_completeness", "test_operators_run", "test_provider", "test_docs_conformance"}


def marks_of(test: Callable[..., object]) -> Iterator[pytest.Mark]:
    """The marks of a test, those of its module, and those of each of its cases."""
    module = inspect.getmodule(test)
    of_module = getattr(module, "pytestmark", [])
    decorators = of_module if isinstance(of_module, list) else [of_module]
    marks: list[pytest.Mark] = [*getattr(test, "pytestmark", []), *(one.mark for one in decorators)]
    for mark in marks:
        yield mark
        if mark.name == "parametrize":
            for case in mark.args[1]:
                yield from (getattr(one, "mark", one) for one in getattr(case, "marks", ()))


def suite() -> dict[str, list[pytest.Mark]]:
    """Every test about a provider, by name, with its marks."""
    found: dict[str, list[pytest.Mark]] = {}
    for file in sorted(HERE.glob("test_*.py")):
        if file.stem in OF_THE_SUITE:
            continue
        module = importlib.import_module(f"{__package__}.{file.stem}")
        for name, test in inspect.getmembers(module, inspect.isfunction):
            if name.startswith("test_") and test.__module__ == module.__name__:
                found[f"{file.stem}.{name}"] = list(marks_of(test))
    return found


def rows_of(marks: list[pytest.Mark]) -> set[str]:
    return {str(name) for mark in marks if mark.name == "row" for name in mark.args}


def covered() -> set[str]:
    return {name for marks in suite().values() for name in rows_of(marks)}


@pytest.mark.parametrize("name", ROWS)
def test_every_row_has_a_test(name: str) -> None:
    """A test that was removed or renamed leaves its row here."""
    assert name in covered()


def test_no_test_stands_for_a_row_that_is_none() -> None:
    assert covered() - set(ROWS) == set()


def test_every_test_stands_for_a_row_and_says_what_it_is_from() -> None:
    """The page or a note is cited, so that a reader knows whom to believe."""
    package = __package__ or ""
    for name, marks in suite().items():
        assert rows_of(marks), f"{name} stands for nothing"
        module, _, function = name.partition(".")
        text = inspect.getdoc(getattr(importlib.import_module(f"{package}.{module}"), function)) or ""
        cited = re.search(r"\b(page|facts \d|documented|guides|editions|control API)", text, re.IGNORECASE)
        assert cited, f"{name} does not say where its promise is from"


def test_every_guess_names_a_note() -> None:
    notes = [str(mark.args[0]) for marks in suite().values() for mark in marks if mark.name == "guess"]
    assert notes
    assert [note for note in notes if not re.fullmatch(r"\d(\.\d)?", note)] == []


def test_the_finder_of_marks_finds() -> None:
    """The tests above are not blind: marks of a function, of a case and of a module are seen, no others."""
    found = suite()
    assert len(found) > 60
    assert "phone: missing" in rows_of(found["test_places.test_a_call_that_lacks_a_place_rings_nobody"])
    assert "guess" in {mark.name for mark in found["test_places.test_a_plus_sign_is_refused"]}
    harmless = {name for name, marks in found.items() if "harmless" in {mark.name for mark in marks}}
    assert {name.partition(".")[0] for name in harmless} == {"test_harmless_click2call", "test_harmless_questions"}


def test_the_tables_name_every_parameter_of_the_page() -> None:
    """The page's call table, row by row, and the terminate table; a parameter cannot be lost with its cases."""
    assert list(CALL) == [
        "phone", "target", "code", "action", "record", "phonecallerid", "phonecallername", "targetcallerid",
        "targetcallername", "phonemaxdialtime", "targetmaxdialtime", "maxduration", "phoneautoanswer",
        "targetautoanswer", "checkphonedevicestate", "checktargetdevicestate", "language", "format", "var_*",
        "ignoredncstatus", "ignorednostatus",
    ]  # fmt: skip
    assert [name.removeprefix("terminate ") for name in TERMINATE] == ["phone", "code", "action"]
    assert {"GET", "POST-JSON"} <= set(REQUEST["request"])
    assert {f"ERRORCODE: {code}" for code in range(5)} <= set(ROWS)
    assert all((ROSTER, ACTIVE_CALLS, CALL_LOG, CDR))


def test_what_a_real_account_is_asked_stays_within_the_budget() -> None:
    """One request per harmless test; the list of tests alone shows what an operator will send."""
    asked = 0
    for marks in suite().values():
        if "harmless" in {mark.name for mark in marks}:
            cases = 1
            for mark in marks:
                cases *= len(mark.args[1]) if mark.name == "parametrize" else 1
            asked += cases
    assert 20 <= asked <= MOST_REQUESTS
