"""Whom the suite speaks to: a sandbox of its own, or the account that an operator names in the environment."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

Api = Literal["click2call", "active_calls", "roster", "call_log"]

VARIABLES: dict[str, str] = {
    "LEADRING_CONFORMANCE_URL": "the Click2Call address",
    "LEADRING_CONFORMANCE_CODE": "the account code",
    "LEADRING_CONFORMANCE_MONITOR_URL": "the base of the active calls address",
    "LEADRING_CONFORMANCE_EXTENSIONS_URL": "the roster's address",
    "LEADRING_CONFORMANCE_CALL_LOG_URL": "the call log's address",
    "LEADRING_CONFORMANCE_PAUSE": "seconds between two requests",
}
# Active calls asked for more often are stale (facts 3.2), and the call log refuses (facts 4): one pause for all.
LEAST_PAUSE = 5.0
MOST_REQUESTS = 25


class Secret:
    """Text that does not show itself: not in a traceback's locals, not in an assertion."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return "***"

    def reveal(self) -> str:
        """The text itself."""
        return self._text


class EnvironmentWrongError(Exception):
    """The variables do not name an account; the message says which one is wrong, never its value."""


@dataclass(frozen=True)
class Account:
    """Addresses by API (an API without address is not asked), the code, and how gently to ask.

    `real`: only what can ring no phone and change nothing is sent. `pause`: seconds between two requests.
    `most`: requests in all, None without limit.
    """

    urls: Mapping[Api, str]
    code: Secret
    real: bool
    pause: float = 0.0
    most: int | None = None

    def plan(self) -> str:
        """What a run with that will do: which hosts are asked, how often, for how long."""
        hosts = ", ".join(sorted({urlsplit(url).hostname or "" for url in self.urls.values()}))
        most = self.most or MOST_REQUESTS
        minutes = round(most * self.pause / 60)
        told = f"about {minutes} minute{'' if minutes == 1 else 's'}" if minutes else "less than a minute"
        return f"asking {hosts}, {most} questions at most, {self.pause:g} s apart, {told}"


def account_in(environment: Mapping[str, str] = os.environ) -> Account | None:
    """The account that LEADRING_CONFORMANCE_* names; None without them; raises EnvironmentWrongError."""
    given = {name: environment.get(name, "").strip() for name in VARIABLES}
    if not any(given.values()):
        return None
    for needed in ("LEADRING_CONFORMANCE_URL", "LEADRING_CONFORMANCE_CODE"):
        if not given[needed]:
            raise EnvironmentWrongError(f"{needed} is missing: {VARIABLES[needed]}")
    monitor = given["LEADRING_CONFORMANCE_MONITOR_URL"]
    found: dict[Api, str] = {
        "click2call": given["LEADRING_CONFORMANCE_URL"],
        "active_calls": f"{monitor.rstrip('/')}/GetExtensionsCalls" if monitor else "",
        "roster": given["LEADRING_CONFORMANCE_EXTENSIONS_URL"],
        "call_log": given["LEADRING_CONFORMANCE_CALL_LOG_URL"],
    }
    urls = {api: url for api, url in found.items() if url}
    for api, url in urls.items():
        _check_address(api, url)
    return Account(
        urls=urls,
        code=Secret(given["LEADRING_CONFORMANCE_CODE"]),
        real=True,
        pause=_pause(given["LEADRING_CONFORMANCE_PAUSE"], urls),
        most=MOST_REQUESTS,
    )


def _check_address(api: str, url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.username:
        raise EnvironmentWrongError(f"the address of {api} must be http(s)://host/path and nothing more")
    if parts.scheme == "http" and not _is_loopback(url):
        raise EnvironmentWrongError(f"the address of {api} must be https: the account code travels to it")


def _pause(text: str, urls: Mapping[Api, str]) -> float:
    if not text:
        return LEAST_PAUSE
    try:
        pause = float(text)
    except ValueError:
        raise EnvironmentWrongError("LEADRING_CONFORMANCE_PAUSE must be a number of seconds") from None
    least = 0.0 if all(map(_is_loopback, urls.values())) else LEAST_PAUSE
    if not least <= pause <= 600:
        raise EnvironmentWrongError(f"LEADRING_CONFORMANCE_PAUSE must be between {least:g} and 600 seconds")
    return pause


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
