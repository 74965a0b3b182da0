"""A sandbox on a loopback port, served by a thread with an event loop of its own."""

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine
from dataclasses import replace
from types import TracebackType
from typing import Any, Self, TypeVar

from app.sandbox import Behaviour, CallLogOptions, CdrOptions, Sandbox, SandboxServer, create_sandbox
from app.sandbox.control import Deed, do_with_phone
from app.sandbox.engine import OutsideState
from app.sandbox.phones import Extensions

T = TypeVar("T")
_LONGEST_START = 10.0


class RunningSandbox:
    """`with RunningSandbox() as sandbox:` or start()/stop(); every accessor may be called from any thread.

    `url` is the base address, `click2call_url` the provider's, `monitor_url` the base of the active calls API
    (as the provider's monitor URL setting), `extensions_url` the roster's, `call_log_url` the call log's. Keyword
    arguments are create_sandbox's.
    """

    def __init__(
        self,
        *,
        code: str = "sandbox",
        cdr_url: str | None = None,
        behaviour: Behaviour | None = None,
        extensions: Extensions | None = None,
        cdr: CdrOptions | None = None,
        call_log: CallLogOptions | None = None,
    ) -> None:
        self.code = code
        # Tests wait for records: they come at once, to the log as well, unless a test wants otherwise.
        options = cdr or CdrOptions(delay=0.02, pause=0.05, timeout=2.0)
        self._app = create_sandbox(
            code=code,
            cdr_url=cdr_url,
            behaviour=behaviour,
            extensions=extensions,
            cdr=options,
            call_log=call_log or CallLogOptions(delay=0),
        )
        self._sandbox: Sandbox = self._app.state.sandbox
        self._socket: socket.socket | None = None
        self._server: SandboxServer | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self.url = ""

    @property
    def click2call_url(self) -> str:
        return f"{self.url}/ForwardDialer/click2call.aspx"

    @property
    def monitor_url(self) -> str:
        return f"{self.url}/comet/API"

    @property
    def extensions_url(self) -> str:
        return f"{self.url}/Comet/api/GetExtensions"

    @property
    def call_log_url(self) -> str:
        return f"{self.url}/hub/cdr/"

    @property
    def extensions(self) -> list[str]:
        """The SIP codes of the account, in the roster's order."""
        return self._on_loop(lambda: [phone.number for phone in self._sandbox.phones.extensions()])

    def start(self) -> Self:
        """Serve on a free port; returns when requests are accepted."""
        # The protocol is named so that answers leave at once (asyncio sets TCP_NODELAY by it).
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.listen(512)
        port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self._server = SandboxServer(self._app, port=port)
        ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, args=(ready,), name="sandbox", daemon=True)
        self._thread.start()
        if not ready.wait(_LONGEST_START):
            raise TimeoutError("the sandbox did not start")
        return self

    def stop(self) -> None:
        """Let go of everything that hangs, close all connections and join the thread."""
        if self._loop is None or self._thread is None or self._server is None:
            return
        server = self._server
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(server.stop)
        self._thread.join(_LONGEST_START)
        if self._thread.is_alive():
            raise TimeoutError("the sandbox did not stop")
        self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def requests(self, api: str | None = "click2call") -> list[dict[str, Any]]:
        """What came in, oldest first; `api` None for everything, or active_calls, roster, call_log."""
        return self._on_loop(lambda: [one.as_json() for one in self._sandbox.requests(api)])

    def calls(self) -> list[dict[str, Any]]:
        """All calls, oldest first, as GET /sandbox/calls shows them."""
        return self._on_loop(lambda: [call.as_json() for call in self._sandbox.calls])

    def cdr_log(self) -> list[dict[str, Any]]:
        """Every try to push a record."""
        return self._on_loop(lambda: [vars(one) for one in self._sandbox.cdr.log])

    def wait_for_requests(self, n: int, timeout: float = 10, api: str | None = "click2call") -> list[dict[str, Any]]:
        """Block until `n` requests came in; raises TimeoutError."""
        found = self._run(lambda: self._sandbox.wait_for_requests(n, timeout, api), timeout)
        return [one.as_json() for one in found]

    def wait_for_calls_ended(self, n: int, timeout: float = 10) -> list[dict[str, Any]]:
        """Block until `n` calls are over; raises TimeoutError."""
        found = self._run(lambda: self._sandbox.wait_for_calls_ended(n, timeout), timeout)
        return [call.as_json() for call in found]

    def wait_for_ringing(self, number: str, timeout: float = 10) -> dict[str, Any]:
        """Block until that phone rings; returns the call; raises TimeoutError."""
        return self._run(lambda: self._ringing(number, timeout), timeout)

    def wait_for_cdr(self, n: int, timeout: float = 10) -> list[dict[str, Any]]:
        """Block until `n` tries to push a record were made; raises TimeoutError."""
        found = self._run(lambda: self._sandbox.wait_for_cdr(n, timeout), timeout)
        return [vars(one) for one in found]

    def set_behaviour(self, key: str, **script: Any) -> None:
        """Script an extension, a number, `*`, or a list (`active_calls`, `roster`, `call_log`): Behaviour's fields."""
        behaviour = Behaviour(**script)
        self._on_loop(lambda: self._sandbox.set_behaviour(key, behaviour))

    def clear_behaviour(self, key: str | None = None) -> None:
        """Forget one script or all, and let go of hanging requests."""
        self._on_loop(lambda: self._sandbox.clear_behaviour(key))

    def set_cdr(self, **options: Any) -> None:
        """Change some options of the CDR push, such as `url`; see app.sandbox.CdrOptions."""

        def change() -> None:
            self._sandbox.cdr.options = replace(self._sandbox.cdr.options, **options)

        self._on_loop(change)

    def set_call_log(self, **options: Any) -> None:
        """Change some options of the call log, such as `delay`; see app.sandbox.CallLogOptions."""

        def change() -> None:
            self._sandbox.call_log.options = replace(self._sandbox.call_log.options, **options)

        self._on_loop(change)

    def busy(self, extension: str, phone: str = "0722776700", state: OutsideState = "talking") -> dict[str, Any]:
        """Put the agent on a call of somebody else; raises CannotError when one of the two is in a call."""
        return self._on_loop(lambda: self._sandbox.busy(extension, phone, state).as_json())

    def free(self, extension: str) -> dict[str, Any]:
        """End the call of somebody else; raises CannotError when there is none."""
        return self._on_loop(lambda: self._sandbox.free(extension).as_json())

    def login(self, extension: str, status: int) -> None:
        """Set an agent's onlineUserStatus: 1 Login, 2 Logout, 3 Lunch … (facts 3.2)."""
        self._on_loop(lambda: self._sandbox.login(extension, status))

    def clear(self) -> None:
        """As new: no calls, requests, scripts; phones online; CDR options of the start."""
        self._on_loop(self._sandbox.reset)

    def phone(self, number: str) -> "PhoneInHand":
        """A telephone to pick up."""
        return PhoneInHand(number, self)

    def use_phone(self, number: str, deed: Deed) -> None:
        """One deed on one phone; raises CannotError when its state does not allow it."""
        self._on_loop(lambda: do_with_phone(self._sandbox, number, deed))

    async def _ringing(self, number: str, timeout: float) -> dict[str, Any]:  # noqa: ASYNC109
        engine = self._sandbox.engine
        await self._sandbox.wait_until(lambda: engine.is_ringing(number), timeout)
        call = engine.live_call(number)
        assert call is not None
        return call.as_json()

    def _serve(self, ready: threading.Event) -> None:
        with asyncio.Runner() as runner:
            self._loop = runner.get_loop()
            assert self._server is not None
            assert self._socket is not None
            self._loop.call_soon(ready.set)
            try:
                runner.run(self._server.serve([self._socket]))
            finally:
                self._socket.close()

    def _on_loop(self, do: Callable[[], T]) -> T:
        async def run() -> T:
            return do()

        return self._run(run, 5)

    def _run(self, make: Callable[[], Coroutine[Any, Any, T]], timeout: float) -> T:
        if self._loop is None or self._thread is None:
            raise RuntimeError("the sandbox is not running")
        return asyncio.run_coroutine_threadsafe(make(), self._loop).result(timeout + 5)


class PhoneInHand:
    """One virtual telephone; waits up to `timeout` seconds until the deed is possible."""

    def __init__(self, number: str, sandbox: RunningSandbox) -> None:
        self._number = number
        self._sandbox = sandbox

    def answer(self, timeout: float = 10) -> None:
        self._sandbox.wait_for_ringing(self._number, timeout)
        self._sandbox.use_phone(self._number, "answer")

    def decline(self, timeout: float = 10) -> None:
        self._sandbox.wait_for_ringing(self._number, timeout)
        self._sandbox.use_phone(self._number, "decline")

    def hold(self) -> None:
        self._sandbox.use_phone(self._number, "hold")

    def resume(self) -> None:
        self._sandbox.use_phone(self._number, "resume")

    def hangup(self) -> None:
        self._sandbox.use_phone(self._number, "hangup")

    def offline(self) -> None:
        self._sandbox.use_phone(self._number, "offline")

    def online(self) -> None:
        self._sandbox.use_phone(self._number, "online")
