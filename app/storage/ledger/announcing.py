"""Who is to be told of an end: a delivery for each webhook that listens, written with the end."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from app.storage.columns import load_json, read_time
from app.storage.ledger.records import Announcer, EndedBatch, EndedJob
from app.storage.operation import Many, Parameters, Query, Row, Rows, Statement, Steps

#: What `ended_job` reads.
ENDED_COLUMNS = """
id, account_id, status, input_type, mode, schema_id, batch_id, item_id, labels, outcome,
error_code, error_message, completed_at, basis
"""
_BATCH_JOBS = """
SELECT {columns} FROM jobs WHERE account_id = :account AND batch_id = :batch ORDER BY batch_index
"""
_JOBS_OF_BATCH = Statement(_BATCH_JOBS.format(columns=ENDED_COLUMNS))
_WEBHOOKS = Statement("""
SELECT id, on_job_completed, on_job_failed, on_batch_completed FROM webhooks
WHERE account_id = :account AND active
""")
_INSERT_DELIVERY = Statement(
    """
INSERT INTO deliveries (id, account_id, webhook_id, event, job_id, batch_id, payload, status,
                        attempts, due_at, created_at)
VALUES (:id, :account, :webhook, :event, :job, :batch, :payload, 'pending', 0, :moment, :moment)
""",
    Rows.NONE,
)

JOB_COMPLETED, JOB_FAILED, BATCH_COMPLETED = "job.completed", "job.failed", "batch.completed"
#: A batch that came as a file can be far larger than what fits into a message.
FILE_KIND = "file"


def announce(
    jobs: Sequence[EndedJob], batches: Sequence[EndedBatch], announcer: Announcer
) -> Steps[int]:
    """Write the deliveries of what ended, as a part of its step, and return how many."""
    rows: list[Parameters] = []
    for account in sorted({job.account_id for job in jobs}):
        webhooks = yield Query(_WEBHOOKS, {"account": account})
        if not webhooks:
            continue
        for job in jobs:
            # The items of a batch are told of by the batch.
            if job.account_id == account and job.batch_id is None:
                event = JOB_COMPLETED if job.status == "completed" else JOB_FAILED
                hooks = [hook[0] for hook in webhooks if hook[1 if event == JOB_COMPLETED else 2]]
                rows += _job_deliveries(hooks, event, job, announcer)
        for batch in batches:
            hooks = [hook[0] for hook in webhooks if hook[3]]
            if batch.account_id == account and hooks:
                whole = yield from _with_jobs(batch)
                rows += _batch_deliveries(hooks, whole, announcer)
    if rows:
        yield Many(_INSERT_DELIVERY, rows)
    return len(rows)


def _with_jobs(batch: EndedBatch) -> Steps[EndedBatch]:
    if batch.kind == FILE_KIND:
        return batch
    rows = yield Query(_JOBS_OF_BATCH, {"account": batch.account_id, "batch": batch.id})
    return replace(batch, jobs=tuple(map(ended_job, rows)))


def ended_job(row: Row) -> EndedJob:
    """Read an ended job's row."""
    return EndedJob(
        id=row[0],
        account_id=row[1],
        status=row[2],
        input_type=row[3],
        mode=row[4],
        schema_id=row[5],
        batch_id=row[6],
        item_id=row[7],
        labels=None
        if row[8] is None
        else tuple((label, confidence, why) for label, confidence, why in load_json(row[8])),
        outcome=row[9],
        error_code=row[10],
        error_message=row[11],
        completed_at=read_time(row[12]),
        basis=() if row[13] is None else tuple(load_json(row[13])),
    )


def _job_deliveries(
    hooks: Sequence[int], event: str, job: EndedJob, announcer: Announcer
) -> list[Parameters]:
    return _deliveries(
        hooks,
        lambda: announcer.job(job),
        {"account": job.account_id, "event": event, "job": job.id, "batch": None}
        | {"moment": job.completed_at},
    )


def _batch_deliveries(
    hooks: Sequence[int], batch: EndedBatch, announcer: Announcer
) -> list[Parameters]:
    return _deliveries(
        hooks,
        lambda: announcer.batch(batch),
        {"account": batch.account_id, "event": BATCH_COMPLETED, "job": None, "batch": batch.id}
        | {"moment": batch.completed_at},
    )


def _deliveries(
    hooks: Sequence[int], render: Callable[[], str], common: dict[str, Any]
) -> list[Parameters]:
    if not hooks:
        return []
    payload = render()
    return [
        {**common, "id": new_delivery_id(), "webhook": hook, "payload": payload} for hook in hooks
    ]


def new_delivery_id() -> str:
    """Make a delivery's id, which stays the same over all its attempts."""
    return f"dlv_{secrets.token_hex(12)}"
