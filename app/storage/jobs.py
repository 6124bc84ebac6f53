"""Reading job rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from tortoise.queryset import QuerySet

from app.storage.models import JobRow


@dataclass(frozen=True, slots=True)
class JobConditions:
    """Which of an account's jobs. None does not restrict.

    `created_after` is inclusive, `created_before` exclusive. `visible_since` is the beginning of
    the plan's history.
    """

    status: str | None = None
    input_type: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    visible_since: datetime | None = None


def _select(account_id: int, conditions: JobConditions) -> QuerySet[JobRow]:
    rows = JobRow.filter(account_id=account_id)
    if conditions.status is not None:
        rows = rows.filter(status=conditions.status)
    if conditions.input_type is not None:
        rows = rows.filter(input_type=conditions.input_type)
    for bound in (conditions.created_after, conditions.visible_since):
        if bound is not None:
            rows = rows.filter(created_at__gte=bound)
    if conditions.created_before is not None:
        rows = rows.filter(created_at__lt=conditions.created_before)
    return rows


async def find_jobs(
    account_id: int, job_ids: Sequence[int], conditions: JobConditions
) -> list[JobRow]:
    """Return those of the named jobs that meet the conditions, in no order."""
    return await _select(account_id, conditions).filter(id__in=list(job_ids))


async def count_jobs(account_id: int, conditions: JobConditions) -> int:
    """Count an account's jobs."""
    return await _select(account_id, conditions).count()


async def list_jobs(
    account_id: int, conditions: JobConditions, *, limit: int, offset: int
) -> list[JobRow]:
    """Return a page of an account's jobs by offset, newest first."""
    return await _select(account_id, conditions).order_by("-id").offset(offset).limit(limit)


async def page_jobs(
    account_id: int,
    conditions: JobConditions,
    *,
    limit: int,
    after: int | None,
    before: int | None,
    backward: bool,
) -> list[JobRow]:
    """Return up to `limit` jobs, newest first, older than `after` and newer than `before`.

    Forward takes the newest of that range, backward the oldest. Keys are ids, so pages stay stable
    while rows arrive.
    """
    rows = _select(account_id, conditions)
    if after is not None:
        rows = rows.filter(id__lt=after)
    if before is not None:
        rows = rows.filter(id__gt=before)
    page = await rows.order_by("id" if backward else "-id").limit(limit)
    return page[::-1] if backward else page
