"""A process dies, or stands still, exactly where it was told to; and everybody else never does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from app import faults
from tests.crash.service_process import ROOT
from tests.server_process import wait_until
from tests.story import PATIENCE

WALK = """
import sys, threading
from app import faults
faults.arm(sys.argv[1])
def walk():
    for step in range(6):
        print(step, flush=True)
        faults.point("dispatch.after_intent")
    print("home", flush=True)
thread = threading.Thread(target=walk)
thread.start()
thread.join()
"""


def _walker(fault: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", WALK, fault], cwd=ROOT, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize(
    ("fault", "steps"),
    [
        ("dispatch.after_intent", "0"),
        ("dispatch.after_intent@3", "0 1 2"),
        ("dispatch.after_intent%100", "0"),
        ("store.after_commit, dispatch.after_intent@2", "0 1"),
    ],
)
def test_it_dies_at_the_named_passage_and_takes_no_further_step(fault: str, steps: str) -> None:
    walker = _walker(fault)
    said, _ = walker.communicate(timeout=PATIENCE)
    assert walker.returncode == -signal.SIGKILL
    assert said.split() == steps.split()


def test_it_stands_still_once_and_goes_on_when_it_is_told_to() -> None:
    """In the middle of a thread: not one line more is said until then."""
    with _walker("dispatch.after_intent@2:stop,dispatch.after_intent@5") as walker:
        assert walker.stdout is not None
        _, status = os.waitpid(walker.pid, os.WUNTRACED)
        assert os.WIFSTOPPED(status)
        assert [walker.stdout.readline(), walker.stdout.readline()] == ["0\n", "1\n"]
        walker.send_signal(signal.SIGCONT)
        assert walker.stdout.read().split() == ["2", "3", "4"]
        wait_until(lambda: walker.poll() is not None, PATIENCE, "it dies at the fifth passage")
        assert walker.returncode == -signal.SIGKILL


@pytest.mark.parametrize("fault", ["store.before_commit", "dispatch.after_intent%0", "dispatch.after_intent@7"])
def test_who_never_gets_there_comes_home(fault: str) -> None:
    walker = _walker(fault)
    said, _ = walker.communicate(timeout=PATIENCE)
    assert (walker.returncode, said.split()[-1]) == (0, "home")


@pytest.mark.parametrize("text", ["", "dispatch", "dispatch.after_intent@0", "dispatch.after_intent:die", "a,b"])
def test_what_names_no_point_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no crash point"):
        faults.arm(text)
    faults.point("dispatch.after_intent")  # nothing was armed by that
