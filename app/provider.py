"""The provider's clients, made from the settings: the dialler, the line, the roster and the call log."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from app import __version__
from app.errors import ConfigurationError
from app.metrics import Metrics
from app.ports import CallLog, Telephony
from app.service.looks import Looks
from app.settings import Settings
from app.voicenter.active_calls import ActiveCalls
from app.voicenter.call_log import VoicenterCallLog
from app.voicenter.click2call import Click2Call
from app.voicenter.roster import Roster, RosterUnavailable

# A question may wait its turn behind another, and then has its own deadline.
PROBE_DEADLINE: Final = 12.0  # seconds


@dataclass(frozen=True)
class Provider:
    """What can be asked of the provider. `probe` asks something that rings nobody, and says whether it was answered."""

    telephony: Telephony
    presence: Looks | None = None
    call_log: CallLog | None = None
    probe: Callable[[], Awaitable[bool]] | None = None
    blind: Callable[[], str | None] = lambda: None


def open_provider(
    settings: Settings,
    metrics: Metrics,
    stack: contextlib.AsyncExitStack,
    *,
    telephony: Telephony | None = None,
    apart: float,
) -> Provider:
    """The clients of one application, closed with `stack`; `apart`: seconds between two questions.

    Where another `telephony` takes the dialler's place, the rest is made as far as the settings have it.
    ConfigurationError without the account's code, unless nothing needs it.
    """
    if settings.voicenter_code is None:
        if telephony is None:
            raise ConfigurationError(["LEADRING_VOICENTER_CODE is missing: the account's code, from Voicenter"])
        return Provider(telephony)
    code = settings.voicenter_code.get_secret_value()
    if telephony is None:
        dialler = open_dialler(settings, metrics)
        stack.push_async_callback(dialler.close)
        telephony = dialler
    presence, blind, probe = None, _sees, None
    if settings.voicenter_monitor_url:
        line = open_line(settings, metrics)
        stack.push_async_callback(line.close)
        presence = Looks(line, apart=apart)
        stack.push_async_callback(presence.close)
        probe, blind = _answered(presence), lambda: line.trouble
    elif settings.voicenter_extensions_url:
        roster = Roster(
            url=settings.voicenter_extensions_url,
            code=code,
            version=__version__,
            on_request=counting(metrics, "roster"),
        )
        stack.push_async_callback(roster.close)
        probe = _listed(roster)
    call_log = None
    if settings.voicenter_call_log_url:
        call_log = VoicenterCallLog(
            url=settings.voicenter_call_log_url,
            code=code,
            version=__version__,
            on_request=counting(metrics, "call_log"),
            wait=lambda seconds: asyncio.sleep(min(seconds, apart)),
        )
        stack.push_async_callback(call_log.close)
    return Provider(telephony, presence, call_log, probe, blind)


def open_dialler(settings: Settings, metrics: Metrics) -> Click2Call:
    """The client of the Click2Call API."""
    assert settings.voicenter_code is not None
    return Click2Call(
        url=settings.voicenter_url,
        code=settings.voicenter_code.get_secret_value(),
        method=settings.voicenter_method,
        format=settings.voicenter_format,
        timeout=settings.voicenter_timeout,
        version=__version__,
        on_request=counting(metrics, "call"),
        on_hang_up=counting(metrics, "hang_up"),
    )


def open_line(settings: Settings, metrics: Metrics) -> ActiveCalls:
    """The client of the active calls."""
    assert settings.voicenter_code is not None
    return ActiveCalls(
        url=settings.voicenter_monitor_url,
        code=settings.voicenter_code.get_secret_value(),
        version=__version__,
        on_request=counting(metrics, "active_calls"),
    )


def counting(metrics: Metrics, operation: str) -> Callable[[str, float], None]:
    """Counts requests of one kind by what came of them, and how long they took."""

    def count(result: str, seconds: float) -> None:
        metrics.provider_requests.labels(operation, result).inc()
        metrics.provider_seconds.labels(operation, result).observe(seconds)

    return count


def _sees() -> str | None:
    return None


def _answered(presence: Looks) -> Callable[[], Awaitable[bool]]:
    """A question that was never answered is no evidence against the provider: it may not be ours to ask."""

    async def probe() -> bool:
        return await presence.look() is not None or not presence.ever_answered

    return probe


def _listed(roster: Roster) -> Callable[[], Awaitable[bool]]:
    ever_answered = False

    async def probe() -> bool:
        nonlocal ever_answered
        try:
            await roster.extensions()
        except RosterUnavailable:
            return not ever_answered
        ever_answered = True
        return True

    return probe
