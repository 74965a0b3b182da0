"""The schema: what the migrations make is what app/store/tables.py says, and a wrong one is refused."""

from __future__ import annotations

import asyncio
import logging
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from app.errors import ConfigurationError, StorageUnavailable
from app.store import migrate
from app.store.engine import Engine, open_engine
from app.store.tables import metadata
from tests.servers import PostgresServer, free_port

_SQLITE_SCHEMA = text(
    "SELECT type, name, sql FROM sqlite_master WHERE tbl_name <> 'alembic_version' AND sql IS NOT NULL ORDER BY 1, 2"
)
_POSTGRES_SCHEMA = (
    text(
        "SELECT table_name, column_name, data_type, is_nullable, column_default, is_identity FROM "
        "information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version' ORDER BY 1, 2"
    ),
    text(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> 'alembic_version' ORDER BY 1, 2"
    ),
    text(
        "SELECT tablename, indexname, indexdef FROM pg_indexes "
        "WHERE schemaname = 'public' AND tablename <> 'alembic_version' ORDER BY 1, 2"
    ),
)


def schema(conn: Connection) -> list[tuple[str, ...]]:
    """Every table, column, CHECK, key and (partial) index, as the database itself words it."""
    if conn.dialect.name == "postgresql":
        return [tuple(str(part) for part in row) for query in _POSTGRES_SCHEMA for row in conn.execute(query)]
    return [(row.type, row.name, *_parts(row.sql)) for row in conn.execute(_SQLITE_SCHEMA)]


def _parts(sql: str) -> list[str]:
    """What a CREATE statement lists, in an order that does not depend on who wrote it, nor on what was added later."""
    head, _, body = sql.partition("(")
    parts, depth = [""], 0
    for sign in body.rpartition(")")[0]:
        depth += (sign == "(") - (sign == ")")
        if sign == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    return sorted(re.sub(r"\s+", " ", part).strip() for part in [head, *parts])


@pytest.fixture
def empty_url(database_url: str, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """A database without any table, on the engine of `database_url`."""
    if database_url.startswith("sqlite"):
        return f"sqlite:///{tmp_path / 'empty.db'}"
    url = request.getfixturevalue("postgres_url")
    assert isinstance(url, str)
    return url


async def test_the_migrations_make_what_the_tables_say(engine: Engine, empty_url: str) -> None:
    def differences(conn: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(conn), metadata))

    created = open_engine(empty_url)
    await created.start()
    await created.write(metadata.create_all)
    wanted = await created.read(schema)
    await created.close()
    assert await engine.read(differences) == []
    assert await engine.read(schema) == wanted
    # The comparison looks at something: the indexes that hold promise P4 are in it.
    assert {"uq_attempts_live_agent", "uq_attempts_live_lead", "uq_leads_live_phone"} <= {row[1] for row in wanted}
    assert "ck_leads_due" in str(wanted)


def test_an_empty_database_is_behind_until_it_is_upgraded(empty_url: str) -> None:
    assert migrate.current_revision(empty_url) is None
    with pytest.raises(ConfigurationError, match="leadring migrate"):
        migrate.check(empty_url)
    migrate.upgrade(empty_url)
    migrate.check(empty_url)
    assert migrate.current_revision(empty_url) == migrate.head_revision()
    migrate.upgrade(empty_url)
    migrate.check(empty_url)


def test_several_replicas_may_upgrade_at_once(empty_url: str) -> None:
    with ThreadPoolExecutor(4) as replicas:
        list(replicas.map(migrate.upgrade, [empty_url] * 4))
    migrate.check(empty_url)


async def test_an_upgrade_may_be_asked_for_inside_a_running_loop(empty_url: str) -> None:
    migrate.upgrade(empty_url)
    assert await asyncio.to_thread(migrate.current_revision, empty_url) == migrate.head_revision()


async def test_a_database_of_a_newer_leadring_is_refused(engine: Engine, database_url: str) -> None:
    await engine.write(lambda conn: conn.execute(text("UPDATE alembic_version SET version_num = '9999'")).close())
    for refused in (migrate.check, migrate.upgrade):
        with pytest.raises(ConfigurationError, match="made by a newer Leadring"):
            refused(database_url)


async def test_a_running_service_can_ask_for_the_revision(engine: Engine) -> None:
    revision = await engine.read(migrate.read_revision)
    migrate.check_revision(revision)
    with pytest.raises(ConfigurationError, match="no schema"):
        migrate.check_revision(None)


async def test_an_upgrade_that_is_not_needed_does_not_disturb_a_running_service(
    engine: Engine, database_url: str
) -> None:
    await asyncio.to_thread(migrate.upgrade, database_url)
    await engine.ping()


def test_a_failing_step_leaves_nothing_behind(empty_url: str, caplog: pytest.LogCaptureFixture) -> None:
    """All steps are one transaction: a table in the way of the first schema keeps the others from being made."""

    async def run(sql: str) -> list[tuple[str, ...]]:
        engine = open_engine(empty_url)
        await engine.start()
        try:
            await engine.write(lambda conn: conn.exec_driver_sql(sql).close())
            return await engine.read(schema)
        finally:
            await engine.close()

    before = asyncio.run(run("CREATE TABLE submissions (a INTEGER)"))
    with pytest.raises(Exception, match="submissions"):
        migrate.upgrade(empty_url)
    assert asyncio.run(run("SELECT 1")) == before
    assert migrate.current_revision(empty_url) is None


def test_migrating_leaves_the_logging_alone(empty_url: str) -> None:
    root = logging.getLogger()
    before = (root.level, list(root.handlers), logging.getLogger("alembic").level)
    migrate.upgrade(empty_url)
    assert (root.level, list(root.handlers), logging.getLogger("alembic").level) == before
    assert not logging.getLogger("app.store.engine").disabled


def test_a_server_that_is_not_there_is_an_outage() -> None:
    with pytest.raises(StorageUnavailable):
        migrate.check(f"postgresql://leadring@127.0.0.1:{free_port()}/db")


def test_a_database_that_is_not_there_is_an_outage(postgres_server: PostgresServer) -> None:
    with pytest.raises(StorageUnavailable):
        migrate.upgrade(postgres_server.url("nowhere"))


def test_a_place_where_the_file_cannot_live_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="does not exist"):
        migrate.upgrade(f"sqlite:///{tmp_path}/missing/leadring.db")


def test_the_steps_are_those_of_the_migrations() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).with_name("migrations")))
    config.set_main_option("path_separator", "os")
    scripts = ScriptDirectory.from_config(config)
    assert tuple(script.revision for script in scripts.walk_revisions())[::-1] == migrate.STEPS
