"""What has outlived its keeping goes, a bounded number of rows a step.

Jobs are looked at from an account's oldest on, by the index over (account_id, id): ids grow with
time, so the first page that reaches into what is still kept is the last. What is deleted is picked
again by its conditions when it is deleted: several processes may purge at a time, and a job that
was tried again meanwhile stays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.storage.columns import read_time
from app.storage.operation import Many, Query, Rows, Statement, Steps, reading, writing

_ACCOUNTS = Statement("""
SELECT id, plan FROM accounts WHERE id > :after ORDER BY id LIMIT :count
""")
_OLDEST = Statement("""
SELECT id, created_at, status FROM jobs WHERE account_id = :account AND id > :after
ORDER BY id LIMIT :count
""")
_DELETE_JOB = Statement("""
DELETE FROM jobs WHERE id = :job AND account_id = :account AND status IN ('completed', 'failed')
RETURNING id
""")
_DELETE_INPUT = Statement("DELETE FROM job_inputs WHERE job_id = :job", Rows.NONE)
_DELETE_BATCHES = Statement("""
DELETE FROM batches
WHERE id IN (SELECT id FROM batches
             WHERE account_id = :account AND created_at < :before
               AND status IN ('completed', 'failed')
               AND NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.batch_id = batches.id)
             ORDER BY created_at LIMIT :count)
RETURNING id
""")
_DELETE_TEMPLATES = Statement("DELETE FROM batch_templates WHERE batch_id = :batch", Rows.NONE)
_DELETE_INPUTS = Statement("""
DELETE FROM job_inputs
WHERE job_id IN (SELECT job_id FROM job_inputs WHERE keep_until <= :moment
                 ORDER BY keep_until LIMIT :count)
  AND keep_until <= :moment
RETURNING job_id
""")
_DELETE_RECEIPTS = Statement("""
DELETE FROM receipts
WHERE id IN (SELECT id FROM receipts WHERE expires_at <= :moment ORDER BY expires_at LIMIT :count)
  AND expires_at <= :moment
RETURNING id
""")


@dataclass(frozen=True, slots=True)
class OldJob:
    """A job as far as it matters whether it may go."""

    id: int
    created_at: datetime
    has_ended: bool


@reading
def account_plans(*, after: int, count: int) -> Steps[list[tuple[int, str]]]:
    """Return the next accounts after one, with their plans."""
    rows = yield Query(_ACCOUNTS, {"after": after, "count": count})
    return [(row[0], row[1]) for row in rows]


@reading
def oldest_jobs(account_id: int, *, after: int, count: int) -> Steps[list[OldJob]]:
    """Return the next jobs of an account after one, oldest first."""
    rows = yield Query(_OLDEST, {"account": account_id, "after": after, "count": count})
    return [OldJob(row[0], read_time(row[1]), row[2] in {"completed", "failed"}) for row in rows]


@writing(durable=False, repeatable=True)
def purge_jobs(account_id: int, job_ids: Sequence[int]) -> Steps[int]:
    """Delete jobs that have ended, with what is stored of their inputs; return how many."""
    deleted = yield Many(
        _DELETE_JOB, [{"job": job_id, "account": account_id} for job_id in sorted(job_ids)]
    )
    yield Many(_DELETE_INPUT, [{"job": row[0]} for row in deleted])
    return len(deleted)


@writing(durable=False, repeatable=True)
def purge_batches(account_id: int, *, before: datetime, count: int) -> Steps[int]:
    """Delete up to `count` ended batches of before then without jobs; return how many.

    A file whose lines are no jobs yet has none either: it has not ended.
    """
    named = {"account": account_id, "before": before, "count": count}
    deleted = yield Query(_DELETE_BATCHES, named)
    yield Many(_DELETE_TEMPLATES, [{"batch": row[0]} for row in deleted])
    return len(deleted)


@writing(durable=False, repeatable=True)
def purge_inputs(moment: datetime, *, count: int) -> Steps[int]:
    """Delete up to `count` inputs that were kept until then; return how many."""
    return len((yield Query(_DELETE_INPUTS, {"moment": moment, "count": count})))


@writing(durable=False, repeatable=True)
def purge_receipts(moment: datetime, *, count: int) -> Steps[int]:
    """Delete up to `count` receipts that have expired by then; return how many."""
    return len((yield Query(_DELETE_RECEIPTS, {"moment": moment, "count": count})))
