"""`leadring sources`: the form builders whose webhooks are taken, what they brought, and reading it again.

Works beside a running service, as `leadring switch` does: it has the database, and dials nobody.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar
from zoneinfo import ZoneInfo

import typer

from app.clock import SystemClock, to_iso
from app.directory import Directory, Source
from app.directory_reading import nearest, parse_duration
from app.domain.deliveries import VERDICTS, Delivery, SourceCounts
from app.errors import ConfigurationError
from app.moments import read_moment, written
from app.operations import AsJson, read_both, with_store
from app.settings import Settings

if TYPE_CHECKING:
    from app.service.deliveries import Deliveries
    from app.service.redelivery import Redelivered
    from app.store.sql_store import SqlStore

T = TypeVar("T")
SHOWN: Final = 4  # characters of a token that are shown: enough to tell two apart
Named = Annotated[str, typer.Argument(help="The source's name in leadring.toml.")]
Since = Annotated[str | None, typer.Option(help="Received since: 2h, 3d, or ISO 8601 with offset.")]
cli = typer.Typer(no_args_is_help=True, help="The form builders whose webhooks are taken, and what they brought.")


@cli.command("list")
def list_sources(as_json: AsJson = False) -> None:
    """List the sources: what sends, for which site, to which address, when last, and what became of it."""
    settings, directory = read_both(need_code=False)

    async def look(store: SqlStore) -> list[SourceCounts]:
        return await store.delivery_counts()

    counts = {one.source: one for one in with_store(settings, look)}
    if as_json:
        print(json.dumps([_row(one, counts, settings) for one in directory.sources.values()], ensure_ascii=False))
        return
    zone = ZoneInfo(directory.policy.timezone)
    print(f"{'source':<20} {'preset':<11} {'site':<12} {'last delivery':<19}  what came (times in {zone.key})")
    for source in directory.sources.values():
        known = counts.get(source.key)
        last = written(known.last_at, zone) if known else "never"
        came = ", ".join(f"{verdict} {many}" for verdict, many in _ordered(known.verdicts)) if known else ""
        print(f"{source.key:<20} {source.preset:<11} {source.site:<12} {last:<19}  {came}".rstrip())
        print(f"{'':<20} {_address(source, settings)}")


@cli.command()
def deliveries(
    source: Named,
    since: Since = None,
    verdict: Annotated[list[str] | None, typer.Option(help="Only these; may be repeated.")] = None,
    most: Annotated[int, typer.Option(min=1, max=10_000)] = 50,
    as_json: AsJson = False,
) -> None:
    """List what a source brought, newest first: what became of it, why, and which fields are in it. No values."""
    settings, directory = read_both(need_code=False)
    named = _source(directory, source)
    wrong = [one for one in verdict or () if one not in VERDICTS]
    if wrong:
        raise ConfigurationError([f"{one} is no verdict; there are {', '.join(VERDICTS)}" for one in wrong])
    start = _since(since)

    async def look(store: SqlStore) -> list[tuple[Delivery, list[str]]]:
        house = await _house(store, settings, directory)
        found = await store.deliveries(named.key, start, verdict or (), most)
        return [(one, _fields(house, named, one)) for one in found]

    found = _quietly(lambda: with_store(settings, look))
    if as_json:
        print(json.dumps([_told(one, fields) for one, fields in found], ensure_ascii=False))
        return
    zone = ZoneInfo(directory.policy.timezone)
    print(f"{'delivery':<36}  {'received':<19}  {'verdict':<12} more (times in {zone.key})")
    for one, fields in found:
        more = [f"lead {one.lead_id}"] if one.lead_id else []
        more += [one.why] if one.why else []
        more += [f"came {one.repeats + 1} times"] if one.repeats else []
        more += [f"has: {', '.join(fields)}"] if fields else ["the body is not kept"] if one.body is None else []
        print(f"{one.id}  {written(one.received_at, zone)}  {one.verdict:<12} {'; '.join(more)}".rstrip())


@cli.command()
def body(delivery: Annotated[str, typer.Argument(help="The delivery's id.")]) -> None:
    """Print the body of a delivery as it came, with everything that is in it: to be tried with `leadring map -`."""
    settings, directory = read_both(need_code=False)

    async def look(store: SqlStore) -> bytes | None:
        found = await store.delivery(delivery)
        return (await _house(store, settings, directory)).body_of(found) if found is not None else None

    content = with_store(settings, look)
    if content is None:
        print(f"leadring: no body is kept of {delivery}", file=sys.stderr)
        raise SystemExit(1)
    sys.stdout.buffer.write(content)
    sys.stdout.flush()


@cli.command()
def replay(
    source: Named,
    since: Since = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would become of them, and store nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Read what became no lead again, with the file as it is now, and submit it. What is old becomes a held lead."""
    settings, directory = read_both(need_code=False)
    named = _source(directory, source)
    start = _since(since)

    async def again(store: SqlStore) -> list[Redelivered]:
        from app.service.redelivery import replay as read_again

        house = await _house(store, settings, directory)
        ids = await store.replayable_deliveries(named.key, start)
        return [one async for one in read_again(house, named, ids, dry_run=dry_run)]

    found = _quietly(lambda: with_store(settings, again))
    if as_json:
        rows = [{"delivery": one.delivery.id, "was": one.delivery.verdict, "is": one.verdict, "phone": one.phone,
                 "why": one.why or None} for one in found]  # fmt: skip
        print(json.dumps(rows, ensure_ascii=False))
        return
    for one in found:
        print(f"{one.delivery.id}  {one.delivery.verdict} → {one.verdict}  {one.phone}  {one.why}".rstrip())
    made = sum(one.verdict in ("lead", "duplicate") for one in found)
    print(f"{len(found)} read again, {made} {'would become' if dry_run else 'became'} leads or joined one")


