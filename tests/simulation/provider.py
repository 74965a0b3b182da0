"""A provider that rings nobody: it takes requests, runs calls, keeps a book of them, and tells of them as it likes.

The book is the truth. What is told of it may come late, twice, in disorder or never; only a refusal may be a lie, and
the call behind it is then `disowned`: we were told, readably, that there is none.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from app.domain.answers import Answer, NotSent, Placed, Refused, Unknown
from app.domain.line import ExtensionNow, LineCall, LineStatus
from app.ports import CallLog, CallRecord, CallRequest, Presence, Telephony
from tests.simulation.loop import Process, VirtualLoop
from tests.simulation.temper import Temper

TIMEOUT: Final = 8.0  # seconds until the client gives up
EMPTY_FOR: Final = 4.0  # seconds that an account without any call may be a mistake: one answer, no two in a row
REFUSALS: Final = {
    "offline": Refused(3, "the extension is offline", "agent_offline"),
    "blocked": Refused(7, "the extension is blocked", "agent_blocked"),
    "wrong": Refused(5, "wrong request", "request_wrong"),
    "error": Refused(2, "application error", "once_more"),
    "lying error": Refused(2, "application error", "once_more"),
    "closed": Refused(None, "HTTP 403", "configuration"),
}


@dataclass(slots=True)
class Call:
    """One call in the book. Moments are seconds of the world; `phases` are those of the agent's extension."""

    id: str
    request: CallRequest
    began: float
    began_at: int  # the same in milliseconds since the epoch
    ends: float
    phases: tuple[tuple[float, LineStatus], ...]
    legs: tuple[tuple[str, int], tuple[str, int]]  # status and talk seconds
    talked: bool
    disowned: bool = False
    hung_up: bool = False
    remembers: bool = True  # our variables come back

    @property
    def since_answer(self) -> float:
        """Seconds from the agent's picking up to the end; 0 when he did not."""
        beyond = [since for since, status in self.phases if status != "ringing"]
        return self.ends - beyond[0] if beyond else 0.0

    def live(self, now: float) -> bool:
        return now < self.ends

    def status(self, now: float) -> LineStatus | None:
        """What the agent's extension shows at that moment; None when the call is not on it."""
        found = None
        for since, status in self.phases:
            if since <= now < self.ends:
                found = status
        return found


@dataclass(slots=True)
class Sent:
    """One request that left one of our processes, as the provider's door saw it."""

    at: float
    request: CallRequest
    sender: Process
    answer: Answer | None = None  # what was answered, whether or not that arrived
    call: Call | None = None
    heard_at: float | None = None  # when its sender had a readable answer


@dataclass(slots=True)
class Span:
    """Something that lasts."""

    what: str
    since: float
    until: float

    def covers(self, now: float) -> bool:
        return self.since <= now < self.until


