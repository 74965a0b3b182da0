"""[policy], [limits] and [guards] of leadring.toml: how leads are called, and what stops them."""

from __future__ import annotations

from collections.abc import Collection
from typing import cast

import limits

from app.directory_dialing import DIALING_KEYS, read_dialing_window, read_dialing_zones
from app.directory_hours import countries, read_time_zone
from app.directory_options import PROVIDER_OPTIONS as PROVIDER_OPTIONS
from app.directory_options import read_policy_options
from app.directory_reading import Table, in_words, parse_duration, parse_rate
from app.directory_types import CallCap, Cooldown, Guards, Limits, LoggedOut, MatchLanguage, Mode, Policy, Rate, Routing

MODES = ("off", "observe", "hold", "refuse")
NEVER_REFUSES = ("off", "observe", "hold")  # who sent it can do nothing about it
ROUTINGS = ("longest_idle", "round_robin", "priority", "weighted")
NOT_YET_GUARDS = ("too_fast", "numbers_per_visitor", "suppression")
_SECONDS = {  # name: default, least, most
    "deadline": (40, 1, 3600),
    "ring_agent": (20, 1, 300),
    "ring_lead": (30, 1, 300),
    "max_duration": (7200, 10, 86400),
    "wrap_up": (30, 0, 86400),
    "expire_after": (3600, 1, 30 * 86400),
    "assume_call": (300, 1, 86400),
    "sticky": (0, 0, 365 * 86400),
    "pause_for": (600, 1, 30 * 86400),
    "short_call": (0, 0, 3600),
    "callback_after": (600, 60, 86400),
    "call_takes": (300, 60, 7200),
    "fresh_for": (900, 60, 30 * 86400),
    "slot": (900, 300, 7200),
    "slots_for": (3 * 86400, 86400, 14 * 86400),
}
POLICY_KEYS = (
    "timezone",
    "default_country",
    "countries",
    *_SECONDS,
    "retry_agent",
    "retry_lead",
    "retry_busy",
    "retry_unreachable",
    "retry_short",
    "calls_per_number",
    "routing",
    "record",
    "match_language",
    "pause_after_misses",
    "logged_out",
    "redial_absent",
    *DIALING_KEYS,
    "cancel_when_phoned_in",
    *PROVIDER_OPTIONS,
)
GUARD_KEYS = ("country", "premium", "cooldown", "calls", "honeypot", "low_confidence")
LIMIT_KEYS = ("per_client", "per_source")
INNER_GUARD_KEYS = {"cooldown": ("mode", "per_phone"), "calls": ("mode", "per_hour", "per_day")}
_COUNTRY_MEANS = 'must be a country in two capital letters, such as "IL" (the United Kingdom is "GB")'


def read_policy(table: Table, hours: Collection[str], warnings: list[str]) -> Policy:
    """The table [policy]; `hours` are the names of the file's timetables."""
    country = table.text("default_country", "IL")
    if country not in countries():
        table.wrong("default_country", _COUNTRY_MEANS)
    allowed = table.texts("countries", (country,))
    for code in allowed:
        if code not in countries() and "countries" in table.values:
            table.wrong("countries", f'"{code}" {_COUNTRY_MEANS}')
    seconds = {name: table.seconds(name, *bounds) for name, bounds in _SECONDS.items()}
    if seconds["slot"] % 60:
        table.wrong("slot", "must be whole minutes: it is a time of day that people choose")
    if seconds["slots_for"] % 86400:
        table.wrong("slots_for", 'must be whole days, such as "3d"')
    if country not in allowed:
        warnings.append(f"policy: default_country {country} is not among countries: its leads will be held")
    return Policy(
        timezone=read_time_zone(table, "Asia/Jerusalem"),
        default_country=country,
        countries=tuple(dict.fromkeys(allowed)),
        retry_agent=_waits(table, "retry_agent", (0, 0, 120), least=0) or (0,),
        retry_lead=_waits(table, "retry_lead", (600, 3600, 14400)),
        retry_busy=_own_waits(table, "retry_busy"),
        retry_unreachable=_own_waits(table, "retry_unreachable"),
        retry_short=_own_waits(table, "retry_short"),
        calls_per_number=table.whole("calls_per_number", 6, 0, 100),
        routing=cast(Routing, table.choice("routing", "longest_idle", ROUTINGS)),
        record=table.flag("record", False),
        pause_after_misses=table.whole("pause_after_misses", 0, 0, 100),
        match_language=cast(MatchLanguage, table.choice("match_language", "prefer", ("off", "prefer", "require"))),
        logged_out=cast(LoggedOut, table.choice("logged_out", "free", ("free", "away"))),
        redial_absent=table.flag("redial_absent", False),
        cancel_when_phoned_in=table.flag("cancel_when_phoned_in", True),
        provider_options=read_policy_options(table),
        dialing_window=read_dialing_window(table, hours),
        dialing_zones=read_dialing_zones(table),
        **seconds,
    )


