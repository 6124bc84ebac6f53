"""Trying failed jobs again: they wait anew, and count anew."""

from collections import Counter
from datetime import datetime
from typing import Any

from app.storage.ledger.records import Refused, Reserved
from app.storage.ledger.starting import COUNT_REQUESTS, take_quota
from app.storage.operation import Many, Query, Rows, Statement, Steps, writing

_CONDITION = """
account_id = :account AND {which} AND background AND status = 'failed'
AND EXISTS (SELECT 1 FROM job_inputs WHERE job_inputs.job_id = jobs.id)
"""
_FAILED = "SELECT id, input_type FROM jobs WHERE {condition} ORDER BY id /* lock */"
# Of a file there may be tens of thousands: one statement for all of them.
_RESTART = """
UPDATE jobs SET status = 'pending', attempts = 0, due_at = :moment, billed_at = :moment,
                error_code = NULL, error_message = NULL, completed_at = NULL, latency_ms = NULL
WHERE {condition}
RETURNING id, batch_id
"""
_ONE, _OF_BATCH = "id = :job", "batch_id = :batch"
_IS_FAILED_JOB = _CONDITION.format(which=_ONE)
_IS_FAILED_OF_BATCH = _CONDITION.format(which=_OF_BATCH)
_FAILED_JOB = Statement(_FAILED.format(condition=_IS_FAILED_JOB))
_FAILED_OF_BATCH = Statement(_FAILED.format(condition=_IS_FAILED_OF_BATCH))
_RESTART_JOB = Statement(_RESTART.format(condition=_IS_FAILED_JOB))
_RESTART_BATCH = Statement(_RESTART.format(condition=_IS_FAILED_OF_BATCH))
_KEEP_INPUT = """
UPDATE job_inputs SET keep_until = NULL
WHERE job_id IN (SELECT id FROM jobs
                 WHERE account_id = :account AND {which} AND status = 'pending')
"""
_KEEP_INPUT_OF_JOB = Statement(_KEEP_INPUT.format(which=_ONE), Rows.NONE)
_KEEP_INPUTS_OF_BATCH = Statement(_KEEP_INPUT.format(which=_OF_BATCH), Rows.NONE)
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
    named: dict[str, Any] = {"account": account_id}
    if batch_id is None:
        which = {**named, "job": job_id}
        find, restart, keep = _FAILED_JOB, _RESTART_JOB, _KEEP_INPUT_OF_JOB
    else:
        which = {**named, "batch": batch_id}
        find, restart, keep = _FAILED_OF_BATCH, _RESTART_BATCH, _KEEP_INPUTS_OF_BATCH
    failed = yield Query(find, which)
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
    rows = yield Query(restart, {**which, "moment": moment})
    yield Query(keep, which)
    batches = Counter(row[1] for row in rows if row[1] is not None)
    if batches:
        yield Many(_REOPEN_BATCH, [{"batch": b, "count": batches[b]} for b in sorted(batches)])
    return Reserved(tuple(sorted(row[0] for row in rows)), used)
