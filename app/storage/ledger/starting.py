"""Taking quota and writing job rows, all of them or none, in one conditional step."""

from collections import Counter
from collections.abc import Sequence

from app.storage.columns import dump_json
from app.storage.ledger.budgets import Budget, Held, check, keep_holds, release, take
from app.storage.ledger.receipts import keep_receipt
from app.storage.ledger.records import (
    BatchStart,
    JobStart,
    OverBudget,
    ReceiptMaker,
    Refused,
    Reserved,
)
from app.storage.operation import Many, Parameters, Query, Rows, Statement, Steps, writing

_TAKE_QUOTA = Statement("""
INSERT INTO usage_months (account_id, period, used) VALUES (:account, :period, :count)
ON CONFLICT (account_id, period) DO UPDATE SET used = usage_months.used + excluded.used
WHERE CAST(:most AS BIGINT) IS NULL OR usage_months.used + excluded.used <= :most
RETURNING used
""")
_USED = Statement("""
SELECT used FROM usage_months WHERE account_id = :account AND period = :period
""")
#: Also for jobs that count anew.
COUNT_REQUESTS = Statement(
    """
INSERT INTO usage_days (account_id, day, input_type, requests, tokens)
VALUES (:account, :day, :input_type, :count, 0)
ON CONFLICT (account_id, day, input_type)
DO UPDATE SET requests = usage_days.requests + excluded.requests
""",
    Rows.NONE,
)
#: Also for batches whose jobs come later.
INSERT_BATCH = Statement(
    """
INSERT INTO batches (id, account_id, kind, status, total, created_at, completed, failed)
VALUES (:batch, :account, :kind, :status, :total, :created_at, 0, :failed)
""",
    Rows.NONE,
)
_INSERT_JOB = Statement(
    """
INSERT INTO jobs (account_id, status, input_type, input_preview, mode, categories, schema_id,
                  batch_id, batch_index, item_id, background, priority, due_at, attempts,
                  error_code, error_message, created_at, completed_at, lease_expires_at, cost)
VALUES (:account, :status, :input_type, :input_preview, :mode, :categories, :schema,
        :batch, :batch_index, :item, :background, :priority, :due_at, :attempts,
        :error_code, :error_message, :created_at, :completed_at, :lease_expires_at, 0)
RETURNING id
""",
    Rows.ONE,
)
_INSERT_INPUT = Statement(
    """
INSERT INTO job_inputs (job_id, account_id, payload, template)
VALUES (:job, :account, :payload, :template)
""",
    Rows.NONE,
)


@writing(durable=False)
def start_jobs(
    account_id: int,
    jobs: Sequence[JobStart],
    *,
    period: str,
    limit: int | None,
    batch: BatchStart | None = None,
    budget: Budget | None = None,
) -> Steps[Reserved | Refused | OverBudget]:
    """Begin work that the caller waits for; what it may cost is held of the budget.

    If the power goes before it ends, nothing was answered and nothing is lost.
    """
    if budget is None:
        return (yield from _write(account_id, jobs, period=period, limit=limit, batch=batch))
    needed = sum(budget.needs)
    over = yield from take(account_id, period=period, amount=needed, most=budget.most)
    if over is not None:
        return over
    reserved = yield from _write(account_id, jobs, period=period, limit=limit, batch=batch)
    if isinstance(reserved, Refused):
        yield from release([Held(0, account_id, period, needed)])
        return reserved
    holds = [hold for hold in zip(reserved.job_ids, budget.needs, strict=True) if hold[1]]
    yield from keep_holds(account_id, holds, period=period, moment=jobs[0].created_at)
    return reserved


