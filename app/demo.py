"""The demo: service and sandbox side by side in one process."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import uvloop
from pydantic import SecretStr

from app.directory import Directory, load_directory
from app.log import configure_logging, secrets_of
from app.main import Options, create_app
from app.sandbox import SandboxServer, create_sandbox
from app.serving import Server, make_server
from app.settings import Settings

EXAMPLE: Final = Path(__file__).resolve().parent.parent / "leadring.example.toml"
DEMO_CODE: Final = "demo-account-code"
DEMO_CDR_TOKEN: Final = "demo-cdr-path-token"


class _Beside(SandboxServer):
    """The sandbox beside the service: signals are the service's alone."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def run_demo(host: str, port: int) -> int:
    """Service on `port`, sandbox on the next, a database that goes with the process; the exit code."""
    for needed in (port, port + 1):
        if not _is_free(host, needed):
            print(f"leadring: port {needed} on {host} is in use; try: make run PORT={port + 100}", file=sys.stderr)
            return 1
    with tempfile.TemporaryDirectory(prefix="leadring-demo-") as folder:
        settings = demo_settings(Path(folder) / "demo.db", host, port)
        configure_logging(form=None, level="info", secrets=secrets_of(settings))
        directory = demo_directory(load_directory(EXAMPLE), host, port)
        sandbox_url = f"http://{host}:{port + 1}"
        service = make_server(
            create_app(settings, directory, Options(sandbox_url=sandbox_url, presence_apart=0.5)), host, port
        )
        extensions = {agent.extension: agent.name for agent in directory.people}
        sandbox = _Beside(
            create_sandbox(
                code=DEMO_CODE,
                cdr_url=f"http://{host}:{port}/v1/voicenter/cdr/{DEMO_CDR_TOKEN}",
                extensions=extensions,
            ),
            host=host,
            port=port + 1,
        )
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            password = settings.admin_token.get_secret_value() if settings.admin_token else ""
            runner.run(_side_by_side(service, sandbox, f"http://{host}:{port}", password))
    return 0 if service.started else 1


async def _side_by_side(service: Server, sandbox: SandboxServer, home: str, password: str) -> None:
    """Both until the first signal; then the service first, so that its last calls still find the sandbox."""

    demo_page = f"{home}/demo"

    def announce() -> None:
        print(f"\n  The demo is at {demo_page}  (in Hebrew: {demo_page}/he). Ctrl-C ends it.", flush=True)
        print(f"  The form by itself: {home}/f/main · the lines for a website of yours: {home}/embed", flush=True)
        print(f"  The console: {home}/console, with the token {password}\n", flush=True)

    service.on_started = announce
    other = asyncio.create_task(sandbox.serve())
    await service.serve()
    sandbox.stop()
    await other


def demo_settings(database: Path, host: str, port: int) -> Settings:
    """Settings of their own: the demo reads no environment and needs no account."""
    return Settings(
        database_url=f"sqlite:///{database}",
        voicenter_code=SecretStr(DEMO_CODE),
        voicenter_url=f"http://{host}:{port + 1}/ForwardDialer/click2call.aspx",
        voicenter_monitor_url=f"http://{host}:{port + 1}/comet/API",
        voicenter_extensions_url=f"http://{host}:{port + 1}/Comet/api/GetExtensions",
        voicenter_call_log_url=f"http://{host}:{port + 1}/hub/cdr/",
        voicenter_cdr_token=SecretStr(DEMO_CDR_TOKEN),
        admin_token=SecretStr(secrets.token_urlsafe(12)),
    )


def demo_directory(example: Directory, host: str, port: int) -> Directory:
    """The example, made for trying things out: one's own number may be sent again and again."""
    origins = tuple(f"http://{name}:{port}" for name in dict.fromkeys((host, "localhost", "127.0.0.1")))
    guards = replace(example.guards, cooldown=replace(example.guards.cooldown, mode="observe"))
    sites = {key: replace(site, origins=origins) for key, site in example.sites.items()}
    policy = replace(example.policy, wrap_up=5)
    limits = replace(example.limits, per_client="60/minute")
    return replace(example, guards=guards, sites=sites, policy=policy, limits=limits)


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
