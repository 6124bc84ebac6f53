"""From a task to its job row, and from an outcome to the row's end."""

from datetime import datetime, timedelta

from app.domain import clock
from app.domain.classification.admission import Admitted
from app.domain.errors import Error
from app.domain.jobs.job import PREVIEW_LENGTH, Job, JobError, JobStatus
from app.engines.contract import Outcome
from app.storage.ledger import JobEnd, JobStart

# Far longer than the slowest answer: past it the process that ran the job is taken for dead.
LEASE = timedelta(minutes=5)


def start_of(
    admitted: Admitted, *, created_at: datetime, batch_index: int | None = None
) -> JobStart:
    """Return the row of a job that starts now."""
    task = admitted.task
    return JobStart(
        input_type=task.input_type.value,
        input_preview=task.content[:PREVIEW_LENGTH] if admitted.store else None,
        mode=task.mode.value,
        categories=admitted.category_names,
        schema_id=admitted.schema_id,
        created_at=created_at,
        lease_expires_at=created_at + LEASE,
        batch_index=batch_index,
        item_id=admitted.item_id,
    )


def completed(
    account_id: int, job_id: int, admitted: Admitted, outcome: Outcome, *, latency_ms: int
) -> JobEnd:
    """Return the end of a job that was answered."""
    return JobEnd(
        account_id=account_id,
        job_id=job_id,
        completed_at=clock.now(),
        # An explanation quotes the input, of which `store: false` keeps nothing.
        labels=tuple(
            (label.label, label.confidence, label.explanation if admitted.store else None)
            for label in outcome.labels
        ),
        model=outcome.model,
        confidence_source=outcome.confidence_source.value,
        tokens=outcome.tokens,
        latency_ms=latency_ms,
    )


def failed(account_id: int, job_id: int, error: Error) -> JobEnd:
    """Return the end of a job that could not be answered."""
    return JobEnd(
        account_id=account_id,
        job_id=job_id,
        completed_at=clock.now(),
        error_code=error.error_code.value,
        error_message=error.message,
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
        tokens=outcome.tokens if outcome else None,
        latency_ms=end.latency_ms,
        attempts=1,
        created_at=start.created_at,
        completed_at=end.completed_at,
        batch_id=batch_id,
        item_id=start.item_id,
    )
