"""Who sees everything, and says what must not be: asked after every commit, and at the provider's door.

What holds is written here once more, in its own words: nothing of it is read from the tables of the code under test.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from app.ports import CallRequest
from app.service.rules import Rules
from app.store import gauges
from tests.simulation.database import Database
from tests.simulation.loop import PROCESS, VirtualLoop
from tests.simulation.provider import TIMEOUT, Provider, Sent

# What must not be, each with a query for the rows that are so.
FORBIDDEN: Final = """
WITH live AS (SELECT * FROM attempts WHERE state IN ('reserved', 'sending', 'placed', 'unknown'))
SELECT 'a lead is being dialled without a live attempt of its own', count(*) FROM leads l
  WHERE l.state = 'dialing' AND NOT EXISTS (SELECT 1 FROM live a WHERE a.id = l.attempt_id AND a.lead_id = l.id)
UNION ALL SELECT 'an attempt is live and its lead is not being dialled', count(*)
  FROM live a JOIN leads l ON l.id = a.lead_id WHERE l.state <> 'dialing' OR l.attempt_id <> a.id
UNION ALL SELECT 'a lead has two live attempts', count(*) - count(DISTINCT lead_id) FROM live
UNION ALL SELECT 'an agent has two live attempts', count(*) - count(DISTINCT agent_id)
  FROM attempts WHERE holds_agent = 1
UNION ALL SELECT 'an attempt holds an agent who does not know it', count(*)
  FROM attempts a JOIN agents g ON g.id = a.agent_id WHERE a.holds_agent = 1 AND g.attempt_id IS NOT a.id
UNION ALL SELECT 'an agent is held by an attempt that does not know it', count(*)
  FROM agents g WHERE g.attempt_id IS NOT NULL AND NOT EXISTS
  (SELECT 1 FROM attempts a WHERE a.id = g.attempt_id AND a.holds_agent = 1)
UNION ALL SELECT 'a number has two live leads', count(*) - count(DISTINCT phone_key)
  FROM leads WHERE state IN ('waiting', 'dialing', 'held')
UNION ALL SELECT 'a lead waits for no moment, or one that does not wait is due', count(*)
  FROM leads WHERE (state = 'waiting') <> (due_at IS NOT NULL)
UNION ALL SELECT 'a lead has ended at no time, or has not and did', count(*)
  FROM leads WHERE (state IN ('waiting', 'dialing', 'held')) <> (ended_at IS NULL)
UNION ALL SELECT 'a lead counts less than nothing', count(*)
  FROM leads WHERE min(attempts, lead_tries, agent_misses, send_failures, errors, redials) < 0