async def _house(store: SqlStore, settings: Settings, directory: Directory) -> Deliveries:
    """The service's way from a delivery to a lead, with nobody behind it who dials: the running service does."""
    from app.metrics import Metrics
    from app.service.deliveries import Deliveries
    from app.service.hub import Hub
    from app.service.intake import Intake
    from app.service.rules import Rules
    from app.service.sealing import Seal
    from app.service.slots import Slots
    from app.service.switches import Switches
    from app.service.tokens import Tokens

    secret = settings.secret_key.get_secret_value() if settings.secret_key else await store.secret_key()
    rules, metrics, tokens = Rules(directory), Metrics(), Tokens(secret)
    switches = Switches(store, metrics)
    await switches.look()
    intake = Intake(store, rules, _Nobody(), Hub(), tokens, metrics, switches, Slots(store, rules))
    return Deliveries(store, rules, intake, tokens, Seal(secret), metrics)


class _Nobody:
    """Dials nothing."""

    def wake(self) -> None:
        """The running service looks every second."""

    async def claimed_now(self) -> set[str]:
        return set()


def _quietly(work: Callable[[], T]) -> T:
    """With the service's own log at errors: what it says is for the service's log, and this prints a table."""
    from app.log import configure_logging

    configure_logging(level="error")
    return work()


def _source(directory: Directory, name: str) -> Source:
    source = directory.sources.get(name)
    if source is None:
        known = ", ".join(directory.sources) or "none"
        raise ConfigurationError(
            [f"{name}: there is no such source{nearest(name, directory.sources)}; there are {known}"]
        )
    return source


def _since(text: str | None) -> int:
    """Milliseconds; the beginning of time where nothing is said."""
    if text is None:
        return 0
    try:
        return SystemClock().now() - parse_duration(text) * 1000
    except ValueError:
        return read_moment(text)


def _fields(house: Deliveries, source: Source, delivery: Delivery) -> list[str]:
    """What the fields of the body are called: ours as ours, the others as the form calls them."""
    content = house.body_of(delivery)
    mapped = house.read(source, delivery.content_type, content).mapped if content is not None else None
    return [*mapped.fields, *(f'"{name}"' for name in mapped.extra)] if mapped is not None else []


def _ordered(verdicts: Mapping[str, int]) -> Sequence[tuple[str, int]]:
    return sorted(verdicts.items(), key=lambda one: VERDICTS.index(one[0]))


def _address(source: Source, settings: Settings) -> str:
    """Where the builder sends to, with as much of the token as tells it from another one."""
    base = (settings.public_url or "https://<where the service is>").rstrip("/")
    return f"{base}/v1/hooks/{source.key}/{source.tokens[0][:SHOWN]}…"


def _row(source: Source, counts: Mapping[str, SourceCounts], settings: Settings) -> dict[str, Any]:
    known = counts.get(source.key)
    return {
        "source": source.key,
        "preset": source.preset,
        "site": source.site,
        "address": _address(source, settings),
        "last_delivery_at": to_iso(known.last_at if known else None),
        "verdicts": dict(_ordered(known.verdicts)) if known else {},
    }


def _told(one: Delivery, fields: list[str]) -> dict[str, Any]:
    kept = asdict(one)
    row = {key: kept[key] for key in ("id", "source", "content_type", "verdict", "why", "lead_id", "repeats")}
    return row | {"received_at": to_iso(one.received_at), "body_kept": one.body is not None, "fields": fields}