def _own_waits(table: Table, key: str) -> tuple[int, ...] | None:
    return _waits(table, key, ()) if key in table.values else None


def _waits(table: Table, key: str, default: tuple[int, ...], *, least: int = 1) -> tuple[int, ...]:
    entries = table.list_of(key, default, 'of durations, such as ["10m", "60m"]')
    found: list[int] = []
    for entry in entries:
        try:
            found.append(parse_duration(entry))
        except ValueError as error:
            table.wrong(key, str(error))
    if len(entries) > 10 or any(not least <= seconds <= 30 * 86400 for seconds in found):
        table.wrong(key, f"must be at most 10 durations from {in_words(least)} to {in_words(30 * 86400)}")
    return tuple(found)


def read_limits(table: Table) -> Limits:
    """The table [limits]."""
    return Limits(
        per_client=_limit(table, "per_client", Limits().per_client),
        per_source=_limit(table, "per_source", Limits().per_source),
    )


def _limit(table: Table, key: str, default: str) -> str:
    text = table.text(key, default)
    try:
        usable = all(item.amount >= 1 for item in limits.parse_many(text))
    except ValueError:
        usable = False
    if usable:
        return text
    table.wrong(key, 'must be a limit such as "10/minute" or "10/minute; 100/hour"')
    return default


def read_guards(table: Table) -> Guards:
    for name in NOT_YET_GUARDS:
        if name in table.values:
            table.wrong(name, "is not available in this version; remove it")
    cooldown = _guard(table, "cooldown")
    rates: list[Rate] = []
    for entry in cooldown.list_of("per_phone", ("1/10 minutes", "3/day"), 'of rates, such as ["1/10 minutes"]'):
        try:
            rates.append(parse_rate(entry))
        except ValueError as error:
            cooldown.wrong("per_phone", str(error))
    calls = _guard(table, "calls")
    return Guards(
        country=_mode(table, "country", "hold"),
        premium=_mode(table, "premium", "refuse"),
        cooldown=Cooldown(_mode(cooldown, "mode", "hold"), tuple(rates)),
        calls=CallCap(_mode(calls, "mode", "hold"), _cap(calls, "per_hour", 120), _cap(calls, "per_day", 600)),
        honeypot=_mode(table, "honeypot", "hold"),
        low_confidence=cast(Mode, table.choice("low_confidence", "hold", NEVER_REFUSES)),
    )


def _guard(table: Table, name: str) -> Table:
    """The table of one guard; `name = "off"` is short for `name = { mode = "off" }`."""
    value = table.values.get(name)
    if isinstance(value, str):
        return Table({"mode": value}, f"guards.{name}", INNER_GUARD_KEYS[name], table.mistakes)
    return table.table(name, INNER_GUARD_KEYS[name])


def _mode(table: Table, key: str, default: Mode) -> Mode:
    return cast(Mode, table.choice(key, default, MODES))


def _cap(table: Table, key: str, default: int) -> int | None:
    """A cap on calls; only the word "unlimited" lifts it, so that leaving a line out never costs money."""
    return None if table.values.get(key) == "unlimited" else table.whole(key, default, 1, 1_000_000)
