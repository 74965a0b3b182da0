"""The written priority between leads that are due: whose turn it is while there are fewer agents than leads. Pure.

Each due lead has a rank, and each rank a handicap: the leads go in the order of when they fell due plus that
handicap. So a promise comes before who has just sent the form, who comes before a second try, who comes before the
morning's backlog; and whatever waits long enough has its turn, however many come after it.
"""

from __future__ import annotations

from typing import Final

PROMISED: Final = 0  # a set time has come: the lead chose it, or a person said "now"
FRESH: Final = 1  # somebody has just sent the form and waits; also when agents did not pick up
AGAIN: Final = 2  # the lead's own phone was rung before, without a conversation
BACKLOG: Final = 3  # came in while nobody was there

RANKS: Final = (PROMISED, FRESH, AGAIN, BACKLOG)
HANDICAPS: Final = (0, 30_000, 120_000, 600_000)  # milliseconds, by rank

MINUTE: Final = 60_000
STEP: Final = 240_000  # milliseconds of age that put a lead of the backlog one millisecond further back
LATEST: Final = 999


def turn(rank: int, due_at: int) -> int:
    """What due leads are ordered by, smallest first; milliseconds."""
    return due_at + HANDICAPS[rank]


def backlog_due(opening: int, received_at: int) -> int:
    """When a lead that came while it was closed falls due: at the opening, the freshest first.

    One millisecond later for each four minutes that it has waited by then, and always within the opening's first
    second: an order, not a delay. How fast the backlog is worked off is decided by who is free.
    """
    return opening + min(max(0, opening - received_at) // STEP, LATEST)


def told(due_at: int, rank: int) -> int:
    """The moment that people are told for a due time: of the backlog the opening itself."""
    return due_at - due_at % MINUTE if rank == BACKLOG else due_at
