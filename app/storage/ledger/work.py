"""The queue: jobs that wait, are leased to a worker, come back, or are given up.

The rows are the queue; whatever wakes a worker may be lost or doubled. A claim leases rows to one
worker under an id of its own: only under it can they be ended, put off or handed back. Where a
lease passes unrenewed its worker is taken for dead, and the row waits again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.storage.columns import read_time
from app.storage.ledger.budgets import drop_holds, release
from app.storage.ledger.ending import EXPIRED, OPEN, end_jobs
from app.storage.ledger.files import FILE_PRIORITY, feed_batch
from app.storage.ledger.records import (
    Announcer,
    Ended,
    JobEnd,
    LeasedJob,
    QueueDepth,
    Recovered,
    Took,
)
from app.storage.ledger.settling import ADD_UP, Late, settle_attempt, settle_late
from app.storage.operation import Many, Query, Rows, Statement, Steps, reading, writing

_TYPES = ("text", "image", "audio", "video")
_HEAD = Statement("""
SELECT batch_id, input_type FROM jobs WHERE status = 'pending' AND due_at <= :moment
  AND input_type IN (:text, :image, :audio, :video)
ORDER BY priority, due_at, id LIMIT 1 /* lock, skip locked */
""")
_CLAIM = """
WITH picked AS MATERIALIZED (
    SELECT id FROM jobs WHERE status = 'pending' AND due_at <= :moment AND {which}
    ORDER BY {order} LIMIT :count /* lock, skip locked */)
UPDATE jobs SET status = 'processing', attempts = attempts + 1, due_at = NULL,
                lease_id = :lease, lease_expires_at = :until
WHERE id IN (SELECT id FROM picked) AND status = 'pending'
RETURNING id, account_id, batch_id, input_type, attempts, created_at,
          (SELECT budget FROM accounts WHERE accounts.id = account_id),
          (SELECT cache_ttl FROM accounts WHERE accounts.id = account_id)
"""
# Never by the index over batches: it has every job that ever was without one.
_CLAIM_SINGLE = Statement(
    _CLAIM.format(
        which="COALESCE(batch_id, '') = '' AND input_type = :input_type",
        order="priority, due_at, id",
    )
)
_CLAIM_OF_BATCH = Statement(
    _CLAIM.format(which="batch_id = :batch AND input_type = :input_type", order="batch_index")
)
_BEGIN_BATCH = Statement(
    """
UPDATE batches SET status = 'processing' WHERE id = :batch AND status = 'pending'
""",
    Rows.NONE,
)
_PAYLOAD = Statement("SELECT job_id, payload, template FROM job_inputs WHERE job_id = :job")
_TEMPLATE = Statement("""
SELECT number, template FROM batch_templates WHERE batch_id = :batch AND number = :number
""")
_RENEW = Statement("""
UPDATE jobs SET lease_expires_at = :until WHERE lease_id = :lease AND status = 'processing'
RETURNING id
""")
_HAND_BACK = Statement("""
UPDATE jobs SET status = 'pending', attempts = attempts - 1, due_at = :moment, lease_id = NULL,
                lease_expires_at = NULL
WHERE lease_id = :lease AND status = 'processing'
RETURNING id
""")
_PUT_OFF_TEXT = """
UPDATE jobs SET status = 'pending', due_at = :due_at, lease_id = NULL, lease_expires_at = NULL,
                attempts = attempts - :uncounted, {add_up}
WHERE id = :job AND lease_id = :lease AND status = 'processing'
RETURNING account_id, input_type, COALESCE(billed_at, created_at)
"""
_PUT_OFF = Statement(_PUT_OFF_TEXT.format(add_up=ADD_UP))
_REQUEUE = Statement("""
WITH picked AS MATERIALIZED (
    SELECT id FROM jobs
    WHERE status = 'processing' AND lease_expires_at < :moment AND background AND attempts < :most
    ORDER BY lease_expires_at LIMIT :count /* lock, skip locked */)
UPDATE jobs SET status = 'pending', due_at = :moment, lease_id = NULL, lease_expires_at = NULL
WHERE id IN (SELECT id FROM picked) AND status = 'processing'
RETURNING id
""")
_GIVEN_UP = Statement("""
SELECT id, account_id, background FROM jobs
WHERE status = 'processing' AND lease_expires_at < :moment
  AND (NOT background OR attempts >= :most)
