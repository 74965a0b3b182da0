"""What leadring.toml says, as frozen values. Times are whole seconds, times of day are minutes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Literal

Mode = Literal["off", "observe", "hold", "refuse"]
Routing = Literal["longest_idle", "round_robin", "priority", "weighted"]
First = Literal["agent", "lead"]
LoggedOut = Literal["free", "away"]
MatchLanguage = Literal["off", "prefer", "require"]
PRESETS = (
    "generic",
    "elementor",
    "cf7",
    "wpforms",
    "gravity",
    "webflow",
    "wix",
    "typeform",
    "jotform",
    "hubspot",
    "google_ads",
    "meta",
    "tally",
    "zoho",
    "zapier",
    "make",
)


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `count` in any `per` seconds."""

    count: int
    per: int


@dataclass(frozen=True, slots=True)
class Period:
    """From minute `start` up to but not including minute `end` of a local day; past 1440 is the next day."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Hours:
    """A weekly timetable. `week` has 7 entries, Monday first; `extra_open` wins over every closing.

    `holiday_eves` and `hol_hamoed` are what is left of the week's hours on those days; None leaves them alone.
    """

    name: str
    timezone: str
    week: tuple[tuple[Period, ...], ...]
    holidays: str | None = None
    holiday_categories: tuple[str, ...] = ("public",)
    extra_closed: frozenset[date] = frozenset()
    extra_open: Mapping[date, tuple[Period, ...]] = field(default_factory=lambda: MappingProxyType({}))
    holiday_eves: tuple[Period, ...] | None = None
    hol_hamoed: tuple[Period, ...] | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """How leads are called; every duration in seconds.

    `match_language`: whether agents who have the language that a lead asked for among their skills are asked first, or
    alone. `sticky`: how long a number's last agent is asked first; 0 for never. An agent who misses
    `pause_after_misses` calls in a row (0: however many) gets none for `pause_for`. `logged_out`: what the
    provider's "nobody is logged in" means for an agent. `redial_absent`: ring once more where the provider's own
    accounts show no trace of a call whose request went unanswered. `provider_options` speak of the agent's leg
    (`phone…`) and the lead's (`target…`), whichever rings first. `dialing_window` names the hours in which a lead
    may be rung by the clock of its own number; `dialing_zones`, by country, which one of several clocks that is.

    `retry_agent`: the waits after an agent missed a lead, one miss in a row after the other, then from the start.
    `retry_lead`: the waits after the lead's own phone was rung in vain; the three others, where they are given, after
    those outcomes. `short_call`: who talked for less was not reached. `calls_per_number`: how often a number is rung in
    a day, 0 for no cap. `callback_after`: the soonest call to promise when nobody was free by the `deadline`;
    `call_takes`: how long a call with its wrap-up is taken to last when time is promised. `fresh_for`: after a time in
    which nothing could be dialled, who has waited longer is not rung without asking.

    `slot`: callbacks are offered at the multiples of it on the clock, for the days that are open within `slots_for`;
    each agent takes one every `call_takes`. `cancel_when_phoned_in`: a waiting lead whose own call we answered is not
    rung any more.
    """

    timezone: str = "Asia/Jerusalem"
    default_country: str = "IL"
    countries: tuple[str, ...] = ("IL",)
    deadline: int = 40
    ring_agent: int = 20
    ring_lead: int = 30
    max_duration: int = 7200
    wrap_up: int = 30
    expire_after: int = 3600
    assume_call: int = 300
    retry_lead: tuple[int, ...] = (600, 3600, 14400)
    routing: Routing = "longest_idle"
    record: bool = False
    logged_out: LoggedOut = "free"
    match_language: MatchLanguage = "prefer"
    sticky: int = 0
    pause_after_misses: int = 0
    pause_for: int = 600
    redial_absent: bool = False
    retry_agent: tuple[int, ...] = (0, 0, 120)
    retry_busy: tuple[int, ...] | None = None
    retry_unreachable: tuple[int, ...] | None = None
    retry_short: tuple[int, ...] | None = None
    short_call: int = 0
    calls_per_number: int = 6
    callback_after: int = 600
    call_takes: int = 300
    fresh_for: int = 900
    slot: int = 900
    slots_for: int = 3 * 86400
    cancel_when_phoned_in: bool = True
    provider_options: Mapping[str, str] = field(
        default_factory=lambda: MappingProxyType({"checkphonedevicestate": "true"})
    )
    dialing_window: str | None = None
    dialing_zones: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    def retries(self, outcome: str, *, short: bool = False) -> tuple[int, ...]:
        """The waits before the lead is rung again after that outcome, or after a call that was too short to count."""
        own = {"lead_busy": self.retry_busy, "lead_unreachable": self.retry_unreachable}.get(outcome)
        own = self.retry_short if short else own
        return self.retry_lead if own is None else own


@dataclass(frozen=True, slots=True)
class Cooldown:
    """How often one phone number may be called."""

    mode: Mode = "hold"
    per_phone: tuple[Rate, ...] = (Rate(1, 600), Rate(3, 86400))


@dataclass(frozen=True, slots=True)
class CallCap:
    """How many calls the whole service may place; None is no cap."""

    mode: Mode = "hold"
    per_hour: int | None = 120
    per_day: int | None = 600


@dataclass(frozen=True, slots=True)
class Guards:
    """The rules that may hold or refuse a lead."""

    country: Mode = "hold"
    premium: Mode = "refuse"
    cooldown: Cooldown = Cooldown()
    calls: CallCap = CallCap()
    honeypot: Mode = "hold"
    low_confidence: Mode = "hold"


@dataclass(frozen=True, slots=True)
class Limits:
    """Requests that a client, and a form builder's webhook, may send; in the syntax of the limits library."""

    per_client: str = "10/minute"
    per_source: str = "120/minute"


