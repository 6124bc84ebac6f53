"""Taking the month's quota and budget for jobs and writing their rows."""

from collections.abc import Callable, Sequence

from app.domain.accounts.account import Account
from app.domain.budget import over_budget
from app.domain.clock import Period
from app.domain.errors import RateLimitExceeded
from app.domain.services import Services
from app.domain.signals import Queue
from app.observability import metrics
from app.storage.ledger.budgets import Budget
from app.storage.ledger.records import (
    BatchStart,
    JobStart,
    OverBudget,
    Receipt,
    Refused,
    Reserved,
)
from app.storage.ledger.starting import start_jobs, submit_jobs


async def begin(
    services: Services,
    account: Account,
    starts: Sequence[JobStart],
    *,
    batch: BatchStart | None = None,
    budget: Budget | None = None,
) -> Reserved:
    """Reserve jobs that run now, while their caller waits.

    Raises:
        RateLimitExceeded: The quota does not cover all of them; nothing was counted.
        BudgetExceeded: The budget does not.
    """
    period, limit = _terms(account, starts)
    reserved = await services.ledger.run(
        start_jobs(account.id, starts, period=str(period), limit=limit, batch=batch, budget=budget)
    )
    taken = granted(reserved, period=period, limit=limit, budget=budget)
    metrics.jobs_started(len(starts), by="request")
    return taken


async def submit(
    services: Services,
    account: Account,
    starts: Sequence[JobStart],
    *,
    batch: BatchStart | None = None,
    budget: Budget | None = None,
    receipt: Callable[[Reserved], Receipt | None],
) -> Reserved:
    """Promise jobs that workers will run: when this returns they have been written.

    Raises:
        RateLimitExceeded: The quota does not cover all of them; nothing was counted.
        BudgetExceeded: The budget covers none of them.
    """
    period, limit = _terms(account, starts)
    reserved = await services.ledger.run(
        submit_jobs(
            account.id,
            starts,
            period=str(period),
            limit=limit,
            batch=batch,
            receipt=receipt,
            budget=budget,
        )
    )
    promised = granted(reserved, period=period, limit=limit, budget=budget)
    services.signals.wake(Queue.JOBS, len(starts))
    return promised


def _terms(account: Account, starts: Sequence[JobStart]) -> tuple[Period, int | None]:
    return Period.of(starts[0].created_at), account.limits.requests


def granted(
    reserved: Reserved | Refused | OverBudget,
    *,
    period: Period,
    limit: int | None,
    budget: Budget | None = None,
) -> Reserved:
    """Return what was reserved.

    Raises:
        RateLimitExceeded: The quota did not cover it.
        BudgetExceeded: The budget did not.
    """
    if isinstance(reserved, Refused):
        metrics.quota_refused()
        raise RateLimitExceeded(limit=limit or 0, used=reserved.used, period=period)
    if isinstance(reserved, OverBudget):
        raise over_budget(reserved, budget or Budget(0, ()), period=period)
    return reserved
