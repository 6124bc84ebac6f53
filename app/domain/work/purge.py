"""Deleting what has outlived its keeping: jobs older than the plan's history, inputs, receipts,
cached answers, deliveries.

Jobs that have not ended stay, and so does their batch. Any process may purge at any time; steps are
small, with pauses between them, so that nobody who wants to write waits for long.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from app.domain import clock
from app.domain.plans import LIMITS, Plan
from app.domain.services import Services
from app.domain.webhooks.log import KEPT
from app.storage.ledger.answers import purge_answers
from app.storage.ledger.delivery_log import forget_deliveries
from app.storage.ledger.retention import (
    account_plans,
    oldest_jobs,
    purge_batches,
    purge_inputs,
    purge_jobs,
    purge_receipts,
)
from app.storage.operation import Operation

logger = logging.getLogger(__name__)

# Rows a step: some milliseconds of writing.
STEP = 200
PAUSE_S = 0.05


async def purge(services: Services) -> None:
    """Delete all that is not to be kept any more."""
    now, after = clock.now(), 0
    jobs = 0
    while accounts := await services.ledger.run(account_plans(after=after, count=STEP)):
        for account_id, plan in accounts:
            history = LIMITS[Plan(plan)].history
            if history is not None:
                jobs += await _purge_account(services, account_id, before=now - history)
        after = accounts[-1][0]
    inputs = await _until_done(services, lambda: purge_inputs(now, count=STEP))
    receipts = await _until_done(services, lambda: purge_receipts(now, count=STEP))
    answers = await _until_done(services, lambda: purge_answers(now, count=STEP))
    deliveries = await _until_done(services, lambda: forget_deliveries(now - KEPT, count=STEP))
    if jobs or inputs or receipts or answers or deliveries:
        logger.info(
            "purged %d jobs, %d inputs, %d receipts, %d cached answers, %d deliveries",
            *(jobs, inputs, receipts, answers, deliveries),
        )


async def _purge_account(services: Services, account_id: int, *, before: datetime) -> int:
    purged, after = 0, 0
    while page := await services.ledger.run(oldest_jobs(account_id, after=after, count=STEP)):
        old = [job.id for job in page if job.has_ended and job.created_at < before]
        if old:
            purged += await services.ledger.run(purge_jobs(account_id, old))
            await asyncio.sleep(PAUSE_S)
        if len(page) < STEP or page[-1].created_at >= before:
            break
        after = page[-1].id
    if purged:
        await _until_done(services, lambda: purge_batches(account_id, before=before, count=STEP))
    return purged


async def _until_done(services: Services, step: Callable[[], Operation[int]]) -> int:
    total = 0
    while deleted := await services.ledger.run(step()):
        total += deleted
        if deleted < STEP:
            break
        await asyncio.sleep(PAUSE_S)
    return total
