"""Opening, migrating and closing the database, whichever it is."""

import asyncio
import logging
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from filelock import FileLock, Timeout
from tortoise import connections
from tortoise.backends.base.config_generator import expand_db_url
from tortoise.context import TortoiseContext
from tortoise.migrations.executor import MigrationExecutor

from app.storage.errors import DatabaseError, DatabaseUnavailable
from app.storage.ledger.ledger import Ledger
from app.storage.location import Location, PostgresServer, SqliteFile
from app.storage.postgres_ledger import CONNECT_TIMEOUT_S, GONE, PostgresLedger
from app.storage.sqlite_ledger import SqliteLedger

APP_LABEL = "storage"
MIGRATIONS = "app.storage.migrations"
# How long a writer waits for another process's transaction before it gives up, in milliseconds.
BUSY_TIMEOUT_MS = 20_000
LOCK_TIMEOUT_S = 120
# A server that crashed replays its log before it takes connections.
START_PATIENCE_S = 20
START_RETRY_S = 0.5
# The ORM serves reading and settings; the hot path has connections of its own.
ORM_CONNECTIONS = 5
# Any number, as long as nothing else in the same database uses it.
_ADVISORY_LOCK = 0x0C1A_551F

logger = logging.getLogger(__name__)


def orm_config(location: Location) -> dict[str, Any]:
    """Return Tortoise's configuration."""
    return {
        "connections": {_name(location): _connection(location)},
        "apps": {
            APP_LABEL: {
                "models": ["app.storage.models", "app.storage.usage_models"],
                "default_connection": _name(location),
                "migrations": MIGRATIONS,
            }
        },
        "use_tz": True,
        "timezone": "UTC",
    }


def _name(location: Location) -> str:
    # The ORM keeps statements by the connection's name, and the dialects differ.
    return "postgres" if isinstance(location, PostgresServer) else "sqlite"


def _connection(location: Location) -> dict[str, Any]:
    if isinstance(location, PostgresServer):
        expanded = expand_db_url(location.url)
        expanded["credentials"] |= {"minsize": 1, "maxsize": ORM_CONNECTIONS}
        return expanded
    # WAL lets readers go on while one process writes; `synchronous` stays at FULL, so that what
    # was answered survives a loss of power.
    return {
        "engine": "tortoise.backends.sqlite",
        "credentials": {
            "file_path": str(location.path),
            "journal_mode": "WAL",
            "synchronous": "FULL",
            "busy_timeout": BUSY_TIMEOUT_MS,
            "foreign_keys": "ON",
        },
    }


@asynccontextmanager
async def open_orm(location: Location) -> AsyncIterator[None]:
    """Open the ORM on a database for the length of a block."""
    async with TortoiseContext() as context:
        # Requests run in other tasks than the one that opens the server: they find it globally.
        await context.init(config=orm_config(location), _enable_global_fallback=True)
        yield


@asynccontextmanager
async def open_ledger(location: Location) -> AsyncIterator[Ledger]:
    """Open the ledger on a migrated database for the length of a block."""
    ledger: Ledger
    if isinstance(location, PostgresServer):
        ledger = await PostgresLedger.open(location.url)
    else:
        ledger = SqliteLedger(location.path, busy_timeout_ms=BUSY_TIMEOUT_MS)
    try:
        yield ledger
    finally:
        await ledger.close()


async def wait_until_reachable(location: Location) -> None:
    """Wait up to 20 seconds for a server that starts or restarts.

    Raises:
        DatabaseUnavailable: It could not be reached for so long, or it turns us away.
    """
    if isinstance(location, SqliteFile):
        return
    deadline = time.monotonic() + START_PATIENCE_S
    warned = False
    while True:
        try:
            connection = await _connect(location)
        except DatabaseUnavailable as error:
            if not isinstance(error.__cause__, GONE) or time.monotonic() > deadline:
                raise
            if not warned:
                logger.warning("%s; waiting for it", error)
                warned = True
            await asyncio.sleep(START_RETRY_S)
        else:
            await connection.close()
            return


async def migrate(location: Location) -> list[str]:
    """Bring a database to the current schema and return the migrations applied.

    Safe to run twice and side by side: one process at a time decides what is missing.

    Raises:
        DatabaseError: The folder can't be written, the server can't be reached, or another process
            holds the lock too long.
    """
    if isinstance(location, SqliteFile):
        _create_file(location)
    async with exclusive(location), open_orm(location):
        return await _apply_missing(location)


@asynccontextmanager
async def exclusive(location: Location) -> AsyncIterator[None]:
    """Keep other processes out of the same block.

    Raises:
        DatabaseError: Another process holds the lock too long, or the server can't be reached.
    """
    if isinstance(location, PostgresServer):
        async with _advisory_lock(location):
            yield
        return
    path = location.path
    try:
        with FileLock(path.with_name(path.name + ".lock"), timeout=LOCK_TIMEOUT_S):
            yield
    except Timeout as error:
        raise DatabaseError(f"another process has kept {path} locked for too long") from error


@asynccontextmanager
async def _advisory_lock(server: PostgresServer) -> AsyncIterator[None]:
    connection = await _connect(server)
    # The lock ends with the connection.
    try:
        await _take_lock(connection, server)
        yield
    finally:
        await connection.close()


async def _connect(server: PostgresServer) -> asyncpg.Connection:
    try:
        return await asyncpg.connect(server.url, timeout=CONNECT_TIMEOUT_S)
    except (*GONE, asyncpg.PostgresError) as error:
        raise DatabaseUnavailable(f"{server} can't be reached: {error}") from error


async def _take_lock(connection: asyncpg.Connection, server: PostgresServer) -> None:
    try:
        await connection.execute(
            f"SELECT pg_advisory_lock({_ADVISORY_LOCK})", timeout=LOCK_TIMEOUT_S
        )
    except TimeoutError as error:
        raise DatabaseError(f"another process has kept {server} locked for too long") from error


def _create_file(file: SqliteFile) -> None:
    path = file.path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # The database holds key hashes and answers: nobody else on the machine may read it.
        path.touch(mode=0o600, exist_ok=True)
    except OSError as error:
        raise DatabaseError(f"{path} can't be written: {os.strerror(error.errno or 0)}") from error


async def _apply_missing(location: Location) -> list[str]:
    applied: list[str] = []

    def note(event: str, _app: str, name: str) -> None:
        if event == "apply_done":
            applied.append(name)

    executor = MigrationExecutor(connections.get(_name(location)), orm_config(location)["apps"])
    await executor.migrate(progress=note)
    return applied
