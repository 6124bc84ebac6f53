"""Files of lines: written down as they are, and made into jobs as workers get to them.

1. The lots of a file are written one by one, under the id of a batch that is not there yet. Nobody
   sees them.
2. One step takes the quota of all lines and writes the batch: from then on the file is a promise.
3. Whoever finds nothing else to do feeds the queue with a lot of some file: it becomes jobs.

So a file of any size waits for nobody and keeps nobody waiting. What a crash leaves of step 1 is
swept away: nothing was counted for it.

Lots of refused lines come first. They have failed from the start and the batch counts them at once,
so it ends with the last line that was judged; by then they have all become jobs.
"""

from collections.abc import Iterator
from datetime import datetime

import msgspec

from app.storage.columns import dump_json, load_json, read_time
from app.storage.ledger.announcing import ENDED_COLUMNS, ended_job
from app.storage.ledger.budgets import Budget, check
from app.storage.ledger.receipts import keep_receipt
from app.storage.ledger.records import (
    EndedJob,
    FileLine,
    FileLot,
    FileStart,
    JobStart,
    OverBudget,
    ReceiptMaker,
    Refused,
    Reserved,
)
from app.storage.ledger.starting import COUNT_REQUESTS, INSERT_BATCH, insert_jobs, take_quota
from app.storage.operation import Many, Query, Row, Rows, Statement, Steps, reading, writing

_INSERT_LOT = Statement(
    """
INSERT INTO file_lots (account_id, batch_id, position, size, lines, created_at)
VALUES (:account, :batch, :position, :size, :lines, :created_at)
""",
    Rows.NONE,
)
_INSERT_TEMPLATE = Statement(
    """
INSERT INTO batch_templates (account_id, batch_id, number, mode, categories, schema_id, template)
VALUES (:account, :batch, :number, :mode, :categories, :schema, :template)
""",
    Rows.NONE,
)
_ANY_WAITING = Statement("""
SELECT 1 FROM file_lots JOIN batches ON batches.id = file_lots.batch_id LIMIT 1
""")
# Drawn, so that no file waits for the end of another.
_SOME_FILE = Statement("""
SELECT batch_id FROM file_lots JOIN batches ON batches.id = file_lots.batch_id
GROUP BY batch_id ORDER BY RANDOM() LIMIT 1
""")
# Locked, so that the lots of one file are taken in their order.
_FILE = Statement("SELECT account_id, created_at FROM batches WHERE id = :batch /* lock */")
_TAKE_LOT = Statement("""
DELETE FROM file_lots
WHERE id = (SELECT id FROM file_lots WHERE batch_id = :batch ORDER BY position LIMIT 1)
RETURNING lines
""")
_COLUMNS_OF_TEMPLATE = Statement("""
SELECT number, mode, categories, schema_id FROM batch_templates
WHERE batch_id = :batch AND number = :number
""")
_ENDED_LINES = """
SELECT batch_index, {columns} FROM jobs
WHERE account_id = :account AND batch_id = :batch AND batch_index > :after
  AND status IN ('completed', 'failed')
ORDER BY batch_index LIMIT :count
"""
_ENDED = Statement(_ENDED_LINES.format(columns=ENDED_COLUMNS))
_ABANDONED = """
SELECT {what} FROM file_lots WHERE created_at < :before
  AND NOT EXISTS (SELECT 1 FROM batches WHERE batches.id = file_lots.batch_id)
"""
_ANY_ABANDONED = Statement(_ABANDONED.format(what="1") + "LIMIT 1")
_ABANDONED_FILES = Statement(_ABANDONED.format(what="DISTINCT batch_id"))
_DROP_LOTS = Statement("DELETE FROM file_lots WHERE batch_id = :batch", Rows.NONE)
_DROP_TEMPLATES = Statement("DELETE FROM batch_templates WHERE batch_id = :batch", Rows.NONE)

#: Of jobs that came in a file: the domain's `Priority.FILE`.
FILE_PRIORITY = 2


@writing(durable=False)
def write_lot(account_id: int, batch_id: str, lot: FileLot, *, created_at: datetime) -> Steps[None]:
    """Write a part of a file down. It counts for nothing until the file is submitted."""
    named = {"account": account_id, "batch": batch_id}
    if lot.templates:
        yield Many(
            _INSERT_TEMPLATE,
            [
                {
                    **named,
                    "number": each.number,
                    "mode": each.mode,
                    "categories": None if each.categories is None else dump_json(each.categories),
                    "schema": each.schema_id,
                    "template": each.template,
                }
                for each in lot.templates
            ],
        )
    yield Query(
        _INSERT_LOT,
        {
            **named,
            "position": lot.position,
            "size": lot.size,
            "lines": lot.lines,
            "created_at": created_at,
        },
    )


