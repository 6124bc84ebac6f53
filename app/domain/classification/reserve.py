"""Taking the month's quota for jobs and writing their rows."""

from collections.abc import Callable, Sequence

from app.domain.accounts.account import Account
from app.domain.clock import Period
from app.domain.errors import RateLimitExceeded
from app.domain.services import Services
from app.domain.signals import Queue
from app.storage.ledger.records import BatchStart, JobStart, Receipt, Refused, Reserved
from app.storage.ledger.starting import start_jobs, submit_jobs


async def begin(
    services: Services,
    account: Account,
    starts: Sequence[JobStart],
    *,
    batch: BatchStart | None = None,
) -> Reserved:
    """Reserve jobs that run now, while their caller waits.

    Raises:
        RateLimitExceeded: The quota does not cover all of them; nothing was counted.
    """
    period, limit = _terms(account, starts)
    reserved = await services.ledger.run(
        start_jobs(account.id, starts, period=str(period), limit=limit, batch=batch)
    )
    return granted(reserved, period=period, limit=limit)


async def submit(
    services: Services,
    account: Account,
    starts: Sequence[JobStart],
    *,
    batch: BatchStart | None = None,
    receipt: Callable[[Reserved], Receipt | None],
) -> Reserved:
    """Promise jobs that workers will run: when this returns they have been written.

    Raises:
        RateLimitExceeded: The quota does not cover all of them; nothing was counted.
    """
    period, limit = _terms(account, starts)
    reserved = await services.ledger.run(
        submit_jobs(
            account.id, starts, period=str(period), limit=limit, batch=batch, receipt=receipt
        )
    )
    promised = granted(reserved, period=period, limit=limit)
    services.signals.wake(Queue.JOBS, len(starts))
    return promised


def _terms(account: Account, starts: Sequence[JobStart]) -> tuple[Period, int | None]:
    return Period.of(starts[0].created_at), account.limits.requests


def granted(reserved: Reserved | Refused, *, period: Period, limit: int | None) -> Reserved:
    """Return what was reserved.

    Raises:
        RateLimitExceeded: The quota did not cover it.
    """
    if isinstance(reserved, Refused):
        raise RateLimitExceeded(limit=limit or 0, used=reserved.used, period=period)
    return reserved
