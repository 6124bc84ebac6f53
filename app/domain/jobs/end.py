"""Ending jobs, and telling whoever waits for them."""

from collections.abc import Sequence

from app.domain.services import Services
from app.domain.signals import Queue, batch_topic, job_topic
from app.domain.webhooks.events import EVENTS
from app.observability import metrics
from app.storage.ledger.ending import finish_jobs
from app.storage.ledger.records import Ended, JobEnd, Receipt


async def end_jobs(
    services: Services,
    ends: Sequence[JobEnd],
    *,
    batch_latency_ms: int | None = None,
    receipt: Receipt | None = None,
) -> Ended:
    """End the jobs that still run under their leases, and return what that ended."""
    ended = await services.ledger.run(
        finish_jobs(ends, announcer=EVENTS, batch_latency_ms=batch_latency_ms, receipt=receipt)
    )
    tell(services, ended)
    return ended


def tell(services: Services, ended: Ended) -> None:
    """Tell those who wait for jobs and batches that something about them changed."""
    signals = services.signals
    for job in ended.jobs:
        metrics.job_ended(job.status)
        signals.publish(job_topic(job.id))
    for batch_id in {job.batch_id for job in ended.jobs if job.batch_id is not None}:
        signals.publish(batch_topic(batch_id))
    if ended.deliveries:
        signals.wake(Queue.DELIVERIES, ended.deliveries)
