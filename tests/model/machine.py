"""Everything that may befall leads, agents and attempts, as rules of a state machine; and what holds after each.

P1 to P6 are the service's promises (README). The rules decide by the service's own pure functions, in the order in
which its dispatcher, sweeper, line watch and reconciler ask them; `Ledger` says where the books are kept.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final, Protocol

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from app.directory import Policy
from app.domain import moves, outcomes, reconciling
from app.domain.answers import Answer, NotSent, Placed, Refused, Unknown
from app.domain.lead import Attempt, Lead, Term
from app.domain.moves import Decide, Move
from tests.clocks import ManualClock
from tests.model.books import OWN_ERROR, Books, Person
from tests.store.leads_for_tests import a_term

AGENTS: Final = ("dana", "yossi", "noa")
OWNERS: Final = ("first", "second")
RESERVE_LEASE: Final = 5000
SEND_LEASE: Final = 22_000
ANSWERED: Final = ("sending", "unknown")
SILENT: Final = ("reserved", "sending", "placed", "unknown")
ANSWERS: Final[tuple[Answer, ...]] = (
    Placed("call"),
    Placed("call"),
    Unknown("cut"),
    NotSent("refused"),
    NotSent("not writable", ours=True),
    Refused(3, "offline", "agent_offline"),
    Refused(7, "blocked", "agent_blocked"),
    Refused(5, "wrong", "request_wrong"),
    Refused(OWN_ERROR, "error", "once_more"),
    Refused(None, "HTTP 403", "configuration"),
)
WORDS: Final = ("ANSWER", "NOANSWER", "BUSY", "CANCEL", "CHANUNAVAIL", "NOTDIALED", "VOICEMAIL")
LEAD_STATES: Final = ("waiting", "dialing", "held", "connected", "exhausted", "expired", "cancelled", "failed", "spam")
# Where a lead that has ended may still go, and what alone may send it there.
CORRECTIONS: Final = {
    "exhausted": {"connected": "record", "waiting": "record", "exhausted": "record"},
    "failed": {"connected": "record", "waiting": "record or release", "exhausted": "record"},
    "expired": {"connected": "record"},
    "cancelled": {"connected": "record"},
    "connected": {},
}
REFUSED: Final = ("refused", "not_sent")
STEPS: Final = (-3600, -10, 10, 3600)
picks = st.integers(0, 1000)
numbers = st.integers(0, 3)
owners = st.sampled_from(OWNERS)
answers = st.sampled_from(ANSWERS)


class Ledger(Protocol):
    """Where the books are kept. `books` are as they should be; what is kept elsewhere is held against them."""

    books: Books

    def accept(self, number: str, key: str, *, due: int, reason: str, hold: str | None) -> str: ...

    def claim(self, owner: str) -> list[str]:
        """The attempts that a round of that process has reserved."""
        ...

    def send(self, attempt: str, owner: str, lease: int) -> bool: ...

    def settle(self, attempt: str, expected: tuple[str, ...], decide: Decide, who: str) -> Move | None: ...

    def report(self, attempt: str, leg: int, status: str, talk: int, decide: Decide) -> Move | None: ...

    def see(self, attempt: str, look_at: int, ask_at: int) -> None: ...

    def refute(self, attempt: str, ask_at: int) -> None: ...

    def ask_the_log(self, attempt: str, ask_at: int | None, *, missed: bool) -> None: ...

    def cancel(self, lead: str) -> None: ...

    def reschedule(self, lead: str, term: Term) -> None: ...

    def release(self, lead: str, term: Term) -> None: ...

    def put_off(self, term: Term) -> None: ...

    def expire(self) -> None: ...

    def end_pauses(self) -> None: ...

    def pause(self, agent: str, until: int | None) -> None: ...

    def resume(self, agent: str) -> None: ...

    def presence(self, agent: str, verdict: str, until: int) -> None: ...

    def close(self) -> None: ...


class Dispatching(RuleBasedStateMachine):
    """One life of the service. Subclasses say where the books are kept."""

    ledger: Ledger

    def __init__(self) -> None:
        super().__init__()
        self.clock = ManualClock()
        self.opens_at = 0
        self.hands: dict[str, list[str]] = {owner: [] for owner in OWNERS}  # reserved, not yet sent
        self.waits_for: list[tuple[str, str]] = []  # owner and attempt whose answer is out
        self.submissions: dict[str, str] = {}
        self.talked: set[str] = set()  # leads of whom a conversation was reported
        self.released: set[str] = set()  # attempts that a person has decided about since
        self.refunded: set[str] = set()
        self.was: dict[str, str] = {}  # a lead's state after the last step
        self.doing = ""

    def open_ledger(self, policy: Policy, limit: int) -> Ledger:
        """`limit`: calls that may be spent."""
        raise NotImplementedError

    @initialize(
        redial=st.booleans(),
        wrap_up=st.sampled_from((0, 30)),
        misses=st.sampled_from((0, 2)),
        limit=st.sampled_from((2, 5, 50)),
    )
    def begin(self, redial: bool, wrap_up: int, misses: int, limit: int) -> None:
        self.policy = Policy(redial_absent=redial, wrap_up=wrap_up, pause_after_misses=misses, retry_lead=(600, 3600))
        self.ledger = self.open_ledger(self.policy, limit)
        self._submit(0, "now")

    def teardown(self) -> None:
        if hasattr(self, "ledger"):
            self.ledger.close()

    # ---------------------------------------------------------------------------------------- what is at hand

    @property
    def books(self) -> Books:
        return self.ledger.books

    @property
    def now(self) -> int:
        return self.clock.now()

    def opening(self, moment: int) -> int:
        return max(moment, self.opens_at)

    def any_lead(self, pick: int) -> str:
        ids = list(self.books.leads)
        return ids[pick % len(ids)]

    def any_attempt(self, pick: int, *states: str) -> str | None:
        """One of the latest attempts in these states; most that befalls an attempt befalls a young one."""
        ids = [one.seen.id for one in self.books.attempts.values() if one.seen.state in states]
        return ids[-1 - pick % min(6, len(ids))] if ids else None

    def settle(self, attempt: str, expected: tuple[str, ...], decide: Decide, who: str) -> Move | None:
        move = self.ledger.settle(attempt, expected, decide, who)
        if move is not None and move.refund:
            assert move.attempt in ("not_sent", "refused", "lapsed", "absent"), "given back, and may have been called"
            self.refunded.add(attempt)
        return move

    # --------------------------------------------------------------------------------------------- people

    @rule(number=numbers, kind=st.sampled_from(("now", "now", "now", "now", "later", "held")))
    def submit(self, number: int, kind: str) -> None:
        self.doing = "submit"
        self._submit(number, kind)

    def _submit(self, number: int, kind: str) -> None:
        key = f"submission {len(self.submissions)}"
        due = self.opening(self.now + (600_000 if kind == "later" else 0))
        joins = self.books.live_lead_of(str(number))
        lead = self.ledger.accept(
            str(number),
            key,
            due=due,
            reason="scheduled" if kind == "later" else "closed" if due > self.now else "no_agent",
            hold="country" if kind == "held" else None,
        )
        assert joins is None or joins.id == lead, "a number that is being served gets no second lead"
        self.submissions[key] = lead

    @rule(pick=picks)
    def twin(self, pick: int) -> None:
        """The same form again: a double click, a browser that tries again, an answer that was lost."""
        self.doing = "twin"
        key = list(self.submissions)[pick % len(self.submissions)]
        lead = self.ledger.accept("whatever", key, due=self.now, reason="no_agent", hold=None)
        assert lead == self.submissions[key], "one submission is one lead"

    @rule(pick=picks, deed=st.sampled_from(("cancel", "move", "release", "release")), seconds=st.integers(0, 3600))
    def person(self, pick: int, deed: str, seconds: int) -> None:
        """A visitor cancels or moves; an operator lets a lead be dialled."""
        self.doing = deed
        lead = self.any_lead(pick)
        before = self.books.leads[lead].state
        match deed:
            case "cancel":
                self.ledger.cancel(lead)
            case "move":
                due = self.opening(self.now + seconds * 1000)
                self.ledger.reschedule(lead, a_term(due))
            case _:
                self.ledger.release(lead, a_term(self.now))
                if before != "waiting" and self.books.leads[lead].state == "waiting":
                    self.released |= {one.seen.id for one in self.books.attempts.values() if one.seen.lead_id == lead}

    @rule(
        agent=st.sampled_from(AGENTS),
        deed=st.sampled_from(("pause", "resume", "resume", "free", "free", "busy", "away")),
        seconds=st.sampled_from((None, 60, 3600)),
    )
    def agent(self, agent: str, deed: str, seconds: int | None) -> None:
        """An agent is paused or resumed, or the provider's account says how he is."""
        self.doing = deed
        match deed:
            case "pause":
                self.ledger.pause(agent, None if seconds is None else self.now + seconds * 1000)
            case "resume":
                self.ledger.resume(agent)
            case verdict:
                self.ledger.presence(agent, verdict, self.now + 30_000)

    # ------------------------------------------------------------------------------------------ dispatching

    @rule(owner=owners, sends=st.integers(0, 3), answer=answers, number=numbers)
    def dial(self, owner: str, sends: int, answer: Answer, number: int) -> None:
        """A round; some of its requests leave, and are answered at once."""
        self.doing = "dial"
        if not self.books.due(self.now):
            self._submit(number, "now")
        self._round(owner)
        for attempt in list(self.hands[owner])[:sends]:
            if self._send(owner, attempt):
                self._answer(len(self.waits_for) - 1, answer, 0.0)

    @rule(owner=owners, number=numbers, stranger=st.booleans())
    def ask(self, owner: str, number: int, stranger: bool) -> None:
        """A round; a request leaves, and its answer is long in coming. A stranger's never leaves."""
        self.doing = "ask"
        if not self.hands[owner] and not self.books.due(self.now):
            self._submit(number, "now")
        self._round(owner)
        if self.hands[owner]:
            attempt = self.hands[owner][0]
            other = next(one for one in OWNERS if one != owner)
            assert not stranger or not self.ledger.send(attempt, other, SEND_LEASE), "sent by a stranger"
            self._send(owner, attempt)

    def _round(self, owner: str) -> None:
        self.hands[owner] += self.ledger.claim(owner)
        free = self.books.free(self.now)
        beside = [lead.id for lead in self.books.due(self.now) if self.books.asked(lead, free, self.now)]
        assert not beside, "somebody waits beside an agent who may be asked"

    def _send(self, owner: str, attempt: str) -> bool:
        """The intent, and then the request."""
        self.hands[owner].remove(attempt)
        sent = self.ledger.send(attempt, owner, SEND_LEASE)
        if sent:
            self.nobody_is_dialled_twice(self.books.attempts[attempt].seen)
            self.waits_for.append((owner, attempt))
            assert not self.ledger.send(attempt, owner, SEND_LEASE), "sent twice"
        return sent

    @rule(pick=picks, answer=answers, jitter=st.sampled_from((0.0, 0.99)))
    def late_answer(self, pick: int, answer: Answer, jitter: float) -> None:
        """The provider's answer, perhaps long after it was given up on."""
        self.doing = "answer"
        if self.waits_for:
            self._answer(pick % len(self.waits_for), answer, jitter)

    def _answer(self, place: int, answer: Answer, jitter: float) -> None:
        _, attempt = self.waits_for.pop(place)
        now = self.now

        def decide(current: Attempt, lead: Lead) -> Move | None:
            if current.state != "sending" and isinstance(answer, Unknown):
                return None
            return moves.after_answer(answer, lead, self.policy, now, jitter=jitter, opening=self.opening)

        self.settle(attempt, ANSWERED, decide, "dispatcher")

    @rule(what=st.sampled_from(("crash", "clock", "closes", "opens")), owner=owners, seconds=st.sampled_from(STEPS))
    def trouble(self, what: str, owner: str, seconds: int) -> None:
        """A process is gone, the clock is put right, or the site closes for half an hour.

        What a crashed process had reserved stands; what it had asked for may be ringing, and its answer is not heard.
        """
        self.doing = what
        match what:
            case "crash":
                self.hands[owner] = []
                self.waits_for = [(who, attempt) for who, attempt in self.waits_for if who != owner]
            case "clock":
                self.clock.set_wall(self.now + seconds * 1000)
            case "closes":
                self.opens_at = self.now + 1_800_000
            case _:
                self.opens_at = 0

    # ----------------------------------------------------------------------------------------------- time

    @rule(seconds=st.sampled_from((0, 1, 5, 22, 60)), again=st.booleans())
    def a_moment(self, seconds: int, again: bool) -> None:
        self.doing = "silence"
        self._silence(seconds, again)

    @rule(seconds=st.sampled_from((301, 600, 1900, 3600)), again=st.booleans())
    def a_while(self, seconds: int, again: bool) -> None:
        self.doing = "silence"
        self._silence(seconds, again)

    def _silence(self, seconds: int, again: bool) -> None:
        """Time passes, and then the sweeper looks; perhaps two of them at once."""
        self.clock.advance(seconds)
        overdue = [
            one.seen.id
            for one in self.books.attempts.values()
            if one.live and one.seen.look_at is not None and one.seen.look_at <= self.now
        ]
        for attempt in overdue * (2 if again else 1):
            self.settle(attempt, SILENT, self.after_silence, "sweeper")
        if self.opens_at > self.now:
            self.ledger.put_off(a_term(self.opens_at))
        self.ledger.expire()
        self.ledger.end_pauses()

    def after_silence(self, attempt: Attempt, lead: Lead) -> Move | None:
        if attempt.look_at is None or attempt.look_at > self.now:
            return None
        return moves.after_silence(attempt, lead, self.policy, self.now, opening=self.opening)

    # ---------------------------------------------------------------------------------- what the provider tells

    @rule(pick=picks, leg=st.sampled_from((1, 2, 2)), word=st.sampled_from(WORDS), talk=st.sampled_from((0, 7)))
    def record(self, pick: int, leg: int, word: str, talk: int) -> None:
        """A leg's record: late, repeated, in any order, of whichever attempt."""
        self.doing = "record"
        sent = [one.seen.id for one in self.books.attempts.values() if one.requests]
        if not sent:
            return
        attempt = sent[-1 - pick % min(6, len(sent))]
        if leg == 2 and word == "ANSWER" and talk:
            self.talked.add(self.books.attempts[attempt].seen.lead_id)
        self.ledger.report(attempt, leg, word, talk, self.after_record)

    def after_record(self, attempt: Attempt, lead: Lead) -> Move | None:
        outcome = outcomes.outcome_of(attempt)
        if outcome is None or outcome == attempt.outcome:
            return None
        return moves.after_outcome(outcome, lead, self.policy, self.now, opening=self.opening)

    @rule(pick=picks)
    def sighting(self, pick: int) -> None:
        """A call is on the line: placed, unknown, or refused by an error of the provider, wherever its lead is."""
        self.doing = "sighting"
        attempt = self.any_attempt(pick, "placed", "unknown", "refused")
        if attempt is None:
            return
        seen, now = self.books.attempts[attempt].seen, self.now
        look_at, ask_at = now + self.policy.assume_call * 1000, now + moves.ASK_PLACED * 1000
        if seen.state == "refused":
            self._refused_and_seen(seen, look_at, ask_at)
            return
        if seen.state != "placed":

            def confirm(_attempt: Attempt, _lead: Lead) -> Move:
                return reconciling.after_sighting("call", self.policy, now)

            self.settle(attempt, (seen.state,), confirm, "presence")
        self.ledger.see(attempt, look_at, ask_at)

    def _refused_and_seen(self, seen: Attempt, look_at: int, ask_at: int) -> None:
        """Its lead is with it again, unless another attempt was sent or the lead is closed."""
        if seen.code != OWN_ERROR:
            return
        before = self.books.leads[seen.lead_id]
        sent = [
            one for one in self.books.attempts.values() if one.seen.lead_id == before.id and one.live and one.requests
        ]

        def confirm(_attempt: Attempt, lead: Lead) -> Move | None:
            return reconciling.after_refuted_refusal("call", lead, self.policy, self.now)

        if self.settle(seen.id, ("refused",), confirm, "presence") is None:
            self.ledger.refute(seen.id, ask_at)
            assert self.books.attempts[seen.id].seen.state == "refused"
            assert sent or before.outcome == "connected" or before.state not in ("waiting", "dialing")
        else:
            assert not sent, "two calls of one lead at once"
            assert self.books.leads[seen.lead_id].attempt_id == seen.id
            self.ledger.see(seen.id, look_at, ask_at)

    @rule(pick=picks)
    def line_left(self, pick: int) -> None:
        """A call is not on the line any more."""
        self.doing = "line left"
        attempt = self.any_attempt(pick, "placed", "unknown")
        if attempt is None or not self.books.attempts[attempt].holds_agent:
            return

        def left(current: Attempt, _lead: Lead) -> Move:
            return reconciling.after_call_left(current, self.policy, self.now)

        self.settle(attempt, (self.books.attempts[attempt].seen.state,), left, "presence")

    @rule(seconds=st.sampled_from((300, 900)))
    def log_misses(self, seconds: int) -> None:
        """Later the call log knows nothing of any call that it is asked about."""
        self.doing = "log misses"
        self.clock.advance(seconds)
        now = self.now
        due = [one for one in self.books.attempts.values() if one.ask_at is not None and one.ask_at <= now]
        for attempt in [one.seen for one in due]:
            if attempt.state == "unknown":
                miss: Decide = partial(reconciling.after_log_miss, policy=self.policy, now=now, opening=self.opening)
                self.settle(attempt.id, ("unknown",), miss, "call log")
            self.ledger.ask_the_log(attempt.id, reconciling.ask_again_at(attempt, now), missed=True)

    # ------------------------------------------------------------------------------------------ what holds

    def nobody_is_dialled_twice(self, attempt: Attempt) -> None:
        """P3: what came before provably never left, was refused, is reported over, or is in none of the accounts."""
        lead = self.books.leads[attempt.lead_id]
        for one in self.books.attempts.values():
            earlier = one.seen
            if earlier.lead_id != lead.id or earlier.id == attempt.id or not one.requests:
                continue
            over = earlier.state == "ended" and earlier.outcome not in ("connected", "unreported")
            in_no_account = earlier.state == "absent" and (lead.redials > 0 or earlier.id in self.released)
            refused = earlier.state in REFUSED or earlier.code == OWN_ERROR
            assert refused or over or in_no_account, f"dialled again after {earlier.state} {earlier.outcome}"

    @invariant()
    def p1_every_lead_is_in_one_named_state_and_waits_for_a_moment(self) -> None:
        for lead in self.leads:
            assert lead.state in LEAD_STATES
            assert (lead.state == "waiting") == (lead.due_at is not None), f"{lead.state}, due {lead.due_at}"
            assert lead.state not in ("waiting", "held") or lead.expires_at is not None, "nothing waits for ever"
            ended = lead.state not in ("waiting", "dialing", "held")
            assert ended == (lead.ended_at is not None)
        for one in self.tries:
            assert one.live == (one.seen.look_at is not None), "somebody looks at whatever is live"

    @invariant()
    def p2_one_attempt_is_at_most_one_request(self) -> None:
        for one in self.tries:
            assert one.requests <= 1
            assert one.requests == (one.seen.state not in ("reserved", "lapsed")), one.seen.state

    @invariant()
    def p4_one_call_at_a_time(self) -> None:
        live = {one.seen.lead_id: one.seen.id for one in self.tries if one.live}
        assert len(live) == sum(one.live for one in self.tries), "a lead has two live attempts"
        assert live == {lead.id: lead.attempt_id for lead in self.leads if lead.state == "dialing"}
        held = [one.seen.agent_id for one in self.tries if one.holds_agent]
        assert len(held) == len(set(held)), "an agent has two live attempts"
        holding = {one.seen.agent_id: one.seen.id for one in self.tries if one.holds_agent}
        people: list[Person] = list(self.books.agents.values()) if self.tries else []
        assert holding == {one.id: one.attempt_id for one in people if one.attempt_id is not None}
        numbers = [self.books.numbers[lead.id] for lead in self.leads if lead.state in ("waiting", "dialing", "held")]
        assert len(numbers) == len(set(numbers)), "a number has two live leads"

    @invariant()
    def p5_connected_is_what_the_provider_reported(self) -> None:
        for lead in self.leads:
            assert lead.state != "connected" or lead.id in self.talked
        for one in self.tries:
            assert (one.seen.state == "ended") == (one.seen.outcome is not None)

    @invariant()
    def p6_no_more_is_spent_than_may_be(self) -> None:
        if self.tries:
            # What was given back, and was a call after all, has been spent whatever the cap says.
            after_all = {
                one.seen.id
                for one in self.tries
                if one.seen.id in self.refunded and one.seen.state in ("placed", "ended")
            }
            assert 0 <= self.books.used <= self.books.limit + len(after_all)
            given_back = self.refunded - after_all
            spent = [one for one in self.tries if one.requests and one.seen.id not in given_back]
            assert len(spent) <= self.books.used, "a call that may have been made was not paid for"

    @invariant()
    def final_states_stay_final(self) -> None:
        for lead in self.leads:
            before = self.was.get(lead.id)
            if before in CORRECTIONS and before != lead.state:
                assert self.doing in CORRECTIONS[before].get(lead.state, ""), f"{before}, {self.doing}, {lead.state}"
            self.was[lead.id] = lead.state

    @invariant()
    def counters_count_upwards_from_nothing(self) -> None:
        for lead in self.leads:
            counters = (
                lead.attempts,
                lead.lead_tries,
                lead.agent_misses,
                lead.send_failures,
                lead.errors,
                lead.redials,
            )
            assert min(counters) >= 0
        for one in self.tries:
            assert min(one.seen.log_looks, one.seen.log_misses, one.seen.line_looks) >= 0

    @property
    def leads(self) -> list[Lead]:
        return list(self.books.leads.values()) if hasattr(self, "ledger") else []

    @property
    def tries(self) -> list[Any]:
        return list(self.books.attempts.values()) if hasattr(self, "ledger") else []
