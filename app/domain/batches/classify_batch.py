"""Classify a batch while the caller waits.

All items are reserved in one step, or none; the engine scores them together; they end in one step
with the batch. An item that fails is given back, and the others complete.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.domain import clock
from app.domain.accounts.account import Caller
from app.domain.batches.admission import admit_batch
from app.domain.batches.batch import Batch, BatchRequest, new_batch_id
from app.domain.classification.admission import Admitted
from app.domain.classification.classify import model_unavailable
from app.domain.clock import Period
from app.domain.errors import Error, RateLimitExceeded, ServerError
from app.domain.jobs.job import JobStatus
from app.domain.jobs.record import completed, failed, job_of, start_of
from app.domain.services import Services
from app.engines.contract import Outcome
from app.storage.ledger import BatchEnd, BatchStart, JobEnd, Receipt, Refused

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ClassifiedBatch:
    """An ended batch, and the month's use after it."""

    batch: Batch
    used: int


async def classify_batch(
    services: Services,
    caller: Caller,
    request: BatchRequest,
    *,
    started: float,
    receipt: Callable[[Batch], Receipt | None] = lambda _batch: None,
) -> ClassifiedBatch:
    """Classify a batch; `started` is the `time.perf_counter()` of the request's arrival.

    `receipt` says what to keep for a repeat of the request; it is written in the step that ends
    the batch.

    Raises:
        InvalidRequest: A value is out of its range.
        PlanRestriction: The plan lacks something that the batch asks for.
        NotFound: A schema does not exist.
        RateLimitExceeded: The month's quota does not cover every item; nothing was counted.
        ServerError: Our fault; the quota is given back.
    """
    account = caller.account
    admitted = await admit_batch(services, account, request)
    opening = BatchStart(new_batch_id(), clock.now())
    starts = [
        start_of(item, created_at=opening.created_at, batch_index=index)
        for index, item in enumerate(admitted)
    ]
    period = Period.of(opening.created_at)
    limit = account.limits.requests
    reserved = await services.ledger.start_jobs(
        account.id, starts, period=str(period), limit=limit, batch=opening
    )
    if isinstance(reserved, Refused):
        raise RateLimitExceeded(limit=limit or 0, used=reserved.used, period=period)
    answers = await _ask(services, account.id, admitted, opening, job_ids=reserved.job_ids)
    latency_ms = round((time.perf_counter() - started) * 1000)
    ends = [
        _end_of(account.id, job_id, item, answer, latency_ms=latency_ms)
        for job_id, item, answer in zip(reserved.job_ids, admitted, answers, strict=True)
    ]
    jobs = tuple(
        job_of(item, start, end, answer, batch_id=opening.batch_id)
        for item, start, end, answer in zip(admitted, starts, ends, answers, strict=True)
    )
    failures = sum(job.status is JobStatus.FAILED for job in jobs)
    status = JobStatus.FAILED if failures == len(jobs) else JobStatus.COMPLETED
    closing = BatchEnd(opening.batch_id, status.value, latency_ms, clock.now())
    batch = Batch(
        id=opening.batch_id,
        account_id=account.id,
        status=status,
        total=len(jobs),
        completed=len(jobs) - failures,
        failed=failures,
        latency_ms=latency_ms,
        jobs=jobs,
        created_at=opening.created_at,
        completed_at=closing.completed_at,
    )
    ended = await services.ledger.finish_jobs(ends, batch=closing, receipt=receipt(batch))
    if not ended:
        # The lease ran out while the model worked: the jobs have failed and been given back.
        raise ServerError
    return ClassifiedBatch(batch=batch, used=reserved.used - failures)


async def _ask(
    services: Services,
    account_id: int,
    admitted: Sequence[Admitted],
    opening: BatchStart,
    *,
    job_ids: Sequence[int],
) -> list[Outcome | Error]:
    try:
        answers = await services.engine.classify_many([item.task for item in admitted])
    except BaseException as failure:
        # A cancelled request too must give its quota back before it goes.
        ends = [failed(account_id, job_id, ServerError()) for job_id in job_ids]
        closing = BatchEnd(opening.batch_id, JobStatus.FAILED.value, 0, clock.now())
        await services.ledger.finish_jobs(ends, batch=closing)
        if isinstance(failure, Exception):
            logger.exception("batch %s failed", opening.batch_id)
            raise ServerError from failure
        raise
    for job_id, answer in zip(job_ids, answers, strict=True):
        if not isinstance(answer, Outcome):
            logger.warning("job %d failed: %s", job_id, answer)
    return [answer if isinstance(answer, Outcome) else model_unavailable() for answer in answers]


def _end_of(
    account_id: int, job_id: int, item: Admitted, answer: Outcome | Error, *, latency_ms: int
) -> JobEnd:
    if isinstance(answer, Error):
        return failed(account_id, job_id, answer)
    return completed(account_id, job_id, item, answer, latency_ms=latency_ms)
