"""What was tried for a target that is missed, and what its profile says; printed below the table."""

from __future__ import annotations

from typing import Final

_HANDS = (
    "Loop and database writer share one interpreter lock, and on one core every hand-over is a context switch: "
    "os.urandom (ids), hmac.digest, log writes and each SQLite call give the lock up"
)

TRIED: Final[dict[str, str]] = {
    "T1": (
        "The path has three commits (lead, reservation, intent) and two hand-overs between threads for each. "
        "Reading 200 free agents row by row took 1 ms of every claim; fetched at once (.all()) 0.6 ms. "
        "One core carries all of it, so the median follows the CPU of a whole job (T4)."
    ),
    "T2": "The answer waits for the claim round and, with a submission id, for a second commit that keeps the answer.",
    "T3": (
        f"{_HANDS}. CPU a lead, each step on top of the one before: 1.47 ms as it was; 1.40 with the memory limiter's "
        "expiry pass (a thread of its own that walks all keys, up to a hundred times a second) at most every 5 s; "
        "1.23 with a collector threshold of 50,000; 1.09 with ids from a seeded generator and keyed BLAKE2 "
        "in place of os.urandom and hmac. The two log lines cost 0.15 of it, the store's five statements 0.27, "
        "phone and fields 0.07, the limit 0.03, the bare endpoint 0.15."
    ),
    "T4": (
        f"{_HANDS}. CPU a lead 7.3 ms at first; 4.4 with update statements built once per set of columns "
        "(settling a placed call 0.79 → 0.28 ms, applying the second leg 1.42 → 0.63 ms). What is left in the store: "
        "claim 0.2 to 0.3 ms, accept 0.23, two reports 1.2, settle 0.28, begin 0.09; provider client 0.5; "
        "three HTTP requests and eight log lines the rest."
    ),
    "T8": "alembic, with mako and pygments behind it, is a quarter of the import and is needed only when migrating.",
    "T9": "Empty it has 100 to 119 MB: fastapi 17, app's own modules 16, sqlalchemy 12, alembic 8, asyncio 8, holidays 5.",
}
