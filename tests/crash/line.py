"""The line between the service and the provider: it may be down, and it remembers every byte that left."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

PATIENCE = 10.0  # seconds any of its threads may take to end


class Line:
    """`with Line() as line:`; down, as a refused port, until `mend`. `said` is what the service sent so far."""

    def __init__(self) -> None:
        # Bound and not listening: nobody else gets the port, and whoever connects is refused.
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._target = ("", 0)
        self._threads: list[threading.Thread] = []
        self._ends: list[socket.socket] = []
        self.said = bytearray()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def mend(self, target: str) -> None:
        """From here on everything goes through to the server at `target` (http://host:port)."""
        address = urlsplit(target)
        self._target = (address.hostname or "", address.port or 0)
        self._listener.listen(64)
        self._run(self._accept)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the accepting thread; close alone would not
        self._listener.close()
        for end in self._ends:
            _hang_up(end)
        for thread in self._threads:
            thread.join(PATIENCE)

    def _run(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, name="line", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(self._target, timeout=PATIENCE)
            far.settimeout(None)
            self._ends += [near, far]
            self._run(self._carry, near, far, self.said)
            self._run(self._carry, far, near, bytearray())

    def _carry(self, source: socket.socket, sink: socket.socket, memory: bytearray) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                memory += data
                sink.sendall(data)
        _hang_up(source)
        _hang_up(sink)


def _hang_up(end: socket.socket) -> None:
    with suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
    end.close()
