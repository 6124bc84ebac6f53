"""How far a job or a batch has come: one indexed row, for those who look often."""

from dataclasses import dataclass
from datetime import datetime

from app.storage.columns import read_time
from app.storage.operation import Query, Statement, Steps, reading

_JOB = Statement("""
SELECT status, created_at FROM jobs WHERE account_id = :account AND id = :job
""")
_BATCH = Statement("""
SELECT status, created_at, completed, failed FROM batches
WHERE account_id = :account AND id = :batch
""")
_STANDING = Statement("""
SELECT status, background,
       EXISTS (SELECT 1 FROM job_inputs WHERE job_inputs.job_id = jobs.id)
FROM jobs WHERE account_id = :account AND id = :job
""")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far something has come. `ended` counts the jobs of a batch that have."""

    status: str
    created_at: datetime
    ended: int = 0


@dataclass(frozen=True, slots=True)
class JobStanding:
    """What may be done with a job: whether workers run it, and its input is still there."""

    status: str
    background: bool
    has_input: bool


@reading
def job_progress(account_id: int, job_id: int) -> Steps[Progress | None]:
    """Return how far a job has come; None when the account has no such job."""
    rows = yield Query(_JOB, {"account": account_id, "job": job_id})
    return Progress(rows[0][0], read_time(rows[0][1])) if rows else None


@reading
def batch_progress(account_id: int, batch_id: str) -> Steps[Progress | None]:
    """Return how far a batch has come; None when the account has no such batch."""
    rows = yield Query(_BATCH, {"account": account_id, "batch": batch_id})
    if not rows:
        return None
    status, created_at, completed, failed = rows[0]
    return Progress(status, read_time(created_at), completed + failed)


@reading
def job_standing(account_id: int, job_id: int) -> Steps[JobStanding | None]:
    """Return what may be done with a job; None when the account has no such job."""
    rows = yield Query(_STANDING, {"account": account_id, "job": job_id})
    return JobStanding(rows[0][0], bool(rows[0][1]), bool(rows[0][2])) if rows else None
