"""Following a job to its end."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

from app.domain.accounts.account import Caller
from app.domain.changes import follow, is_visible, still_admitted
from app.domain.jobs.job import Job, JobStatus
from app.domain.jobs.read import get_job, no_such_job
from app.domain.services import Services
from app.domain.signals import job_topic
from app.storage.ledger.progress import job_progress


async def watch_job(services: Services, caller: Caller, job_id: int) -> AsyncGenerator[Job, None]:
    """Yield a job as it is, then at each change of its status, until it has ended.

    Raises:
        NotFound: There is none, it is another account's, or older than the plan's history.
        Unauthorized: The key was revoked meanwhile.
        SubscriptionInactive: The subscription has lapsed meanwhile.
    """
    shown: JobStatus | None = None
    async with aclosing(_statuses(services, caller, job_id)) as statuses:
        async for _ in statuses:
            job = await get_job(caller.account, job_id)
            if job.status is not shown:
                shown = job.status
                yield job
            if shown.is_final:
                return


async def wait_for_job(
    services: Services, caller: Caller, job_id: int, *, timeout_s: float
) -> None:
    """Return when a job has ended, or when the time is over.

    Raises:
        NotFound: There is none, it is another account's, or older than the plan's history.
        Unauthorized: The key was revoked meanwhile.
        SubscriptionInactive: The subscription has lapsed meanwhile.
    """
    with suppress(TimeoutError):
        async with (
            asyncio.timeout(timeout_s),
            aclosing(_statuses(services, caller, job_id)) as statuses,
        ):
            async for status in statuses:
                if status.is_final:
                    return


def _statuses(services: Services, caller: Caller, job_id: int) -> AsyncGenerator[JobStatus, None]:
    async def look() -> JobStatus:
        account = await still_admitted(services, caller)
        progress = await services.ledger.run(job_progress(account.id, job_id))
        if progress is None or not is_visible(account, progress):
            raise no_such_job(job_id)
        return JobStatus(progress.status)

    return follow(services, job_topic(job_id), look)
