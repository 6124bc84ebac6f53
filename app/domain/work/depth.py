"""How much work waits, for whoever watches."""

import asyncio

from app.domain import clock
from app.domain.jobs.job import Priority
from app.domain.services import PATIENCE_S, Services
from app.observability import metrics
from app.storage.errors import DatabaseError
from app.storage.ledger.records import QueueDepth
from app.storage.ledger.work import queue_depths


async def measure_queues(services: Services) -> None:
    """Set the gauges of the queues; what can't be known now is not a number."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            depths = await services.ledger.run(queue_depths())
    except (DatabaseError, TimeoutError):
        for priority in Priority:
            metrics.queue_measured(_name(priority), waiting=float("nan"), oldest_s=float("nan"))
        return
    now = clock.now()
    for priority in Priority:
        depth = depths.get(priority, QueueDepth(0, None))
        # What was put off is due in the future.
        since = min(depth.oldest_due_at or now, now)
        metrics.queue_measured(
            _name(priority), waiting=depth.waiting, oldest_s=(now - since).total_seconds()
        )


def _name(priority: Priority) -> str:
    return priority.name.lower()
