"""Ending jobs: each once, with all that follows from it in the same step.

A job ends by one conditional update: whoever comes second, or comes back with a lease that has
passed to another, changes nothing. In the step that ends it a failed job gives its quota back, a
completed one counts its tokens and its schema's use, its stored input goes, its batch moves on and
ends with its last job, and the webhooks that are to be told get their deliveries.

Rows are locked in one order everywhere (jobs, months, days, schemas, accounts, batches), so that
transactions that meet wait for each other and never in a circle.
"""

from collections import Counter
from collections.abc import Sequence

from app.storage.columns import MAX_INTEGER, dump_json, read_time
from app.storage.ledger.announcing import announce
from app.storage.ledger.budgets import Held, drop_holds
from app.storage.ledger.receipts import keep_receipt
from app.storage.ledger.records import (
    AS_LONG_AS_THE_JOB,
    Announcer,
    Ended,
    EndedBatch,
    EndedJob,
    JobEnd,
    Receipt,
)
from app.storage.ledger.settling import ADD_UP, Settled, count_schema_uses, settle_use
from app.storage.operation import (
    Many,
    Parameters,
    Query,
    Row,
    Rows,
    Statement,
    Steps,
    writing,
)

_ENDING = """
UPDATE jobs SET status = :status, labels = :labels, outcome = :outcome, model = :model,
                confidence_source = :confidence_source, truncated = :truncated, flags = :flags,
                basis = :basis,
                {add_up}, cached = :cached, latency_ms = :latency_ms,
                error_code = :error_code, error_message = :error_message,
                completed_at = :completed_at, due_at = NULL, lease_id = {lease},
                lease_expires_at = NULL
WHERE id = :job AND account_id = :account AND {condition}
RETURNING id, account_id, input_type, mode, schema_id, batch_id, item_id, background,
          created_at, billed_at, LENGTH(input_preview), tokens
"""
#: For whoever runs the job.
RUNNING = Statement(
    _ENDING.format(
        condition="status = 'processing' AND COALESCE(lease_id, '') = :lease",
        add_up=ADD_UP,
        lease="NULL",
    )
)
#: For whoever found its lease run out. Nobody can take the row up in between: it is locked.
EXPIRED = Statement(_ENDING.format(condition="status = 'processing'", add_up=ADD_UP, lease="NULL"))
#: For a caller who no longer wants it. The lease stays: under it, once, whoever runs the job counts
#: what that still costs.
OPEN = Statement(
    _ENDING.format(
        condition="background AND status IN ('pending', 'processing')",
        add_up=ADD_UP,
        lease="lease_id",
    )
)

# Locked, so that who turns retention off finds all that was kept before.
_RETAINING = Statement("SELECT id FROM accounts WHERE id = :account AND retain_inputs /* share */")
_DROP_INPUT = Statement("DELETE FROM job_inputs WHERE job_id = :job", Rows.NONE)
_KEEP_INPUT = Statement("UPDATE job_inputs SET keep_until = :until WHERE job_id = :job", Rows.NONE)
_COUNT_ENDS = Statement("""
UPDATE batches SET completed = completed + :completed, failed = failed + :failed
WHERE id = :batch
RETURNING account_id, kind, status, total, completed, failed, created_at
""")
_END_BATCH = Statement(
    """
UPDATE batches SET status = :status, latency_ms = :latency_ms, completed_at = :completed_at
WHERE id = :batch
""",
    Rows.NONE,
)


@writing(durable=True, repeatable=True)
def finish_jobs(
    ends: Sequence[JobEnd],
    *,
    announcer: Announcer,
    batch_latency_ms: int | None = None,
    receipt: Receipt | None = None,
) -> Steps[Ended]:
    """End the jobs that still run under their leases, and return what that ended.

    `batch_latency_ms` is that of a batch whose caller waited. When none of the jobs ran any more,
    the receipt is not written.
    """
    ended = yield from end_jobs(
        RUNNING, ends, announcer=announcer, batch_latency_ms=batch_latency_ms
    )
    if ended.jobs and receipt is not None:
        yield from keep_receipt(receipt)
    return ended


def end_jobs(
    statement: Statement,
    ends: Sequence[JobEnd],
    *,
    announcer: Announcer,
    batch_latency_ms: int | None = None,
) -> Steps[Ended]:
    """End those jobs that meet the statement's condition, as a part of a step."""
    by_id = {end.job_id: end for end in ends}
    rows = yield Many(statement, [_end_row(end) for end in sorted(ends, key=_job_id)])
    settled = [_settled(by_id[row[0]], row) for row in rows]
    held: list[Held] = []
    if holders := [end.job_id for end in ends if end.holds]:
        # Whose lease has passed is dead: whatever is held for a job goes.
        lease_id = (ends[0].lease_id or "") if statement is RUNNING else None
        held = yield from drop_holds(holders, lease_id=lease_id)
    yield from settle_use(settled, held, ends=by_id)
    if not settled:
        return Ended((), (), 0)
    yield from count_schema_uses(settled)
    yield from _put_inputs_away(settled)
    batches = yield from _move_batches_on(settled, latency_ms=batch_latency_ms)
    jobs = tuple(each.job for each in settled)
    deliveries = yield from announce(jobs, batches, announcer)
    return Ended(jobs, tuple(batch.id for batch in batches), deliveries)


