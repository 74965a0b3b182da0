"""The call engine: leg 1 rings; when it is answered, leg 2 rings; then they talk. Either may be the agent's.

A state machine without tasks: every move is a plain function, called by a timer or by a person's hand.
"""

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Literal

from .behaviour import Behaviour, phone_key
from .calls import Call, Leg, Side, new_call_id
from .clock import Clock
from .parameters import CallRequest
from .phones import Phones

MOST_CALLS_KEPT = 2000
OutsideState = Literal["ringing", "talking", "hold"]


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

    def place(self, request: CallRequest, behaviour: Behaviour, first: Side = "agent") -> Call:
        """Start a call: leg 1 rings, or ends at once when it is busy or cannot be reached."""
        call = self._new_call(request, behaviour, first)
        self._dial(call, call.leg1)
        return call

    def bring_in(self, extension: str, phone: str, state: OutsideState = "talking") -> Call:
        """A call from outside that has nothing to do with ours; raises CannotError when one of them is in a call."""
        for number in (extension, phone):
            if self.live_call(number) is not None:
                raise CannotError(f"{number} is in a call")
        call = self._new_call(CallRequest(action="call", phone=phone, target=extension), Behaviour(), "lead")
        call.incoming = True
        for leg in (call.lead, call.agent):
            # The caller's telephone is somewhere else: it never becomes one of ours.
            if leg is call.agent or self._phones.has_extension(leg.number):
                self._phones.use(leg.number, leg.side)
            self._live[phone_key(leg.number)] = call
            leg.rang_at, leg.state = call.started_at, "ringing"
        call.lead.state, call.lead.answered_at = "talking", call.started_at
        if state != "ringing":
            call.agent.state, call.agent.answered_at = "talking", call.started_at
            call.agent.held = state == "hold"
        self._changed()
        return call

    def live_call(self, number: str) -> Call | None:
        """The call a phone is in, ringing or talking."""
        return self._live.get(phone_key(number))

    def is_ringing(self, number: str) -> bool:
        """Whether that phone could be picked up now."""
        call = self.live_call(number)
        return call is not None and call.leg_of(number).state == "ringing"

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

    def hold(self, number: str, *, held: bool) -> Call:
        """Put the other side on hold, or take it back; raises CannotError outside a conversation."""
        call, leg = self._leg(number, "talking")
        leg.held = held
        self._changed()
        return call

    def terminate(self, number: str, by: str = "terminate") -> Call | None:
        """Hang up whatever is active there, whichever leg it is (vendor page, terminate action)."""
        call = self.live_call(number)
        if call is not None:
            self._end(call, by)
        return call

    def reset(self) -> None:
        """Forget all calls, ringing ones too, without a word to anybody."""
        for call in self.calls:
            self._stop_timers(call)
        self.calls.clear()
        self._live.clear()

    def _new_call(self, request: CallRequest, behaviour: Behaviour, first: Side) -> Call:
        now = self._clock.now()
        second: Side = "lead" if first == "agent" else "agent"
        legs = {first: Leg(first, request.phone), second: Leg(second, request.target)}
        call = Call(
            new_call_id(now), new_call_id(now), request, behaviour, legs["agent"], legs["lead"], now, first=first
        )
        self.calls.append(call)
        return call

    def _leg(self, number: str, state: str) -> tuple[Call, Leg]:
        call = self.live_call(number)
        if call is None:
            raise CannotError(f"{number} is in no call")
        leg = call.leg_of(number)
        if leg.state != state:
            raise CannotError(f"{number} is {leg.state}, not {state}")
        return call, leg

    def _dial(self, call: Call, leg: Leg) -> None:
        script = call.behaviour.agent if leg.side == "agent" else call.behaviour.lead
        self._phones.use(leg.number, leg.side)
        if phone_key(leg.number) in self._live or script == "busy":
            leg.end("BUSY", self._clock.now())
            self._end(call, "network")
        elif script in {"offline", "unreachable"} or not self._phones.is_online(leg.number):
            leg.end("CHANUNAVAIL" if leg.side == "agent" else "CONGESTION", self._clock.now())
            self._end(call, "network")
        else:
            self._ring(call, leg)

    def _ring(self, call: Call, leg: Leg) -> None:
        behaviour, request = call.behaviour, call.request
        script: str | None
        if leg.side == "agent":
            script, after = behaviour.agent, behaviour.agent_after
        else:
            script, after = behaviour.lead, behaviour.lead_after
        picks_itself_up = request.phone_auto_answer if leg is call.leg1 else request.target_auto_answer
        leg.state, leg.rang_at = "ringing", self._clock.now()
        self._live[phone_key(leg.number)] = call
        self._stop_timers(call)
        self._later(call, call.max_dial_time(leg), partial(self._rang_out, call, leg))
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
        if leg is call.leg1:
            self._dial(call, call.leg2)
            return
        self._later(call, call.request.max_duration, partial(self._end, call, "maxduration"))
        if call.behaviour.talk is not None:
            self._later(call, call.behaviour.talk, partial(self._end, call, call.behaviour.hung_up_by or "lead"))
        self._changed()

    def _declined(self, call: Call, leg: Leg) -> None:
        # A rejected leg 1 shows as "Call Rejected" (facts 3.4); a mobile's "decline" arrives as busy.
        rejected = leg is call.agent and leg is call.leg1
        leg.end("CANCEL" if rejected else "BUSY", self._clock.now(), "Call Rejected")
        self._end(call, leg.side)

    def _rang_out(self, call: Call, leg: Leg) -> None:
        leg.end("NOANSWER", self._clock.now(), "No user responding")
        self._end(call, "network")

    def _end(self, call: Call, by: str) -> None:
        """Both legs are over: a leg that nobody gave a status gets the one its state means."""
        now = self._clock.now()
        self._stop_timers(call)
        for leg in (call.agent, call.lead):
            leg.end(_status_of(call, leg), now)
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
