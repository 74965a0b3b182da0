"""Commands for whoever runs it: hours, agents, leads, and a lead's history read aloud."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar
from zoneinfo import ZoneInfo

import typer

from app import operations_agents
from app.clock import SystemClock, from_datetime, to_datetime, to_iso
from app.directory import Directory, load_directory
from app.domain import hours as office_hours
from app.domain.dialing_window import window_of
from app.domain.phone import PhoneRefused, country_of, mask, read_phone
from app.errors import ConfigurationError
from app.metrics import Metrics
from app.moments import read_end, read_moment, written
from app.settings import Settings, load_settings

if TYPE_CHECKING:
    from app.domain.lead import Lead
    from app.store.sql_store import SqlStore

T = TypeVar("T")
LEAST_OF_ID = 6  # letters of a lead's id that may stand for it
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
    phone: Annotated[str | None, typer.Option(help="Say, too, when this number may be rung.")] = None,
) -> None:
    """Say for every site whether it is open, and until or from when; and when a number may be rung."""
    _, directory = read_both(need_code=False)
    moment = to_datetime(read_moment(at) if at else SystemClock().now())
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
    if phone is not None:
        print("\n".join(_when_rung(phone, directory, moment)))


def _when_rung(text: str, directory: Directory, at: datetime) -> Iterator[str]:
    """By whose clocks a number is taken, and for every site the next moment, from `at` on, to ring it."""
    from app.service.rules import Rules

    try:
        number = read_phone(text, directory.policy.default_country).e164
    except PhoneRefused as refused:
        raise ConfigurationError([f"{text}: {refused.reason}"]) from None
    rules, window, country = Rules(directory), window_of(directory), country_of(number)
    if window is None:
        yield f"{mask(number)}: there is no dialing window; it may be rung whenever a site is open"
        return
    first, *others = window.clocks(country)
    clocks = f"all {len(others) + 1} time zones of {country}" if others else first
    yield f"{mask(number)}: a number of {country or 'no country'}, by the clock of {clocks}"
    for site in directory.sites:
        due = rules.next_ring(site, number, from_datetime(at))
        if due is None:
            yield f"{site}: may never ring it: the site is not open while its dialing window is"
        elif due == from_datetime(at):
            yield f"{site}: may ring it"
        else:
            when = to_datetime(due).astimezone(ZoneInfo(directory.policy.timezone))
            yield f"{site}: may ring it from {when.isoformat()}"


@cli.command()
def agents(
    pause: Annotated[str | None, typer.Option(help="Send this agent no more calls.")] = None,
    until: Annotated[str | None, typer.Option(help="End of the pause: 18:00, 2h, or ISO 8601 with offset.")] = None,
    reason: Annotated[str, typer.Option(help="Why the pause.")] = "",
    resume: Annotated[str | None, typer.Option(help="Calls again, also after a block.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the agents and what they are doing; or pause or resume one."""

    settings, directory = read_both(need_code=False)
    named = pause or resume
    if named is not None and named not in directory.agents:
        raise ConfigurationError([f"{named}: there is no such agent; there are {', '.join(directory.agents)}"])
    end = read_end(until, SystemClock().now(), ZoneInfo(directory.policy.timezone)) if until else None

    async def look(store: SqlStore) -> list[str]:
        await store.sync_agents(list(directory.agents))
        if pause:
            await store.pause(pause, end, reason)
        if resume:
            await store.resume(resume)
        known = await store.agent_states()
        now = store.clock.now()
        if as_json:
            return [json.dumps(operations_agents.rows(directory, known, now), ensure_ascii=False)]
        return list(operations_agents.table(directory, known, await store.open_calls(), now))

    print("\n".join(with_store(settings, look)))


@cli.command()
def explain(
    lead: Annotated[str, typer.Argument(help="The lead's id, or how it begins.")], for_script: AsJson = False
) -> None:
    """Explain a lead: what happened, why this agent and none of the others, what happens next, when, and why then."""
    from app.service.explain import look_up
    from app.service.explanation import Explanation, aloud, as_json
    from app.service.rules import Rules

    settings, directory = read_both(need_code=False)

    async def look(store: SqlStore) -> Explanation | None:
        return await look_up(store, Rules(directory), await _whole_id(store, lead))

    found = with_store(settings, look)
    if found is None:
        print(f"leadring: there is no lead {lead}", file=sys.stderr)
        raise SystemExit(1)
    if for_script:
        print(json.dumps(as_json(found), ensure_ascii=False))
    else:
        print("\n".join(aloud(found, directory.policy.timezone)))


