"""Running a verb from the command line: settings, a migrated database, one event loop."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from app.settings import load_settings
from app.storage.database import migrate, open_orm

T = TypeVar("T")


def with_database(verb: Callable[[], Awaitable[T]]) -> T:
    """Run a verb on the configured database, brought to the current schema first."""
    settings = load_settings()

    async def run() -> T:
        await migrate(settings.database)
        async with open_orm(settings.database):
            return await verb()

    return asyncio.run(run())
