"""Opening, migrating and closing the database."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import msgspec
from filelock import FileLock, Timeout
from tortoise import connections
from tortoise.context import TortoiseContext
from tortoise.migrations.executor import MigrationExecutor

from app.storage.errors import DatabaseError

APP_LABEL = "storage"
MIGRATIONS = "app.storage.migrations"
# How long a writer waits for another process's transaction before it gives up, in milliseconds.
BUSY_TIMEOUT_MS = 20_000
LOCK_TIMEOUT_S = 120


def orm_config(path: Path) -> dict[str, Any]:
    """Return Tortoise's configuration for a SQLite file.

    WAL lets readers go on while one process writes; `synchronous` stays at FULL, so that what was
    answered survives a loss of power.
    """
    return {
        "connections": {
            "default": {
                "engine": "tortoise.backends.sqlite",
                "credentials": {
                    "file_path": str(path),
                    "journal_mode": "WAL",
                    "synchronous": "FULL",
                    "busy_timeout": BUSY_TIMEOUT_MS,
                    "foreign_keys": "ON",
                },
            }
        },
        "apps": {
            APP_LABEL: {
                "models": ["app.storage.models"],
                "default_connection": "default",
                "migrations": MIGRATIONS,
            }
        },
        "use_tz": True,
        "timezone": "UTC",
    }


@asynccontextmanager
async def open_orm(path: Path) -> AsyncIterator[None]:
    """Open the ORM on a database file for the length of a block."""
    async with TortoiseContext() as context:
        # Requests run in other tasks than the one that opens the server: they find it globally.
        await context.init(config=orm_config(path), _enable_global_fallback=True)
        yield


async def migrate(path: Path) -> list[str]:
    """Bring a database file to the current schema and return the migrations applied.

    Safe to run twice and side by side: one process at a time decides what is missing.

    Raises:
        DatabaseError: The folder can't be written, or another process holds the lock too long.
    """
    _create_file(path)
    with exclusive(path):
        async with open_orm(path):
            return await _apply_missing(path)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Keep other processes out of the same block, by a lock file beside the database.

    Raises:
        DatabaseError: Another process holds the lock too long.
    """
    try:
        with FileLock(path.with_name(path.name + ".lock"), timeout=LOCK_TIMEOUT_S):
            yield
    except Timeout as error:
        raise DatabaseError(f"another process has kept {path} locked for too long") from error


def _create_file(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # The database holds key hashes and answers: nobody else on the machine may read it.
        path.touch(mode=0o600, exist_ok=True)
    except OSError as error:
        raise DatabaseError(f"{path} can't be written: {os.strerror(error.errno or 0)}") from error


async def _apply_missing(path: Path) -> list[str]:
    applied: list[str] = []

    def note(event: str, _app: str, name: str) -> None:
        if event == "apply_done":
            applied.append(name)

    executor = MigrationExecutor(connections.get("default"), orm_config(path)["apps"])
    await executor.migrate(progress=note)
    return applied


def dump_json(value: object) -> str:
    """Write a JSON column."""
    return msgspec.json.encode(value).decode()
