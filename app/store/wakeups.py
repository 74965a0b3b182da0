"""The dedicated PostgreSQL session of one replica: hears the others' NOTIFY, keeps the database's clock, and holds
the lock of the one replica that asks the provider how things stand.

Notifications are hints and may be lost while the session reconnects: whoever listens also polls.
LISTEN does not survive a proxy that pools by transaction.

A lock alone does not go with a process that stands still (SIGSTOP, a paused machine, a cut cable): its session lives
on. So the server ends a session that asks nothing for IDLE_SECONDS, we ask every TOUCH_SECONDS, and by our own
monotonic clock we stop believing in the lock before the server can have given it to another.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from app.errors import ConfigurationError
from app.ids import new_id
from app.store.database_clock import DatabaseClock
from app.store.postgres_errors import asyncpg

log = logging.getLogger(__name__)

CHANNEL: Final = "leadring"
TOUCH_SECONDS: Final = 2.0
# What comes to be told within this time goes out together: a lead that is reserved, sent and placed is told of once.
GATHER_SECONDS: Final = 0.1
# What the server waits for us; notifications that it sends do not count.
IDLE_SECONDS: Final = 6.0
# How long after a question that was answered the lock is surely still ours: the server's waiting began later.
HELD_SECONDS: Final = 5.0
RECONNECT_SECONDS: Final = 1.0
# The key of PostgreSQL's advisory lock about counting: "counting" in ASCII.
COUNTING_KEY: Final = int.from_bytes(b"counting", "big")
# The key of the one about polling: "leadpoll" in ASCII. It goes with its session, so another replica takes over.
POLLING_KEY: Final = int.from_bytes(b"leadpoll", "big")
SESSION_ERRORS: Final = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)

_server_time = "SELECT extract(epoch FROM clock_timestamp()) * 1000"
# PostgreSQL 14 has it; before, nothing happens, and the lock of a process that stands still is kept.
_end_when_idle = """
    SELECT set_config(name, $1, false) FROM pg_settings WHERE name = 'idle_session_timeout'
"""
_tell = """
    SELECT count(pg_notify($1, message) ORDER BY at) FROM unnest($2::text[]) WITH ORDINALITY AS told (message, at)
