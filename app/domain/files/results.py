"""The results of a batch, read page by page: those of a file are too many to hold at once."""

from collections.abc import AsyncIterator
from typing import Any

from app.domain.accounts.account import Account
from app.domain.batches.batch import Batch
from app.domain.batches.read import get_progress
from app.domain.errors import Conflict
from app.domain.files.file import PlacedJob
from app.domain.jobs.job import JobStatus
from app.domain.jobs.read import to_job
from app.domain.services import Services
from app.domain.webhooks.events import item_of
from app.storage import batches as rows
from app.storage.ledger.files import ended_lines

_PAGE = 500


async def open_results(
    services: Services, account: Account, batch_id: str, *, partial: bool
) -> AsyncIterator[dict[str, Any]]:
    """Return the results of a batch in the order sent; `partial` ones are those ended so far.

    Raises:
        NotFound: There is none, it is another account's, or older than the plan's history.
        Conflict: It has not ended, and nobody asked for a part.
    """
    batch = await get_progress(account, batch_id)
    if batch.completed_at is None and not partial:
        raise Conflict(
            f"{batch_id} has not ended: {batch.completed + batch.failed} of {batch.total} lines "
            "have. Ask for partial results, or wait."
        )
    return _results(services, batch)


async def _results(services: Services, batch: Batch) -> AsyncIterator[dict[str, Any]]:
    after = -1
    while True:
        page = await services.ledger.run(
            ended_lines(batch.account_id, batch.id, after=after, count=_PAGE)
        )
        for _, job in page:
            yield item_of(job, batch.kind)
        if len(page) < _PAGE:
            return
        after = page[-1][0]


async def page_batch_jobs(
    account: Account,
    batch_id: str,
    *,
    status: JobStatus | None,
    limit: int,
    after: int | None,
    before: int | None,
    backward: bool,
) -> list[PlacedJob]:
    """Return up to `limit` jobs of a batch in the order sent, between two places."""
    page = await rows.page_batch_jobs(
        account.id,
        batch_id,
        status=status,
        limit=limit,
        after=after,
        before=before,
        backward=backward,
    )
    return [PlacedJob(id=row.batch_index or 0, job=to_job(row)) for row in page]


async def count_batch_jobs(account: Account, batch_id: str, *, status: JobStatus | None) -> int:
    """Count the jobs of a batch."""
    return await rows.count_batch_jobs(account.id, batch_id, status=status)
