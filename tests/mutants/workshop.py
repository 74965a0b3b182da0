"""Where mutations are tried: a copy of the tree in a temporary folder, never the work tree."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from tests.mutants.catalogue import ROOT, Mutation

SECONDS: Final = 240.0  # for the tests of one mutation, or for its seeds
TAIL: Final = 2000  # characters of output that are kept of a run that went wrong

Verdict = Literal["killed", "survived", "broken"]


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of one mutation. `by`: each test that turned red, in pytest's words, and the simulation's seed."""

    name: str
    verdict: Verdict
    seconds: float
    by: tuple[str, ...]
    output: str = ""


class Workshop:
    """One copy of the tree. Whoever uses it works alone in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in _files():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, target)
            shutil.copymode(ROOT / name, target)

    def all_green(self, tests: Sequence[str]) -> str:
        """Nothing, when these tests pass in the copy as it is; otherwise what was said."""
        status, output = self.run(["-m", "pytest", "-q", "-p", "no:cacheprovider", *tests])
        return "" if status == 0 else output[-TAIL:]

    def try_out(self, mutation: Mutation) -> Tried:
        """Do the harm, run what must notice it, and undo it. Every one of its tests has to be red."""
        file = self.folder / mutation.file
        source = file.read_text(encoding="utf-8")
        began = time.monotonic()
        file.write_text(mutation.applied_to(source), encoding="utf-8")
        try:
            return self._judged(mutation, began)
        finally:
            file.write_text(source, encoding="utf-8")

    def _judged(self, mutation: Mutation, began: float) -> Tried:
        by: list[str] = []
        for test in mutation.tests:
            status, output = self.run(["-m", "pytest", "-x", "-q", "-rf", "--tb=no", "-p", "no:cacheprovider", test])
            if status != 1:  # 1: tests were run and failed; anything else is no verdict of a test
                verdict: Verdict = "survived" if status == 0 else "broken"
                return Tried(mutation.name, verdict, time.monotonic() - began, (test,), output[-TAIL:])
            by.append(next((line for line in output.splitlines() if line.startswith("FAILED ")), "")[7:])
        if mutation.simulation:
            seeds = str(mutation.simulation)
            status, output = self.run(
                ["-m", "tests.simulation", "--seeds", seeds, "--processes", "1", "--first-failure"]
            )
            found = next((line for line in output.splitlines() if line.startswith("seed ")), "")
            if status != 1 or not found:
                verdict = "survived" if status == 0 else "broken"
                return Tried(mutation.name, verdict, time.monotonic() - began, (f"{seeds} seeds",), output[-TAIL:])
            by.append(found)
        return Tried(mutation.name, "killed", time.monotonic() - began, tuple(by))

    def run(self, arguments: Sequence[str]) -> tuple[int, str]:
        """Exit status and output; a run that does not end counts as one that failed."""
        # Without bytecode: a harmed file of the same size and second would be taken for the one before.
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "MODEL_SHRINK": "no"}
        try:
            done = subprocess.run(
                [sys.executable, *arguments],
                cwd=self.folder,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return 1, f"FAILED no end within {SECONDS:.0f} s\nseed ?: no end within {SECONDS:.0f} s"
        return done.returncode, done.stdout


def _files() -> list[str]:
    """What git knows, or would take: the tree as it is now."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
