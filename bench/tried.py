"""What was tried for a target that is missed, and what was measured of it; printed below the table.

Figures of CPU on a machine that others used too: they repeat within some 15 %, so a smaller gain is not claimed.
"""

from __future__ import annotations

from typing import Final

TRIED: Final[dict[str, str]] = {
    "T1": (
        "The path has three commits: lead, reservation, intent. A claim that begins with the due leads and loads the "
        "first few free agents instead of all 200, log lines after the call instead of before it, one claim round "
        "instead of two, and turns of the interpreter of 1 ms instead of 5 took it from 11.5 ms to 3.6 to 6.5. "
        "Its parts together take 0.3 ms where a disk syncs in 0.1: no Python does in three times that what is between "
        "them. Not tried: fewer commits."
    ),
    "T2": (
        "The answer waits for the lead's commit and for the claim round. The commit for the submission id is no longer "
        "waited for on SQLite, which took it from 11 ms to between 3.9 and 4.7."
    ),
    "T3": (
        "CPU a lead went from 1.3 to 1.7 ms to between 0.7 and 1.35, with statements built once, ids without system "
        "calls, keyed BLAKE2, log lines past the standard library, the limiter's expiry pass once a second and a "
        "collector that runs more rarely. A third of it is the store's, through SQLAlchemy; the loop and the writer "
        "thread share one interpreter. Not tried: several inserts in one statement across submitters."
    ),
    "T4": (
        "CPU a lead went from 7.3 to between 2.6 and 5 ms, with the above, claims in batches, and reports kept and "
        "applied in one transaction. Alone, the store takes 1.1 ms of it, the provider client 0.5, two reports over "
        "HTTP 0.6. Not tried: one process for HTTP and one for the store."
    ),
    "T6": (
        "Each trip to PostgreSQL costs 0.3 to 0.8 ms where load, provider, replicas and database share two cores. To "
        "the provider's door a lead took 22 of them, and takes 12: what one step writes is one statement, a statement "
        "alone has no BEGIN and COMMIT, other replicas are told after the commit. One statement that SQLAlchemy had "
        "compiled anew in each claim took 1.2 ms of CPU; connections that a pool opened and closed took as much of "
        "PostgreSQL as all the rest, and without them a lead takes 7 instead of 9 ms of CPU, both counted. "
        "Not taken: generic plans for everything (0.5 ms less, and a plan made for empty tables stays), "
        "psycopg in threads (as slow). Not tried: asyncpg without SQLAlchemy, whose trips cost a third."
    ),
    "T8": (
        "Alembic is loaded only when a step is due, cryptography only for form builders; sqlalchemy takes 0.24 s of "
        "CPU of the import."
    ),
    "T9": "Alembic is loaded only when a step is due. Of 100 MB after the import fastapi has 17 and sqlalchemy 12.",
    "T10": "A stream of FastAPI's costs some 64 kB: a task group and a queue each. Not tried: a leaner response.",
}
