"""Classify one input against several schemas or lists of categories.

The jobs are reserved, run and ended together, as those of any batch. Who does not wait has asked
for one input to be judged, so its jobs wait with single ones and not behind batches.
"""

from collections.abc import Callable

from app.domain import clock
from app.domain.accounts.account import Caller
from app.domain.batches.batch import Batch, BatchKind, new_batch_id
from app.domain.batches.classify_batch import ClassifiedBatch, answer_batch, promise_batch
from app.domain.batches.sets import SetsRequest, admit_sets
from app.domain.classification.dry_run import DryRun, weigh
from app.domain.jobs.job import Priority
from app.domain.services import Services
from app.storage.ledger.records import BatchStart, Receipt


async def classify_sets(
    services: Services,
    caller: Caller,
    asked: SetsRequest,
    *,
    started: float,
    receipt: Callable[[Batch], Receipt | None] = lambda _batch: None,
) -> ClassifiedBatch:
    """Classify one input several times; see `classify_batch`, whose errors are also these.

    Raises:
        InvalidRequest: A value is out of its range, or fields contradict each other.
        PlanRestriction: The plan lacks something that the request asks for.
        NotFound: A schema does not exist.
        RateLimitExceeded: The month's quota does not cover every schema or set; nothing was
            counted.
        ServerError: Our fault; the quota is given back.
    """
    account = caller.account
    admitted = await admit_sets(services, account, asked)
    opening = BatchStart(new_batch_id(), BatchKind.SETS.value, clock.now())
    if asked.request.run_async:
        return await promise_batch(
            services, account, admitted, opening, priority=Priority.INTERACTIVE, receipt=receipt
        )
    return await answer_batch(
        services, account, admitted, opening, receipt=receipt, started=started
    )


async def dry_run_sets(services: Services, caller: Caller, asked: SetsRequest) -> DryRun:
    """Tell what `classify_sets` would do, without doing it.

    Raises:
        InvalidRequest: A value is out of its range, or fields contradict each other.
        PlanRestriction: The plan lacks something that the request asks for.
        NotFound: A schema does not exist.
        RateLimitExceeded: The month's quota would not cover every schema or set.
    """
    return await weigh(services, caller, await admit_sets(services, caller.account, asked))
