"""Trying failed jobs again: they count anew and wait for a worker, under the same id."""

from app.domain import clock
from app.domain.accounts.account import Account
from app.domain.classification.reserve import granted
from app.domain.clock import Period
from app.domain.errors import Conflict
from app.domain.jobs.job import Job, JobStatus
from app.domain.jobs.read import get_job
from app.domain.services import Services
from app.domain.signals import Queue, batch_topic, job_topic
from app.storage.ledger.progress import job_standing
from app.storage.ledger.records import Reserved
from app.storage.ledger.restarting import restart_jobs


async def retry_job(services: Services, account: Account, job_id: int) -> Job:
    """Let a failed job wait again and return it as it is then.

    Raises:
        NotFound: There is none, it is another account's, or older than the plan's history.
        Conflict: It did not fail, ran while its caller waited, or its input is no longer kept.
        RateLimitExceeded: The month's quota is used up.
    """
    job = await get_job(account, job_id)
    if job.status is not JobStatus.FAILED:
        raise Conflict(f"Job {job_id} can't be tried again: it is {job.status.value}, not failed.")
    restarted = await restart(services, account, job_id=job_id)
    if not restarted.job_ids:
        raise Conflict(f"Job {job_id} can't be tried again: {await _obstacle(services, job)}.")
    services.signals.publish(job_topic(job_id))
    if job.batch_id is not None:
        services.signals.publish(batch_topic(job.batch_id))
    return await get_job(account, job_id)


async def restart(
    services: Services,
    account: Account,
    *,
    job_id: int | None = None,
    batch_id: str | None = None,
) -> Reserved:
    """Take quota for what can be tried again of a job or a batch, and wake workers for it.

    Raises:
        RateLimitExceeded: The month's quota does not cover all of it; nothing was changed.
    """
    moment = clock.now()
    period, limit = Period.of(moment), account.limits.requests
    reserved = await services.ledger.run(
        restart_jobs(
            account.id,
            job_id=job_id,
            batch_id=batch_id,
            moment=moment,
            period=str(period),
            limit=limit,
        )
    )
    restarted = granted(reserved, period=period, limit=limit)
    if restarted.job_ids:
        services.signals.wake(Queue.JOBS, len(restarted.job_ids))
    return restarted


async def _obstacle(services: Services, job: Job) -> str:
    standing = await services.ledger.run(job_standing(job.account_id, job.id))
    if standing is not None and standing.status != JobStatus.FAILED:
        return "somebody else did so just now"
    if standing is not None and not standing.background:
        return "it ran while its caller waited; send the request again"
    return "its input is no longer kept; send the request again"
