"""Files in the database: nobody sees them before they are promised, and every line has its end."""

from collections import Counter
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import msgspec

from app.domain.accounts.account import Account
from app.domain.jobs.job import Priority
from app.domain.webhooks.events import EVENTS
from app.storage.ledger.ending import finish_jobs
from app.storage.ledger.files import (
    FILE_PRIORITY,
    drop_abandoned_lots,
    drop_file,
    ended_lines,
    feed_queue,
    has_abandoned_lots,
    has_waiting_lines,
    submit_file,
    write_lot,
)
from app.storage.ledger.ledger import Ledger
from app.storage.ledger.records import (
    BatchStart,
    Ended,
    FileLine,
    FileLot,
    FileStart,
    JobEnd,
    Refused,
    Reserved,
    Template,
)
from app.storage.ledger.restarting import restart_jobs
from app.storage.ledger.retention import purge_batches, purge_jobs
from app.storage.ledger.work import Lease, cancel_batch, claim_jobs, queue_depths
from app.storage.location import Location
from tests.databases import fetch

NOW = datetime(2026, 3, 15, 10, 30, tzinfo=UTC)
PERIOD = "2026-03"
TEMPLATES = (
    Template(0, "single", ("a", "b"), None, "file's"),
    Template(1, "multi", None, 7, "line's"),
)


def right(index: int, *, template: int = 0) -> FileLine:
    return FileLine(index, f"r{index}", "text", template, content=f"c{index}", input_preview="c")


def wrong(index: int) -> FileLine:
    return FileLine(index, f"r{index}", "text", 0, error=("invalid_request", f"Line {index}"))


async def write(ledger: Ledger, account: Account, batch: str, *lots: list[FileLine]) -> None:
    for position, lines in enumerate(lots):
        lot = FileLot(
            position,
            size=len(lines),
            lines=msgspec.json.encode(lines).decode(),
            templates=() if position else TEMPLATES,
        )
        await ledger.run(write_lot(account.id, batch, lot, created_at=NOW))


async def submit(
    ledger: Ledger,
    account: Account,
    batch: str,
    *,
    count: int,
    refused: int = 0,
    limit: int | None = None,
) -> Reserved | Refused:
    start = FileStart(BatchStart(batch, "file", NOW), Counter(text=count), refused)
    return await ledger.run(
        submit_file(account.id, start, period=PERIOD, limit=limit, receipt=lambda _: None)
    )


async def work_off(ledger: Ledger, account: Account, *, fail: Collection[str] = ()) -> None:
    while await ledger.run(feed_queue()) or await _finish(ledger, account, fail):
        pass


async def _finish(ledger: Ledger, account: Account, fail: Collection[str]) -> Ended | None:
    lease = Lease("one", NOW + timedelta(seconds=15))
    jobs = await ledger.run(claim_jobs(NOW, lease, most={"text": 3}, room=3))
    ends = [
        JobEnd(
            account.id,
            job.id,
            NOW,
            lease_id="one",
            labels=None if job.payload in fail else (("a", 0.9, None),),
            error_code="model_unavailable" if job.payload in fail else None,
            error_message="m" if job.payload in fail else None,
            input_until=NOW + timedelta(hours=24) if job.payload in fail else None,
        )
        for job in jobs
    ]
    return await ledger.run(finish_jobs(ends, announcer=EVENTS)) if ends else None


async def numbers(database: Location) -> dict[str, int]:
    """Return what is used, and what waits, runs or has completed, which must be the same."""
    sums = """
    SELECT (SELECT COALESCE(SUM(used), 0) FROM usage_months),
           (SELECT COALESCE(SUM(requests), 0) FROM usage_days),
           (SELECT COUNT(*) FROM jobs WHERE status <> 'failed'),
           (SELECT COALESCE(SUM(size), 0) FROM file_lots)
    """
    ((used, requests, jobs, lines),) = await fetch(database, sums)
    assert used == requests
    return {"used": int(used), "jobs": int(jobs), "lines": int(lines)}


async def test_nobody_sees_a_file_before_it_is_promised(
    ledger: Ledger, account: Account, database: Location
) -> None:
    await write(ledger, account, "batch_1", [right(0), right(1)], [right(2)])
    assert not await ledger.run(has_waiting_lines())
    assert await ledger.run(feed_queue()) == 0
    assert await ledger.run(queue_depths()) == {}
    assert await submit(ledger, account, "batch_1", count=3, limit=2) == Refused(0)
    assert await numbers(database) == {"used": 0, "jobs": 0, "lines": 3}
    assert await submit(ledger, account, "batch_1", count=3, limit=3) == Reserved((), 3)
    assert (await ledger.run(queue_depths()))[FILE_PRIORITY].waiting == 3
    assert await ledger.run(feed_queue()) == 2
    assert (await ledger.run(queue_depths()))[FILE_PRIORITY].waiting == 3
    assert await numbers(database) == {"used": 3, "jobs": 2, "lines": 1}


def test_files_wait_behind_everything_else() -> None:
    assert max(Priority) is Priority.FILE
    assert FILE_PRIORITY == Priority.FILE


