"""Reading jobs: only the caller's, only within the plan's history."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.domain import clock
from app.domain.accounts.account import Account
from app.domain.errors import ErrorCode, NotFound
from app.domain.jobs.job import Job, JobError, JobStatus
from app.engines.contract import (
    Basis,
    ConfidenceSource,
    Flag,
    InputType,
    Label,
    Mode,
    OutcomeKind,
    Truncated,
)
from app.storage import jobs as rows
from app.storage.jobs import JobConditions
from app.storage.models import JobRow


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs. None does not restrict; `created_after` is inclusive."""

    status: JobStatus | None = None
    input_type: InputType | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class JobPage:
    """One page of a list by offset, and how many there are in all."""

    jobs: tuple[Job, ...]
    total: int


async def get_job(account: Account, job_id: int) -> Job:
    """Return one job.

    Raises:
        NotFound: There is none, it is another account's, or older than the plan's history.
    """
    found = await get_jobs(account, [job_id])
    if job_id not in found:
        raise no_such_job(job_id)
    return found[job_id]


def no_such_job(job_id: int | str) -> NotFound:
    """Return the error for a job that is not there for the caller."""
    return NotFound(f"There is no job {str(job_id)[:40]}.", code=ErrorCode.JOB_NOT_FOUND)


async def get_jobs(account: Account, job_ids: Sequence[int]) -> dict[int, Job]:
    """Return those of the named jobs that the account may see, by id."""
    found = await rows.find_jobs(account.id, job_ids, _conditions(account, JobFilter()))
    return {row.id: to_job(row) for row in found}


async def list_jobs(account: Account, which: JobFilter, *, limit: int, offset: int) -> JobPage:
    """Return a page by offset, newest first."""
    conditions = _conditions(account, which)
    total = await rows.count_jobs(account.id, conditions)
    page = await rows.list_jobs(account.id, conditions, limit=limit, offset=offset)
    return JobPage(jobs=tuple(to_job(row) for row in page), total=total)


async def page_jobs(
    account: Account,
    which: JobFilter,
    *,
    limit: int,
    after: int | None = None,
    before: int | None = None,
    backward: bool = False,
) -> list[Job]:
    """Return up to `limit` jobs, newest first, older than `after` and newer than `before`."""
    page = await rows.page_jobs(
        account.id,
        _conditions(account, which),
        limit=limit,
        after=after,
        before=before,
        backward=backward,
    )
    return [to_job(row) for row in page]


async def count_jobs(account: Account, which: JobFilter) -> int:
    """Count the jobs that the account may see."""
    return await rows.count_jobs(account.id, _conditions(account, which))


def _conditions(account: Account, which: JobFilter) -> JobConditions:
    history = account.limits.history
    return JobConditions(
        status=which.status,
        input_type=which.input_type,
        created_after=which.created_after,
        created_before=which.created_before,
        visible_since=None if history is None else clock.now() - history,
    )


def to_job(row: JobRow) -> Job:
    """Read a stored job."""
    return Job(
        id=row.id,
        account_id=row.account_id,
        status=JobStatus(row.status),
        input_type=InputType(row.input_type),
        input_preview=row.input_preview,
        mode=Mode(row.mode),
        categories=None if row.categories is None else tuple(row.categories),
        schema_id=row.schema_id,
        labels=None if row.labels is None else tuple(Label(*label) for label in row.labels),
        error=_error_of(row),
        model=row.model,
        confidence_source=(
            None if row.confidence_source is None else ConfidenceSource(row.confidence_source)
        ),
        tokens=row.tokens,
        completion_tokens=row.completion_tokens,
        cost=row.cost,
        latency_ms=row.latency_ms,
        attempts=row.attempts,
        created_at=row.created_at,
        completed_at=row.completed_at,
        batch_id=row.batch_id,
        item_id=row.item_id,
        outcome=None if row.outcome is None else OutcomeKind(row.outcome),
        truncated=tuple(Truncated(part) for part in row.truncated or ()),
        flags=tuple(Flag(flag) for flag in row.flags or ()),
        basis=tuple(Basis(part) for part in row.basis or ()),
        cached=row.cached,
    )


def _error_of(row: JobRow) -> JobError | None:
    if row.error_code is None:
        return None
    return JobError(code=ErrorCode(row.error_code), message=row.error_message or "")
