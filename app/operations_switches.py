"""`leadring switch`: stop taking leads, or stop dialling, from beside the service; every replica sees it within 2 s."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Literal
from zoneinfo import ZoneInfo

import typer

from app.clock import to_iso
from app.directory import load_directory
from app.domain.switches import SWITCHES, WHY_LENGTH, Switch, SwitchName
from app.domain.text import clean
from app.errors import ConfigurationError
from app.moments import written
from app.operations import AsJson, with_store
from app.settings import Settings, load_settings

if TYPE_CHECKING:
    from app.store.sql_store import SqlStore

cli = typer.Typer()


@cli.command()
def switch(
    name: Annotated[SwitchName | None, typer.Argument(help="Which one; without it both are shown.")] = None,
    to: Annotated[Literal["on", "off"] | None, typer.Argument(help="How it should stand.")] = None,
    why: Annotated[str, typer.Option(help="The reason, for whoever looks later.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show the switches, or turn one: `taking` leads at all, `dialling` what is taken."""
    if (name is None) != (to is None) or (why and to is None):
        raise ConfigurationError(["say which switch and how it should stand, as in: leadring switch dialling off"])
    settings = load_settings(need_code=False)

    async def do(store: SqlStore) -> Mapping[SwitchName, Switch]:
        if name is None:
            return await store.switches()
        return await store.turn({name: to == "on"}, "operator", clean(why, WHY_LENGTH) or None)

    found = with_store(settings, do)
    if as_json:
        print(
            json.dumps(
                {key: {**asdict(one), "since": to_iso(one.since)} for key, one in found.items()}, ensure_ascii=False
            )
        )
        return
    zone = _zone(settings)
    print(f"{'switch':<10} {'stands':<7} more (times in {zone.key})")
    for key in SWITCHES:
        print(f"{key:<10} {'on' if found[key].on else 'off':<7} {_more(found[key], zone)}".rstrip())


def _zone(settings: Settings) -> ZoneInfo:
    """The policy's clock; UTC where the directory file is away or wrong, which must not keep anybody from a switch."""
    try:
        return ZoneInfo(load_directory(settings.config).policy.timezone)
    except ConfigurationError:
        return ZoneInfo("UTC")


def _more(one: Switch, zone: ZoneInfo) -> str:
    parts = [f"since {written(one.since, zone)}"] if one.since is not None else []
    parts += [f"by {one.who}"] if one.who else []
    parts += [f"({one.why})"] if one.why else []
    return " ".join(parts)
