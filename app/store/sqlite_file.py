"""The SQLite file: where it may be, how a connection to it is made, what its errors mean."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Final
from urllib.parse import quote

from sqlalchemy.exc import DBAPIError

from app.errors import ConfigurationError, StorageUnavailable

BUSY_MS: Final = 5000
# Name and the only accepted answer. FULL (2): WAL with NORMAL loses the last commits on power loss
# for speed nobody needs here. temp_store 2 is memory.
PRAGMAS: Final = (
    ("busy_timeout", BUSY_MS),
    ("journal_mode", "wal"),
    ("synchronous", 2),
    ("foreign_keys", 1),
    ("temp_store", 2),
)
# Locks and the shared memory of WAL do not work reliably across hosts (sqlite.org, "Write-Ahead Logging").
NETWORK_FILESYSTEMS: Final = frozenset(
    [
        "afs",
        "beegfs",
        "ceph",
        "cifs",
        "davfs",
        "fuse.davfs",
        "fuse.davfs2",
        "fuse.glusterfs",
        "fuse.s3fs",
        "fuse.sshfs",
        "glusterfs",
        "gpfs",
        "lustre",
        "ncpfs",
        "nfs",
        "nfs4",
        "smb3",
        "smbfs",
    ]
)
# Primary result codes that may pass by themselves; the others (syntax, misuse ...) are our mistakes.
TROUBLE: Final = {
    sqlite3.SQLITE_PERM: "permission denied",
    sqlite3.SQLITE_BUSY: "locked by another process",
    sqlite3.SQLITE_LOCKED: "locked",
    sqlite3.SQLITE_NOMEM: "out of memory",
    sqlite3.SQLITE_READONLY: "read-only",
    sqlite3.SQLITE_INTERRUPT: "the time limit was reached",
    sqlite3.SQLITE_IOERR: "input/output error",
    sqlite3.SQLITE_CORRUPT: "the file is damaged",
    sqlite3.SQLITE_FULL: "the disk is full",
    sqlite3.SQLITE_CANTOPEN: "the file cannot be opened",
    sqlite3.SQLITE_PROTOCOL: "locking failed",
    sqlite3.SQLITE_NOTADB: "the file is not an SQLite database",
}
# Of these, what does not pass before somebody has looked at the disk. What asks for little may get through meanwhile.
DISK: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY})


def check_place(path: Path) -> None:
    """ConfigurationError unless the file can live there: a local, writable directory."""
    folder = Path(os.path.realpath(path)).parent
    if str(path).startswith(("//", "\\\\")):
        raise ConfigurationError([f"{path} looks like a network share; SQLite needs a local disk"])
    if not folder.is_dir():
        raise ConfigurationError([f"{folder}, the directory of the database, does not exist"])
    if path.is_dir():
        raise ConfigurationError([f"{path} is a directory; the database needs a file name"])
    # SQLite also writes -wal and -shm beside the file, so the directory counts as well.
    if not os.access(folder, os.W_OK) or (path.exists() and not os.access(path, os.W_OK)):
        raise ConfigurationError([f"{path} cannot be written: read-only file system or missing permission"])
    kind = filesystem_of(folder)
    if kind in NETWORK_FILESYSTEMS:
        raise ConfigurationError([f"{path} is on a network file system ({kind}); SQLite needs a local disk"])


def filesystem_of(folder: Path, mounts: Path = Path("/proc/self/mountinfo")) -> str | None:
    """The type of the file system that holds `folder`, as the kernel names it; None where it does not say."""
    try:
        lines = mounts.read_text("utf-8", "surrogateescape").splitlines()
    except OSError:
        return None  # not Linux: the assertion on journal_mode still guards
    best: tuple[int, str] = (-1, "")
    for line in lines:
        # "36 35 98:0 /root /mount/point rw - ext4 /dev/x rw" (proc(5)); spaces are written \040.
        left, _, right = line.partition(" - ")
        mount = Path(left.split(" ")[4].replace("\\040", " "))
        if folder.is_relative_to(mount) and len(mount.parts) >= best[0]:
            best = (len(mount.parts), right.split(" ")[0])
    return best[1] or None


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """A connection in autocommit mode (we emit BEGIN and COMMIT), its pragmas set and their answers checked.

    sqlite3.Error when it cannot be opened, ConfigurationError when a pragma answers differently.
    """
    if not read_only and not path.exists():
        # Names and phone numbers: not for other users. -wal and -shm get the same mode from SQLite.
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    raw = sqlite3.connect(
        f"file:{quote(str(path.absolute()))}?mode={'ro' if read_only else 'rw'}",
        uri=True,
        timeout=BUSY_MS / 1000,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=256,
    )
    try:
        for name, wanted in PRAGMAS:
            if name != "journal_mode" or not read_only:  # the mode is the file's; the writer has set it
                raw.execute(f"PRAGMA {name}={wanted}")
            (answer,) = raw.execute(f"PRAGMA {name}").fetchone()
            if answer != wanted:
                raise ConfigurationError(
                    [f"{path}: SQLite answers {name}={answer} where {wanted} is needed; is this a local disk?"]
                )
        if read_only:
            raw.execute("PRAGMA query_only=1")
    except BaseException:
        raw.close()
        raise
    return raw


def code_of(error: BaseException) -> int | None:
    """SQLite's primary result code; None when the error is not SQLite's."""
    code = getattr(error.orig if isinstance(error, DBAPIError) else error, "sqlite_errorcode", None)
    return code & 0xFF if isinstance(code, int) else None


def is_of_the_disk(found: BaseException) -> bool:
    """Whether a full or failing disk is what it comes from."""
    error: BaseException | None = found
    while error is not None:
        if code_of(error) in DISK:
            return True
        error = error.__cause__
    return False


def room(path: Path) -> int | None:
    """Bytes that are free on the disk of the file, for such as we are; None where there is no telling."""
    try:
        found = os.statvfs(Path(os.path.realpath(path)).parent)
    except OSError:
        return None
    return found.f_frsize * (found.f_bfree if os.geteuid() == 0 else found.f_bavail)


def outward(error: BaseException) -> BaseException:
    """What a caller should see: StorageUnavailable for trouble that may pass, anything else as it is."""
    reason = TROUBLE.get(code_of(error) or sqlite3.SQLITE_OK)
    if reason is None and isinstance(error, DBAPIError) and error.connection_invalidated:
        reason = "the connection was lost"
    if reason is not None:
        return unavailable(reason, error)
    if isinstance(error, StopIteration):  # a future refuses it, and then nobody would be told
        replacement = RuntimeError("a statement function raised StopIteration")
        replacement.__cause__ = error
        return replacement
    return error


def unavailable(reason: str, cause: BaseException | None = None) -> StorageUnavailable:
    """StorageUnavailable in our words, the cause chained."""
    made = StorageUnavailable(f"the database is not available: {reason}")
    made.__cause__ = cause
    return made