async def test_lines_become_jobs_with_what_their_template_says(
    ledger: Ledger, account: Account, database: Location
) -> None:
    await write(ledger, account, "batch_1", [right(0), right(1, template=1)])
    await submit(ledger, account, "batch_1", count=2)
    await ledger.run(feed_queue())
    jobs = await ledger.run(
        claim_jobs(NOW, Lease("one", NOW + timedelta(seconds=15)), most={"text": 8}, room=8)
    )
    assert [(job.payload, job.template, job.input_type) for job in jobs] == [
        ("c0", "file's", "text"),
        ("c1", "line's", "text"),
    ]
    rows = await fetch(database, "SELECT item_id, mode, schema_id FROM jobs ORDER BY batch_index")
    assert rows == [("r0", "single", None), ("r1", "multi", 7)]


async def test_refused_lines_have_failed_count_nothing_and_stand_in_their_place(
    ledger: Ledger, account: Account, database: Location
) -> None:
    await write(ledger, account, "batch_1", [wrong(0), wrong(2)], [right(1), right(3)])
    await submit(ledger, account, "batch_1", count=2, refused=2)
    assert await fetch(database, "SELECT total, failed FROM batches") == [(4, 2)]
    await work_off(ledger, account)
    rows = await fetch(database, "SELECT status, completed, failed FROM batches")
    assert rows == [("completed", 2, 2)]
    assert (await numbers(database))["used"] == 2
    page = await ledger.run(ended_lines(account.id, "batch_1", after=-1, count=3))
    assert [(place, job.status, job.error_message) for place, job in page] == [
        (0, "failed", "Line 0"),
        (1, "completed", None),
        (2, "failed", "Line 2"),
    ]
    rest = await ledger.run(ended_lines(account.id, "batch_1", after=2, count=3))
    assert [job.item_id for _, job in rest] == ["r3"]
    assert await ledger.run(ended_lines(account.id + 1, "batch_1", after=-1, count=3)) == []
    assert await fetch(database, "SELECT COUNT(*) FROM job_inputs") == [(0,)]


async def test_only_what_failed_of_a_file_is_tried_again(
    ledger: Ledger, account: Account, database: Location
) -> None:
    await write(ledger, account, "batch_1", [wrong(0)], [right(1), right(2)], [right(3)])
    await submit(ledger, account, "batch_1", count=3, refused=1)
    await work_off(ledger, account, fail={"c1", "c3"})
    assert await fetch(database, "SELECT completed, failed FROM batches") == [(1, 3)]
    assert (await numbers(database))["used"] == 1
    again = restart_jobs(account.id, batch_id="batch_1", moment=NOW, period=PERIOD, limit=None)
    restarted = await ledger.run(again)
    assert isinstance(restarted, Reserved)
    assert (len(restarted.job_ids), restarted.used) == (2, 3)
    await work_off(ledger, account)
    rows = await fetch(database, "SELECT status, completed, failed FROM batches")
    assert rows == [("completed", 3, 1)]
    assert await numbers(database) == {"used": 3, "jobs": 3, "lines": 0}


async def test_canceling_ends_lines_that_are_no_jobs_yet(
    ledger: Ledger, account: Account, database: Location
) -> None:
    await write(ledger, account, "batch_1", [wrong(0)], [right(1)], [right(2), right(3)])
    await submit(ledger, account, "batch_1", count=3, refused=1)
    end = JobEnd(account.id, 0, NOW, error_code="canceled", error_message="m")
    foreign = JobEnd(account.id + 1, 0, NOW, error_code="canceled", error_message="m")
    assert not (await ledger.run(cancel_batch("batch_1", foreign, announcer=EVENTS))).jobs
    ended = []
    while jobs := (await ledger.run(cancel_batch("batch_1", end, announcer=EVENTS))).jobs:
        ended += [job.item_id for job in jobs]
    assert ended == ["r1", "r2", "r3"]
    assert await fetch(database, "SELECT status, failed FROM batches") == [("failed", 4)]
    assert await numbers(database) == {"used": 0, "jobs": 0, "lines": 0}


async def test_the_templates_of_a_file_go_with_it_and_a_promised_file_stays(
    ledger: Ledger, account: Account, database: Location
) -> None:
    await write(ledger, account, "batch_1", [right(0)])
    await submit(ledger, account, "batch_1", count=1)
    late = NOW + timedelta(days=40)
    assert await ledger.run(purge_batches(account.id, before=late, count=10)) == 0
    await work_off(ledger, account)
    ids = await fetch(database, "SELECT id FROM jobs")
    assert await ledger.run(purge_jobs(account.id, [row[0] for row in ids])) == 1
    assert await ledger.run(purge_batches(account.id, before=late, count=10)) == 1
    assert await fetch(database, "SELECT COUNT(*) FROM batch_templates") == [(0,)]


async def test_what_was_never_promised_is_swept_away(
    ledger: Ledger, account: Account, database: Location
) -> None:
    await write(ledger, account, "batch_1", [right(0)])
    await write(ledger, account, "batch_2", [right(0)])
    await write(ledger, account, "batch_3", [right(0)])
    await submit(ledger, account, "batch_2", count=1)
    await ledger.run(drop_file("batch_3"))
    assert not await ledger.run(has_abandoned_lots(NOW))
    late = NOW + timedelta(hours=1)
    assert await ledger.run(has_abandoned_lots(late))
    assert await ledger.run(drop_abandoned_lots(late)) == 1
    assert not await ledger.run(has_abandoned_lots(late))
    assert await fetch(database, "SELECT DISTINCT batch_id FROM file_lots") == [("batch_2",)]
    rows = await fetch(database, "SELECT DISTINCT batch_id FROM batch_templates")
    assert rows == [("batch_2",)]
