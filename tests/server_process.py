"""A server as a child process of the tests: private, on a free port of 127.0.0.1, gone when the tests are gone."""

import atexit
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil

START_SECONDS = 30.0
STOP_SECONDS = 10.0
POLL_SECONDS = 0.01
START_TRIES = 3


def free_port() -> int:
    """A TCP port on 127.0.0.1 that was free a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Polls ``condition`` until it holds; TimeoutError naming ``what`` after ``seconds``."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {seconds} s")
        time.sleep(POLL_SECONDS)


def is_alive(pid: int) -> bool:
    """Whether the process runs. One that has ended and was not yet collected by its parent does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class Server:
    """A child process with a directory of its own. Ends with this process, however this process ends."""

    # What the kernel sends the server when we die without saying so. SIGKILL reaches a frozen process too.
    orphan_signal = "KILL"

    def __init__(self, name: str, owner: pwd.struct_passwd | None = None) -> None:
        self.name = name
        self.owner = owner
        self.port = 0
        self.directory = Path(tempfile.mkdtemp(prefix=f"leadring-{name}-"))
        self._process: subprocess.Popen[bytes] | None = None
        if owner is not None:
            os.chown(self.directory, owner.pw_uid, owner.pw_gid)
        atexit.register(self.stop)

    @property
    def pid(self) -> int:
        """The process id of the running server; RuntimeError when it does not run."""
        if self._process is None:
            raise RuntimeError(f"{self.name} does not run")
        return self._process.pid

    @property
    def log(self) -> str:
        """What the server has printed so far."""
        path = self.directory / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def command(self) -> Sequence[str]:
        """What to execute; the port is ``self.port``."""
        raise NotImplementedError

    def is_ready(self) -> bool:
        """Whether the server that we started takes connections."""
        raise NotImplementedError

    def start(self) -> None:
        """Starts on a free port, returns when connections are taken; RuntimeError with the log if it cannot."""
        for tries_left in reversed(range(START_TRIES)):
            self.port = free_port()  # free until somebody else took it in between: hence the tries
            try:
                self.restart()
            except RuntimeError:
                if not tries_left:
                    raise
            else:
                return

    def restart(self) -> None:
        """Starts on the same port and data after ``kill()``."""
        if self._process is not None:
            raise RuntimeError(f"{self.name} runs already")
        # prctl(2) by setpriv, not in preexec_fn: that one warns, rightly, in a process with threads.
        wrapper = ["setpriv", f"--pdeathsig={self.orphan_signal}"] if shutil.which("setpriv") else []
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*wrapper, *self.command()],
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for the tests, which then stop us in order
                user=self.owner.pw_uid if self.owner else None,
                group=self.owner.pw_gid if self.owner else None,
                extra_groups=[] if self.owner else None,
            )
        try:
            wait_until(self._ready_or_dead, START_SECONDS, f"{self.name} starts")
        except TimeoutError as error:
            self.kill()
            raise RuntimeError(f"{error}\n{self.log[-2000:]}") from error

    def _ready_or_dead(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            self._process = None
            raise RuntimeError(f"{self.name} did not start\n{self.log[-2000:]}")
        return self.is_ready()

    def kill(self) -> None:
        """SIGKILL to the server and all its children. Does nothing when it does not run."""
        if self._process is None:
            return
        family: list[psutil.Process] = []
        try:
            parent = psutil.Process(self._process.pid)
            parent.suspend()  # a postmaster that sees its children die would start new ones meanwhile
            family = parent.children(recursive=True)
        except psutil.NoSuchProcess:
            pass  # it died by itself: that is what was wanted
        self._process.kill()
        self._process.wait(STOP_SECONDS)
        self._process = None
        for child in family:
            if child.is_running():
                child.kill()
        wait_until(lambda: not any(is_alive(p.pid) for p in family), STOP_SECONDS, f"{self.name} dies")

    def stop(self) -> None:
        """Ends the server and removes its directory. May be called again."""
        atexit.unregister(self.stop)
        self._end()
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _end(self) -> None:
        """Asks the server to end in order, when that matters to it."""
