"""Opening and closing what a process works with: database, ledger, engine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.domain.services import Services
from app.engines.embedded import EmbeddedEngine
from app.settings import Settings
from app.storage.database import open_orm
from app.storage.sqlite_ledger import SqliteLedger


def make_engine(settings: Settings) -> EmbeddedEngine:
    """Return the configured engine, not loaded yet."""
    return EmbeddedEngine(settings.prepared_dir, encoder=settings.text_encoder or None)


@asynccontextmanager
async def open_services(settings: Settings) -> AsyncIterator[Services]:
    """Open everything for the length of a block; the database must be migrated."""
    engine = make_engine(settings)
    try:
        await asyncio.to_thread(engine.load)
        async with open_orm(settings.database_path):
            ledger = SqliteLedger(settings.database_path)
            try:
                yield Services(settings=settings, ledger=ledger, engine=engine)
            finally:
                await ledger.close()
    finally:
        engine.close()