UNION ALL SELECT 'less than nothing was spent', count(*) FROM budgets WHERE used < 0
"""
_ID: Final = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
# Where a lead that has ended may still go.
CORRECTIONS: Final = {
    "connected": (),
    "expired": ("connected",),
    "cancelled": ("connected",),
    "exhausted": ("connected", "exhausted", "waiting"),
    "failed": ("connected", "exhausted", "waiting"),
    "spam": ("waiting",),
}
GAUGE_EVERY: Final = 240.0  # seconds of the world; the gauge itself counts what is ten minutes late
STALE: Final = 2.5  # seconds after its intent until a request does not set out any more; and then it has its deadline
APART: Final = 3000  # milliseconds that the clock may be off where only by it two calls can be told apart
UNSEEN: Final = 14.0  # seconds that a conversation may pass between two looks at the line, with what these lag behind
KNOWN_WITHIN: Final = 2000  # milliseconds until each process knows that a site has closed, or a switch was turned
SETTLED_WITHIN: Final = 27_000  # milliseconds past its lease until a silent attempt is settled


class Witness:
    """Sees one world. What is wrong goes to `loop.mishaps`, and the world ends there."""

    def __init__(self, loop: VirtualLoop, database: Database, provider: Provider, rules: Rules, *, tell: bool) -> None:
        self._loop = loop
        self._database = database
        self._provider = provider
        self._rules = rules
        self._tell = tell
        self._names: dict[str, str] = {}
        self._kinds: Counter[str] = Counter()
        self._states: dict[str, str] = {}
        self._intended: dict[str, float] = {}  # when the intent to send was committed
        self._last_event = database.raw.execute("SELECT coalesce(max(id), 0) FROM events").fetchone()[0]
        self._gauged_at = 0.0
        self._off_since: int | None = None
        self._schedule = hashlib.blake2b(digest_size=12)
        self._history = hashlib.blake2b(digest_size=12)
        self.stepped = 0  # milliseconds that the clock of the database was put ahead
        self.astray = 0  # the most that it ever was off
        self.troubled_at = 0.0
        self.active_at = 0.0
        self.open = 0  # leads that wait or are being dialled
        self.asked = 0
        self.acknowledged: dict[str, str] = {}  # lead by submission
        self.story: list[str] = []
        self.happened: Counter[str] = Counter()

    # ------------------------------------------------------------------------------------------ telling

    def note(self, what: str, *ids: str | None, counted: str | None = None) -> None:
        """Something happened, in whatever process; `counted` as what, where that is less than was told."""
        who = PROCESS.get(self._loop.world).name
        named = " ".join(self._name(one) for one in ids if one)
        line = f"{who} {what} {named}"
        self._schedule.update(line.encode())
        self.happened[counted or what] += 1
        if self._tell:
            self.story.append(f"{self._loop.time():10.3f}  {line}")

    def tell(self, what: str, fields: Mapping[str, Any]) -> None:
        """Only for the story."""
        if self._tell:
            who = PROCESS.get(self._loop.world).name
            said = " ".join(f"{key}={value}" for key, value in fields.items() if key != "event")
            said = _ID.sub(lambda found: self._name(found[0]), said)
            self.story.append(f"{self._loop.time():10.3f}  {who}     {what} {said}")

    def _name(self, key: str) -> str:
        """#1, #2: the same in every run of a seed."""
        if len(key) != 36:
            return key
        name = self._names.get(key)
        if name is None:
            name = self._names[key] = f"#{len(self._names) + 1}"
        return name

    def wrong(self, what: str, *ids: str | None) -> None:
        self.note(f"WRONG: {what}", *ids)
        self._loop.mishaps.append(f"{what}: {' '.join(self._name(one) for one in ids if one)}")

    @property
    def schedule(self) -> str:
        """A digest of who did what in which order."""
        return self._schedule.hexdigest()

    @property
    def history(self) -> str:
        """A digest of what was committed, in its order, whoever did it."""
        return self._history.hexdigest()

    def now_ms(self) -> int:
        return self._provider.now_ms() + self.stepped

    # ------------------------------------------------------------------------------------- after a commit

    def committed(self, name: str) -> None:
        """A transaction has changed something: is everything as it must be?"""
        self.active_at = self._loop.time()
        execute = self._database.raw.execute
        for serial, lead, attempt, agent, who, event, to in execute(
            "SELECT id, lead_id, attempt_id, agent_id, who, event, to_state FROM events WHERE id > ? ORDER BY id",
            (self._last_event,),
        ).fetchall():
            self._last_event = serial
            self.note(f"{who}: {event} {agent or ''} {to or ''}", lead, attempt, counted=f"{who}: {event} {to or ''}")
            self._history.update(
                f"{self._name(lead)} {attempt and self._name(attempt)} {agent} {who} {event} {to};".encode()
            )
            if event == "reserved":
                self._free_by_the_line(attempt)
            if event == "sending":
                self._intended[attempt] = self._loop.time()
            if to is not None:
                self._moved(lead, to)
        for what, many in execute(FORBIDDEN).fetchall():
            if many:
                self.wrong(what)
        self.open = sum(state in ("waiting", "dialing") for state in self._states.values())

    def _free_by_the_line(self, attempt: str) -> None:
        """Who is busy or away by the provider's account, as long as that is fresh, is not rung."""
        found = self._database.raw.execute(
            "SELECT 1 FROM attempts a JOIN agents g ON g.id = a.agent_id"
            " WHERE a.id = ? AND g.presence IS NOT NULL AND g.presence_until > a.reserved_at",
            (attempt,),
        )
        if found.fetchone() is not None:
            self.wrong("an agent is taken who is busy or away by the provider's account", attempt)

    def _moved(self, lead: str, to: str) -> None:
        before = self._states.get(lead)
        if before in CORRECTIONS and to != before and to not in CORRECTIONS[before]:
            self.wrong(f"a lead went from {before} to {to}", lead)
        self._states[lead] = to

    def gauge(self) -> None:
        """Nothing is unaccounted for; asked now and then, and at the end."""
        found = self._database.read(lambda conn: gauges.read(conn, self.now_ms()))
        if found.unaccounted:
            self.wrong(f"{found.unaccounted} unaccounted for")

    def quiet(self) -> None:
        """Nothing goes on just now."""
        now = self._loop.time()
        if any(one.still for one in self._loop.processes):
            self.troubled_at = now
        if now - self._gauged_at > GAUGE_EVERY:
            self._gauged_at = now
            self.gauge()
        if now - self.troubled_at > 45.0:
            late = self._database.raw.execute(
                "SELECT id FROM attempts WHERE state IN ('reserved', 'sending') AND look_at < ?",
                (self.now_ms() - SETTLED_WITHIN,),
            ).fetchall()
            for (attempt,) in late:
                self.wrong("an attempt is not settled long after its lease", attempt)

    # ------------------------------------------------------------------------------------------- at the door

    def request(self, sent: Sent) -> None:
        """A request is at the provider's door: may it be?"""
        request, now = sent.request, self._loop.time()
        self.asked += 1
        self.note(f"request {request.extension}", request.lead_id, request.attempt_id, counted="request")
        row = self._database.raw.execute(
            "SELECT a.sending_at, a.reserved_at, l.site, l.redials FROM attempts a JOIN leads l ON l.id = a.lead_id"
            " WHERE a.id = ? AND l.id = ?",
            (request.attempt_id, request.lead_id),
        ).fetchone()
        if row is None or row[0] is None:
            self.wrong("a request left before its intent was on disk", request.attempt_id)
            return
        if now - self._intended[request.attempt_id] > STALE + TIMEOUT:
            self.wrong("a request left long after its intent", request.attempt_id)
        self._in_hours(row[1], row[2], request)
        if self._off_since is not None and not self.stepped and row[1] > self._off_since + KNOWN_WITHIN:
            self.wrong("somebody is taken although dialling is switched off", request.lead_id)
        for other in self._provider.book:
            if other.request.attempt_id == request.attempt_id:
                self.wrong("one attempt sent two requests", request.attempt_id)
            self._beside(other, sent, now)
        self._earlier_attempts(request.lead_id, request.attempt_id, row[3], row[0])

    def _in_hours(self, reserved_at: int, site: str, request: CallRequest) -> None:
        """Just before will do: who may be rung is worked out once a second."""
        found, moments = self._rules.site(site), (reserved_at, reserved_at - KNOWN_WITHIN)
        if found is not None and not any(self._rules.is_open(found, moment) for moment in moments):
            self.wrong("somebody is rung while the site is closed", request.lead_id)
        if not any(self._rules.may_ring_now(request.lead_phone, moment) for moment in moments):
            self.wrong("somebody is rung outside the hours in which he may be", request.lead_id)

    def dialling_off(self, off: bool) -> None:
        """An operator was told that no call is placed any more; or lets calls be placed again."""
        self._off_since = self.now_ms() if off else None

    def _beside(self, other: Sent, sent: Sent, now: float) -> None:
        """Two requests in the book, the later one new: by what really happened."""
        call = other.call
        if call is None or call.disowned:
            return
        if call.live(now):
            if other.request.extension == sent.request.extension:
                self.wrong(
                    "an agent is asked for who is on a call of ours", other.request.lead_id, sent.request.lead_id
                )
            if other.request.lead_phone == sent.request.lead_phone:
                self.wrong("somebody is dialled who is on a call of ours", other.request.lead_id, sent.request.lead_id)
        # Where it is over within two looks at the line, it is seen as one that the agent did not take (decision 0005).
        if (
            call.talked
            and call.since_answer > UNSEEN
            and not call.live(now)
            and other.request.lead_id == sent.request.lead_id
        ):
            self.wrong("somebody who has talked with us is dialled again", sent.request.lead_id)

    def _earlier_attempts(self, lead: str, attempt: str, redials: int, sending_at: int) -> None:
        """A second request for one lead: the first never left, was refused, is reported over, or is in no account."""
        released = False
        for state, outcome, code, placed_at, ended_at in self._database.raw.execute(
            "SELECT state, outcome, code, placed_at, ended_at FROM attempts"
            " WHERE lead_id = ? AND id <> ? AND sending_at IS NOT NULL",
            (lead, attempt),
        ).fetchall():
            # By the same clock, where nobody put it right: what was known when the intent was written.
            known = (state == "placed" and placed_at) or (outcome == "connected" and ended_at)
            if known and known < sending_at and not self.astray:
                self.wrong("a lead is dialled again who is known to be on the line, or to have talked", lead)
            if state == "absent" and not redials:
                released = released or self._was_released(lead)
                allowed = released
            else:
                allowed = (
                    state in ("refused", "not_sent", "absent")
                    or code == 2
                    or (state == "ended" and outcome not in ("connected", "unreported"))
                )
            if not allowed:
                self.wrong(f"a lead is dialled again after an attempt that is {state} {outcome or ''}", lead)

    def _was_released(self, lead: str) -> bool:
        found = self._database.raw.execute("SELECT 1 FROM events WHERE lead_id = ? AND event = 'released'", (lead,))
        return found.fetchone() is not None

    # ------------------------------------------------------------------------------------------- promises

    def acknowledge(self, submission: str, lead_id: str) -> None:
        """A visitor was told that it is stored."""
        self.note("acknowledged", lead_id)
        known = self.acknowledged.setdefault(submission, lead_id)
        if known != lead_id:
            self.wrong("one submission was told two leads", known, lead_id)
        if self._database.raw.execute("SELECT 1 FROM leads WHERE id = ?", (lead_id,)).fetchone() is None:
            self.wrong("a lead was acknowledged that is not on disk", lead_id)

    def at_the_end(self, per_hour: int) -> None:
        """What must be true when all is over."""
        self.gauge()
        there: dict[str, Any] = dict(self._database.raw.execute("SELECT id, state FROM leads").fetchall())
        for lead in self.acknowledged.values():
            if there.get(lead) not in {*CORRECTIONS, "held"}:
                self.wrong(f"an acknowledged lead ended {there.get(lead, 'nowhere')}", lead)
        for sent in self._provider.book:
            self._as_it_was(sent)
        self._under_the_cap(per_hour)

    def _as_it_was(self, sent: Sent) -> None:
        """What is told of a call is what happened; and an answer that somebody heard is not forgotten."""
        attempt = sent.request.attempt_id
        state, outcome, seen_at = self._database.raw.execute(
            "SELECT state, outcome, seen_at FROM attempts WHERE id = ?", (attempt,)
        ).fetchone()
        if not self._can_be_told_apart(sent):
            return
        if sent.call is None and seen_at is not None:
            self.wrong("a call is told to have been on the line that never was", attempt)
        talked = sent.call is not None and sent.call.talked
        unseen = talked and sent.call is not None and sent.call.since_answer <= UNSEEN
        if (outcome == "connected") > talked or (
            talked
            and outcome not in (None, "connected", "unreported")
            and not (unseen and outcome == "agent_no_answer")
        ):
            self.wrong(f"of a call in which {'they' if talked else 'nobody'} talked is told {outcome}", attempt)
        if sent.heard_at is not None and sent.sender.alive and state in ("absent", "unresolved"):
            self.wrong(f"an attempt is {state} although its answer was heard", attempt)

    def _can_be_told_apart(self, sent: Sent) -> bool:
        """Whether its call can be known for its own: not where neither the clock nor a variable nor an id tells it.

        So it is with two requests between the same phones, where one was refused and rang, as its id was never told.
        """
        if self.astray <= APART and self._provider.temper.line_tells_start:
            return True
        phones = (sent.request.extension, sent.request.lead_phone)
        twins = [one for one in self._provider.book if (one.request.extension, one.request.lead_phone) == phones]
        calls = [one.call for one in twins if one.call is not None]
        return len(twins) < 2 or not any(call.disowned for call in calls) or all(call.remembers for call in calls)

    def _under_the_cap(self, per_hour: int) -> None:
        hours: Counter[int] = Counter()
        for sent in self._provider.book:
            if sent.call is None or sent.call.disowned:
                continue
            (reserved_at,) = self._database.raw.execute(
                "SELECT reserved_at FROM attempts WHERE id = ?", (sent.request.attempt_id,)
            ).fetchone()
            hours[reserved_at // 3_600_000] += 1
        if max(hours.values(), default=0) > per_hour:
            self.wrong(f"{max(hours.values())} calls in an hour where {per_hour} are allowed")
