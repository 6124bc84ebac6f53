"""Classify a batch, while the caller waits or later.

All items are reserved in one step, or none; the engine scores them together; they end in one step
with the batch. An item that fails is given back, and the others complete. When the caller does not
wait, workers take the items up in chunks.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.domain import clock
from app.domain.accounts.account import Account, Caller
from app.domain.answers import find_cached, keep_answered
from app.domain.batches.admission import admit_batch
from app.domain.batches.batch import Batch, BatchKind, BatchRequest, new_batch_id
from app.domain.budget import budget_ahead, budget_for
from app.domain.classification.admission import Admitted
from app.domain.classification.classify import error_of, spent_when_cut
from app.domain.classification.judging import Answer, judge_many
from app.domain.classification.reserve import begin, submit
from app.domain.errors import Error, MediaUnavailable, ServerError
from app.domain.jobs.end import end_jobs
from app.domain.jobs.job import Job, JobStatus, Priority
from app.domain.jobs.record import (
    completed,
    failed,
    job_of,
    start_of,
    waiting_job,
    waiting_of,
)
from app.domain.services import Services
from app.engines.contract import Outcome
from app.engines.errors import EngineError
from app.engines.spending import NOTHING
from app.observability.context import working_on
from app.storage.ledger.records import BatchStart, JobEnd, Receipt, Reserved

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ClassifiedBatch:
    """An ended batch, or a promised one, and the month's use after it."""

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

    `receipt` says what to keep for a repeat of the request; it is written in the step that ends,
    or promises, the batch.

    Raises:
        InvalidRequest: A value is out of its range.
        PlanRestriction: The plan lacks something that the batch asks for.
        NotFound: A schema does not exist.
        RateLimitExceeded: The month's quota does not cover every item; nothing was counted.
        BudgetExceeded: The month's budget does not cover what it could cost.
        ServerError: Our fault; the quota is given back.
    """
    admitted = await admit_batch(services, caller.account, request)
    opening = BatchStart(new_batch_id(), BatchKind.BATCH.value, clock.now())
    if request.run_async:
        return await promise_batch(
            services, caller.account, admitted, opening, priority=Priority.BATCH, receipt=receipt
        )
    return await answer_batch(
        services, caller.account, admitted, opening, receipt=receipt, started=started
    )


async def promise_batch(
    services: Services,
    account: Account,
    admitted: Sequence[Admitted],
    opening: BatchStart,
    *,
    priority: Priority,
    receipt: Callable[[Batch], Receipt | None],
) -> ClassifiedBatch:
    """Write a batch whose items workers will run.

    Raises:
        RateLimitExceeded: The month's quota does not cover every item; nothing was counted.
        BudgetExceeded: The month's budget does not cover what it could cost.
    """
    starts = [
        waiting_of(item, created_at=opening.created_at, priority=priority, batch_index=index)
        for index, item in enumerate(admitted)
    ]

    def batch(reserved: Reserved) -> Batch:
        jobs = tuple(
            waiting_job(account.id, job_id, item, start, batch_id=opening.batch_id)
            for job_id, item, start in zip(reserved.job_ids, admitted, starts, strict=True)
        )
        return _batch_of(account, opening, jobs)

    reserved = await submit(
        services,
        account,
        starts,
        batch=opening,
        budget=await budget_ahead(services, account, admitted),
        receipt=lambda made: receipt(batch(made)),
    )
    return ClassifiedBatch(batch=batch(reserved), used=reserved.used)


async def answer_batch(
    services: Services,
    account: Account,
    admitted: Sequence[Admitted],
    opening: BatchStart,
    *,
    receipt: Callable[[Batch], Receipt | None],
    started: float,
) -> ClassifiedBatch:
    """Write a batch, judge its items together and end it, while the caller waits.

    Raises:
        RateLimitExceeded: The month's quota does not cover every item; nothing was counted.
        BudgetExceeded: The month's budget does not cover what it could cost.
        ServerError: Our fault; the quota is given back.
    """
    starts = [
        start_of(item, created_at=opening.created_at, batch_index=index)
        for index, item in enumerate(admitted)
    ]
    cached = await find_cached(services, account.id, admitted, ttl_s=account.cache_ttl)
    budget = await budget_for(services, account, admitted, known=cached)
    reserved = await begin(services, account, starts, batch=opening, budget=budget)
    with working_on(batch=opening.batch_id):
        answers = await _ask(
            services, account.id, admitted, job_ids=reserved.job_ids, cached=cached
        )
    latency_ms = round((time.perf_counter() - started) * 1000)
    ends = [
        _end_of(account.id, job_id, item, answer, latency_ms=latency_ms, holds=budget is not None)
        for job_id, item, answer in zip(reserved.job_ids, admitted, answers, strict=True)
    ]
    jobs = tuple(
        job_of(item, start, end, _shown(answer), batch_id=opening.batch_id)
        for item, start, end, answer in zip(admitted, starts, ends, answers, strict=True)
    )
    batch = _batch_of(account, opening, jobs, latency_ms=latency_ms)
    ended = await end_jobs(services, ends, batch_latency_ms=latency_ms, receipt=receipt(batch))
    if not ended.jobs:
        # The lease ran out while the model worked: the jobs have failed and been given back.
        raise ServerError
    await keep_answered(services, account.id, admitted, answers, ttl_s=account.cache_ttl)
    return ClassifiedBatch(batch=batch, used=reserved.used - batch.failed)


def _batch_of(
    account: Account, opening: BatchStart, jobs: tuple[Job, ...], *, latency_ms: int | None = None
) -> Batch:
    completions = sum(job.status is JobStatus.COMPLETED for job in jobs)
    failures = sum(job.status is JobStatus.FAILED for job in jobs)
    status = JobStatus.PENDING
    if completions + failures == len(jobs):
        status = JobStatus.COMPLETED if completions else JobStatus.FAILED
    return Batch(
        id=opening.batch_id,
        account_id=account.id,
        kind=BatchKind(opening.kind),
        status=status,
        total=len(jobs),
        completed=completions,
        failed=failures,
        latency_ms=latency_ms,
        jobs=jobs,
        created_at=opening.created_at,
        completed_at=None if status is JobStatus.PENDING else clock.now(),
    )


async def _ask(
    services: Services,
    account_id: int,
    admitted: Sequence[Admitted],
    *,
    job_ids: Sequence[int],
    cached: Sequence[Outcome | None],
) -> list[Answer]:
    try:
        asked = [item.task for item, known in zip(admitted, cached, strict=True) if known is None]
        fresh = iter(await judge_many(services.engine, services.media, asked) if asked else ())
        answers = [next(fresh) if known is None else known for known in cached]
    except BaseException as failure:
        # A cancelled request too must give its quota back before it goes.
        spent = [
            NOTHING if known else await spent_when_cut(services.engine, item.task)
            for item, known in zip(admitted, cached, strict=True)
        ]
        ends = [
            failed(account_id, job_id, ServerError(), spent=took)
            for job_id, took in zip(job_ids, spent, strict=True)
        ]
        await end_jobs(services, ends)
        if isinstance(failure, Exception):
            logger.exception("the batch of job %d failed", job_ids[0])
            raise ServerError from failure
        raise
    for job_id, answer in zip(job_ids, answers, strict=True):
        if isinstance(answer, EngineError):
            logger.warning("job %d failed: %s", job_id, answer)
    return answers


def _shown(answer: Answer) -> Outcome | Error:
    return error_of(answer) if isinstance(answer, EngineError) else answer


def _end_of(
    account_id: int,
    job_id: int,
    item: Admitted,
    answer: Answer,
    *,
    latency_ms: int,
    holds: bool,
) -> JobEnd:
    if isinstance(answer, MediaUnavailable):
        return failed(account_id, job_id, answer, retain=item.retain)
    if isinstance(answer, EngineError):
        error = error_of(answer)
        return failed(account_id, job_id, error, spent=answer.spent, retain=item.retain)
    return completed(account_id, job_id, item, answer, latency_ms=latency_ms, holds=holds)
