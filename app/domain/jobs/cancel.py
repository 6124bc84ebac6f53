"""Canceling what waits or runs in a worker.

A canceled job has failed, with the code `canceled`: its quota is given back, webhooks are told, and
it can be tried again. Whoever runs it finds that it has ended and drops the work.
"""

from dataclasses import replace

from app.domain.accounts.account import Account
from app.domain.errors import Conflict, Error, ErrorCode
from app.domain.jobs.end import tell
from app.domain.jobs.job import Job
from app.domain.jobs.read import get_job
from app.domain.jobs.record import failed
from app.domain.services import Services
from app.domain.webhooks.events import EVENTS
from app.storage.ledger.records import JobEnd
from app.storage.ledger.work import cancel_jobs


async def cancel_job(services: Services, account: Account, job_id: int) -> Job:
    """Cancel a job and return it as it is then.

    Raises:
        NotFound: There is none, it is another account's, or older than the plan's history.
        Conflict: It has ended, or runs while its caller waits.
    """
    await get_job(account, job_id)
    ended = await services.ledger.run(cancel_jobs([canceled(account, job_id)], announcer=EVENTS))
    tell(services, ended)
    job = await get_job(account, job_id)
    if not ended.jobs:
        raise Conflict(
            f"Job {job_id} can't be canceled: it has {job.status.value} already."
            if job.status.is_final
            else f"Job {job_id} can't be canceled: it runs while its caller waits for the answer."
        )
    return job


def canceled(account: Account, job_id: int) -> JobEnd:
    """Return the end of a job that its owner no longer wants."""
    error = Error("The job was canceled.", code=ErrorCode.CANCELED)
    end = failed(account.id, job_id, error, retain=account.retain_inputs)
    # What is held for a model that is at work on it stays until that is done.
    return replace(end, holds=False)
