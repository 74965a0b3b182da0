"""Hands on the sandbox's telephones, through its control API: the part of the suite that a real account has not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx

from tests.server_process import wait_until

from .provider import ONE_REQUEST_EACH

LONGEST = 5.0

Leg = dict[str, Any]


class Hands:
    """Picks up, hangs up, switches off, scripts; `url` is the sandbox's base address."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=LONGEST, trust_env=False, limits=ONE_REQUEST_EACH)

    def close(self) -> None:
        self._http.close()

    def reset(self) -> None:
        """The sandbox as new."""
        self._send("POST", "/sandbox/reset")

    def script(self, key: str, **behaviour: object) -> None:
        """Tell an extension, a number or an API how to behave."""
        self._send("PUT", "/sandbox/behaviour", json={"key": key, **behaviour})

    def push_cdr_to(self, url: str, **options: object) -> None:
        """Where records go, at once unless told otherwise."""
        self._send("PUT", "/sandbox/cdr", json={"url": url, "delay": 0.0, "pause": 0.02, **options})

    def call_log(self, **options: object) -> None:
        """How the call log answers; its rows are there at once unless told otherwise."""
        self._send("PUT", "/sandbox/call_log", json={"delay": 0.0, **options})

    def user_status(self, extension: str, status: int) -> None:
        """Log the agent's user in, out, to lunch: a number of facts 3.2."""
        self._send("POST", f"/sandbox/phones/{extension}/status", json={"status": status})

    def do(self, number: str, deed: str) -> None:
        """answer, decline, hangup, hold, resume, online, offline … now."""
        self._send("POST", f"/sandbox/phones/{number}/{deed}")

    def answer(self, *numbers: str) -> None:
        """Pick these phones up one after the other, each as soon as it rings."""
        for number in numbers:
            self.until(lambda number=number: self.leg(number)["state"] == "ringing", f"{number} rings")  # type: ignore[misc]
            self.do(number, "answer")

    def calls(self) -> list[dict[str, Any]]:
        """All calls since the reset, oldest first."""
        found: list[dict[str, Any]] = self._send("GET", "/sandbox/calls").json()
        return found

    def requests(self) -> list[dict[str, Any]]:
        """What Click2Call was asked since the reset, oldest first, without the account code."""
        found: list[dict[str, Any]] = self._send("GET", "/sandbox/requests").json()
        return found

    def call(self) -> dict[str, Any]:
        """The one call there is."""
        calls = self.calls()
        assert len(calls) == 1, f"{len(calls)} calls instead of one"
        return calls[0]

    def leg(self, number: str) -> Leg:
        """That phone's leg of the one call, whichever side it is on."""
        call = self.call()
        legs: list[Leg] = [leg for leg in (call["agent"], call["lead"]) if leg["number"] == number]
        assert len(legs) == 1, f"{len(legs)} legs of {number}"
        return legs[0]

    def rings(self, number: str) -> bool:
        return bool(self.leg(number)["state"] == "ringing")

    def ended(self) -> dict[str, Any]:
        """The one call, as soon as it is over."""
        self.until(lambda: not self.call()["live"], "the call is over")
        return self.call()

    def nobody_rang(self) -> bool:
        """No call was started."""
        return not self.calls()

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Poll until it holds; TimeoutError after LONGEST seconds."""
        wait_until(condition, LONGEST, what)

    def _send(self, method: str, path: str, json: object = None) -> httpx.Response:
        answer = self._http.request(method, path, json=json)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text[:200]}"
        return answer
