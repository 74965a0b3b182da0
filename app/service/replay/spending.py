"""What has been spent in a replay: calls against the money cap, calls of a number, admissions of a number."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

from app.directory import Cooldown
from app.domain.guards import Cap, Hit
from app.domain.moves import SECOND
from app.domain.past_day import PastDay

Caps = Callable[[int], Sequence[Cap]]


class Spending:
    """Counts from where the day before it ended. `caps`: the money caps in force at a moment."""

    def __init__(self, day: PastDay, caps: Caps) -> None:
        self._caps = caps
        self._used: Counter[tuple[str, int]] = Counter()
        self._rung: dict[str, list[int]] = defaultdict(list)  # moments, in order
        self._admitted: dict[str, list[int]] = defaultdict(list, {key: list(of) for key, of in day.admitted.items()})
        for call in day.calls:
            self._count(caps(call.at))
            if call.rang:
                self._rung[call.phone_key].append(call.at)

    # ------------------------------------------------------------------------------------------ the cap on calls

    def full(self, now: int) -> bool:
        """Whether one of the caps has nothing left."""
        return any(self._used[cap.span, cap.starts_at] >= cap.limit for cap in self._caps(now))

    def spend(self, now: int, *, observe: bool) -> bool:
        """Take one call from every cap, or from none and say False; with `observe` they stop nobody."""
        if not observe and self.full(now):
            return False
        self._count(self._caps(now))
        return True

    def refund(self, reserved_at: int) -> None:
        """Nothing was called."""
        for cap in self._caps(reserved_at):
            self._used[cap.span, cap.starts_at] -= 1

    def _count(self, caps: Sequence[Cap]) -> None:
        for cap in caps:
            self._used[cap.span, cap.starts_at] += 1

    # ------------------------------------------------------------------------------------------------- a number

    def rang(self, phone_key: str, at: int) -> None:
        """The number's telephone rang in a call that was asked for then."""
        self._rung[phone_key].append(at)

    def rung_since(self, phone_key: str, since: int) -> int:
        """How often it did from then on."""
        moments = self._rung[phone_key]
        return len(moments) - bisect_left(moments, since)

    def admit(self, phone_key: str, at: int) -> None:
        """A lead of this number was let in."""
        self._admitted[phone_key].append(at)

    def cooldown(self, phone_key: str, rules: Cooldown, now: int) -> list[Hit]:
        """What the cool-down says of this number: so many admissions in one of its spans are enough."""
        if rules.mode == "off":
            return []
        moments = self._admitted.get(phone_key, [])
        used_up = any(
            len(moments) - bisect_right(moments, now - rate.per * SECOND) >= rate.count for rate in rules.per_phone
        )
        return [Hit("cooldown", rules.mode)] if used_up else []