@cli.command()
def terminate(
    extension: Annotated[str, typer.Argument(help="The extension whose call is to end.")],
    force: Annotated[bool, typer.Option(help="Also when the call is not known to be one of ours.")] = False,
) -> None:
    """Hang up what is on an extension, after looking that it is one of our calls."""
    from app.log import configure_logging, secrets_of
    from app.provider import open_dialler, open_line
    from app.service.hanging_up import Done, HangingUp

    settings = load_settings()
    if not force:
        _look_up(extension, settings)
    configure_logging(form=settings.log_format, level="error", secrets=secrets_of(settings))

    async def end(store: SqlStore) -> Done:
        dialler = open_dialler(settings, Metrics())
        line = open_line(settings, Metrics()) if settings.voicenter_monitor_url else None
        try:
            hanging_up = HangingUp(store, dialler, line, trouble=lambda: line.trouble if line is not None else None)
            return await hanging_up.hang_up(extension, force=force, who="operator")
        finally:
            await dialler.close()
            if line is not None:
                await line.close()

    done = with_store(settings, end)
    print(f"{extension}: {done.message}")
    raise SystemExit(0 if done.result == "hung_up" else 1)


def _look_up(extension: str, settings: Settings) -> None:
    """ConfigurationError where something else was meant. Without a readable file anything may be an extension."""
    try:
        directory = load_directory(settings.config)
    except ConfigurationError:
        return
    known = [agent.extension for agent in directory.agents.values()]
    if extension in known:
        return
    if agent := directory.agents.get(extension):
        raise ConfigurationError([f"{extension} is an agent; the extension is {agent.extension}"])
    for other in known:
        if other.lower() == extension.lower():
            raise ConfigurationError([f"{extension} is not in the file; {other} is: capital and small letters count"])


@cli.command()
def leads(
    state: Annotated[list[str] | None, typer.Option(help="Only these states; may be repeated.")] = None,
    most: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    release: Annotated[
        str | None, typer.Option(help="Let this held lead be dialled now; its id, or how it begins.")
    ] = None,
    phones: Annotated[bool, typer.Option(help="Show whole telephone numbers, for calling by hand.")] = False,
    as_json: AsJson = False,
) -> None:
    """List leads, newest first; or release a held one."""
    from app.domain.states import LEAD_STATES
    from app.service.rules import Rules

    settings, directory = read_both(need_code=False)
    wrong = [name for name in state or () if name not in LEAD_STATES]
    if wrong:
        raise ConfigurationError(
            [f"{name} is no state of a lead; there are {', '.join(LEAD_STATES)}" for name in wrong]
        )
    if release:

        async def let_go(store: SqlStore) -> tuple[str, str | None]:
            whole = await _whole_id(store, release)
            return whole, await store.release(whole, "operator", Rules(directory).term(store.clock.now()))

        whole, after = with_store(settings, let_go)
        print(f"{whole}: {after}" if after else f"{release}: there is no such lead")
        raise SystemExit(0 if after == "waiting" else 1)

    async def look(store: SqlStore) -> list[Lead]:
        return await store.leads(state or (), most)

    found = with_store(settings, look)
    shown = {lead.id: lead.phone if phones else mask(lead.phone) for lead in found}
    if as_json:
        moments = ("received_at", "due_at", "expires_at", "deadline_at", "promised_at", "ended_at")
        rows = [
            {**asdict(lead), "phone": shown[lead.id], **{name: to_iso(getattr(lead, name)) for name in moments}}
            for lead in found
        ]
        print(json.dumps(rows, ensure_ascii=False))
        return
    zone = ZoneInfo(directory.policy.timezone)
    print(f"{'id':<36}  {'received':<19}  {'site':<12} {'state':<24} {'phone':<16} name (times in {zone.key})")
    for lead in found:
        stands = lead.state + (f" ({lead.reason})" if lead.reason else "")
        row = f"{lead.id}  {written(lead.received_at, zone)}  {lead.site:<12} {stands:<24} {shown[lead.id]:<16}"
        print(f"{row} {lead.name}".rstrip())


async def _whole_id(store: SqlStore, given: str) -> str:
    """The one id that begins like this; `given` where there is none. ConfigurationError where there are several."""
    if len(given) < LEAST_OF_ID:
        return given
    found = await store.leads_begun(given)
    if len(found) > 1:
        raise ConfigurationError([f"{given}: several leads begin like this; give more of it"])
    return found[0] if found else given


def with_store(settings: Settings, work: Callable[..., Awaitable[T]]) -> T:
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

    revision = migrations.current_revision(settings.database_url)
    if revision is None:
        raise no_database(settings)
    migrations.check_revision(revision)
    return asyncio.run(run())


def no_database(settings: Settings) -> ConfigurationError:
    """What to say where nothing has been stored yet."""
    # Where nothing names a database, another shell may have named the one that is meant.
    aside = "" if "database_url" in settings.model_fields_set else " (LEADRING_DATABASE_URL is not set here)"
    return ConfigurationError([f"no database yet{aside}; `leadring serve` makes it"])
