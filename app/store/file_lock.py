"""Who holds the SQLite file: one service at a time."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from app.errors import ConfigurationError, StorageUnavailable


class FileLock:
    """Keeps a second service away from one database file, by flock(2) on `<file>.lock`.

    The kernel lets go when the process ends, however it ends; the lock file stays, because removing it would
    let two processes lock two different files of one name.
    """

    def __init__(self, database: Path) -> None:
        self.database = database
        # The real path: two names of one file must meet in one lock.
        self.path = Path(f"{os.path.realpath(database)}.lock")
        self._descriptor: int | None = None

    def acquire(self, patience: float = 0.0) -> None:
        """Take the lock, waiting up to `patience` seconds; StorageUnavailable when somebody else has it,
        ConfigurationError when the lock file cannot be made."""
        deadline = time.monotonic() + patience
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise ConfigurationError([f"{self.path} cannot be written: {error.strerror}"]) from error
        try:
            while not _try_flock(descriptor):
                if time.monotonic() >= deadline:
                    holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
                    raise StorageUnavailable(
                        f"{self.database} is in use by another Leadring (process {holder}, lock file {self.path}); "
                        "several processes need PostgreSQL"
                    )
                time.sleep(0.02)  # flock knows no deadline; nothing is served yet
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode("ascii"), 0)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    def release(self) -> None:
        """Let go. May be called again."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _try_flock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
