"""Whether the provider's account of the line is to be believed, and who has been told that it is not."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import structlog

from app.domain import presence as judging
from app.domain.line import ExtensionNow
from app.domain.presence import Verdict
from app.metrics import Metrics

log = structlog.get_logger("leadring.line")

# Milliseconds until a call that is over is taken to hang there, in an account that else changes.
HAUNTED_FOR: Final = 300_000


@dataclass(frozen=True, slots=True)
class Sight:
    """How well the line is seen: when it was last believed (ms), what is wrong since, and since when nobody is free."""

    believed_at: int | None = None
    doubt: str | None = None
    nobody_free_since: int | None = None


class Belief:
    """Weighs one answer after the other. Moments in milliseconds."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._told: Sequence[ExtensionNow] | None = None
        self._verdicts: Mapping[str, Verdict] = {}
        self._everybody_left = 0
        self._haunted_since: int | None = None
        self.changed_at = 0  # when the account last said something else than before
        self.sight = Sight()

    def weigh(self, told: Sequence[ExtensionNow], ghosts: Collection[str], now: int) -> Sequence[ExtensionNow] | None:
        """The account as far as it is believed; None: not at all.

        `ghosts` are attempts that are shown although they are over. That is how an old answer looks. Where it goes on
        while the rest of the account changes, it is calls that hang there, and only they are not believed.
        """
        if told != self._told:
            self._told, self.changed_at = told, now
        if not ghosts:
            self._haunted_since = None
            return told
        since = self._haunted_since = self._haunted_since or now
        if now < since + HAUNTED_FOR or self.changed_at <= since:
            self.doubt("stale")
            return None
        return judging.without(told, ghosts)

    def credible(self, verdicts: Mapping[str, Verdict]) -> bool:
        """Whether to act on what is said of the agents: that everybody left at once takes more than one answer."""
        if judging.everybody_left(self._verdicts, verdicts):
            self._everybody_left += 1
            if self._everybody_left < judging.BELIEVED_AFTER:
                self.doubt("everybody_left")
                return False
        self._everybody_left = 0
        return True

    def doubt(self, reason: str) -> None:
        """Nothing is done upon this answer; said once, counted each time."""
        self._metrics.presence_doubts.labels(reason).inc()
        if self.sight.doubt != reason:
            log.warning("line.doubted", reason=reason)
        self.sight = replace(self.sight, doubt=reason)

    def believe(self, verdicts: Mapping[str, Verdict], now: int) -> None:
        """This answer is acted upon."""
        if self.sight.doubt is not None:
            log.info("line.believed_again", after=self.sight.doubt)
        self._verdicts = verdicts
        nobody = bool(verdicts) and "free" not in verdicts.values()
        since = (self.sight.nobody_free_since or now) if nobody else None
        self.sight = Sight(now, None, since)
        self._metrics.presence_believed.set(now / 1000)
