"""Classify one input, while the caller waits or later.

The order is the contract's: rules of values, plan, quota, then the model. The quota and the job row
are written in one step before the model is asked, the result and its tokens in another before the
answer leaves; a failure in between gives the quota back in the step that records it.

A caller who does not wait gets a promise: the row is written, durably and with all that a worker
needs, and nothing else happens before the answer leaves.
"""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from app.domain import clock
from app.domain.accounts.account import Account, Caller
from app.domain.answers import find_cached, keep_answered
from app.domain.budget import budget_ahead, budget_for
from app.domain.classification.admission import Admitted, admit_request
from app.domain.classification.judging import judge
from app.domain.classification.request import ClassifyRequest
from app.domain.classification.reserve import begin, submit
from app.domain.errors import (
    Error,
    InvalidRequest,
    MediaUnavailable,
    ModelUnavailable,
    ServerError,
)
from app.domain.jobs.end import end_jobs
from app.domain.jobs.job import Job, Priority
from app.domain.jobs.record import (
    completed,
    failed,
    job_of,
    start_of,
    waiting_job,
    waiting_of,
)
from app.domain.services import Services
from app.engines import errors
from app.engines.contract import Engine, Outcome, Task
from app.engines.errors import EngineError
from app.engines.spending import NOT_KNOWN, NOTHING, Spent
from app.observability.context import working_on
from app.storage.ledger.records import Receipt, Reserved

logger = logging.getLogger(__name__)

# When the engine names no time.
RETRY_AFTER_S = 5


@dataclass(frozen=True, slots=True)
class Classified:
    """A completed job, or a promised one, and the month's use after it."""

    job: Job
    used: int


async def classify(
    services: Services,
    caller: Caller,
    request: ClassifyRequest,
    *,
    started: float,
    receipt: Callable[[Job], Receipt | None] = lambda _job: None,
) -> Classified:
    """Classify one input; `started` is the `time.perf_counter()` of the request's arrival.

    `receipt` says what to keep for a repeat of the request; it is written in the step that ends,
    or promises, the job.

    Raises:
        InvalidRequest: A value is out of its range, or more than any of the models can take; the
            quota is given back.
        PlanRestriction: The plan lacks something that the request asks for.
        NotFound: The schema does not exist.
        RateLimitExceeded: The month's quota is used up.
        MediaUnavailable: What the input leads to can't be had or read; the quota is given back.
        BudgetExceeded: The month's budget does not cover what it could cost.
        ModelUnavailable: The model can't answer now; the quota is given back.
        ServerError: Our fault; the quota is given back.
    """
    admitted = await admit_request(services, caller.account, request)
    if request.run_async:
        return await _promise(services, caller.account, admitted, receipt)
    return await _answer(services, caller.account, admitted, receipt, started=started)


async def _promise(
    services: Services,
    account: Account,
    admitted: Admitted,
    receipt: Callable[[Job], Receipt | None],
) -> Classified:
    start = waiting_of(admitted, created_at=clock.now(), priority=Priority.INTERACTIVE)

    def job(reserved: Reserved) -> Job:
        return waiting_job(account.id, reserved.job_ids[0], admitted, start)

    budget = await budget_ahead(services, account, [admitted])
    reserved = await submit(
        services, account, [start], budget=budget, receipt=lambda made: receipt(job(made))
    )
    return Classified(job=job(reserved), used=reserved.used)


async def _answer(
    services: Services,
    account: Account,
    admitted: Admitted,
    receipt: Callable[[Job], Receipt | None],
    *,
    started: float,
) -> Classified:
    start = start_of(admitted, created_at=clock.now())
    (outcome,) = await find_cached(services, account.id, [admitted], ttl_s=account.cache_ttl)
    budget = None if outcome else await budget_for(services, account, [admitted])
    reserved = await begin(services, account, [start], budget=budget)
    (job_id,) = reserved.job_ids
    if outcome is None:
        with working_on(job=job_id):
            outcome = await _ask(services, account.id, admitted, job_id=job_id)
    latency_ms = round((time.perf_counter() - started) * 1000)
    end = completed(
        account.id, job_id, admitted, outcome, latency_ms=latency_ms, holds=budget is not None
    )
    job = job_of(admitted, start, end, outcome)
    ended = await end_jobs(services, [end], receipt=receipt(job))
    if not ended.jobs:
        # The lease ran out while the model worked: the job has failed and been given back.
        raise ServerError
    await keep_answered(services, account.id, [admitted], [outcome], ttl_s=account.cache_ttl)
    return Classified(job=job, used=reserved.used)


async def _ask(services: Services, account_id: int, admitted: Admitted, *, job_id: int) -> Outcome:
    try:
        return await judge(services.engine, services.media, admitted.task)
    except MediaUnavailable as failure:
        # What is wrong is for the caller to read: the message may name a host.
        logger.info("job %d failed: its %s can't be had", job_id, admitted.task.input_type.value)
        await _give_back(services, account_id, failure, job_id=job_id)
        raise
    except EngineError as failure:
        logger.warning("job %d failed: %s", job_id, failure)
        error = error_of(failure)
        await _give_back(services, account_id, error, job_id=job_id, spent=failure.spent)
        raise error from failure
    except BaseException as failure:
        # A cancelled request too must give its quota back before it goes.
        spent = await spent_when_cut(services.engine, admitted.task)
        await _give_back(services, account_id, ServerError(), job_id=job_id, spent=spent)
        if isinstance(failure, Exception):
            logger.exception("job %d failed", job_id)
            raise ServerError from failure
        raise


async def spent_when_cut(engine: Engine, task: Task) -> Spent:
    """Return what a task took that was cut off: not known, unless it can cost nothing."""
    try:
        most = await engine.most_cost(task)
    except EngineError:
        # Nobody could be asked.
        return NOTHING
    return NOTHING if most == 0 else NOT_KNOWN


def error_of(failure: EngineError) -> InvalidRequest | ModelUnavailable:
    """Return the caller's error for an engine's: the request's fault, or a model that is away.

    The latter has the time that the engine names.
    """
    if isinstance(failure, errors.Unfit):
        return InvalidRequest((failure.field,), failure.problem)
    wait = failure.retry_after if isinstance(failure, errors.ModelUnavailable) else None
    return ModelUnavailable(
        "The model can't answer at the moment. Try again soon.",
        retry_after=RETRY_AFTER_S if wait is None else max(math.ceil(wait), 1),
    )


async def _give_back(
    services: Services, account_id: int, error: Error, *, job_id: int, spent: Spent = NOTHING
) -> None:
    await end_jobs(services, [failed(account_id, job_id, error, spent=spent)])
