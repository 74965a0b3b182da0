"""Commands for whoever runs it: hours, agents, leads, and a lead's history read aloud."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, TypeVar
from zoneinfo import ZoneInfo

import typer

from app.clock import SystemClock, from_datetime, to_datetime, to_iso
from app.directory import Directory, load_directory
from app.domain import hours as office_hours
from app.domain.phone import mask
from app.errors import ConfigurationError
from app.metrics import Metrics
from app.settings import Settings, load_settings

T = TypeVar("T")
cli = typer.Typer()
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for a script.")]


def read_both(need_code: bool = True) -> tuple[Settings, Directory]:
    """Settings and directory; ConfigurationError with the mistakes of both together."""
    mistakes: list[str] = []
    settings: Settings | None = None
    directory: Directory | None = None
    try:
        settings = load_settings(need_code=need_code)
    except ConfigurationError as error:
        mistakes += error.mistakes
    try:
        directory = load_directory(settings.config if settings else Path("leadring.toml"))
    except ConfigurationError as error:
        mistakes += error.mistakes
    if mistakes or settings is None or directory is None:
        raise ConfigurationError(mistakes)
    return settings, directory


@cli.command()
def hours(
    at: Annotated[str | None, typer.Argument(help="A moment, ISO 8601 with offset; default now.")] = None,
) -> None:
    """Say for every site whether it is open, and until or from when."""
    _, directory = read_both(need_code=False)
    moment = to_datetime(_moment(at) if at else SystemClock().now())
    zone = ZoneInfo(directory.policy.timezone)
    for site in directory.sites.values():
        if site.hours is None:
            print(f"{site.key}: always open")
            continue
        week = directory.hours[site.hours]
        if office_hours.is_open(week, moment):
            until = office_hours.closes_at(week, moment)
            print(f"{site.key}: open" + (f" until {until.astimezone(zone).isoformat()}" if until else ""))
        else:
            opens = office_hours.next_opening(week, moment)
            why = office_hours.why_closed(week, moment)
            print(f"{site.key}: {why}, opens {opens.astimezone(zone).isoformat() if opens else 'never'}")


@cli.command()
def agents(
    pause: Annotated[str | None, typer.Option(help="Send this agent no more calls.")] = None,
    until: Annotated[str | None, typer.Option(help="End of the pause, ISO 8601 with offset.")] = None,
    reason: Annotated[str, typer.Option(help="Why the pause.")] = "",
    resume: Annotated[str | None, typer.Option(help="Calls again, also after a block.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the agents and what they are doing; or pause or resume one."""
    from app.store.sql_store import SqlStore

    settings, directory = read_both(need_code=False)
    named = pause or resume
    if named is not None and named not in directory.agents:
        raise ConfigurationError([f"{named}: there is no such agent; there are {', '.join(directory.agents)}"])
    end = _moment(until) if until else None

    async def look(store: SqlStore) -> list[dict[str, object]]:
        await store.sync_agents(list(directory.agents))
        if pause:
            await store.pause(pause, end, reason)
        if resume:
            await store.resume(resume)
        known = await store.agent_states()
        now = store.clock.now()
        return [
            {
                "id": agent.id,
                "name": agent.name,
                "state": known[agent.id].at(now) if agent.enabled else "disabled",
                "until": to_iso(known[agent.id].paused_until or known[agent.id].until),
                "reason": known[agent.id].pause_reason,
            }
            for agent in directory.agents.values()
        ]

    rows = _with_store(settings, look)
    if as_json:
        print(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        print(f"{row['id']:<20} {row['state']:<10} {row['name']}" + (f"  ({row['reason']})" if row["reason"] else ""))


@cli.command()
def explain(lead: Annotated[str, typer.Argument(help="The lead's id.")], as_json: AsJson = False) -> None:
    """Read a lead's history aloud: what happened, when, why, and what happens next."""
    from app.service import explain as story
    from app.store.sql_store import SqlStore

    settings, directory = read_both(need_code=False)

    async def look(store: SqlStore) -> list[str] | None:
        found = await store.story(lead)
        return story.explain(found, directory) if found else None

    lines = _with_store(settings, look)
    if lines is None:
        print(f"leadring: there is no lead {lead}", file=sys.stderr)
        raise SystemExit(1)
    print(json.dumps(lines, ensure_ascii=False) if as_json else "\n".join(lines))


@cli.command()
def terminate(
    extension: Annotated[str, typer.Argument(help="The extension whose call is to end.")],
    force: Annotated[bool, typer.Option(help="Also when the call is not known to be one of ours.")] = False,
) -> None:
    """Hang up what is on an extension, after looking that it is one of our calls."""
    from app.log import configure_logging, secrets_of
    from app.provider import open_dialler, open_line
    from app.service.hanging_up import Done, HangingUp
    from app.store.sql_store import SqlStore

    settings = load_settings()
    configure_logging(form=settings.log_format, level="error", secrets=secrets_of(settings))

    async def end(store: SqlStore) -> Done:
        dialler = open_dialler(settings, Metrics())
        line = open_line(settings, Metrics()) if settings.voicenter_monitor_url else None
        try:
            return await HangingUp(store, dialler, line).hang_up(extension, force=force, who="operator")
        finally:
            await dialler.close()
            if line is not None:
                await line.close()

    done = _with_store(settings, end)
    print(f"{extension}: {done.message}")
    raise SystemExit(0 if done.result == "hung_up" else 1)


def _moment(text: str) -> int:
    try:
        return from_datetime(datetime.fromisoformat(text))
    except ValueError:
        raise ConfigurationError([f"{text}: give date and time with an offset, as 2026-11-23T09:00+02:00"]) from None


@cli.command()
def leads(
    state: Annotated[list[str] | None, typer.Option(help="Only these states; may be repeated.")] = None,
    most: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    release: Annotated[str | None, typer.Option(help="Let this held lead be dialled now.")] = None,
    phones: Annotated[bool, typer.Option(help="Show whole telephone numbers, for calling by hand.")] = False,
    as_json: AsJson = False,
) -> None:
    """List leads, newest first; or release a held one."""
    from app.domain.states import LEAD_STATES
    from app.store.sql_store import SqlStore

    settings, directory = read_both(need_code=False)
    wrong = [name for name in state or () if name not in LEAD_STATES]
    if wrong:
        raise ConfigurationError(
            [f"{name} is no state of a lead; there are {', '.join(LEAD_STATES)}" for name in wrong]
        )
    if release:

        async def let_go(store: SqlStore) -> str | None:
            until = store.clock.now() + directory.policy.expire_after * 1000
            return await store.release(release, "operator", until)

        after = _with_store(settings, let_go)
        print(f"{release}: {after}" if after else f"{release}: there is no such lead")
        raise SystemExit(0 if after == "waiting" else 1)

    async def look(store: SqlStore) -> list[dict[str, object]]:
        found = await store.leads(state or (), most)
        return [
            {
                **asdict(lead),
                "phone": lead.phone if phones else mask(lead.phone),
                **{name: to_iso(getattr(lead, name)) for name in ("received_at", "due_at", "expires_at", "ended_at")},
            }
            for lead in found
        ]

    rows = _with_store(settings, look)
    if as_json:
        print(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        why = f" ({row['reason']})" if row["reason"] else ""
        who = f"{row['phone']:<16} {row['name']}".rstrip()
        print(f"{row['id']}  {row['received_at']}  {row['site']:<12} {row['state']}{why}  {who}")


def _with_store(settings: Settings, work: Callable[..., Awaitable[T]]) -> T:
    from app.store import migrate as migrations
    from app.store.engine import open_engine
    from app.store.sql_store import SqlStore

    async def run() -> T:
        engine = open_engine(settings.database_url, allow_shared=True)
        await engine.start()
        try:
            return await work(SqlStore(engine))
        finally:
            await engine.close()

    migrations.check(settings.database_url)
    return asyncio.run(run())
