"""The real service as a child process: `python -m app serve` with a directory and a database of its own."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from pathlib import Path

from bench.books import Books, SqliteBooks
from bench.child import Child
from bench.hangups import CDR_TOKEN
from bench.machine import SERVICE_CORE
from bench.visitors import ORIGIN, PARKED, SITE

AGENTS = 200


class Service(Child):
    """Serves from `folder`, where its configuration, its log and, without other `books`, its SQLite file are."""

    def __init__(
        self,
        folder: Path,
        provider_url: str,
        env: Mapping[str, str],
        *,
        name: str,
        books: Books | None = None,
        cores: Collection[int] = (SERVICE_CORE,),
        migrates: bool = True,
        profile: bool = False,
    ) -> None:
        place = folder / name
        place.mkdir()
        self.books: Books = books or SqliteBooks(place / "bench.db")
        (place / "leadring.toml").write_text(directory(), encoding="utf-8")
        self.profile = place / "profile.txt"
        python = [sys.executable, "-m", "bench.sampler", str(self.profile)] if profile else [sys.executable, "-m"]
        super().__init__(
            [*python, "app", "serve", *(() if migrates else ("--no-migrate",))],
            cores,
            place,
            {
                "LEADRING_DATABASE_URL": self.books.url,
                "LEADRING_VOICENTER_CODE": "bench-account-code",
                "LEADRING_VOICENTER_URL": provider_url,
                "LEADRING_VOICENTER_MONITOR_URL": "",  # nobody but the stub is asked
                "LEADRING_VOICENTER_CALL_LOG_URL": "",
                "LEADRING_VOICENTER_CDR_TOKEN": CDR_TOKEN,
                **env,
            },
            "service",
        )


def directory() -> str:
    """leadring.toml: 200 agents who are always there, no cap in the way, and a site that nobody serves."""
    agents = "".join(
        f'\n[[agents]]\nid = "agent{number}"\nname = "Agent {number}"\nextension = "SIPbench{number}"\n'
        for number in range(AGENTS)
    )
    return f"""
[policy]
timezone = "Asia/Jerusalem"
wrap_up = "0s"
[limits]
per_client = "1000000/minute"
[guards]
cooldown = "off"
calls = "off"
[[sites]]
key = "{SITE}"
name = "Example Ltd"
origins = ["{ORIGIN}"]
skills = []
language = "he"
[[sites]]
key = "{PARKED}"
name = "Nobody's"
origins = ["{ORIGIN}"]
skills = ["nobody"]
language = "he"
{agents}"""