def _job_id(end: JobEnd) -> int:
    return end.job_id


def _end_row(end: JobEnd) -> Parameters:
    failed = end.error_code is not None
    return {
        "job": end.job_id,
        "account": end.account_id,
        "lease": end.lease_id or "",
        "status": "failed" if failed else "completed",
        "labels": None if end.labels is None else dump_json(end.labels),
        "outcome": end.outcome,
        "model": end.model,
        "confidence_source": end.confidence_source,
        "truncated": dump_json(end.truncated) if end.truncated else None,
        "flags": dump_json(end.flags) if end.flags else None,
        "basis": dump_json(end.basis) if end.basis else None,
        # Of a job that failed without having asked a model there is nothing to say.
        "tokens": end.tokens or None if failed else end.tokens,
        "completion_tokens": end.completion_tokens or None if failed else end.completion_tokens,
        "cost": end.cost,
        "cached": end.cached,
        "latency_ms": None if end.latency_ms is None else min(end.latency_ms, MAX_INTEGER),
        "error_code": end.error_code,
        "error_message": end.error_message,
        "completed_at": end.completed_at,
    }


def _settled(end: JobEnd, row: Row) -> Settled:
    job = EndedJob(
        id=row[0],
        account_id=row[1],
        status="completed" if end.error_code is None else "failed",
        input_type=row[2],
        mode=row[3],
        schema_id=row[4],
        batch_id=row[5],
        item_id=row[6],
        labels=end.labels,
        outcome=end.outcome,
        error_code=end.error_code,
        error_message=end.error_message,
        completed_at=end.completed_at,
        basis=end.basis,
    )
    return Settled(
        end,
        job,
        background=bool(row[7]),
        billed_at=read_time(row[9] or row[8]),
        # Of an input whose preview is not kept nothing is. SQLite 3.40 returns a wrong
        # `input_preview IS NOT NULL` here.
        may_be_kept=row[10] is not None,
        tokens=row[11] or 0,
    )


def _put_inputs_away(settled: Sequence[Settled]) -> Steps[None]:
    to_last = [each for each in settled if each.end.input_until == AS_LONG_AS_THE_JOB]
    retaining: set[int] = set()
    if to_last:
        accounts = sorted({each.job.account_id for each in to_last})
        rows = yield Many(_RETAINING, [{"account": account} for account in accounts])
        retaining = {row[0] for row in rows}
    kept, dropped = [], []
    for each in settled:
        until = each.end.input_until
        lasts = until == AS_LONG_AS_THE_JOB
        if each.may_be_kept and until and (not lasts or each.job.account_id in retaining):
            kept.append({"job": each.job.id, "until": until})
        elif each.background or lasts:
            # What ran while its caller waited has no stored input, unless it was to be kept.
            dropped.append({"job": each.job.id})
    if dropped:
        yield Many(_DROP_INPUT, dropped)
    if kept:
        yield Many(_KEEP_INPUT, kept)


def _move_batches_on(
    settled: Sequence[Settled], *, latency_ms: int | None
) -> Steps[list[EndedBatch]]:
    statuses: dict[str, Counter[str]] = {}
    for each in settled:
        if each.job.batch_id is not None:
            statuses.setdefault(each.job.batch_id, Counter())[each.job.status] += 1
    at = settled[0].end.completed_at
    ended: list[EndedBatch] = []
    for batch_id, counts in sorted(statuses.items()):
        named = {"completed": counts["completed"], "failed": counts["failed"]}
        ((account, kind, status, total, completed, failed, created),) = yield Query(
            _COUNT_ENDS, {"batch": batch_id, **named}
        )
        if completed + failed < total or status in {"completed", "failed"}:
            continue
        created_at = read_time(created)
        taken = latency_ms
        if taken is None:
            taken = max(round((at - created_at).total_seconds() * 1000), 0)
        taken = min(taken, MAX_INTEGER)
        final = "failed" if failed == total else "completed"
        yield Query(
            _END_BATCH,
            {"batch": batch_id, "status": final, "latency_ms": taken, "completed_at": at},
        )
        ended.append(
            EndedBatch(
                id=batch_id,
                account_id=account,
                kind=kind,
                status=final,
                total=total,
                completed=completed,
                failed=failed,
                latency_ms=taken,
                created_at=created_at,
                completed_at=at,
                jobs=(),
            )
        )
    return ended
