"""CDR push: what happened is told to a URL, some time after the call, again and again until it is taken."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, get_args

import httpx
from pydantic import ConfigDict

from .calls import Call
from .cdr import IvrRecord, Record, Recorded
from .cdr_encoding import Encoding, Variables, encode, with_variables
from .clock import Clock, sleep
from .signals import Signal

MOST_KEPT = 5000


@dataclass(frozen=True, kw_only=True)
class CdrOptions:
    """How records are pushed. Seconds; `url` None pushes nothing.

    `delay`: after the end of the call (minutes at the provider, facts 2.1). `duplicate`: every record twice;
    `reverse`: leg 2 first. `same_id`: both records under the CALLID, else leg 2 has an id of its own, and with
    `original_id` names the CALLID in OriginalIvrUniqueID (facts 2.4); call log and push agree in this.
    `encoding`: one object, a one-element array, JSON inside a JSON `string`, `nested` CustomData as JSON text, a
    form, or XML-RPC (facts 2.1, 2.2). `variables`: in CustomData, in CUSTOM_DATA, at the top, or nowhere (facts
    2.5). `ivr_record`: of a call to an IVR, none, one more record, or one instead of the IVR's leg. Until the
    answer is HTTP 200, `attempts` tries with `pause` between the first two and twice as much before each
    further one; each try has `timeout`. Raises ValueError for impossible values.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    url: str | None = None
    delay: float = 0.5
    duplicate: bool = False
    reverse: bool = False
    same_id: bool = False
    original_id: bool = True
    encoding: Encoding = "json"
    variables: Variables = "custom_data"
    ivr_record: IvrRecord = "none"
    attempts: int = 3
    pause: float = 1.0
    timeout: float = 5.0

    def __post_init__(self) -> None:
        for name, kind in (("encoding", Encoding), ("variables", Variables), ("ivr_record", IvrRecord)):
            if getattr(self, name) not in get_args(kind):
                raise ValueError(f"{name} must be one of {', '.join(get_args(kind))}")
        if min(self.delay, self.pause) < 0 or self.timeout <= 0 or not 1 <= self.attempts <= 20:
            raise ValueError("delay and pause must be 0 or more, timeout more than 0, attempts 1 to 20")


@dataclass(frozen=True, kw_only=True)
class Pushed:
    """One try to push one record: the HTTP status that came back, or the error. `at`: epoch seconds."""

    at: float
    call_id: str
    type: str
    attempt: int
    status: int | None
    error: str
    record: Record


class CdrPush:
    """Pushes the records of ended calls in the background; `stop` ends all of it."""

    def __init__(self, options: CdrOptions, clock: Clock, tried: Signal) -> None:
        self.options = options
        self._clock = clock
        self._tried = tried
        self._tasks: set[asyncio.Task[None]] = set()
        self.log: deque[Pushed] = deque(maxlen=MOST_KEPT)

    def call_ended(self, call: Call, recorded: Sequence[Recorded]) -> None:
        """Plan the push of the records of a call that has just ended, as far as its script lets them out."""
        options, send = self.options, call.behaviour.cdr or "both"
        wanted = {"both": {"leg1", "leg2", "ivr"}, "none": set[str]()}.get(send, {send})
        records = [with_variables(one.record, options.variables) for one in recorded if one.leg in wanted]
        if options.url is None or not records:
            return
        if options.reverse:
            records.reverse()
        if options.duplicate:
            records = [record for record in records for _ in range(2)]
        task = asyncio.get_running_loop().create_task(self._push(call.call_id, records, options, options.url))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """Give up everything not yet delivered."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def forget(self) -> None:
        """Give up what is not yet delivered and forget what was."""
        for task in self._tasks:
            task.cancel()
        self.log.clear()

    async def _push(self, call_id: str, records: list[Record], options: CdrOptions, url: str) -> None:
        await sleep(self._clock, options.delay)
        # Making a TLS context costs 20 ms of blocked loop: only when the address needs one.
        async with httpx.AsyncClient(
            timeout=options.timeout, trust_env=False, verify=url.startswith("https:")
        ) as client:
            for record in records:
                await self._deliver(client, call_id, record, options, url)

    async def _deliver(
        self, client: httpx.AsyncClient, call_id: str, record: Record, options: CdrOptions, url: str
    ) -> None:
        body, content_type = encode(record, options.encoding)
        for attempt in range(1, options.attempts + 1):
            status, problem = None, ""
            try:
                async with asyncio.timeout(options.timeout):
                    answer = await client.post(url, content=body, headers={"content-type": content_type})
                status = answer.status_code
            except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
                problem = f"{type(error).__name__}: {error}"
            self.log.append(
                Pushed(
                    at=self._clock.now(),
                    call_id=call_id,
                    type=str(record["type"]),
                    attempt=attempt,
                    status=status,
                    error=problem,
                    record=record,
                )
            )
            self._tried.fire()
            if status == httpx.codes.OK:
                return
            if attempt < options.attempts:
                await sleep(self._clock, options.pause * 2 ** (attempt - 1))
