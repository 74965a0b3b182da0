"""A port of 127.0.0.1 that stays ours while whoever listens on it dies and comes again."""

from __future__ import annotations

import socket


class Port:
    """Bound and never listening: the kernel gives `number` to nobody else, and a server may still take it, because
    servers set SO_REUSEADDR as well."""

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", 0))
        self.number: int = self._socket.getsockname()[1]

    def free(self) -> None:
        """Give it up."""
        self._socket.close()
