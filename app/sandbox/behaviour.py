"""What the sandbox is told to do: scripts for the agent's phone, the lead's phone and the HTTP answer.

A behaviour belongs to a key: an extension, a phone number, or `*` for everything. For the agent's leg and the
HTTP answer the extension speaks first, then the number, then `*`; for the lead's leg the number speaks first.
Whatever nobody says stays as it is for people: phones wait for a hand on the page, requests are answered at
once. The keys `active_calls` and `roster`, `call_log` script the HTTP answers of those requests.
"""

from dataclasses import dataclass, fields, replace
from typing import ClassVar, Literal, get_args

from pydantic import ConfigDict

AgentScript = Literal["manual", "answer", "decline", "busy", "offline", "no_answer"]
LeadScript = Literal["manual", "answer", "voicemail", "decline", "busy", "unreachable", "no_answer"]
AnswerKind = Literal[
    "normal", "slow", "hang", "cut", "half", "garbage", "http_error", "drip", "huge", "refuse", "stale", "empty"
]
SentCdrs = Literal["both", "leg1", "leg2", "none"]
Ivr = Literal["ivr", "ivr_incoming", "queue"]

ANYTHING = "*"
API_KEYS = frozenset({"active_calls", "roster", "call_log"})
_NEVER_RINGS = frozenset({"refuse", "garbage", "http_error"})
_CHOICES: dict[str, tuple[str, ...]] = {
    "agent": get_args(AgentScript),
    "lead": get_args(LeadScript),
    "answer": get_args(AnswerKind),
    "cdr": get_args(SentCdrs),
    "hung_up_by": ("agent", "lead"),
    "ivr": get_args(Ivr),
}


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """One script; a field left None is decided by a less particular key. Times are seconds.

    `agent_after`, `lead_after`: seconds of ringing before the phone is answered, declined or given up
    (`no_answer` without it rings for the whole dial time). `talk`: seconds of conversation before `hung_up_by`
    ends it; None talks until a person, terminate or maxduration ends it. `seconds`: how late a `slow` answer
    is, or the pause between two bytes of a `drip`. `status`, `body`, `content_type` are for `garbage` and
    `http_error`, `megabytes` for `huge`, `errorcode` and `message` for `refuse`. `rings`: whether the call
    really starts (default: yes, except for refuse, garbage and http_error). `cdr`: which of the two records are
    pushed (the call log has both all the same). `times`: how many requests this is good for.

    `agent` and `lead` follow the person, not the leg: with the lead first, `lead` scripts leg 1. `ivr`: this
    number or extension leads to an IVR or a queue, which picks up by itself and stands in the agent's place.
    For the three lists, `refuse` is their own error of that number, `stale` repeats the last honest answer,
    `empty` is a list with nothing in it. Raises ValueError for a value outside these lists.
    """

    # A mistyped field of a request is a mistake, not silence.
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    agent: AgentScript | None = None
    agent_after: float | None = None
    lead: LeadScript | None = None
    lead_after: float | None = None
    talk: float | None = None
    hung_up_by: Literal["agent", "lead"] | None = None
    answer: AnswerKind | None = None
    seconds: float | None = None
    status: int | None = None
    body: str | None = None
    content_type: str | None = None
    megabytes: float | None = None
    errorcode: int | None = None
    message: str | None = None
    rings: bool | None = None
    cdr: SentCdrs | None = None
    ivr: Ivr | None = None
    times: int | None = None

    def __post_init__(self) -> None:
        for name, choices in _CHOICES.items():
            value = getattr(self, name)
            if value is not None and value not in choices:
                raise ValueError(f"{name} must be one of {', '.join(choices)}")
        for name in ("agent_after", "lead_after", "talk", "seconds", "megabytes"):
            value = getattr(self, name)
            if value is not None and not 0 <= value < 100_000:
                raise ValueError(f"{name} must be 0 or more and below 100000")
        if self.status is not None and not 200 <= self.status <= 599:
            raise ValueError("status must be between 200 and 599")
        if self.times is not None and self.times < 1:
            raise ValueError("times must be 1 or more")

    @property
    def rings_phones(self) -> bool:
        """Whether a request with this answer starts a call."""
        return self.rings if self.rings is not None else self.answer not in _NEVER_RINGS


def phone_key(number: str) -> str:
    """One key for one telephone: `972501234567` is `0501234567`; SIP codes stay untouched."""
    digits = number.removeprefix("+")
    if digits.isdecimal() and digits.startswith("972") and len(digits) > 9:
        return "0" + digits[3:]
    return number


class BehaviourBook:
    """Who was told to do what."""

    def __init__(self, default: Behaviour | None = None) -> None:
        self._first = default
        self._by_key: dict[str, Behaviour] = {}
        self.clear()

    def set(self, key: str, behaviour: Behaviour) -> None:
        """Replace the script of a key."""
        self._by_key[phone_key(key)] = behaviour

    def clear(self, key: str | None = None) -> None:
        """Forget one key, or all; the default that the sandbox was made with comes back."""
        if key is not None:
            self._by_key.pop(phone_key(key), None)
        else:
            self._by_key.clear()
        if self._first is not None and key in {None, ANYTHING}:
            self._by_key[ANYTHING] = self._first

    def all(self) -> dict[str, Behaviour]:
        return dict(self._by_key)

    def ivr_of(self, number: str) -> Ivr | None:
        """What that number leads to, when it was said to lead to an IVR or a queue."""
        behaviour = self._by_key.get(phone_key(number))
        return behaviour.ivr if behaviour is not None else None

    def take(self, agent_number: str, lead_number: str) -> Behaviour:
        """The script of one request to call; a script with `times` is used up by it."""
        agent, lead = phone_key(agent_number), phone_key(lead_number)
        ivr = self.ivr_of(agent)
        answer = self._merge(agent, lead, ANYTHING)
        of_lead = self._merge(lead, agent, ANYTHING)
        self._spend(agent, lead, ANYTHING)
        return replace(
            answer,
            lead=of_lead.lead,
            lead_after=of_lead.lead_after,
            talk=of_lead.talk,
            hung_up_by=of_lead.hung_up_by,
            ivr=ivr,
            agent=answer.agent or ("answer" if ivr else None),
        )

    def take_api(self, api: str) -> Behaviour:
        """The script of one request to a list, such as `roster`; `*` does not speak for them."""
        behaviour = self._merge(api)
        self._spend(api)
        return behaviour

    def _merge(self, *keys: str) -> Behaviour:
        found = [self._by_key[key] for key in keys if key in self._by_key]
        merged: dict[str, object] = {}
        for field in fields(Behaviour):
            values = (getattr(one, field.name) for one in found)
            merged[field.name] = next((value for value in values if value is not None), None)
        return replace(Behaviour(), **merged)  # type: ignore[arg-type]

    def _spend(self, *keys: str) -> None:
        for key in set(keys):
            behaviour = self._by_key.get(key)
            if behaviour is None or behaviour.times is None:
                continue
            if behaviour.times == 1:
                del self._by_key[key]
            else:
                self._by_key[key] = replace(behaviour, times=behaviour.times - 1)
