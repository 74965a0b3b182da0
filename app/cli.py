"""The commands. Each reads settings, does one thing, and says what is wrong in words; exit 2 for a mistake."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path
from typing import Annotated, NoReturn, TypeVar

import typer

from app import (
    __version__,
    operations,
    operations_examples,
    operations_forms,
    operations_replay,
    operations_sources,
    operations_switches,
)
from app.clock import SystemClock, to_datetime
from app.directory import Directory, load_directory
from app.directory_reading import nearest
from app.directory_sources import secrets_of_sources
from app.domain import coverage
from app.domain.dialing_window import never_rung
from app.errors import ConfigurationError, StorageUnavailable
from app.operations import read_both
from app.settings import Settings, load_settings, weak_secrets

T = TypeVar("T")
cli = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Leadring answers website leads by telephone.",
)
Host = Annotated[str, typer.Option(help="Address to listen on.")]

cli.add_typer(operations.cli)
cli.add_typer(operations_switches.cli)
cli.add_typer(operations_replay.cli)
cli.add_typer(operations_forms.cli)
operations_sources.cli.command()(operations_forms.learn)
operations_sources.cli.command()(operations_examples.example)
cli.add_typer(operations_sources.cli, name="sources")


def main() -> None:
    """The entry point of `leadring` and `python -m app`."""
    try:
        cli()
    except ConfigurationError as error:
        _mistakes(error.mistakes)
    except StorageUnavailable as error:
        print(f"leadring: {error}", file=sys.stderr)
        raise SystemExit(1) from None


def _mistakes(mistakes: list[str]) -> NoReturn:
    print(f"leadring: {len(mistakes)} mistake{'s' * (len(mistakes) > 1)}:", file=sys.stderr)
    for mistake in mistakes:
        print(f"  - {mistake}", file=sys.stderr)
    raise SystemExit(2)


@cli.command()
def serve(
    host: Host = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8000,
    migrate: Annotated[bool, typer.Option(help="Bring the database's schema up to date first.")] = True,
) -> None:
    """Run the service."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # a reload that comes while it starts is not its end
    from app.log import configure_logging, secrets_of
    from app.main import Options, create_app
    from app.serving import serve_application

    settings, directory = read_both()
    secrets = [*secrets_of(settings), *secrets_of_sources(directory.sources)]
    configure_logging(form=settings.log_format, level=settings.log_level, secrets=secrets)
    for warning in (*weak_secrets(settings), *_silent_calls(settings), *directory.warnings):
        print(f"leadring: {warning}", file=sys.stderr)
    _preflight(settings, migrate)
    app = create_app(settings, directory, Options(migrate=False))
    raise SystemExit(serve_application(app, host, port))


@cli.command()
def sandbox(
    host: Host = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535)] = 8001,
    code: Annotated[str, typer.Option(help="The account code it accepts.")] = "sandbox",
    cdr_url: Annotated[str | None, typer.Option(help="Where it reports calls that are over.")] = None,
    cdr_delay: Annotated[float, typer.Option(min=0, help="Seconds after a call until it is reported.")] = 0.5,
    cdr_encoding: Annotated[str, typer.Option(help="How it is written: json, array, string, form or xml.")] = "json",
    cdr_duplicate: Annotated[bool, typer.Option(help="Report everything twice.")] = False,
    cdr_reverse: Annotated[bool, typer.Option(help="Report leg 2 before leg 1.")] = False,
    log_delay: Annotated[float, typer.Option(min=0, help="Seconds until a call is in the call log.")] = 1.0,
    extensions: Annotated[int | None, typer.Option(min=1, max=5000, help="Make up so many; else any exists.")] = None,
    auto: Annotated[bool, typer.Option(help="The telephones answer by themselves.")] = False,
) -> None:
    """Run a Voicenter that rings nobody (docs/sandbox.md)."""
    from app.sandbox import run_sandbox

    raise SystemExit(
        run_sandbox(
            host,
            port,
            code=code,
            cdr_url=cdr_url,
            extensions=extensions,
            cdr_delay=cdr_delay,
            cdr_encoding=cdr_encoding,
            cdr_duplicate=cdr_duplicate,
            cdr_reverse=cdr_reverse,
            log_delay=log_delay,
            auto=auto,
        )
    )


@cli.command()
def demo(
    host: Host = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65534)] = 8000,
) -> None:
    """Run service and sandbox together, with the example configuration and a temporary database."""
    from app.demo import run_demo

    raise SystemExit(run_demo(host, port))


