"""The calls' ends: some time after a call was placed, the provider reports both of its legs, as two pushes."""

from __future__ import annotations

import asyncio
import json

from bench.client import Pool, Reply, request
from bench.stub import Call

CDR_TOKEN = "bench-cdr-path-token-0123"
_PATH = f"/v1/voicenter/cdr/{CDR_TOKEN}"


class Hangups:
    """Ends every call after `seconds` of talk, both legs answered. `taken` counts pushes answered with 200.

    The pushes go to one port or, in turn, to several: the two of one call to two replicas, too.
    """

    def __init__(self, seconds: float, *ports: int) -> None:
        self.seconds = seconds
        self.taken = 0
        self.refused: list[str] = []
        self.ended: dict[str, asyncio.Future[None]] = {}
        self._pool = Pool(*ports)
        self._tasks: set[asyncio.Task[None]] = set()

    def later(self, call: Call) -> None:
        """What the stub calls for each call that it has placed."""
        asyncio.get_running_loop().call_later(self.seconds, self._start, call)

    def _start(self, call: Call) -> None:
        task = asyncio.get_running_loop().create_task(self._report(call))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _report(self, call: Call) -> None:
        for leg in (1, 2):
            try:
                self._note(await self._pool.ask(request("POST", _PATH, push(call, leg))))
            except (OSError, TimeoutError) as error:
                self.refused.append(type(error).__name__)
        over = self.over(call.lead)
        if not over.done():
            over.set_result(None)

    def over(self, lead: str) -> asyncio.Future[None]:
        """Done when both legs of the lead's call have been reported."""
        if lead not in self.ended:
            self.ended[lead] = asyncio.get_running_loop().create_future()
        return self.ended[lead]

    def _note(self, reply: Reply) -> None:
        if reply.status == 200:
            self.taken += 1
        else:
            self.refused.append(str(reply.status))

    async def close(self) -> None:
        """Drop what is not reported yet."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._pool.close()


def push(
    call: Call, leg: int, status: str = "ANSWER", talk: int = 42, ring: int = 7, *, began: int = 1_790_000_000
) -> bytes:
    """One leg's record (vendor facts 2.2 to 2.5): status, seconds of talk and of ringing, our variables in CustomData.

    `began` is in seconds since the epoch.
    """
    fields = {
        "ivruniqueid": call.call_id,
        "type": f"Click2Call leg{leg}",
        "status": status,
        "caller": call.target if leg == 1 else call.extension,
        "target": call.extension if leg == 1 else call.target,
        "time": began,
        "duration": talk,
        "dialtime": ring,
        "actualCallDuration": talk,
        "actualCallDialtime": ring,
        "isAnswer": int(status == "ANSWER"),
        "direction": "outgoing",
        "extenUser": call.extension,
        "callerPhone": call.target,
        "record": "",
        "price": 0,
        "CustomData": {"var_lead": call.lead, "var_attempt": call.attempt},
    }
    if leg == 2:
        fields["leg1DialStatusName"] = "ANSWER"
    return json.dumps(fields).encode()
