"""Reading batches: only the caller's, only within the plan's history."""

from collections.abc import Sequence

from app.domain import clock
from app.domain.accounts.account import Account
from app.domain.batches.batch import Batch, BatchKind
from app.domain.errors import ErrorCode, NotFound
from app.domain.jobs.job import Job, JobStatus
from app.domain.jobs.read import to_job
from app.storage import batches as rows
from app.storage.models import BatchRow


async def get_batch(account: Account, batch_id: str) -> Batch:
    """Return one batch with its jobs.

    Raises:
        NotFound: There is none, it is another account's, or older than the plan's history.
    """
    found = await get_batches(account, [batch_id])
    if batch_id not in found:
        raise NotFound(f"There is no batch {batch_id[:40]}.", code=ErrorCode.JOB_NOT_FOUND)
    return found[batch_id]


async def get_batches(account: Account, batch_ids: Sequence[str]) -> dict[str, Batch]:
    """Return those of the named batches that the account may see, by id."""
    history = account.limits.history
    since = None if history is None else clock.now() - history
    batches = await rows.find_batches(account.id, batch_ids, visible_since=since)
    jobs: dict[str, list[Job]] = {batch.id: [] for batch in batches}
    listed = [batch.id for batch in batches if batch.kind != BatchKind.FILE]
    for row in await rows.batch_jobs(account.id, listed):
        jobs[row.batch_id or ""].append(to_job(row))
    return {batch.id: _to_batch(batch, tuple(jobs[batch.id])) for batch in batches}


def _to_batch(row: BatchRow, jobs: tuple[Job, ...]) -> Batch:
    return Batch(
        id=row.id,
        account_id=row.account_id,
        kind=BatchKind(row.kind),
        status=JobStatus(row.status),
        total=row.total,
        completed=row.completed,
        failed=row.failed,
        latency_ms=row.latency_ms,
        jobs=jobs,
        created_at=row.created_at,
        completed_at=row.completed_at,
    )
