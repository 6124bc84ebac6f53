"""Rows of stored inputs."""

from collections.abc import Sequence

from app.storage.ledger.records import AS_LONG_AS_THE_JOB
from app.storage.models import JobInputRow, JobRow


async def find_inputs(account_id: int, job_ids: Sequence[int]) -> list[JobInputRow]:
    """Return what is stored of the named jobs, in no order."""
    return await JobInputRow.filter(account_id=account_id, job_id__in=list(job_ids))


async def drop_retained(account_id: int, *, after: int, count: int) -> int | None:
    """Drop what is retained of the next `count` jobs after the job `after`.

    Returns the last of these; None when there were none.
    """
    jobs = JobRow.filter(account_id=account_id, id__gt=after).order_by("id").limit(count)
    ids: list[int] = [job.id for job in await jobs.only("id")]
    if not ids:
        return None
    await JobInputRow.filter(job_id__in=ids, keep_until__gte=AS_LONG_AS_THE_JOB).delete()
    return ids[-1]
