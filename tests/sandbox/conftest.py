"""A sandbox for every test: in this loop with time moved by hand, or on a real port."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from app.sandbox import Sandbox, create_sandbox
from app.sandbox.clock import ManualClock
from tests.sandbox_server import RunningSandbox

CALL = {
    "code": "sandbox",
    "action": "call",
    "phone": "SIPdana1",
    "target": "0501234567",
    "format": "json",
    "var_lead": "0192f3",
}
PATH = "/ForwardDialer/click2call.aspx"


class Caller:
    """A client of one sandbox in this event loop."""

    def __init__(self, sandbox: Sandbox, http: httpx.AsyncClient, clock: ManualClock) -> None:
        self.sandbox, self.http, self.clock = sandbox, http, clock

    async def call(self, **params: object) -> dict[str, object]:
        """POST a call as JSON, with some parameters changed, or left out by None; returns the JSON answer."""
        wanted = {name: value for name, value in (CALL | params).items() if value is not None}
        answer = await self.http.post(PATH, json=wanted)
        assert answer.status_code == 200
        body: dict[str, object] = answer.json()
        return body


@pytest.fixture
async def caller() -> AsyncIterator[Caller]:
    """A sandbox whose time stands still until the test moves it."""
    clock = ManualClock()
    app = create_sandbox(clock=clock)
    sandbox: Sandbox = app.state.sandbox
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://sandbox") as http:
        yield Caller(sandbox, http, clock)
    await sandbox.close()


@pytest.fixture
def running() -> Iterator[RunningSandbox]:
    """A sandbox on a real port."""
    with RunningSandbox() as sandbox:
        yield sandbox
