"""Canceling what is left of a batch."""

from app.domain.accounts.account import Account
from app.domain.batches.batch import Batch
from app.domain.batches.read import get_batch, get_progress
from app.domain.errors import Conflict
from app.domain.jobs.cancel import canceled
from app.domain.jobs.end import tell
from app.domain.services import Services
from app.domain.webhooks.events import EVENTS
from app.storage.ledger.work import cancel_batch as cancel_some


async def cancel_batch(services: Services, account: Account, batch_id: str) -> Batch:
    """Cancel those jobs of a batch that have not ended; return the batch as it is then.

    Raises:
        NotFound: There is none, it is another account's, or older than the plan's history.
        Conflict: It has ended, or runs while its caller waits.
    """
    await get_progress(account, batch_id)
    count = 0
    while True:
        ended = await services.ledger.run(
            cancel_some(batch_id, canceled(account, 0), announcer=EVENTS)
        )
        tell(services, ended)
        if not ended.jobs:
            break
        count += len(ended.jobs)
    batch = await get_batch(account, batch_id)
    if count == 0:
        raise Conflict(
            f"{batch_id} can't be canceled: it has {batch.status.value} already."
            if batch.status.is_final
            else f"{batch_id} can't be canceled: it runs while its caller waits for the answer."
        )
    return batch
