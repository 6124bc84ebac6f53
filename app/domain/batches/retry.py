"""Trying the failed jobs of a batch again."""

from app.domain.accounts.account import Account
from app.domain.batches.batch import Batch
from app.domain.batches.read import get_batch, get_progress
from app.domain.errors import Conflict
from app.domain.jobs.retry import restart
from app.domain.services import Services
from app.domain.signals import batch_topic, job_topic


async def retry_batch(services: Services, account: Account, batch_id: str) -> Batch:
    """Let the failed jobs of a batch whose input is kept wait again; return it as it is then.

    Raises:
        NotFound: There is none, it is another account's, or older than the plan's history.
        Conflict: None failed, or all that did ran while their caller waited or lost their input.
        RateLimitExceeded: The month's quota does not cover all of them; nothing was changed.
    """
    batch = await get_progress(account, batch_id)
    if batch.failed == 0:
        raise Conflict(f"{batch_id} can't be tried again: none of its jobs has failed.")
    restarted = await restart(services, account, batch_id=batch_id)
    if not restarted.job_ids:
        raise Conflict(
            f"{batch_id} can't be tried again: the inputs of its failed jobs are no longer kept, "
            "its lines were refused, or it ran while its caller waited; send the request again."
        )
    for job_id in restarted.job_ids:
        services.signals.publish(job_topic(job_id))
    services.signals.publish(batch_topic(batch_id))
    return await get_batch(account, batch_id)
