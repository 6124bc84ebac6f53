"""Following a batch to its end."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

from app.domain.accounts.account import Caller
from app.domain.batches.batch import Batch
from app.domain.batches.read import get_progress, no_such_batch
from app.domain.changes import follow, is_visible, still_admitted
from app.domain.jobs.job import JobStatus
from app.domain.services import Services
from app.domain.signals import batch_topic
from app.storage.ledger.progress import Progress, batch_progress

# Nobody reads a counter more often; the chunks of a large batch end faster.
LEAST_GAP_S = 0.1


async def watch_batch(
    services: Services, caller: Caller, batch_id: str
) -> AsyncGenerator[Batch, None]:
    """Yield a batch as it is, then at each progress, until it has ended; always without its jobs.

    Raises:
        NotFound: There is none, it is another account's, or older than the plan's history.
        Unauthorized: The key was revoked meanwhile.
        SubscriptionInactive: The subscription has lapsed meanwhile.
    """
    shown: Batch | None = None
    async with aclosing(_progresses(services, caller, batch_id)) as progresses:
        async for _ in progresses:
            batch = await get_progress(caller.account, batch_id)
            if batch != shown:
                shown = batch
                yield batch
            if batch.status.is_final:
                return


async def wait_for_batch(
    services: Services, caller: Caller, batch_id: str, *, timeout_s: float
) -> None:
    """Return when a batch has ended, or when the time is over.

    Raises:
        NotFound: There is none, it is another account's, or older than the plan's history.
        Unauthorized: The key was revoked meanwhile.
        SubscriptionInactive: The subscription has lapsed meanwhile.
    """
    with suppress(TimeoutError):
        async with (
            asyncio.timeout(timeout_s),
            aclosing(_progresses(services, caller, batch_id)) as progresses,
        ):
            async for progress in progresses:
                if JobStatus(progress.status).is_final:
                    return


def _progresses(
    services: Services, caller: Caller, batch_id: str
) -> AsyncGenerator[Progress, None]:
    async def look() -> Progress:
        account = await still_admitted(services, caller)
        progress = await services.ledger.run(batch_progress(account.id, batch_id))
        if progress is None or not is_visible(account, progress):
            raise no_such_batch(batch_id)
        return progress

    return follow(services, batch_topic(batch_id), look, least_gap_s=LEAST_GAP_S)