"""
# What is kept for the others while there is no session; they look for themselves, too.
UNTOLD_MAX: Final = 10_000
LAST_WORDS_SECONDS: Final = 1.0


class Wakeups:
    """Starts with one session that works; from then on reconnects by itself, once a second."""

    def __init__(
        self,
        options: Mapping[str, Any],
        clock: DatabaseClock | None,
        *,
        alone: bool | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._options = options
        self._alone = alone
        self._clock = clock
        self._monotonic = monotonic
        self._me = new_id()
        self._callbacks: list[Callable[[str, str], None]] = []
        self._untold: dict[str, None] = {}  # in their order, each once
        self._stirred = asyncio.Event()
        self._all_told = asyncio.Event()
        self._all_told.set()
        self._task: asyncio.Task[None] | None = None
        self._has_lock = False
        self._touched = 0.0  # by our monotonic clock, when the last question that was answered had been put

    @property
    def polls(self) -> bool:
        """Whether this replica surely holds the lock of the one that polls the provider."""
        return self._has_lock and self._monotonic() - self._touched < HELD_SECONDS

    def listen(self, callback: Callable[[str, str], None]) -> None:
        """Have `callback(channel, payload)` called on the loop for what other replicas send."""
        self._callbacks.append(callback)

    def tell(self, channel: str, payload: str) -> None:
        """Send within GATHER_SECONDS, with whatever else there is to tell by then.

        Together the texts must stay under 7,900 bytes (PostgreSQL's limit is 8,000).
        """
        if len(self._untold) < UNTOLD_MAX:
            self._untold[f"{self._me} {channel} {payload}"] = None
            self._all_told.clear()
        self._stirred.set()

    async def start(self) -> None:
        """Open the first session; the driver's error when that fails."""
        session = await self._open()
        self._task = asyncio.create_task(self._keep(session), name="leadring-wakeups")
        await asyncio.sleep(0)  # from its first step on it lets go of the session when it is cancelled

    async def close(self) -> None:
        """Tell what there is to tell (for a second at most), and end the session. May be called again."""
        task, self._task = self._task, None
        if task is not None:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LAST_WORDS_SECONDS):
                    await self._all_told.wait()
            task.cancel()
            await asyncio.wait([task])

    async def _open(self) -> Any:
        session = await asyncpg.connect(**self._options)
        try:
            await self._ask(session, _end_when_idle, str(round(IDLE_SECONDS * 1000)))
            await self._sign_in(session)
            await self._take_polling(session)
            await session.add_listener(CHANNEL, self._hear)
            await self._measure(session)
        except BaseException:
            session.terminate()
            raise
        return session

    async def _sign_in(self, session: Any) -> None:
        """Hold the lock that tells processes which count alone from those that count together.

        A rate limit in memory is each process's own, so one that has it wants no other beside it. The lock goes
        with the session: a process that stood still may find another one started in its place. It goes on to
        serve what reaches it, without notifications and without polling, and says so until one of the two ends.
        """
        if self._alone is None:
            return
        shared = "" if self._alone else "_shared"
        if not await self._ask(session, f"SELECT pg_try_advisory_lock{shared}($1)", COUNTING_KEY):
            raise ConfigurationError(
                [
                    "LEADRING_RATE_LIMIT_URL: another Leadring process works on this database, and a limit in "
                    "memory is counted by each process for itself; give all of them the same redis://host:6379/0"
                ]
            )

    async def _take_polling(self, session: Any) -> None:
        """Become the one that polls when nobody is. Commands, which run beside the service, never do."""
        if self._alone is not None and not self._has_lock:
            self._has_lock = bool(await self._ask(session, "SELECT pg_try_advisory_lock($1)", POLLING_KEY))

    async def _keep(self, session: Any) -> None:
        while True:
            try:
                if session is None:
                    session = await self._open()
                    log.info("the database notifies again")
                await self._attend(session)
            except ConfigurationError as error:
                log.error("%s", error)
            except SESSION_ERRORS as error:
                log.warning("no notifications from the database: %s; trying again", type(error).__name__)
            finally:
                self._has_lock = False
                if session is not None:
                    session.terminate()
            session = None
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _attend(self, session: Any) -> None:
        """Returns or raises when the session is lost."""
        loop = asyncio.get_running_loop()
        session.add_termination_listener(lambda _: self._stirred.set())
        touch_at = loop.time() + TOUCH_SECONDS
        while not session.is_closed():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(touch_at):
                    await self._stirred.wait()
            if self._untold and not session.is_closed():
                await asyncio.sleep(GATHER_SECONDS)
            self._stirred.clear()
            await self._tell_all(session)
            if loop.time() >= touch_at and not session.is_closed():
                await self._take_polling(session)
                await self._measure(session)  # also finds out when the server is gone without a word
                touch_at = loop.time() + TOUCH_SECONDS

    async def _tell_all(self, session: Any) -> None:
        while self._untold and not session.is_closed():
            telling, self._untold = self._untold, {}
            try:
                await self._ask(session, _tell, CHANNEL, list(telling))
            except asyncpg.DataError:
                log.exception("%d notifications cannot be told", len(telling))  # nor could they later
            except BaseException:
                self._untold = telling | self._untold
                raise
        if not self._untold:
            self._all_told.set()

    async def _measure(self, session: Any) -> None:
        async def ask() -> float:
            return float(await self._ask(session, _server_time))

        if self._clock is not None:
            await self._clock.measure(ask)
        else:
            await ask()

    async def _ask(self, session: Any, query: str, *values: object) -> Any:
        """One question; answered, it has kept the session from being idle."""
        put_at = self._monotonic()
        answer = await session.fetchval(query, *values)
        self._touched = put_at
        return answer

    def _hear(self, session: object, pid: int, channel: str, message: object) -> None:
        sender, _, rest = str(message).partition(" ")
        name, _, payload = rest.partition(" ")
        if sender == self._me:
            return  # our own processes were woken without the database
        for callback in self._callbacks:
            try:
                callback(name, payload)
            # A listener's mistake must not end the session for the others.
            except Exception:
                log.exception("a listener for %s failed", name)