@dataclass(frozen=True, slots=True)
class Site:
    """A web property that sends leads. No `origins`: any origin may. No `hours`: always open.

    An agent must have all `skills`; those with more of `prefer` are asked first. `agents`, when there are any, are the
    only ones asked; `fallback` names who is asked when none of the others is free, whatever their skills.

    `first`: whose phone rings first. `ivr`: a number or extension that leads to an IVR or queue and takes the
    agents' place, with at most `lines` calls at a time. `record` and `provider_options`, where they are said
    here, win over the policy's.
    """

    key: str
    name: str
    origins: tuple[str, ...] = ()
    skills: frozenset[str] = frozenset()
    hours: str | None = None
    language: str = "he"
    thank_you_url: str | None = None
    telephone: str | None = None
    consent_text: str | None = None
    variables: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    prefer: frozenset[str] = frozenset()
    agents: tuple[str, ...] = ()
    fallback: tuple[str, ...] = ()
    first: First = "agent"
    ivr: str | None = None
    lines: int = 1
    record: bool | None = None
    provider_options: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Agent:
    """A person who takes calls. No `hours`: always on shift.

    `line_of` names the site when this is no person but one of the lines to the site's IVR.
    """

    id: str
    name: str
    extension: str
    login_code: str | None = None
    skills: frozenset[str] = frozenset()
    hours: str | None = None
    priority: int = 1
    weight: int = 1
    enabled: bool = True
    line_of: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """A form builder's webhook. `site`: the one its leads belong to. Secrets: one, or the new one and the old.

    `map` says under which names it sends our fields, `root` below which key they stand (a path with dots); without
    them the preset's own are used. What was sent longer than `max_age` seconds ago is not rung without asking. The
    body as it came is kept, encrypted, for `keep_raw` seconds; 0 keeps none. `access_token`: with which Meta is asked
    for the lead that it told of.
    """

    key: str
    preset: str
    site: str
    tokens: tuple[str, ...] = field(repr=False)
    signing_secrets: tuple[str, ...] = field(default=(), repr=False)
    access_token: str | None = field(default=None, repr=False)
    map: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    root: str | None = None
    max_age: int = 900
    keep_raw: int = 7 * 86400


@dataclass(frozen=True, slots=True)
class Directory:
    """The whole file. The mappings keep the file's order; `warnings` are sentences for the operator.

    `agents` holds the people and, after them, the lines to the sites' IVRs.
    """

    policy: Policy
    limits: Limits
    guards: Guards
    hours: Mapping[str, Hours]
    sites: Mapping[str, Site]
    agents: Mapping[str, Agent]
    sources: Mapping[str, Source] = field(default_factory=lambda: MappingProxyType({}))
    warnings: tuple[str, ...] = ()

    @property
    def people(self) -> tuple[Agent, ...]:
        """The agents that are somebody, in the file's order."""
        return tuple(agent for agent in self.agents.values() if agent.line_of is None)
