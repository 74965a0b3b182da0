"""Why none of the others: what everybody was doing when an agent was chosen for a lead, in as few bytes as will do.

Runs in every claim; so texts are put together by hand, and what is the same for several leads is made once.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

from app.directory import Agent
from app.domain.choices import NOT_FREE, count, entry, pack, write_choice
from app.domain.pairing import Pair
from app.domain.routing import FreeAgent, Roster, Standing, language_of

BUSY_ROOM: Final = 1250  # bytes of a kept choice for who was not free
FREE_ROOM: Final = 600  # for who was, and was ranked behind
FEW_ROOM: Final = 250  # for who was gone by then, or had just missed the lead
BEHIND: Final = 12  # of those who were ranked behind, so many are named
_TOLD: Final = (*NOT_FREE, "language")

# What a table of agents says of one: id, state, until, paused, until when, why, the provider's account (where it still
# counts, or nothing else says why he is not free), and three more columns that are not looked at here.
Row = Sequence[Any]


def busy(
    state: str,
    until: int | None,
    paused: int,
    paused_until: int | None,
    text: str | None,
    presence: str | None,
    now: int,
) -> tuple[str, int | None, str | None]:
    """Why an agent who is not free is not: a reason of NOT_FREE, until when (ms; None: open), and why a pause."""
    if state in ("reserved", "on_call"):
        return state, None, None
    if paused and (paused_until is None or paused_until > now):
        return "paused", paused_until, text
    if until is not None and until > now:
        return state, until, None
    return presence or "away", None, None


class _Kind(NamedTuple):
    """What is the same for all leads of one site and language: who is asked, how many of them were free and how many
    busy, and what with."""

    ids: frozenset[str]
    free: int
    busy: int
    told: str


class View:
    """One round's view of the floor.

    `known` were free when the round looked, `locked` are those of them whom another process was faster with; `rows` are
    of those who were not free. `all_free`, `all_busy`: whether these are everybody who was.
    """

    def __init__(
        self,
        roster: Roster,
        known: Mapping[str, FreeAgent],
        rows: Sequence[Row],
        locked: Collection[str],
        now: int,
        *,
        all_free: bool,
        all_busy: bool,
    ) -> None:
        self._roster = roster
        self._strategy = roster.strategy
        self._known = known
        self._rows = rows
        self._locked = locked
        self._now = now
        self._all_free = all_free
        self._all_busy = all_busy
        self._kinds: dict[tuple[str, str], _Kind] = {}

    def why(self, pair: Pair, taken: Sequence[str]) -> str:
        """This agent, and none of the others, as it is kept; `taken` went to other leads of the round before."""
        lead, chosen, locked = pair.lead, pair.agent, self._locked
        language = language_of(lead.asked_language)
        kind = self._kind(lead.site, language)
        free = [one for one in pair.line if one.id not in locked] if locked else pair.line
        not_behind = (chosen.id, lead.avoid_agent)
        missed = lead.avoid_agent not in (None, chosen.id) and any(one.id == lead.avoid_agent for one in free)
        behind = [one for one in free[: BEHIND + 2] if one.id not in not_behind][:BEHIND]
        gone = [agent for agent in taken if agent in kind.ids] if taken else []
        shut = [agent for agent in locked if agent in kind.ids] if locked else []
        standing = self._roster.standing(lead.site, language)
        rest = kind.free - len(free) - len(gone) - len(shut)  # whom the round saw to be free later than this line
        unknown = len(kind.ids) - kind.free - kind.busy
        if self._all_busy and not self._all_free:
            rest, unknown = rest + unknown, 0
        many = len(free) + rest
        rest += len(free) - 1 - missed - len(behind)
        others = [self._behind(pair, behind, standing)] if behind else []
        if gone or shut:
            others.append(pack(_named(("taken", gone), ("locked", shut)), FEW_ROOM))
        if missed:
            others.append(pack([("just_missed", "", [entry(lead.avoid_agent or "", lead.avoid_until)])], FEW_ROOM))
        if rest > 0:
            others.append(count("behind", rest))
        if unknown > 0:
            others.append(count("not_free" if self._all_free else "unseen", unknown))
        others += (kind.told, self._roster.kept_off(lead.site))
        return write_choice(
            _rule(pair, behind, standing, self._strategy),
            self._strategy,
            self._figures([chosen])[0],
            many,
            not (self._all_free or self._all_busy),
            others,
        )

    def _kind(self, site: str, language: str) -> _Kind:
        found = self._kinds.get((site, language))
        if found is not None:
            return found
        able, known, now = self._roster.able(site, language), self._known, self._now
        ids = able.ids
        groups: dict[str, list[str]] = {}
        many = 0
        for agent, state, until, paused, paused_until, text, presence, _, _, _ in self._rows:
            if agent in ids and agent not in known:
                many += 1
                reason, end, why = busy(state, until, paused, paused_until, text, presence, now)
                item = f'"{agent}"' if end is None and not why else entry(agent, end, why)
                if reason in groups:
                    groups[reason].append(item)
                else:
                    groups[reason] = [item]
        free = sum(agent in ids for agent in known)
        if self._all_free and self._all_busy and free + many < len(ids):
            # The table does not know them, or not any more: another process goes by another file.
            strangers = ids.difference(known, [row[0] for row in self._rows])
            groups["unlisted"] = [f'"{agent}"' for agent in sorted(strangers)]
            many += len(strangers)
        if able.speakers and len(ids) < len(eligible := self._roster.eligible(site)):
            groups["language"] = [f'"{one.id}"' for one in eligible if one.id not in ids]
        told = [
            (reason, language if reason == "language" else "", groups[reason]) for reason in _TOLD if reason in groups
        ]
        found = self._kinds[site, language] = _Kind(ids, free, many, pack(told, BUSY_ROOM))
        return found

    def _figures(self, agents: Sequence[Agent]) -> list[str]:
        """What the strategy goes by, of each of them as JSON without the brackets around it."""
        free = self._known
        match self._strategy:
            case "round_robin":
                return [f"{free[one.id].assigned_at}" for one in agents]
            case "priority":
                return [f"{one.priority},{free[one.id].idle_since}" for one in agents]
            case "weighted":
                return [f"{one.weight},{free[one.id].idle_since}" for one in agents]
            case _:
                return [f"{free[one.id].idle_since}" for one in agents]

    def _behind(self, pair: Pair, behind: Sequence[Agent], standing: Standing | None) -> str:
        """Those who were ranked behind, by what put them there."""
        items = [f'["{one.id}",{told}]' for one, told in zip(behind, self._figures(behind), strict=True)]
        if pair.sticky or standing is None:
            return pack([("behind", "sticky" if pair.sticky else "", items)], FREE_ROOM)
        groups: dict[str, list[str]] = {}
        for one, item in zip(behind, items, strict=True):
            groups.setdefault(_behind_by(standing, pair.agent, one), []).append(item)
        return pack([("behind", why, items) for why, items in groups.items()], FREE_ROOM)


def _named(*groups: tuple[str, Sequence[str]]) -> list[tuple[str, str, Sequence[str]]]:
    return [(reason, "", [f'"{agent}"' for agent in agents]) for reason, agents in groups if agents]


def _rule(pair: Pair, behind: Sequence[Agent], standing: Standing | None, strategy: str) -> str:
    """What decided between the chosen one and the next."""
    if pair.sticky:
        return "sticky"
    if pair.agent.id == pair.lead.avoid_agent:
        return "again"
    if standing is not None and standing(pair.agent)[0]:
        return "fallback"
    if not behind:
        return "only"
    by = _behind_by(standing, pair.agent, behind[0])
    return "only" if by == "fallback" else by or strategy


def _behind_by(standing: Standing | None, chosen: Agent, other: Agent) -> str:
    """What ranked the other one behind the chosen one; empty for the strategy."""
    if standing is None:
        return ""
    for name, one, two in zip(("fallback", "language", "prefer"), standing(chosen), standing(other), strict=True):
        if one != two:
            return name
    return ""
