"""`leadring sandbox`: the sandbox by itself, and the settings that point a CRM or a service at it."""

import asyncio
import contextlib
import re
import shlex
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from typing import get_args
from urllib.parse import urlsplit

from .behaviour import Behaviour
from .call_log import CallLogOptions
from .cdr_encoding import Encoding
from .cdr_push import CdrOptions
from .main import create_sandbox
from .server import SandboxServer

# Phones that answer by themselves do so like people: after a few seconds, and they talk for a while.
AUTO = Behaviour(agent="answer", agent_after=3, lead="answer", lead_after=5, talk=30)
_OUR_ROUTE = re.compile(r"/v1/voicenter/cdr/([^/]+)/?$")


class _Alone(SandboxServer):
    """Ends in peace at SIGINT and SIGTERM: uvicorn would raise the signal once more when all is done."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def run_sandbox(
    host: str = "127.0.0.1",
    port: int = 8001,
    *,
    code: str = "sandbox",
    cdr_url: str | None = None,
    extensions: int | Sequence[str] | None = None,
    cdr_delay: float = 0.5,
    cdr_encoding: str = "json",
    cdr_duplicate: bool = False,
    cdr_reverse: bool = False,
    log_delay: float = 1.0,
    auto: bool = False,
) -> int:
    """Serve until SIGINT or SIGTERM; the exit code: 0, or 1 with a sentence when it cannot start.

    `extensions`: how many to make up, or which; None: any extension exists. Delays are seconds. `auto`: phones
    answer by themselves. Port 0 takes any free one.
    """
    try:
        encoding = next((one for one in get_args(Encoding) if one == cdr_encoding), None)
        if encoding is None:
            raise ValueError(f"the encoding must be one of {', '.join(get_args(Encoding))}")
        app = create_sandbox(
            code=code,
            behaviour=AUTO if auto else None,
            extensions=extensions,
            cdr=CdrOptions(
                url=cdr_url, delay=cdr_delay, encoding=encoding, duplicate=cdr_duplicate, reverse=cdr_reverse
            ),
            call_log=CallLogOptions(delay=log_delay),
        )
        listening = _listen(host, port)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"leadring: the sandbox cannot start: {error}\n")
        return 1
    with listening:
        port = listening.getsockname()[1]
        some = [phone.number for phone in app.state.sandbox.phones.extensions()]
        url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        # Only settings on stdout, so that it can be a file; what is for a person goes to stderr.
        sys.stderr.write(welcome(url, some))
        sys.stderr.flush()
        sys.stdout.write(settings(url, code, cdr_url))
        sys.stdout.flush()
        asyncio.run(_Alone(app, host=host, port=port).serve([listening]))
    return 0


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket that names its protocol: by it asyncio sets TCP_NODELAY, and answers leave at once."""
    listening = socket.socket(
        socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP
    )
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen()
    except OSError:
        listening.close()
        raise
    return listening


def settings(url: str, code: str, cdr_url: str | None = None) -> str:
    """The lines that point a service here, NAME=value and nothing else: for a shell or an .env file."""
    values = {
        "CODE": code,
        "URL": f"{url}/ForwardDialer/click2call.aspx",
        "MONITOR_URL": f"{url}/comet/API",
        "EXTENSIONS_URL": f"{url}/Comet/api/GetExtensions",
        "CALL_LOG_URL": f"{url}/hub/cdr/",
    }
    # The service knows its own records by the last word of their address.
    ours = _OUR_ROUTE.search(urlsplit(cdr_url or "").path)
    if ours is not None:
        values["CDR_TOKEN"] = ours[1]
    return "".join(f"LEADRING_VOICENTER_{name}={shlex.quote(value)}\n" for name, value in values.items())


def welcome(url: str, extensions: Sequence[str]) -> str:
    """What a person is told at the start: the page, and some extensions to use."""
    lines = [f"sandbox: the telephones are at {url}/"]
    if extensions:
        more = f" … ({len(extensions)} in all)" if len(extensions) > 5 else ""
        lines.append(f"extensions: {' '.join(extensions[:5])}{more}")
    return "\n".join(lines) + "\n"
