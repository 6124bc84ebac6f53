"""Taking up what dead processes left behind."""

import logging
from datetime import timedelta

from app.domain import clock
from app.domain.errors import Error, ErrorCode, ServerError
from app.domain.jobs.end import tell
from app.domain.jobs.record import failed
from app.domain.services import Services
from app.domain.webhooks.events import EVENTS
from app.domain.work.attempt import MAX_ATTEMPTS
from app.observability import metrics
from app.storage.ledger.budgets import has_orphaned_holds, release_orphaned_holds
from app.storage.ledger.files import drop_abandoned_lots, has_abandoned_lots
from app.storage.ledger.work import has_expired_jobs, recover_jobs

logger = logging.getLogger(__name__)


# Longer than any attempt takes.
_ORPHANED_AFTER = timedelta(minutes=10)
# Far longer than writing a file down takes.
_ABANDONED_AFTER = timedelta(hours=1)


async def sweep_files(services: Services) -> None:
    """Remove files that were never submitted: whoever wrote them down died meanwhile."""
    before = clock.now() - _ABANDONED_AFTER
    if await services.ledger.run(has_abandoned_lots(before)):
        count = await services.ledger.run(drop_abandoned_lots(before))
        logger.warning("%d files that were never submitted are removed", count)


async def sweep_holds(services: Services) -> None:
    """Give back what is held of budgets for attempts that nobody makes any more."""
    before = clock.now() - _ORPHANED_AFTER
    if await services.ledger.run(has_orphaned_holds(before)):
        count = await services.ledger.run(release_orphaned_holds(before))
        logger.warning("what was held of budgets for %d jobs is given back", count)


async def sweep_jobs(services: Services) -> None:
    """Let jobs of dead workers wait again, and end those that can't be run."""
    if not await services.ledger.run(has_expired_jobs(clock.now())):
        return
    given_up = Error(
        f"The job was started {MAX_ATTEMPTS} times, and each time its worker died.",
        code=ErrorCode.SERVER_ERROR,
    )
    recovered = await services.ledger.run(
        recover_jobs(
            clock.now(),
            most_attempts=MAX_ATTEMPTS,
            given_up=failed(0, 0, given_up),
            abandoned=failed(0, 0, ServerError()),
            announcer=EVENTS,
        )
    )
    tell(services, recovered.failed)
    metrics.leases_recovered(recovered.requeued, outcome="requeued")
    metrics.leases_recovered(len(recovered.failed.jobs), outcome="given_up")
    if recovered.requeued:
        logger.warning("%d jobs whose worker died wait again", recovered.requeued)
    if recovered.failed.jobs:
        logger.warning("%d jobs whose process died have failed", len(recovered.failed.jobs))