@cli.command()
def check(
    file: Annotated[Path | None, typer.Argument(help="The directory file; default LEADRING_CONFIG.")] = None,
    online: Annotated[bool, typer.Option("--online", help="Ask Voicenter whether it knows the extensions.")] = False,
) -> None:
    """Read settings and leadring.toml; print every mistake and every hole in the schedule."""
    mistakes: list[str] = []
    settings: Settings | None = None
    directory: Directory | None = None
    try:
        settings = load_settings(need_code=False)
    except ConfigurationError as error:
        mistakes += error.mistakes
    try:
        directory = load_directory(file or (settings.config if settings else Path("leadring.toml")))
    except ConfigurationError as error:
        mistakes += error.mistakes
    if directory is not None:
        _report(directory)
    for warning in (*weak_secrets(settings), *_silent_calls(settings)) if settings is not None else ():
        print(f"warning: {warning}")
    if settings is not None and settings.voicenter_code is None:
        print("note: LEADRING_VOICENTER_CODE is not set; `leadring serve` needs it")
    if mistakes:
        _mistakes(mistakes)
    if online and settings is not None and directory is not None:
        _ask_voicenter(settings, directory)


def _ask_voicenter(settings: Settings, directory: Directory) -> None:
    """Exit 2 when Voicenter does not know an agent's extension, 1 when it could not be asked."""
    from app.online import report

    code = settings.voicenter_code.get_secret_value() if settings.voicenter_code is not None else None
    found = asyncio.run(report(directory, url=settings.voicenter_extensions_url, code=code))
    print("\n".join(found.lines))
    if found.exit_code:
        raise SystemExit(found.exit_code)


def _preflight(settings: Settings, migrate: bool) -> None:
    """The database once before anything is served, so that what is wrong with it is one sentence and an exit."""
    from app.store import migrate as migrations
    from app.store.engine import open_engine

    async def once() -> None:
        engine = open_engine(settings.database_url)
        try:
            await engine.start()
        finally:
            await engine.close()

    if migrate:
        migrations.upgrade(settings.database_url)
    migrations.check(settings.database_url)
    asyncio.run(once())


def _silent_calls(settings: Settings) -> list[str]:
    if settings.voicenter_cdr_token is not None:
        return []
    return [
        "LEADRING_VOICENTER_CDR_TOKEN is not set: how a call went is learned late from the call log, if at all "
        "(docs/voicenter.md)"
    ]


def _report(directory: Directory) -> None:
    enabled = sum(agent.enabled for agent in directory.people)
    print(f"{len(directory.sites)} site(s), {enabled} agent(s) enabled of {len(directory.people)}")
    for warning in directory.warnings:
        print(f"warning: {warning}")
    now = to_datetime(SystemClock().now())
    today = now.date()
    for never in never_rung(directory, now):
        print(f"warning: {never}")
    found = [hole for site in directory.sites.values() for hole in coverage.holes(directory, site, from_=today)]
    for hole in found:
        print(f"hole: {hole}")
    if not found:
        print("no holes: somebody is on shift whenever a site is open")
    for hours in directory.hours.values():
        for eve in coverage.forgotten_eves(hours, from_=today):
            print(f"note: {eve}; holiday_eves gives eves hours of their own")


@cli.command()
def migrate() -> None:
    """Bring the database's schema up to date."""
    from app.store import migrate as migrations

    settings = load_settings(need_code=False)
    migrations.upgrade(settings.database_url)
    print(f"schema {migrations.current_revision(settings.database_url)}")


@cli.command()
def widget(
    url: Annotated[str, typer.Option(help="Where browsers reach the service.")] = "https://leads.example.com",
    site: Annotated[str | None, typer.Option(help="The site's key; of one site it goes without saying.")] = None,
) -> None:
    """Print the tags that embed the widget: the evergreen one, and this exact copy with its integrity."""
    from app.main import STATIC
    from app.web.files import load

    site = _known_site(site)
    asset = load(STATIC / "widget.js")
    base = url.rstrip("/")
    print(f'<script async src="{base}/widget/v1.js" data-site="{site}"></script>')
    print(f'<script async src="{base}/widget/v1.{asset.hash}.js" data-site="{site}"')
    print(f'        integrity="{asset.integrity}" crossorigin="anonymous"></script>')


def _known_site(named: str | None) -> str:
    """The key of a site that there is. Where leadring.toml cannot be read, as it was said, and a word of that."""
    try:
        sites = read_both(need_code=False)[1].sites
    except ConfigurationError as error:
        print(f"leadring: not checked whether there is such a site: {error.mistakes[0]}", file=sys.stderr)
        return named or "main"
    site = named or (next(iter(sites)) if len(sites) == 1 else "main")
    if site not in sites:
        raise ConfigurationError([f"{site}: there is no such site{nearest(site, sites)}; there are {', '.join(sites)}"])
    return site


@cli.command()
def version() -> None:
    """Print the version."""
    print(__version__)