@writing(durable=True)
def submit_jobs(
    account_id: int,
    jobs: Sequence[JobStart],
    *,
    period: str,
    limit: int | None,
    batch: BatchStart | None = None,
    receipt: ReceiptMaker | None = None,
    budget: Budget | None = None,
) -> Steps[Reserved | Refused | OverBudget]:
    """Promise work to a caller who does not wait: what is answered has been written.

    Of the budget nothing is held yet, but what it surely does not cover is refused.
    """
    if budget is not None:
        over = yield from check(account_id, period=period, budget=budget)
        if over is not None:
            return over
    reserved = yield from _write(account_id, jobs, period=period, limit=limit, batch=batch)
    if receipt is not None and isinstance(reserved, Reserved):
        kept = receipt(reserved)
        if kept is not None:
            yield from keep_receipt(kept)
    return reserved


def _write(
    account_id: int,
    jobs: Sequence[JobStart],
    *,
    period: str,
    limit: int | None,
    batch: BatchStart | None,
) -> Steps[Reserved | Refused]:
    used = yield from take_quota(account_id, period=period, count=len(jobs), limit=limit)
    if isinstance(used, Refused):
        return used
    yield from count_requests(account_id, jobs)
    if batch is not None:
        waits = any(job.lease_expires_at is None for job in jobs)
        yield Query(
            INSERT_BATCH,
            {
                "batch": batch.batch_id,
                "account": account_id,
                "kind": batch.kind,
                "status": "pending" if waits else "processing",
                "total": len(jobs),
                "failed": 0,
                "created_at": batch.created_at,
            },
        )
    batch_id = None if batch is None else batch.batch_id
    return Reserved((yield from insert_jobs(account_id, jobs, batch_id=batch_id)), used)


def insert_jobs(
    account_id: int, jobs: Sequence[JobStart], *, batch_id: str | None
) -> Steps[tuple[int, ...]]:
    """Write the rows of jobs whose quota is taken, and return their ids in order."""
    rows = yield Many(_INSERT_JOB, [_job_row(account_id, job, batch_id) for job in jobs])
    ids = tuple(row[0] for row in rows)
    inputs = [
        {
            "job": job_id,
            "account": account_id,
            "payload": job.payload,
            "template": job.template,
        }
        for job_id, job in zip(ids, jobs, strict=True)
        if job.payload is not None
    ]
    if inputs:
        yield Many(_INSERT_INPUT, inputs)
    return ids


def take_quota(
    account_id: int, *, period: str, count: int, limit: int | None
) -> Steps[int | Refused]:
    """Take quota for `count` jobs and return the month's use, or refuse."""
    named = {"account": account_id, "period": period}
    # The first insert of a month meets no conflict, so the update's condition can't guard it.
    if limit is None or count <= limit:
        taken = yield Query(_TAKE_QUOTA, {**named, "count": count, "most": limit})
        if taken:
            return int(taken[0][0])
    rows = yield Query(_USED, named)
    return Refused(rows[0][0] if rows else 0)


def count_requests(account_id: int, jobs: Sequence[JobStart]) -> Steps[None]:
    """Count jobs on their day, by input type."""
    counts = Counter((job.created_at.date(), job.input_type) for job in jobs)
    yield Many(
        COUNT_REQUESTS,
        [
            {"account": account_id, "day": day, "input_type": input_type, "count": count}
            for (day, input_type), count in sorted(counts.items())
        ],
    )


def _job_row(account_id: int, job: JobStart, batch_id: str | None) -> Parameters:
    runs = job.lease_expires_at is not None
    waits = not runs and job.error is None
    code, message = job.error or (None, None)
    return {
        "account": account_id,
        "status": "processing" if runs else "pending" if waits else "failed",
        "input_type": job.input_type,
        "input_preview": job.input_preview,
        "mode": job.mode,
        "categories": None if job.categories is None else dump_json(job.categories),
        "schema": job.schema_id,
        "batch": batch_id,
        "batch_index": job.batch_index,
        "item": job.item_id,
        "background": not runs,
        "priority": job.priority,
        "due_at": job.created_at if waits else None,
        "attempts": 1 if runs else 0,
        "error_code": code,
        "error_message": message,
        "created_at": job.created_at,
        "completed_at": None if job.error is None else job.created_at,
        "lease_expires_at": job.lease_expires_at,
    }
