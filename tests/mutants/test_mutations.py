"""The list of mutations follows the code; and the workshop tells a test that notices from one that does not."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.mutants.catalogue import ROOT, Mutation, NotThere, mutations
from tests.mutants.workshop import Workshop

MUTATIONS = mutations()
NOTICES = "tests/domain/test_states.py"


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name)
def test_every_mutation_still_applies_and_its_tests_are_there(mutation: Mutation) -> None:
    source = (ROOT / mutation.file).read_text(encoding="utf-8")
    assert mutation.applied_to(source) != source
    compile(mutation.applied_to(source), mutation.file, "exec")
    assert mutation.tests
    for test in mutation.tests:
        file, _, name = test.partition("::")
        text = (ROOT / file).read_text(encoding="utf-8")
        plain = re.escape(name.partition("[")[0])
        assert not name or re.search(rf"^(async def |def |class )?{plain}\b", text, re.MULTILINE), test


def test_there_are_enough_of_them_each_with_a_name_of_its_own() -> None:
    assert len(MUTATIONS) >= 12
    assert len({one.name for one in MUTATIONS}) == len(MUTATIONS)


def test_a_text_that_is_not_there_exactly_once_is_said_so() -> None:
    twice = Mutation("twice", "any.py", "a", "b", "none", ())
    for source in ("", "aa"):
        with pytest.raises(NotThere, match="twice"):
            twice.applied_to(source)


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop(tmp_path_factory.mktemp("workshop"))


@pytest.mark.parametrize(
    ("new", "test", "verdict"),
    [
        ('LEAD_LIVE: Final = ("waiting", "dialing")', NOTICES, "killed"),
        ('LEAD_LIVE: Final = ("waiting", "dialing", "held")  # the same', NOTICES, "survived"),
        ('LEAD_LIVE: Final = ("waiting", "dialing")', "tests/domain/test_no_such_file.py", "broken"),
    ],
)
def test_a_mutation_is_killed_by_a_test_that_fails_and_by_nothing_else(
    workshop: Workshop, new: str, test: str, verdict: str
) -> None:
    """Neither a test that passes nor one that cannot be run is a kill; and afterwards the copy is as it was."""
    harm = Mutation(
        "x", "app/domain/states.py", 'LEAD_LIVE: Final = ("waiting", "dialing", "held")', new, "none", (test,)
    )
    copy = workshop.folder / harm.file
    before = copy.read_text(encoding="utf-8")
    tried = workshop.try_out(harm)
    assert tried.verdict == verdict, tried.output
    assert copy.read_text(encoding="utf-8") == before == (ROOT / harm.file).read_text(encoding="utf-8")


def test_the_workshop_works_on_its_own_copy_of_the_code(workshop: Workshop) -> None:
    """What runs there imports the copy, not the tree that the suite runs in."""
    status, output = workshop.run(["-c", "import app; print(app.__file__)"])
    assert (status, Path(output.strip())) == (0, workshop.folder / "app" / "__init__.py")