ORDER BY id LIMIT :count /* lock, skip locked */
""")
# In the order of an index over what is in this status: of a file, most jobs may have ended.
_WAITING_OF_BATCH = Statement("""
SELECT id FROM jobs
WHERE account_id = :account AND batch_id = :batch AND background AND status = 'pending'
ORDER BY batch_index LIMIT :count /* lock */
""")
_RUNNING_OF_BATCH = Statement("""
SELECT id FROM jobs
WHERE account_id + 0 = :account AND COALESCE(batch_id, '') = :batch AND background
  AND status = 'processing'
ORDER BY lease_expires_at LIMIT :count /* lock */
""")
_ANY_DUE = Statement("""
SELECT 1 FROM jobs WHERE status = 'pending' AND due_at <= :moment
  AND input_type IN (:text, :image, :audio, :video) LIMIT 1
""")
_ANY_EXPIRED = Statement(
    "SELECT 1 FROM jobs WHERE status = 'processing' AND lease_expires_at < :moment LIMIT 1"
)
_DEPTH = Statement("""
SELECT priority, COUNT(*), MIN(due_at) FROM jobs WHERE status = 'pending' GROUP BY priority
""")
_LINES = Statement("""
SELECT SUM(size), MIN(file_lots.created_at)
FROM file_lots JOIN batches ON batches.id = file_lots.batch_id
""")

_NOTHING = Took()
#: What one sweep takes up at most: it comes again in a second.
SWEEP = 500


@dataclass(frozen=True, slots=True)
class Lease:
    """Under what id and until when a claim holds."""

    id: str
    until: datetime


@reading
def has_due_jobs(moment: datetime, *, most: Mapping[str, int]) -> Steps[bool]:
    """Tell whether any job waits to be started that `claim_jobs` would lease."""
    return bool((yield Query(_ANY_DUE, {"moment": moment, **_wanted(most)})))


def _wanted(most: Mapping[str, int]) -> dict[str, str]:
    return {kind: kind if most.get(kind) else "" for kind in _TYPES}


@reading
def has_expired_jobs(moment: datetime) -> Steps[bool]:
    """Tell whether the lease of any job has passed."""
    return bool((yield Query(_ANY_EXPIRED, {"moment": moment})))


@writing(durable=False)
def claim_jobs(
    moment: datetime, lease: Lease, *, most: Mapping[str, int], room: int
) -> Steps[list[LeasedJob]]:
    """Lease what is due first: jobs of one input type, and of one batch where they are of any.

    `most` says how many of an input type at a time (none of one that is not in it), `room` how many
    of whatever type.
    """
    head = yield Query(_HEAD, {"moment": moment, **_wanted(most)})
    if not head:
        return []
    batch_id, input_type = head[0]
    common = {
        "moment": moment,
        "lease": lease.id,
        "until": lease.until,
        "count": min(most[input_type], room),
        "input_type": input_type,
    }
    if batch_id is None:
        rows = yield Query(_CLAIM_SINGLE, common)
    else:
        rows = yield Query(_CLAIM_OF_BATCH, {**common, "batch": batch_id})
        yield Query(_BEGIN_BATCH, {"batch": batch_id})
    payloads = yield Many(_PAYLOAD, [{"job": row[0]} for row in rows])
    by_job = {job_id: (payload, number) for job_id, payload, number in payloads}
    numbers = sorted({number for _, number in by_job.values() if number is not None})
    found = yield Many(_TEMPLATE, [{"batch": batch_id, "number": each} for each in numbers])
    templates = {row[0]: row[1] for row in found}
    return [
        LeasedJob(
            id=row[0],
            account_id=row[1],
            batch_id=row[2],
            input_type=row[3],
            attempts=row[4],
            created_at=read_time(row[5]),
            payload=by_job[row[0]][0],
            template=templates.get(by_job[row[0]][1]),
            budget=row[6],
            cache_ttl=row[7],
        )
        for row in sorted(rows, key=lambda row: int(row[0]))
    ]


@writing(durable=False, repeatable=True)
def renew_lease(lease: Lease) -> Steps[frozenset[int]]:
    """Hold on to what is leased, and return which jobs these still are."""
    rows = yield Query(_RENEW, {"lease": lease.id, "until": lease.until})
    return frozenset(row[0] for row in rows)


@writing(durable=False, repeatable=True)
def hand_back(lease_id: str, moment: datetime) -> Steps[int]:
    """Let what is leased wait again, as if it had not been started; return how many these were."""
    rows = yield Query(_HAND_BACK, {"lease": lease_id, "moment": moment})
    yield from release((yield from drop_holds([row[0] for row in rows], lease_id=lease_id)))
    return len(rows)


@writing(durable=False, repeatable=True)
def put_off(
    job_id: int, lease_id: str, *, due_at: datetime, took: Took = _NOTHING, counts: bool = True
) -> Steps[bool]:
    """Let a job wait for another attempt; False when it is no longer held.

    What the attempt took counts at once, also of a job that was canceled, and what was held of a
    budget for it comes back. One that does not count as an attempt was not begun, or not for long.
    """
    rows = yield Query(
        _PUT_OFF,
        {
            "job": job_id,
            "lease": lease_id,
            "due_at": due_at,
            "uncounted": 0 if counts else 1,
            "tokens": took.tokens or None,
            "completion_tokens": took.completion_tokens or None,
            "cost": took.cost,
        },
    )
    held = yield from drop_holds([job_id], lease_id=lease_id)
    if rows:
        ((account, input_type, billed),) = rows
        yield from settle_attempt((account, input_type, read_time(billed)), held, cost=took.cost)
    else:
        late = Late(job_id, lease_id, took.tokens, took.completion_tokens, took.cost)
        yield from settle_late(late, held)
    return bool(rows)


@writing(durable=True, repeatable=True)
def recover_jobs(
    moment: datetime,
    *,
    most_attempts: int,
    given_up: JobEnd,
    abandoned: JobEnd,
    announcer: Announcer,
) -> Steps[Recovered]:
    """Take up the jobs whose lease has passed.

    Those of workers wait again, until they have been started `most_attempts` times: then they end
    as `given_up` says. Those whose caller waited in a process that died end as `abandoned`.
    """
    bounds = {"moment": moment, "most": most_attempts, "count": SWEEP}
    requeued = yield Query(_REQUEUE, bounds)
    yield from release((yield from drop_holds([row[0] for row in requeued], lease_id=None)))
    rows = yield Query(_GIVEN_UP, bounds)
    ends = [
        replace(given_up if background else abandoned, job_id=job_id, account_id=account_id)
        for job_id, account_id, background in rows
    ]
    failed = yield from end_jobs(EXPIRED, ends, announcer=announcer)
    return Recovered(len(requeued), failed)


@writing(durable=True, repeatable=True)
def cancel_jobs(ends: Sequence[JobEnd], *, announcer: Announcer) -> Steps[Ended]:
    """End jobs that wait or run in a worker, whoever holds them."""
    return (yield from end_jobs(OPEN, ends, announcer=announcer))


@writing(durable=True, repeatable=True)
def cancel_batch(batch_id: str, end: JobEnd, *, announcer: Announcer) -> Steps[Ended]:
    """End up to `SWEEP` open jobs of a batch as `end` says; none are left when none ended.

    Lines of a file that are no jobs yet become some first: each has its end to show.
    """
    which = {"account": end.account_id, "batch": batch_id, "count": SWEEP}
    rows = yield Query(_WAITING_OF_BATCH, which)
    while not rows and (yield from feed_batch(batch_id, account_id=end.account_id)):
        rows = yield Query(_WAITING_OF_BATCH, which)
    if not rows:
        rows = yield Query(_RUNNING_OF_BATCH, which)
    ends = [replace(end, job_id=row[0]) for row in rows]
    return (yield from end_jobs(OPEN, ends, announcer=announcer))


@reading
def queue_depths() -> Steps[dict[int, QueueDepth]]:
    """Return what waits, by priority: jobs, and lines of files that are no jobs yet."""
    rows = yield Query(_DEPTH, {})
    depths = {
        priority: QueueDepth(waiting, None if oldest is None else read_time(oldest))
        for priority, waiting, oldest in rows
    }
    ((lines, since),) = yield Query(_LINES, {})
    if lines:
        jobs = depths.get(FILE_PRIORITY)
        depths[FILE_PRIORITY] = QueueDepth(
            lines + (jobs.waiting if jobs else 0),
            jobs.oldest_due_at if jobs and jobs.oldest_due_at else read_time(since),
        )
    return depths
