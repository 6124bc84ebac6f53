"""Fresh databases for tests, and looking into them past the product."""

import atexit
import shutil
import sqlite3
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg

from app.storage.database import migrate
from app.storage.location import Location, PostgresServer, SqliteFile
from tests.servers import in_own_loop

TEMPLATE = "classifaily_template"


def make_sqlite(folder: Path) -> SqliteFile:
    """Make a migrated database where a site has it: a copy, as migrating takes long."""
    return SqliteFile(Path(shutil.copy(_sqlite_template(), folder / "classifaily.db")))


@cache
def _sqlite_template() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="classifaily-test-"))
    atexit.register(shutil.rmtree, folder)
    file = SqliteFile(folder / "template.db")
    in_own_loop(lambda: migrate(file))
    return file.path


class PostgresDatabases:
    """Databases on one PostgreSQL server, copied from a migrated one."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._has_template = False

    async def make(self) -> PostgresServer:
        """Make a migrated database."""
        template = f"{TEMPLATE}_{uuid4().hex[:8]}" if not self._has_template else self._template
        async with self._connected() as connection:
            if not self._has_template:
                self._template = template
                await connection.execute(f'CREATE DATABASE "{template}"')
                await migrate(self._at(template))
                self._has_template = True
            name = f"classifaily_{uuid4().hex}"
            await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self._at(name)

    async def drop(self, database: PostgresServer) -> None:
        """Remove a database, whoever still uses it."""
        name = urlsplit(database.url).path[1:]
        async with self._connected() as connection:
            await connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    async def close(self) -> None:
        """Remove the template."""
        if self._has_template:
            await self.drop(self._at(self._template))

    def _at(self, name: str) -> PostgresServer:
        parts = urlsplit(self._url)
        return PostgresServer(parts._replace(path=f"/{name}").geturl())

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[asyncpg.Connection]:
        connection = await asyncpg.connect(self._url)
        try:
            yield connection
        finally:
            await connection.close()


async def fetch(location: Location, sql: str) -> list[tuple[Any, ...]]:
    """Run a query on a database, past everything that the product keeps open."""
    if isinstance(location, SqliteFile):
        connection = sqlite3.connect(location.path, timeout=30)
        try:
            rows = connection.execute(sql).fetchall()
            connection.commit()
            return rows
        finally:
            connection.close()
    postgres = await asyncpg.connect(location.url)
    try:
        return [tuple(row) for row in await postgres.fetch(sql)]
    finally:
        await postgres.close()


def query(location: Location, sql: str) -> list[tuple[Any, ...]]:
    """Do the same, and block meanwhile."""
    return in_own_loop(lambda: fetch(location, sql))
