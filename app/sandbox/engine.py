"""The call engine: leg 1 rings the agent; when it is answered, leg 2 rings the lead; then they talk.

A state machine without tasks: every move is a plain function, called by a timer or by a person's hand.
"""

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Literal

from .behaviour import Behaviour, phone_key
from .calls import Call, Leg, new_call_id
from .clock import Clock
from .parameters import CallRequest
from .phones import Phones

MOST_CALLS_KEPT = 2000


class CannotError(Exception):
    """The phone is in no state to do that; the message says why."""


class Engine:
    """Runs calls. `changed` is called after every move, `ended` once per call that is over."""

    def __init__(
        self, clock: Clock, phones: Phones, changed: Callable[[], None], ended: Callable[[Call], None]
    ) -> None:
        self._clock = clock
        self._phones = phones
        self._changed = changed
        self._ended = ended
        self._live: dict[str, Call] = {}
        self.calls: deque[Call] = deque(maxlen=MOST_CALLS_KEPT)

    def place(self, request: CallRequest, behaviour: Behaviour) -> Call:
        """Start a call: the agent's phone rings, or the leg ends at once when it is busy or unreachable."""
        now = self._clock.now()
        extension, target = request.extension, request.target
        call = Call(new_call_id(now), request, behaviour, Leg("agent", extension), Leg("lead", target), now)
        self.calls.append(call)
        self._phones.use(extension, "agent")
        if phone_key(extension) in self._live or behaviour.agent == "busy":
            self._end(call, "network", agent="BUSY")
        elif behaviour.agent == "offline" or not self._phones.is_online(extension):
            self._end(call, "network", agent="CHANUNAVAIL")
        else:
            self._ring(call, call.agent)
        return call

    def live_call(self, number: str) -> Call | None:
        """The call a phone is in, ringing or talking."""
        return self._live.get(phone_key(number))

    def is_ringing(self, number: str) -> bool:
        """Whether that phone could be picked up now."""
        call, key = self.live_call(number), phone_key(number)
        if call is None:
            return False
        return any(leg.state == "ringing" and phone_key(leg.number) == key for leg in (call.agent, call.lead))

    def answer(self, number: str) -> Call:
        """The ringing phone is picked up; raises CannotError when it does not ring."""
        call, leg = self._leg(number, "ringing")
        self._answered(call, leg)
        return call

    def decline(self, number: str) -> Call:
        """The ringing phone rejects the call; raises CannotError when it does not ring."""
        call, leg = self._leg(number, "ringing")
        self._declined(call, leg)
        return call

    def ignore(self, number: str) -> Call:
        """Let it ring: the phone rings on, quietly, until its dial time is up."""
        call, leg = self._leg(number, "ringing")
        leg.ignored = True
        self._changed()
        return call

    def hang_up(self, number: str) -> Call:
        """The phone in a conversation is put down; raises CannotError when it is in none."""
        call, leg = self._leg(number, "talking")
        self._end(call, leg.side)
        return call

    def terminate(self, extension: str) -> Call | None:
        """Hang up whatever is active on the extension (vendor page, terminate action)."""
        call = self.live_call(extension)
        if call is not None:
            self._end(call, "terminate")
        return call

    def reset(self) -> None:
        """Forget all calls, ringing ones too, without a word to anybody."""
        for call in self.calls:
            self._stop_timers(call)
        self.calls.clear()
        self._live.clear()

    def _leg(self, number: str, state: str) -> tuple[Call, Leg]:
        call = self.live_call(number)
        if call is None:
            raise CannotError(f"{number} is in no call")
        leg = call.agent if phone_key(call.agent.number) == phone_key(number) else call.lead
        if leg.state != state:
            raise CannotError(f"{number} is {leg.state}, not {state}")
        return call, leg

    def _ring(self, call: Call, leg: Leg) -> None:
        behaviour, request = call.behaviour, call.request
        script: str | None
        if leg.side == "agent":
            script, after, longest = behaviour.agent, behaviour.agent_after, request.phone_max_dial_time
            picks_itself_up = request.phone_auto_answer
        else:
            script, after, longest = behaviour.lead, behaviour.lead_after, request.target_max_dial_time
            picks_itself_up = request.target_auto_answer
        leg.state, leg.rang_at = "ringing", self._clock.now()
        self._live[phone_key(leg.number)] = call
        self._stop_timers(call)
        self._later(call, longest, partial(self._rang_out, call, leg))
        if script in {"answer", "voicemail"} or (picks_itself_up and script in {None, "manual"}):
            self._later(call, after or 0.0, partial(self._answered, call, leg))
        elif script == "decline":
            self._later(call, after or 0.0, partial(self._declined, call, leg))
        elif script == "no_answer" and after is not None:
            self._later(call, after, partial(self._rang_out, call, leg))
        self._changed()

    def _answered(self, call: Call, leg: Leg) -> None:
        self._stop_timers(call)
        leg.state, leg.answered_at = "talking", self._clock.now()
        if leg.side == "agent":
            self._dial_lead(call)
            return
        self._later(call, call.request.max_duration, partial(self._end, call, "maxduration"))
        if call.behaviour.talk is not None:
            self._later(call, call.behaviour.talk, partial(self._end, call, call.behaviour.hung_up_by or "lead"))
        self._changed()

    def _dial_lead(self, call: Call) -> None:
        target = call.lead.number
        self._phones.use(target, "lead")
        if phone_key(target) in self._live or call.behaviour.lead == "busy":
            self._end(call, "network", lead="BUSY")
        elif call.behaviour.lead == "unreachable" or not self._phones.is_online(target):
            self._end(call, "network", lead="CONGESTION")
        else:
            self._ring(call, call.lead)

    def _declined(self, call: Call, leg: Leg) -> None:
        # A rejected leg 1 shows as "Call Rejected" (facts 3.4); a mobile's "decline" arrives as busy.
        if leg.side == "agent":
            leg.end("CANCEL", self._clock.now(), "Call Rejected")
        else:
            leg.end("BUSY", self._clock.now(), "Call Rejected")
        self._end(call, leg.side)

    def _rang_out(self, call: Call, leg: Leg) -> None:
        leg.end("NOANSWER", self._clock.now(), "No user responding")
        self._end(call, "network")

    def _end(self, call: Call, by: str, *, agent: str = "", lead: str = "") -> None:
        """Both legs are over: a leg that nobody gave a status gets the one its state means."""
        now = self._clock.now()
        self._stop_timers(call)
        for leg, status in ((call.agent, agent), (call.lead, lead)):
            leg.end(status or _status_of(call, leg), now)
            if self._live.get(phone_key(leg.number)) is call:
                del self._live[phone_key(leg.number)]
        call.ended_at, call.ended_by = now, by
        self._changed()
        self._ended(call)

    def _later(self, call: Call, seconds: float, then: Callable[[], None]) -> None:
        call.timers.append(self._clock.call_later(seconds, then))

    def _stop_timers(self, call: Call) -> None:
        for timer in call.timers:
            timer.cancel()
        call.timers.clear()


def _status_of(call: Call, leg: Leg) -> Literal["ANSWER", "VOICEMAIL", "CANCEL", "NOTCALLED"]:
    if leg.answered_at is not None:
        voicemail = leg.side == "lead" and call.behaviour.lead == "voicemail"
        return "VOICEMAIL" if voicemail else "ANSWER"
    return "CANCEL" if leg.state == "ringing" else "NOTCALLED"
