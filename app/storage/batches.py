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
