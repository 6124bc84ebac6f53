"""Trying failed jobs again: they wait anew, and count anew."""

from collections import Counter
from datetime import datetime

from app.storage.ledger.records import Refused, Reserved
from app.storage.ledger.starting import COUNT_REQUESTS, take_quota
from app.storage.operation import Many, Query, Statement, Steps, writing

_FAILED = """
SELECT id, input_type FROM jobs
WHERE account_id = :account AND {which} AND background AND status = 'failed'
  AND EXISTS (SELECT 1 FROM job_inputs WHERE job_inputs.job_id = jobs.id)
ORDER BY id /* lock */
"""
_FAILED_JOB = Statement(_FAILED.format(which="id = :job"))
_FAILED_OF_BATCH = Statement(_FAILED.format(which="batch_id = :batch"))
_RESTART = Statement("""
UPDATE jobs SET status = 'pending', attempts = 0, due_at = :moment, billed_at = :moment,
                error_code = NULL, error_message = NULL, completed_at = NULL, latency_ms = NULL
WHERE id = :job AND status = 'failed'
RETURNING id, batch_id
""")
_KEEP_INPUT = Statement("UPDATE job_inputs SET keep_until = NULL WHERE job_id = :job")
_REOPEN_BATCH = Statement("""
UPDATE batches SET failed = failed - :count, status = 'processing', completed_at = NULL,
                   latency_ms = NULL
WHERE id = :batch
""")


@writing(durable=True)
def restart_jobs(
    account_id: int,
    *,
    job_id: int | None = None,
    batch_id: str | None = None,
    moment: datetime,
    period: str,
    limit: int | None,
) -> Steps[Reserved | Refused]:
    """Let one failed job wait again, or all failed ones of a batch; those whose input is gone stay.

    The quota is taken for all of them, or nothing happens.
    """
    named = {"account": account_id}
    if batch_id is None:
        failed = yield Query(_FAILED_JOB, {**named, "job": job_id})
    else:
        failed = yield Query(_FAILED_OF_BATCH, {**named, "batch": batch_id})
    used = yield from take_quota(account_id, period=period, count=len(failed), limit=limit)
    if isinstance(used, Refused):
        return used
    if not failed:
        return Reserved((), used)
    day = moment.date()
    yield Many(
        COUNT_REQUESTS,
        [
            {**named, "day": day, "input_type": input_type, "count": count}
            for input_type, count in sorted(Counter(row[1] for row in failed).items())
        ],
    )
    rows = yield Many(_RESTART, [{"job": row[0], "moment": moment} for row in failed])
    yield Many(_KEEP_INPUT, [{"job": row[0]} for row in rows])
    batches = Counter(row[1] for row in rows if row[1] is not None)
    if batches:
        yield Many(_REOPEN_BATCH, [{"batch": b, "count": batches[b]} for b in sorted(batches)])
    return Reserved(tuple(row[0] for row in rows), used)