@writing(durable=True)
def submit_file(
    account_id: int,
    file: FileStart,
    *,
    period: str,
    limit: int | None,
    receipt: ReceiptMaker,
    budget: Budget | None = None,
) -> Steps[Reserved | Refused | OverBudget]:
    """Promise all lines of a file whose lots are written, or nothing.

    A file of which the budget would not even cover the cheapest line is refused.
    """
    if budget is not None:
        over = yield from check(account_id, period=period, budget=budget)
        if over is not None:
            return over
    used = yield from take_quota(account_id, period=period, count=file.count, limit=limit)
    if isinstance(used, Refused):
        return used
    batch = file.batch
    counted = {"account": account_id, "day": batch.created_at.date()}
    yield Many(
        COUNT_REQUESTS,
        [
            {**counted, "input_type": input_type, "count": count}
            for input_type, count in sorted(file.requests.items())
        ],
    )
    yield Query(
        INSERT_BATCH,
        {
            "batch": batch.batch_id,
            "account": account_id,
            "kind": batch.kind,
            "status": "pending",
            "total": file.count + file.refused,
            "failed": file.refused,
            "created_at": batch.created_at,
        },
    )
    reserved = Reserved((), used)
    kept = receipt(reserved)
    if kept is not None:
        yield from keep_receipt(kept)
    return reserved


@reading
def has_waiting_lines() -> Steps[bool]:
    """Tell whether any file has lines that are no jobs yet."""
    return bool((yield Query(_ANY_WAITING, {})))


@writing(durable=False)
def feed_queue() -> Steps[int]:
    """Make a lot of some file into jobs, and return how many these are."""
    files = yield Query(_SOME_FILE, {})
    if not files:
        return 0
    ((batch_id,),) = files
    return (yield from feed_batch(batch_id))


def feed_batch(batch_id: str, *, account_id: int | None = None) -> Steps[int]:
    """Make the next lot of a file into jobs, as a part of a step; of this account's file only."""
    files = yield Query(_FILE, {"batch": batch_id})
    if not files or account_id not in {None, files[0][0]}:
        return 0
    ((owner, created_at),) = files
    lots = yield Query(_TAKE_LOT, {"batch": batch_id})
    if not lots:
        return 0
    lines = msgspec.json.decode(lots[0][0], type=list[FileLine])
    numbers = sorted({line.template for line in lines})
    rows = yield Many(
        _COLUMNS_OF_TEMPLATE, [{"batch": batch_id, "number": number} for number in numbers]
    )
    jobs = list(_jobs_of(lines, {row[0]: row for row in rows}, created_at=read_time(created_at)))
    yield from insert_jobs(owner, jobs, batch_id=batch_id)
    return len(jobs)


def _jobs_of(
    lines: list[FileLine], templates: dict[int, Row], *, created_at: datetime
) -> Iterator[JobStart]:
    for line in lines:
        number, mode, categories, schema_id = templates[line.template]
        yield JobStart(
            input_type=line.input_type,
            input_preview=line.input_preview,
            mode=mode,
            categories=None if categories is None else tuple(load_json(categories)),
            schema_id=schema_id,
            created_at=created_at,
            payload=line.content,
            template=number,
            priority=FILE_PRIORITY,
            batch_index=line.index,
            item_id=line.item_id,
            error=line.error,
        )


@reading
def ended_lines(
    account_id: int, batch_id: str, *, after: int, count: int
) -> Steps[list[tuple[int, EndedJob]]]:
    """Return up to `count` ended jobs of a batch past the place `after`, with their places."""
    which = {"account": account_id, "batch": batch_id, "after": after, "count": count}
    rows = yield Query(_ENDED, which)
    return [(row[0], ended_job(tuple(row)[1:])) for row in rows]


@writing(durable=False, repeatable=True)
def drop_file(batch_id: str) -> Steps[None]:
    """Remove the lots of a file that is not to be submitted."""
    yield Query(_DROP_LOTS, {"batch": batch_id})
    yield Query(_DROP_TEMPLATES, {"batch": batch_id})


@reading
def has_abandoned_lots(before: datetime) -> Steps[bool]:
    """Tell whether lots were written before then and never submitted."""
    return bool((yield Query(_ANY_ABANDONED, {"before": before})))


@writing(durable=False, repeatable=True)
def drop_abandoned_lots(before: datetime) -> Steps[int]:
    """Remove the lots of files that never were submitted, and return how many files these were."""
    files = yield Query(_ABANDONED_FILES, {"before": before})
    which = [{"batch": row[0]} for row in files]
    if which:
        yield Many(_DROP_LOTS, which)
        yield Many(_DROP_TEMPLATES, which)
    return len(which)
