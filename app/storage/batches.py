"""Reading batch rows."""

from collections.abc import Sequence
from datetime import datetime

from app.storage.models import BatchRow, JobRow


async def find_batches(
    account_id: int, batch_ids: Sequence[str], *, visible_since: datetime | None
) -> list[BatchRow]:
    """Return those of the named batches that are not older than `visible_since`, in no order."""
    rows = BatchRow.filter(account_id=account_id, id__in=list(batch_ids))
    if visible_since is not None:
        rows = rows.filter(created_at__gte=visible_since)
    return await rows


async def batch_jobs(account_id: int, batch_ids: Sequence[str]) -> list[JobRow]:
    """Return the jobs of batches, each batch's in the order sent."""
    rows = JobRow.filter(account_id=account_id, batch_id__in=list(batch_ids))
    return await rows.order_by("batch_id", "batch_index")


async def page_batch_jobs(
    account_id: int,
    batch_id: str,
    *,
    status: str | None,
    limit: int,
    after: int | None,
    before: int | None,
    backward: bool,
) -> list[JobRow]:
    """Return up to `limit` jobs of a batch in the order sent, between the places given.

    Forward takes the first of that range, backward the last.
    """
    rows = JobRow.filter(account_id=account_id, batch_id=batch_id)
    if status is not None:
        rows = rows.filter(status=status)
    if after is not None:
        rows = rows.filter(batch_index__gt=after)
    if before is not None:
        rows = rows.filter(batch_index__lt=before)
    page = await rows.order_by("-batch_index" if backward else "batch_index").limit(limit)
    return page[::-1] if backward else page


async def count_batch_jobs(account_id: int, batch_id: str, *, status: str | None) -> int:
    """Count the jobs of a batch."""
    rows = JobRow.filter(account_id=account_id, batch_id=batch_id)
    return await (rows if status is None else rows.filter(status=status)).count()