class Provider:
    """The account's side of everything. `at_the_door` is shown each request before it is answered."""

    def __init__(self, loop: VirtualLoop, chance: random.Random, temper: Temper, starts_at: int) -> None:
        self.loop = loop
        self.temper = temper
        self._chance = chance
        self._starts_at = starts_at
        self._answers, self._answer_weights = list(temper.answer_weights), list(temper.answer_weights.values())
        self.book: list[Sent] = []
        self.troubles: list[Span] = []  # unreachable, hanging
        self.blind: list[Span] = []  # the line is not told, or not anew
        self.away: list[Span] = []  # extensions on a break
        self.outside: list[Span] = []  # extensions on calls that are not ours
        self.at_the_door: Callable[[Sent], None] = lambda sent: None
        self.deliver: Callable[[str, float], None] = lambda body, delay: None
        self.happened: Callable[[str], None] = lambda what: None
        self._snapshot = 0.0
        self._bodies = 0

    def now_ms(self) -> int:
        return self._starts_at + round(self.loop.time() * 1000)

    def calls(self) -> list[Call]:
        return [sent.call for sent in self.book if sent.call is not None]

    def rings(self, now: float) -> bool:
        """Whether there is any call at that moment."""
        return any(sent.call is not None and sent.call.live(now) for sent in self.book)

    # ------------------------------------------------------------------------------------------- requests

    async def ask(self, process: Process, request: CallRequest) -> Answer:
        """What the client of one process makes of one request: at most one leaves, and it ends within TIMEOUT."""
        chance = self._chance
        now = self.loop.time()
        trouble = next((one.what for one in self.troubles if one.covers(now)), None)
        (way,) = chance.choices(self._answers, self._answer_weights)
        if trouble == "unreachable":
            way = "not sent"
        elif trouble == "hanging":
            way = chance.choice(("slow", "lost"))
        left = False
        deadline = self._wake_at(now + TIMEOUT)
        try:
            async with asyncio.timeout(TIMEOUT):
                await on_the_way(process, chance.uniform(0.0, 0.1))
                if way == "not sent":
                    return NotSent("ConnectError")
                left = True
                answer: asyncio.Future[Answer] = self.loop.create_future()
                self._world_later(chance.uniform(0.0, 0.05), self._arrive, process, request, way, answer)
                heard = await answer
                self._note_heard(request, heard)
                return heard
        except TimeoutError:
            return Unknown("no answer within the deadline") if left else NotSent("deadline before it was sent")
        finally:
            deadline.cancel()

    def _arrive(self, sender: Process, request: CallRequest, way: str, answer: asyncio.Future[Answer]) -> None:
        """The request is at the door. A `lost` one fell on the way, and nobody knows."""
        chance, now = self._chance, self.loop.time()
        if way == "lost":
            self._reply(answer, Unknown("the connection was cut"), chance.uniform(0.0, 2 * TIMEOUT))
            return
        sent = Sent(now, request, sender)
        self.at_the_door(sent)
        self.book.append(sent)
        if way in REFUSALS:
            sent.answer = REFUSALS[way]
            if way == "lying error":
                sent.call = self._ring(request)
                sent.call.disowned = True
        elif way == "junk" and chance.random() < 0.5:
            pass  # an error page, and no call behind it
        elif self._on_the_phone(request.extension) and chance.random() < 0.7:
            sent.answer = REFUSALS["offline"]
        else:
            sent.call = self._ring(request)
            sent.answer = Placed(sent.call.id)
        heard: Answer = sent.answer or Unknown("HTTP 500")
        delay = chance.expovariate(1 / self.temper.answer_delay)
        if way in ("cut", "junk") and not isinstance(sent.answer, Refused):
            heard = Unknown(way)
        elif way == "slow":
            delay = TIMEOUT + chance.uniform(-0.5, 10.0)
        self.happened(f"provider {type(sent.answer).__name__ if sent.answer else 'no call'}, {way}")
        self._reply(answer, heard, delay)

    def _note_heard(self, request: CallRequest, heard: Answer) -> None:
        for sent in self.book:
            if sent.request is request and not isinstance(heard, Unknown):
                sent.heard_at = self.loop.time()

    def _reply(self, answer: asyncio.Future[Answer], heard: Answer, delay: float) -> None:
        def arrives() -> None:
            if not answer.done():
                answer.set_result(heard)

        self._world_later(delay, arrives)

    def _on_the_phone(self, extension: str) -> bool:
        now = self.loop.time()
        return any(one.what == extension and one.covers(now) for one in self.outside)

    # ---------------------------------------------------------------------------------------------- calls

    def _ring(self, request: CallRequest) -> Call:
        """A call that goes as chance has it; when it is over it is told, as the world's temper is."""
        chance, temper, now = self._chance, self.temper, self.loop.time()
        ring = {"agent": float(request.ring_agent or 20), "lead": float(request.ring_lead or 30)}
        other = "lead" if request.first == "agent" else "agent"
        begins = now + chance.uniform(0.0, 4.0)
        statuses: list[tuple[str, int]] = []
        phases: list[tuple[float, LineStatus]] = []
        moment = begins
        talked = False
        for who in (request.first, other):
            if who == "agent":
                phases.append((moment, "ringing"))
            elif request.first == "agent":
                phases.append((moment, "dialing"))
            status, lasts = self._pick_up(who, ring[who], request.extension)
            moment += lasts
            statuses.append((status, 0))
            if status != "ANSWER":
                break
        else:
            talk = chance.choice((0.0, chance.uniform(1.0, 50.0)))
            talked = talk >= 1.0
            phases.append((moment, "talking"))
            moment += talk
            statuses = [(status, int(talk)) for status, _ in statuses]
        if len(statuses) == 1:
            statuses.append(("NOTDIALED", 0))
        call = Call(
            id=f"call-{len(self.book) + 1}",
            request=request,
            began=begins,
            began_at=self._starts_at + round(begins * 1000),
            ends=moment,
            phases=tuple(phases),
            legs=(statuses[0], statuses[1]),
            talked=talked,
            remembers=chance.random() >= temper.forgetful,
        )
        if temper.line_blind < 1.0:
            for since, _ in call.phases:
                self._wake_at(since)
        self._world_later(call.ends - now, self._over, call, call.ends)
        return call

    def _pick_up(self, who: str, ring: float, extension: str) -> tuple[str, float]:
        """What a phone says, and after how many seconds."""
        chance = self._chance
        if who == "agent" and self._on_the_phone(extension):
            return "BUSY", chance.uniform(0.1, 2.0)
        share = self.temper.agent_answers if who == "agent" else self.temper.lead_answers
        if chance.random() < share:
            return "ANSWER", chance.uniform(0.5, ring - 1)
        return chance.choice((("NOANSWER", ring), ("BUSY", 1.0), ("CHANUNAVAIL", 0.5)))

    def hang_up(self, call: Call) -> None:
        """A person of ours has it ended."""
        call.hung_up = True
        call.ends = self.loop.time()
        if not any(status == "talking" and since < call.ends for since, status in call.phases):
            call.talked = False
            call.legs = (call.legs[0] if len(call.phases) > 1 else ("CANCEL", 0), ("CANCEL", 0))
        self._over(call, call.ends)

    # -------------------------------------------------------------------------------------------- records

    def _over(self, call: Call, ended: float) -> None:
        if call.ends != ended:
            return  # it was ended before
        self.happened(f"provider over {call.legs[0][0]} {call.legs[1][0]}")
        chance, temper = self._chance, self.temper
        rows = [self._row(call, leg) for leg in (1, 2)]
        (fate,) = chance.choices(list(temper.record_weights), list(temper.record_weights.values()))
        bodies: list[Any]
        match fate:
            case "never":
                bodies = []
            case "one leg":
                bodies = [chance.choice(rows)]
            case "both at once":
                bodies = [rows]
            case "out of order":
                bodies = rows[::-1]
            case "twice":
                bodies = [*rows, *rows]
            case "in other words":
                bodies = [*rows, *({**row, "again": True} for row in rows)]
            case _:
                bodies = list(rows)
        late = 0.0
        for body in bodies:
            late += chance.expovariate(1 / temper.record_delay)
            self.deliver(json.dumps(body), late)
        if chance.random() < 0.05:
            self.deliver(chance.choice(("", "not a record", '[{"call_id": "somebody else\'s"}]')), late)

    def _row(self, call: Call, leg: int) -> dict[str, Any]:
        request = call.request
        status, talk = call.legs[leg - 1]
        row: dict[str, Any] = {
            "call_id": call.id if leg == 1 else f"{call.id}-b",
            "original_call_id": call.id,
            "leg": leg,
            "type": f"Click2Call leg{leg}",
            "status": status,
            "talk_seconds": talk,
            "ring_seconds": 3,
            "extension": request.extension,
            "phone": request.lead_phone,
            "started_at": call.began_at,
        }
        if call.remembers:
            row |= {"attempt_id": request.attempt_id, "lead_id": request.lead_id}
        return row

    # ------------------------------------------------------------------------------------------- accounts

    def logged(self, since: int, until: int) -> list[str] | None:
        """The call log's rows of that time, as far as they have got there."""
        if self._chance.random() < self.temper.log_blind:
            return None
        there = self.loop.time() - self.temper.log_delay
        return [
            json.dumps({**self._row(call, leg), "source": "log"})
            for call in self.calls()
            if call.ends <= there and since <= call.began_at <= until
            for leg in (1, 2)
        ]

    def line(self) -> Sequence[ExtensionNow] | None:
        """What is on the line, as of some seconds ago; never of an earlier moment than what was told before."""
        now, chance = self.loop.time(), self._chance
        trouble = next((one for one in self.blind if one.covers(now)), None)
        what = trouble.what if trouble else ""
        if what == "silent" or chance.random() < self.temper.line_blind:
            return None
        if trouble is not None and what == "empty" and now < trouble.since + EMPTY_FOR:
            return [ExtensionNow(f"SIP{name}", "out") for name in self.temper.agents]
        if what != "frozen":
            self._snapshot = max(self._snapshot, now - chance.uniform(0.0, self.temper.line_lag))
        then = self._snapshot
        there = [self._extension(f"SIP{name}", then) for name in self.temper.agents]
        return [replace(one, login="out") for one in there] if what == "everybody out" else there

    def _extension(self, extension: str, then: float) -> ExtensionNow:
        found: list[LineCall] = []
        for call in self.calls():
            status = call.status(then) if call.request.extension == extension else None
            if status is None or (status != "talking" and self.temper.line_hides_ringing):
                continue
            ours = call.request.attempt_id if call.remembers else None
            began = int(call.began) + self._starts_at // 1000 if self.temper.line_tells_start else None
            found.append(LineCall(call.id, ours, call.request.lead_phone.lstrip("+"), status, began))
        others = [one for one in self.outside if one.what == extension and one.covers(then)]
        found += [LineCall("outside", None, "972501112222", "talking") for _ in others]
        on_a_break = any(one.what == extension and one.covers(then) for one in self.away)
        return ExtensionNow(extension, "break" if on_a_break else "in", tuple(found))

    # ---------------------------------------------------------------------------------------------- time

    def _world_later(self, delay: float, callback: Callable[..., object], *args: Any) -> asyncio.TimerHandle:
        """In the world, whoever asked: a request that has left goes on without its sender."""
        return self.loop.call_later(max(0.0, delay), callback, *args, context=self.loop.world_context)

    def _wake_at(self, moment: float) -> asyncio.TimerHandle:
        """Something is different from then on: time must not be hastened past it."""
        return self._world_later(moment - self.loop.time(), lambda: None)


