"""Opening and closing what a process works with: database, ledger, engine, broker."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from app.domain.services import Services
from app.engines.embedded import EmbeddedEngine
from app.observability import metrics
from app.observability.engine import WatchedEngine
from app.observability.ledger import TracedLedger
from app.observability.tracing import Tracing
from app.settings import Settings
from app.storage.database import open_ledger, open_orm
from app.workers.background import THREADS, background_work
from app.workers.broker import make_broker
from app.workers.process_signals import ProcessSignals


def make_engine(settings: Settings) -> EmbeddedEngine:
    """Return the configured engine, not loaded yet."""
    return EmbeddedEngine(settings.prepared_dir, encoder=settings.text_encoder or None)


@asynccontextmanager
async def open_services(
    settings: Settings,
    *,
    works: bool,
    threads: int = THREADS,
    tracing: Tracing | None = None,
) -> AsyncIterator[Services]:
    """Open everything for the length of a block; the database must be migrated.

    A process that `works` does background work too.
    """
    metrics.process_started()
    async with AsyncExitStack() as stack:
        engine = make_engine(settings)
        stack.callback(engine.close)
        await asyncio.to_thread(engine.load)
        await stack.enter_async_context(open_orm(settings.database))
        ledger = await stack.enter_async_context(open_ledger(settings.database))
        broker = make_broker(settings.broker_url)
        redis_url = None if settings.broker_is_embedded else settings.broker_url
        signals = ProcessSignals(broker, redis_url=redis_url)
        stack.push_async_callback(signals.close)
        services = Services(
            settings=settings,
            ledger=ledger if tracing is None else TracedLedger(ledger),
            engine=WatchedEngine(engine, name=settings.model),
            signals=signals,
            tracing=tracing,
        )
        if works:
            await stack.enter_async_context(background_work(services, broker, threads=threads))
        yield services
