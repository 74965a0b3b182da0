"""Guards: rules that may hold or refuse a lead.

Money fails closed, leads fail open: in doubt, store and do not dial.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from app.directory import CallCap, Directory, Policy
from app.domain.hits import Hit as Hit
from app.domain.lead import Term
from app.domain.phone import Phone

HELD_FOR: Final = 7 * 86_400_000  # milliseconds until a held lead that nobody looked at expires
HOUR: Final = 3_600_000
NO_COMMON_HOURS: Final = "dialing_window"  # held: the number's dialing window and its site's hours never meet

# Numbers that cost the caller extra, and kinds that are nobody's own telephone. The kinds are libphonenumber's.
PREMIUM: Final = frozenset({"premium"})
NOT_A_PERSON: Final = frozenset({"shared_cost", "uan", "toll_free", "pager", "voicemail", "personal"})


@dataclass(frozen=True, slots=True)
class Cap:
    """A budget of calls: at most `limit` in the span that starts at `starts_at` (milliseconds)."""

    span: str
    starts_at: int
    limit: int
    ends_at: int

    @property
    def spent(self) -> str:
        """That nothing is left of it, in words."""
        return f"the {self.limit} {'call' if self.limit == 1 else 'calls'} of this {self.span} spent"


@dataclass(frozen=True, slots=True)
class NumberCap:
    """How often one number is rung in a day: after `limit` calls since `starts_at` a second try waits for tomorrow.

    `tomorrow` gives the term of a site's lead then.
    """

    limit: int
    starts_at: int
    tomorrow: Callable[[str], Term]


def number_cap(policy: Policy, now: int, term: Callable[[str, int], Term]) -> NumberCap | None:
    """The cap in force now, None where the policy has none. `term`: of a site's lead that is not due before then.

    A day is one on the policy's clock.
    """
    if policy.calls_per_number == 0:
        return None
    start, end = _day(policy.timezone, now)
    return NumberCap(policy.calls_per_number, start, lambda site: term(site, end))


def look_at_number(phone: Phone, directory: Directory) -> list[Hit]:
    """The guards that need the number alone: `country` and `premium`, in the order in which they count."""
    hits: list[Hit] = []
    guards = directory.guards
    if guards.premium != "off":
        figures = f"a number of the kind {phone.kind.replace('_', ' ')}"
        if phone.kind in PREMIUM:
            hits.append(Hit("premium", guards.premium, figures))
        elif phone.kind in NOT_A_PERSON:
            # 1-800 and the like are possible, cheap, and still not where a person is: never worse than a hold.
            mode = "hold" if guards.premium == "refuse" else guards.premium
            hits.append(Hit("premium", mode, figures))
    if guards.country != "off" and phone.country not in directory.policy.countries:
        figures = f"a number of {phone.country or 'no country'}; we ring {', '.join(directory.policy.countries)}"
        hits.append(Hit("country", guards.country, figures))
    return hits


def worst(hits: list[Hit]) -> Hit | None:
    """The hit that decides: refuse before hold; observed ones decide nothing."""
    for mode in ("refuse", "hold"):
        for hit in hits:
            if hit.mode == mode:
                return hit
    return None


def caps(calls: CallCap, timezone: str, now: int) -> tuple[Cap, ...]:
    """The call budgets in force now: the clock hour, and the day in the policy's time zone."""
    found: list[Cap] = []
    if calls.mode == "off":
        return ()
    if calls.per_hour is not None:
        start = now - now % HOUR
        found.append(Cap("hour", start, calls.per_hour, start + HOUR))
    if calls.per_day is not None:
        start, end = _day(timezone, now)
        found.append(Cap("day", start, calls.per_day, end))
    return tuple(found)


def _day(timezone: str, now: int) -> tuple[int, int]:
    """When the day begins and ends there, in milliseconds; where the clocks change, it has 23 or 25 hours."""
    zone = ZoneInfo(timezone)
    today = datetime.fromtimestamp(now / 1000, zone).date()
    return _midnight(today, zone), _midnight(today + timedelta(days=1), zone)


def _midnight(day: date, zone: ZoneInfo) -> int:
    """When the day begins there, in milliseconds; the first time when midnight strikes twice."""
    return int(datetime.combine(day, time.min, zone).timestamp() * 1000)
