"""From a task to its job row, and from an outcome to the row's end."""

from datetime import datetime, timedelta

from app.domain import clock
from app.domain.classification.admission import Admitted
from app.domain.errors import Error
from app.domain.jobs.flags import flags_of
from app.domain.jobs.job import PREVIEW_LENGTH, Job, JobError, JobStatus, Priority
from app.domain.jobs.payload import dump_payload
from app.engines.contract import Flag, Outcome
from app.engines.spending import NOTHING, Spent
from app.storage.ledger.records import AS_LONG_AS_THE_JOB, JobEnd, JobStart

# Far longer than the slowest answer: past it the process that ran the job is taken for dead.
WAITING_CALLER_LEASE = timedelta(minutes=5)
# How long a failed job can be tried again.
RETRY_WINDOW = timedelta(hours=24)


def start_of(
    admitted: Admitted, *, created_at: datetime, batch_index: int | None = None
) -> JobStart:
    """Return the row of a job that starts now, while its caller waits."""
    return _row(
        admitted,
        created_at=created_at,
        batch_index=batch_index,
        lease_expires_at=created_at + WAITING_CALLER_LEASE,
        payload=dump_payload(admitted) if admitted.retain else None,
    )


def waiting_of(
    admitted: Admitted,
    *,
    created_at: datetime,
    priority: Priority,
    batch_index: int | None = None,
) -> JobStart:
    """Return the row of a job that waits for a worker."""
    return _row(
        admitted,
        created_at=created_at,
        batch_index=batch_index,
        payload=dump_payload(admitted),
        priority=priority,
    )


def _row(
    admitted: Admitted,
    *,
    created_at: datetime,
    batch_index: int | None,
    lease_expires_at: datetime | None = None,
    payload: str | None = None,
    priority: int = 0,
) -> JobStart:
    task = admitted.task
    return JobStart(
        input_type=task.input_type.value,
        input_preview=task.content[:PREVIEW_LENGTH] if admitted.store else None,
        mode=task.mode.value,
        categories=admitted.category_names,
        schema_id=admitted.schema_id,
        created_at=created_at,
        lease_expires_at=lease_expires_at,
        payload=payload,
        priority=priority,
        batch_index=batch_index,
        item_id=admitted.item_id,
    )


def completed(
    account_id: int,
    job_id: int,
    admitted: Admitted,
    outcome: Outcome,
    *,
    latency_ms: int,
    lease_id: str | None = None,
    holds: bool,
) -> JobEnd:
    """Return the end of a job that was answered; `holds` if some of a budget is held for it."""
    return JobEnd(
        account_id=account_id,
        job_id=job_id,
        completed_at=clock.now(),
        lease_id=lease_id,
        # An explanation quotes the input, of which `store: false` keeps nothing.
        labels=tuple(
            (label.label, label.confidence, label.explanation if admitted.store else None)
            for label in outcome.labels
        ),
        outcome=None if outcome.outcome is None else outcome.outcome.value,
        model=outcome.model,
        confidence_source=outcome.confidence_source.value,
        truncated=tuple(part.value for part in outcome.truncated),
        flags=tuple(flag.value for flag in flags_of(admitted.task)),
        basis=tuple(part.value for part in outcome.basis),
        tokens=outcome.tokens,
        completion_tokens=outcome.completion_tokens,
        cost=outcome.cost,
        latency_ms=latency_ms,
        input_until=AS_LONG_AS_THE_JOB if admitted.retain else None,
        holds=holds,
        cached=outcome.cached,
    )


def failed(
    account_id: int,
    job_id: int,
    error: Error,
    *,
    spent: Spent = NOTHING,
    retain: bool = False,
    lease_id: str | None = None,
) -> JobEnd:
    """Return the end of a job that could not be answered; it can be tried again for a while.

    `spent` is what asking took in vain.
    """
    now = clock.now()
    return JobEnd(
        account_id=account_id,
        job_id=job_id,
        completed_at=now,
        lease_id=lease_id,
        error_code=error.error_code.value,
        error_message=error.message,
        tokens=spent.tokens,
        completion_tokens=spent.completion_tokens,
        cost=spent.cost,
        input_until=AS_LONG_AS_THE_JOB if retain else now + RETRY_WINDOW,
    )


def waiting_job(
    account_id: int,
    job_id: int,
    admitted: Admitted,
    start: JobStart,
    *,
    batch_id: str | None = None,
) -> Job:
    """Return the job that `start` lets wait, without reading it back."""
    return Job(
        id=job_id,
        account_id=account_id,
        status=JobStatus.PENDING,
        input_type=admitted.task.input_type,
        input_preview=start.input_preview,
        mode=admitted.task.mode,
        categories=start.categories,
        schema_id=start.schema_id,
        labels=None,
        error=None,
        model=None,
        confidence_source=None,
        tokens=None,
        completion_tokens=None,
        cost=0,
        latency_ms=None,
        attempts=0,
        created_at=start.created_at,
        completed_at=None,
        batch_id=batch_id,
        item_id=start.item_id,
    )


def job_of(
    admitted: Admitted,
    start: JobStart,
    end: JobEnd,
    answer: Outcome | Error,
    *,
    batch_id: str | None = None,
) -> Job:
    """Return the job that `start` and `end` describe, without reading it back."""
    outcome = answer if isinstance(answer, Outcome) else None
    error = answer if isinstance(answer, Error) else None
    return Job(
        id=end.job_id,
        account_id=end.account_id,
        status=JobStatus.COMPLETED if outcome else JobStatus.FAILED,
        input_type=admitted.task.input_type,
        input_preview=start.input_preview,
        mode=admitted.task.mode,
        categories=start.categories,
        schema_id=start.schema_id,
        labels=outcome.labels if outcome else None,
        error=JobError(error.error_code, error.message) if error else None,
        model=outcome.model if outcome else None,
        confidence_source=outcome.confidence_source if outcome else None,
        tokens=end.tokens if outcome else end.tokens or None,
        completion_tokens=end.completion_tokens if outcome else end.completion_tokens or None,
        cost=end.cost,
        latency_ms=end.latency_ms,
        attempts=1,
        created_at=start.created_at,
        completed_at=end.completed_at,
        batch_id=batch_id,
        item_id=start.item_id,
        outcome=outcome.outcome if outcome else None,
        truncated=outcome.truncated if outcome else (),
        flags=tuple(map(Flag, end.flags)),
        basis=outcome.basis if outcome else (),
        cached=end.cached,
    )
