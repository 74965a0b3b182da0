"""Asking the four APIs: the only place where the suite sends something to a provider.

Towards a real account nothing leaves that names a phone, nothing more often than the pause allows, nothing beyond
the budget, and the account code never in an address.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode

import httpx

from .account import Account, Api
from .answers import Answer, read_answer

MOST_BYTES = 4 * 1024 * 1024
_MOST_SECONDS = 30.0
# A request to Click2Call that names none of these can ring nobody and hang up nobody.
_NAMES_A_PHONE = frozenset({"phone", "target", "phonelogincode"})

# A connection each: seconds lie between two requests, and a kept connection that was closed meanwhile looks like
# a provider that does not answer.
ONE_REQUEST_EACH = httpx.Limits(max_keepalive_connections=0)

Encoding = Literal["json", "form"]


class HarmfulError(AssertionError):
    """The suite was about to send something to a real account that it must not send."""


class NoAnswerError(AssertionError):
    """Nothing readable came back; the message names the kind of failure, never the request."""


@dataclass
class Exchange:
    """One request for the operator's table. `asked`: what was special about it; `held` is filled in by the test."""

    test: str
    api: Api
    method: str
    asked: str
    answer: Answer | None = None
    failure: str = ""


class Provider:
    """Four APIs behind one client. `exchanges` is everything asked, oldest first."""

    def __init__(
        self,
        account: Account,
        *,
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.account = account
        self.exchanges: list[Exchange] = []
        self.test = ""
        self._clock = clock
        self._wait = wait
        self._next_at = clock()
        # An environment's proxy would change which address the provider sees.
        self._http = httpx.Client(
            timeout=15.0, trust_env=False, follow_redirects=False, transport=transport, limits=ONE_REQUEST_EACH
        )

    def close(self) -> None:
        self._http.close()

    def ask(
        self,
        api: Api,
        params: dict[str, object],
        *,
        method: str = "POST",
        encoding: Encoding = "json",
        signed: bool = True,
        url: str | None = None,
        body: str | None = None,
    ) -> Answer:
        """One request, one answer. `signed` adds the account's code; `body` replaces what would be made of `params`.

        Raises HarmfulError before anything is sent, NoAnswerError when nothing came back.
        """
        __tracebackhide__ = True
        if self.account.real:
            self._refuse_harm(api, params, method=method, signed=signed, body=body)
        exchange = Exchange(self.test, api, method, _described(params, encoding, signed, body))
        self.exchanges.append(exchange)
        self._keep_pace()
        outcome = self._exchange(url or self.account.urls[api], params, method, encoding, signed, body)
        if isinstance(outcome, str):
            exchange.failure = outcome
            raise NoAnswerError(f"{api} gave no answer: {outcome}")
        exchange.answer = outcome
        return outcome

    def _refuse_harm(self, api: Api, params: dict[str, object], *, method: str, signed: bool, body: str | None) -> None:
        names = {name.lower() for name, value in params.items() if value not in (None, "")}
        if api == "click2call" and (named := names & _NAMES_A_PHONE):
            raise HarmfulError(f"a real account is never asked with {', '.join(sorted(named))}")
        if body is not None:
            raise HarmfulError("a real account is never sent a body made by hand")
        if method == "GET" and signed:
            raise HarmfulError("the account code does not belong into an address")
        if self.account.most is not None and len(self.exchanges) >= self.account.most:
            raise HarmfulError(f"more than {self.account.most} requests to a real account")

    def _keep_pace(self) -> None:
        early = self._next_at - self._clock()
        if early > 0:
            self._wait(early)
        self._next_at = self._clock() + self.account.pause

    def _exchange(
        self, url: str, params: dict[str, object], method: str, encoding: Encoding, signed: bool, body: str | None
    ) -> Answer | str:
        """The answer, or the name of what went wrong: an httpx error holds the request and with it the code."""
        secret = self.account.code.reveal()
        given = {"code": secret, **params} if signed else dict(params)
        content, content_type = body, "application/json"
        if method == "GET":
            url, content = f"{url}?{urlencode(_texts(given), doseq=True)}", None
        elif content is None and encoding == "json":
            content = json.dumps(given)
        elif content is None:
            content, content_type = urlencode(_texts(given), doseq=True), "application/x-www-form-urlencoded"
        headers = {"content-type": content_type} if content is not None else {}
        started = time.monotonic()
        try:
            with self._http.stream(method, url, content=content, headers=headers) as response:
                raw = bytearray()
                for chunk in response.iter_bytes():
                    raw += chunk
                    if len(raw) > MOST_BYTES or time.monotonic() - started > _MOST_SECONDS:
                        return "an answer without end"
                return read_answer(
                    response.status_code,
                    response.headers,
                    bytes(raw),
                    secret=secret if self.account.real else "",
                    seconds=time.monotonic() - started,
                )
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return type(error).__name__


class Face:
    """One API: `face(phone=…)` posts JSON; a parameter that is None is left out."""

    def __init__(self, provider: Provider, api: Api, defaults: dict[str, object] | None = None) -> None:
        self._provider = provider
        self._api: Api = api
        self._defaults = defaults or {}

    @property
    def url(self) -> str:
        return self._provider.account.urls[self._api]

    def __call__(
        self,
        changes: Mapping[str, object] | None = None,
        /,
        *,
        method: str = "POST",
        encoding: Encoding = "json",
        signed: bool = True,
        url: str | None = None,
        body: str | None = None,
        **params: object,
    ) -> Answer:
        """One request, with these parameters changed or, when None, left out; see Provider.ask."""
        __tracebackhide__ = True
        wanted = {
            name: value for name, value in {**self._defaults, **(changes or {}), **params}.items() if value is not None
        }
        return self._provider.ask(
            self._api, wanted, method=method, encoding=encoding, signed=signed, url=url, body=body
        )


def _texts(params: dict[str, object]) -> dict[str, object]:
    return {name: value if isinstance(value, list) else str(value) for name, value in params.items()}


def _described(params: dict[str, object], encoding: Encoding, signed: bool, body: str | None) -> str:
    if body is not None:
        return "a body made by hand"
    words = ([] if signed else ["unsigned"]) + (["form"] if encoding == "form" else [])
    words += [f"{name}={value}" if name in {"action", "format"} else name for name, value in params.items()]
    return " ".join(words)


@contextmanager
def provider_of(account: Account) -> Iterator[Provider]:
    """A Provider that is closed at the end."""
    provider = Provider(account)
    try:
        yield provider
    finally:
        provider.close()
