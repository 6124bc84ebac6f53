"""The background work of one process: pumps, the Dramatiq worker that pokes them, the sweep.

The worker's threads only carry messages into the event loop, where the pumps run. Should messages
get lost, the sweep pokes the pumps every second all the same.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import dramatiq

from app.domain.services import Services
from app.domain.signals import Queue
from app.domain.webhooks.pump import DeliveryPump, sweep_deliveries
from app.domain.work.jobs import JobPump
from app.domain.work.pump import Pump
from app.domain.work.purge import purge
from app.domain.work.sweep import sweep_files, sweep_holds, sweep_jobs
from app.storage.errors import DatabaseError
from app.workers.broker import Poke, declare_actors

logger = logging.getLogger(__name__)

THREADS = 8
SWEEP_INTERVAL_S = 1.0
PURGE_INTERVAL_S = 3600.0
# How long a message waits for a full pump before it is given up: the sweep pokes too, and the
# threads are needed for other queues.
_POKE_TIMEOUT_S = 1.0
# An idle consumer asks for messages this often, in milliseconds.
_IDLE_POLL_MS = 100
GRACE_S = 10.0
_STOP_MS = 3_000


@asynccontextmanager
async def background_work(
    services: Services, broker: dramatiq.Broker, *, threads: int = THREADS
) -> AsyncIterator[None]:
    """Do background work for the length of a block; then finish it or hand it back."""
    pumps: dict[Queue, Pump[Any]] = {
        Queue.JOBS: JobPump(services),
        Queue.DELIVERIES: DeliveryPump(services),
    }
    loop = asyncio.get_running_loop()
    declare_actors(broker, {queue: _into(loop, pump) for queue, pump in pumps.items()})
    broker.emit_after("process_boot")
    worker = dramatiq.Worker(broker, worker_threads=threads, worker_timeout=_IDLE_POLL_MS)
    await asyncio.to_thread(worker.start)
    tasks = [asyncio.create_task(pump.hold()) for pump in pumps.values()]
    tasks.append(asyncio.create_task(_sweep(services, pumps)))
    tasks.append(asyncio.create_task(_purge(services)))
    try:
        yield
    finally:
        services.stopping.set()
        stopped = [asyncio.create_task(pump.stop(grace_s=GRACE_S)) for pump in pumps.values()]
        await asyncio.to_thread(worker.stop, timeout=_STOP_MS)
        await asyncio.wait(stopped)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


def _into(loop: asyncio.AbstractEventLoop, pump: Pump[Any]) -> Poke:
    def poke() -> None:
        future = asyncio.run_coroutine_threadsafe(pump.poke(), loop)
        with contextlib.suppress(TimeoutError, asyncio.CancelledError):
            future.result(_POKE_TIMEOUT_S)

    return poke


async def _sweep(services: Services, pumps: dict[Queue, Pump[Any]]) -> None:
    while True:
        # Spread, so that many processes do not ask at once.
        await asyncio.sleep(SWEEP_INTERVAL_S * random.uniform(0.5, 1.5))
        await _calmly(lambda: sweep_jobs(services))
        await _calmly(lambda: sweep_holds(services))
        await _calmly(lambda: sweep_files(services))
        await _calmly(lambda: sweep_deliveries(services))
        for pump in pumps.values():
            if pump.has_room:
                await _calmly(pump.poke)


async def _purge(services: Services) -> None:
    # Soon after the start: a process may not live for an hour.
    await asyncio.sleep(PURGE_INTERVAL_S * random.uniform(0.0, 0.1))
    while True:
        await _calmly(lambda: purge(services))
        await asyncio.sleep(PURGE_INTERVAL_S * random.uniform(0.5, 1.5))


async def _calmly(step: Callable[[], Awaitable[None]]) -> None:
    try:
        await step()
    except DatabaseError as error:
        logger.warning("background work waits for the database: %s", error)
    except Exception:
        # The next round tries again.
        logger.exception("a round of background work failed")
