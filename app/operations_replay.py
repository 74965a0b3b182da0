"""`leadring replay`: the leads of a time that is over against another leadring.toml. Reads, and does nothing else."""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final
from zoneinfo import ZoneInfo

import typer

from app.clock import SystemClock, from_datetime, to_datetime, to_iso
from app.directory import Directory, load_directory
from app.errors import ConfigurationError
from app.moments import read_moment, written
from app.operations import AsJson, no_database
from app.settings import Settings, load_settings

if TYPE_CHECKING:
    from app.domain.past_day import PastDay
    from app.service.replay.words import Column, Report
    from app.store.past_days import LookBack

MOST_LEADS: Final = 100_000
LONGEST_NAME: Final = 15  # of a file, in a column
cli = typer.Typer()


@cli.command()
def replay(
    config: Annotated[Path | None, typer.Option(help="The changed file; default LEADRING_CONFIG alone.")] = None,
    since: Annotated[str | None, typer.Option(help="From then on, ISO 8601 with offset.")] = None,
    until: Annotated[str | None, typer.Option(help="Up to then; default now.")] = None,
    day: Annotated[str | None, typer.Option(help="yesterday (the default), today, or a date.")] = None,
    baseline: Annotated[Path | None, typer.Option(help="To compare with; default LEADRING_CONFIG.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of what has to be drawn.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Replay the leads of a day against a changed leadring.toml, offline: who would be called when, held, or missed."""
    settings, files = _read(config, baseline)
    then = next(iter(files.values()))
    span = _span(since, until, day, then.policy.timezone, SystemClock().now())
    past = asyncio.run(_past(settings, span, list(files.values())))
    if not past.leads:
        zone = ZoneInfo(then.policy.timezone)
        between = f"{written(span[0], zone)} and {written(span[1], zone)} ({zone.key})"
        print(f"leadring: no leads were received between {between}", file=sys.stderr)
        raise SystemExit(1)
    report = _report(past, files, seed)
    if as_json:
        print(json.dumps(_as_json(report), ensure_ascii=False))
        return
    from app.service.replay.words import read_aloud

    print("\n".join(read_aloud(report)))


def _read(config: Path | None, baseline: Path | None) -> tuple[Settings, dict[str, Directory]]:
    """The settings, and the files by the names of their columns: what is compared with, then what it is about.

    ConfigurationError with the mistakes of all of them.
    """
    mistakes: list[str] = []
    try:
        settings = load_settings(need_code=False)
    except ConfigurationError as error:
        settings, mistakes = Settings(), error.mistakes
    paths = [baseline or settings.config, config or settings.config]
    if config is None and baseline is None:
        paths = paths[:1]
    found: list[Directory] = []
    for path in dict.fromkeys(paths):
        try:
            found.append(load_directory(path))
        except ConfigurationError as error:
            mistakes = [*mistakes, *error.mistakes]
    if mistakes:
        raise ConfigurationError(mistakes)
    names = [path.name[-LONGEST_NAME:] for path in paths]
    if len(set(names)) < len(names):
        names = ["baseline", "changed"]
    return settings, dict(zip(names, found if len(found) == len(paths) else found * 2, strict=True))


def _span(since: str | None, until: str | None, day: str | None, timezone: str, now: int) -> tuple[int, int]:
    """From when until when, in ms, and no later than now. ConfigurationError for what is no time, or not yet."""
    if since is None:
        if until is not None:
            raise ConfigurationError(["--until needs --since"])
        start, end = _day(day or "yesterday", ZoneInfo(timezone), now)
    elif day is not None:
        raise ConfigurationError(["--day and --since exclude each other"])
    else:
        start, end = read_moment(since), read_moment(until) if until is not None else now
        if start >= end:
            raise ConfigurationError([f"--since {since} is not before {'--until ' + until if until else 'now'}"])
    if start >= now:
        raise ConfigurationError(["that time has not come yet"])
    return start, min(end, now)


def _day(text: str, zone: ZoneInfo, now: int) -> tuple[int, int]:
    """From midnight to midnight there; on the days the clocks change that is 23 or 25 hours."""
    today = to_datetime(now).astimezone(zone).date()
    named = {"yesterday": today - timedelta(days=1), "today": today}
    try:
        wanted = named[text] if text in named else date.fromisoformat(text)
    except ValueError:
        raise ConfigurationError([f"{text}: give yesterday, today, or a date as 2026-11-26"]) from None
    first, last = (datetime.combine(one, time(), zone) for one in (wanted, wanted + timedelta(days=1)))
    return from_datetime(first), from_datetime(last)


async def _past(settings: Settings, span: tuple[int, int], files: list[Directory]) -> PastDay:
    from app.store import migrate, past_days
    from app.store.read_only import open_read_only

    async with open_read_only(settings.database_url) as reader:
        revision = await reader.read(migrate.read_revision) if reader is not None else None
        if reader is None or revision is None:
            raise no_database(settings)
        migrate.check_revision(revision)
        many = await reader.read(past_days.count, *span)
        if many > MOST_LEADS:
            raise ConfigurationError([f"{many} leads came in that time; replay at most {MOST_LEADS} at once"])
        return await past_days.read_day(reader, *span, lambda start: _look_back(start, span[0], files))


def _look_back(start: int, since: int, files: list[Directory]) -> LookBack:
    """How much of before the rules of these files can ask for; `start`: when the oldest lead came."""
    from app.store.past_days import LookBack

    cool = max((rate.per for file in files for rate in file.guards.cooldown.per_phone), default=0)
    zones = {ZoneInfo(file.policy.timezone) for file in files}
    midnights = [datetime.combine(to_datetime(since).astimezone(zone).date(), time(), zone) for zone in zones]
    return LookBack(
        admitted_since=start - cool * 1000,
        called_since=min(from_datetime(midnight) for midnight in midnights),
        talked_since=start - max(file.policy.sticky for file in files) * 1000,
    )


def _report(past: PastDay, files: dict[str, Directory], seed: int) -> Report:
    from app.service.replay.differences import differences, notes
    from app.service.replay.figures import figures
    from app.service.replay.habits import Habits
    from app.service.replay.record import record
    from app.service.replay.run import replay as run
    from app.service.replay.words import Column, Report
    from app.service.rules import Rules

    then, new = next(iter(files.values())), list(files.values())[-1]
    habits = Habits(past, seed)
    span = (past.since, past.until)
    columns = [Column("record", figures(record(past, Rules(then)), then, *span))]
    for name, file in files.items():
        ledger = run(past, file, habits, deadline_then=then.policy.deadline)
        columns.append(Column(name, figures(ledger, file, *span)))
    compared = differences(columns[-1].figures, columns[-2].figures, new, then) if len(files) > 1 else None
    return Report(
        past,
        then.policy.timezone,
        seed,
        tuple(columns),
        tuple(compared) if compared is not None else None,
        tuple(notes(past, new, habits)),
        habits.lags,
    )


def _as_json(report: Report) -> dict[str, Any]:
    """For a script: moments in ISO 8601, UTC."""
    day = report.day
    record, *baseline, new = report.columns
    return {
        "since": to_iso(day.since),
        "until": to_iso(day.until),
        "timezone": report.timezone,
        "seed": report.seed,
        "leads": {"came_in": len(day.leads), "again": report.again, "open_before": len(day.open_before)},
        "lags_seconds": {name: value / 1000 for name, value in asdict(report.lags).items()},
        "record": _figures(record),
        "baseline": _figures(baseline[0]) if baseline else None,
        "replayed": _figures(new),
        "differences": list(report.differences) if report.differences is not None else None,
        "notes": list(report.notes),
    }


def _figures(column: Column) -> dict[str, Any]:
    found = asdict(column.figures)
    found["longest_queue_at"] = to_iso(column.figures.longest_queue_at)
    for site in found["sites"]:
        site["nobody"] = [[to_iso(moment) for moment in span] for span in site["nobody"]]
    return {"name": column.name, **_rounded({**found, "deadline_share": column.figures.deadline_share})}


def _rounded(value: Any) -> Any:
    """The same with three digits behind the point: what is more than that is no knowledge."""
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, list | tuple) else value
