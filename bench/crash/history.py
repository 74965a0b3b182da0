"""What everybody remembers of a campaign: visitors, the provider, whoever ended processes, and the database.

Moments are monotonic seconds of the campaign's own process, which nobody kills; those in rows are the database's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]


@dataclass(slots=True)
class Submission:
    """One person's form, however often it was sent. `leads` are all lead ids that 202s named, first to last."""

    id: str
    person: str  # the number, in the digits that the provider is asked to dial
    sent_at: float
    acked_at: float | None = None
    leads: list[str] = field(default_factory=list)
    heard: Counter[str] = field(default_factory=Counter)  # statuses, and the ways in which there was none


@dataclass(slots=True)
class Report:
    """One record of one leg: first sent at `began_at`; taken, with a 200, at `acked_at`."""

    leg: int
    began_at: float
    acked_at: float | None = None


@dataclass(slots=True)
class Request:
    """One request to place a call, as it arrived at the provider, and what the provider made of it.

    `rung`: telephones rang, until `over_at`, and `outcome` is what came of it. `code` is the error code of a
    well-formed refusal: then nothing rang.
    """

    at: float
    person: str
    lead: str
    attempt: str
    extension: str
    kind: str
    call_id: str = ""
    rung: bool = True
    over_at: float = 0.0
    outcome: str = ""
    code: int | None = None
    reports: list[Report] = field(default_factory=list)
    expected_reports: int = 0

    @property
    def reported_at(self) -> float | None:
        """When the first record of it left the provider."""
        return min((report.began_at for report in self.reports), default=None)

    @property
    def was_told(self) -> bool:
        """Whether all that there is to report was taken with a 200."""
        return 0 < self.expected_reports <= sum(report.acked_at is not None for report in self.reports)


@dataclass(slots=True)
class Ending:
    """A process that was told to end (SIGTERM) while its database stayed up the whole time.

    It lived from `began` to `ended` (milliseconds since the epoch: a number of a process may come again).
    """

    pid: int
    began: int
    ended: int
    status: int | None  # None: it did not end in time


@dataclass(slots=True)
class Books:
    """What the database says in the end. `spent` is what is counted against the cap on calls."""

    leads: Sequence[Row] = ()
    attempts: Sequence[Row] = ()
    agents: Sequence[Row] = ()
    spent: int = 0
    now: int = 0


@dataclass(slots=True)
class History:
    """One world's whole story. `strange` are answers and ends of processes for which there is no excuse.

    `open_after` names attempts that were neither over nor unknown when the time for that was up; `gauge` is what the
    service itself counts as unaccounted.
    """

    world: str = ""
    submissions: list[Submission] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    endings: list[Ending] = field(default_factory=list)
    strange: list[str] = field(default_factory=list)
    open_after: list[str] = field(default_factory=list)
    settled_after: float | None = None
    gauge: float = 0.0
    books: Books = field(default_factory=Books)