def read_records(body: str) -> list[CallRecord]:
    """The provider's bodies as records; none where it is no record."""
    try:
        said = json.loads(body)
    except ValueError:
        return []
    rows = said if isinstance(said, list) else [said]
    return [CallRecord(**{**_SILENT, **{k: v for k, v in row.items() if k in _SILENT}}) for row in rows]


_SILENT: Final[dict[str, Any]] = dict.fromkeys(CallRecord.__slots__) | {"type": "", "status": ""}


async def on_the_way(process: Process, seconds: float) -> None:
    """So long a message travels; time is not hastened meanwhile."""
    process.in_flight += 1
    try:
        await asyncio.sleep(seconds)
    finally:
        process.in_flight -= 1


@dataclass
class Dialler(Telephony):
    """One process's client of the Click2Call API."""

    provider: Provider
    process: Process

    async def place(self, call: CallRequest) -> Answer:
        return await self.provider.ask(self.process, call)


@dataclass
class Line(Presence):
    """One process's client of the active calls."""

    provider: Provider
    process: Process

    async def look(self) -> Sequence[ExtensionNow] | None:
        await on_the_way(self.process, 0.02)
        return self.provider.line()


@dataclass
class Log(CallLog):
    """One process's client of the call log."""

    provider: Provider
    process: Process

    async def calls(self, since: int, until: int) -> Sequence[str] | None:
        await on_the_way(self.process, 0.02)
        return self.provider.logged(since, until)
