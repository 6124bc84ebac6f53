"""Classify one input while the caller waits.

The order is the contract's: rules of values, plan, quota, then the model. The quota and the job row
are written in one step before the model is asked, the result and its tokens in another before the
answer leaves; a failure in between gives the quota back in the step that records it.
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from app.domain import clock
from app.domain.accounts.account import Caller
from app.domain.classification.admission import Admitted, admit_request
from app.domain.classification.request import ClassifyRequest
from app.domain.clock import Period
from app.domain.errors import Error, ModelUnavailable, RateLimitExceeded, ServerError
from app.domain.jobs.job import Job
from app.domain.jobs.record import completed, failed, job_of, start_of
from app.domain.services import Services
from app.engines.contract import Outcome
from app.engines.errors import EngineError
from app.storage.ledger import Receipt, Refused

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Classified:
    """A completed job, and the month's use after it."""

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

    `receipt` says what to keep for a repeat of the request; it is written in the step that ends
    the job.

    Raises:
        InvalidRequest: A value is out of its range.
        PlanRestriction: The plan lacks something that the request asks for.
        NotFound: The schema does not exist.
        RateLimitExceeded: The month's quota is used up.
        ModelUnavailable: The model can't answer now; the quota is given back.
        ServerError: Our fault; the quota is given back.
    """
    account = caller.account
    admitted = await admit_request(services, account, request)
    start = start_of(admitted, created_at=clock.now())
    period = Period.of(start.created_at)
    limit = account.limits.requests
    reserved = await services.ledger.start_jobs(
        account.id, [start], period=str(period), limit=limit
    )
    if isinstance(reserved, Refused):
        raise RateLimitExceeded(limit=limit or 0, used=reserved.used, period=period)
    (job_id,) = reserved.job_ids
    outcome = await _ask(services, account.id, admitted, job_id=job_id)
    latency_ms = round((time.perf_counter() - started) * 1000)
    end = completed(account.id, job_id, admitted, outcome, latency_ms=latency_ms)
    job = job_of(admitted, start, end, outcome)
    if not await services.ledger.finish_jobs([end], receipt=receipt(job)):
        # The lease ran out while the model worked: the job has failed and been given back.
        raise ServerError
    return Classified(job=job, used=reserved.used)


async def _ask(services: Services, account_id: int, admitted: Admitted, *, job_id: int) -> Outcome:
    try:
        return await services.engine.classify(admitted.task)
    except EngineError as failure:
        logger.warning("job %d failed: %s", job_id, failure)
        unavailable = model_unavailable()
        await _give_back(services, account_id, unavailable, job_id=job_id)
        raise unavailable from failure
    except BaseException as failure:
        # A cancelled request too must give its quota back before it goes.
        await _give_back(services, account_id, ServerError(), job_id=job_id)
        if isinstance(failure, Exception):
            logger.exception("job %d failed", job_id)
            raise ServerError from failure
        raise


def model_unavailable() -> ModelUnavailable:
    """Return the error for a model that can't answer."""
    return ModelUnavailable("The model can't answer at the moment. Try again soon.")


async def _give_back(services: Services, account_id: int, error: Error, *, job_id: int) -> None:
    await services.ledger.finish_jobs([failed(account_id, job_id, error)])
