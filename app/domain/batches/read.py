"""Reading batches: only the caller's, only within the plan's history."""

from collections.abc import Sequence
from dataclasses import replace

from app.domain import clock
from app.domain.accounts.account import Account
from app.domain.batches.batch import Batch, BatchKind, is_batch_id
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
    batch = await get_progress(account, batch_id)
    if batch.kind is BatchKind.FILE:
        return batch
    jobs = await get_batch_jobs(account, [batch_id])
    return replace(batch, jobs=jobs[batch_id])


async def get_progress(account: Account, batch_id: str) -> Batch:
    """Return one batch without its jobs.

    Raises:
        NotFound: There is none, it is another account's, or older than the plan's history.
    """
    found = await get_batches(account, [batch_id])
    if batch_id not in found:
        raise no_such_batch(batch_id)
    return found[batch_id]


async def get_batches(account: Account, batch_ids: Sequence[str]) -> dict[str, Batch]:
    """Return those of the named batches that the account may see, by id, without their jobs."""
    history = account.limits.history
    since = None if history is None else clock.now() - history
    possible = [batch_id for batch_id in batch_ids if is_batch_id(batch_id)]
    batches = await rows.find_batches(account.id, possible, visible_since=since)
    return {batch.id: _to_batch(batch) for batch in batches}


async def get_batch_jobs(account: Account, batch_ids: Sequence[str]) -> dict[str, tuple[Job, ...]]:
    """Return the jobs of batches, in the order sent, by the batch's id."""
    jobs: dict[str, list[Job]] = {batch_id: [] for batch_id in batch_ids}
    for row in await rows.batch_jobs(account.id, batch_ids):
        jobs[row.batch_id or ""].append(to_job(row))
    return {batch_id: tuple(of_batch) for batch_id, of_batch in jobs.items()}


def no_such_batch(batch_id: str) -> NotFound:
    """Return the error for a batch that is not there for the caller."""
    return NotFound(f"There is no batch {batch_id[:40]}.", code=ErrorCode.JOB_NOT_FOUND)


def _to_batch(row: BatchRow) -> Batch:
    return Batch(
        id=row.id,
        account_id=row.account_id,
        kind=BatchKind(row.kind),
        status=JobStatus(row.status),
        total=row.total,
        completed=row.completed,
        failed=row.failed,
        latency_ms=row.latency_ms,
        jobs=(),
        created_at=row.created_at,
        completed_at=row.completed_at,
    )
