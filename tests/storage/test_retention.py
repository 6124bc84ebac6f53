"""What is kept of jobs and how long, on both databases."""

from datetime import UTC, datetime, timedelta
from typing import cast

import pytest

from app.domain import clock
from app.domain.accounts.account import Account
from app.domain.accounts.manage import create_account, set_plan, set_retention
from app.domain.plans import Plan
from app.domain.services import Services
from app.domain.webhooks.events import EVENTS
from app.domain.work import purge as purging
from app.domain.work.purge import purge
from app.storage.ledger.ending import finish_jobs
from app.storage.ledger.ledger import Ledger
from app.storage.ledger.receipts import claim_receipt
from app.storage.ledger.records import (
    AS_LONG_AS_THE_JOB,
    BatchStart,
    JobEnd,
    JobStart,
    Reserved,
)
from app.storage.ledger.starting import start_jobs, submit_jobs
from app.storage.location import Location
from tests.databases import fetch
from tests.storage import test_files as files

PERIOD = "2026-03"


class Parts:
    """The one part that purging needs."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger


async def purge_all(ledger: Ledger) -> None:
    await purge(cast("Services", Parts(ledger)))


def ago(**time: float) -> datetime:
    return clock.now() - timedelta(**time)


async def start(
    ledger: Ledger,
    account: Account,
    *created: datetime,
    batch: str | None = None,
    waits: bool = False,
) -> list[int]:
    jobs = [
        JobStart(
            input_type="text",
            input_preview="x",
            mode="single",
            categories=None,
            schema_id=None,
            created_at=moment,
            lease_expires_at=None if waits else clock.now() + timedelta(minutes=5),
            payload="{}",
            batch_index=None if batch is None else index,
        )
        for index, moment in enumerate(created)
    ]
    opening = None if batch is None else BatchStart(batch, "batch", created[0])
    begin = submit_jobs if waits else start_jobs
    reserved = await ledger.run(begin(account.id, jobs, period=PERIOD, limit=None, batch=opening))
    assert isinstance(reserved, Reserved)
    return list(reserved.job_ids)


async def end(
    ledger: Ledger, account: Account, *job_ids: int, until: datetime | None = None
) -> None:
    ends = [
        JobEnd(account.id, job_id, clock.now(), labels=(("a", 1.0, None),), input_until=until)
        for job_id in job_ids
    ]
    await ledger.run(finish_jobs(ends, announcer=EVENTS))


async def ids(database: Location, table: str, key: str = "id") -> list[object]:
    rows = await fetch(database, f"SELECT {key} FROM {table} ORDER BY {key}")  # noqa: S608
    return [row[0] for row in rows]


@pytest.mark.contract("more.jobs.purge")
async def test_jobs_older_than_the_history_go(
    ledger: Ledger, account: Account, database: Location
) -> None:
    # A starter's history is 30 days.
    old, young = await start(ledger, account, ago(days=31), ago(days=29))
    unfinished, other = await start(ledger, account, ago(days=400), ago(days=40))
    await end(ledger, account, old, young, other, until=AS_LONG_AS_THE_JOB)
    await purge_all(ledger)
    assert await ids(database, "jobs") == [young, unfinished]
    assert await ids(database, "job_inputs", "job_id") == [unfinished]


@pytest.mark.contract("more.jobs.purge")
async def test_each_account_has_its_own_history(ledger: Ledger, database: Location) -> None:
    kept = []
    for plan, days in ((Plan.FREE, 7), (Plan.STARTER, 30), (Plan.PRO, 365)):
        account = await create_account(plan.value, plan=plan)
        jobs = await start(ledger, account, ago(days=days, minutes=1), ago(days=days, minutes=-1))
        await end(ledger, account, *jobs)
        kept.append(jobs[1])
    forever = await create_account("enterprise", plan=Plan.ENTERPRISE)
    jobs = await start(ledger, forever, ago(days=4000))
    await end(ledger, forever, *jobs)
    await purge_all(ledger)
    assert await ids(database, "jobs") == [*kept, *jobs]
    await set_plan(forever.id, Plan.PRO)
    await purge_all(ledger)
    assert await ids(database, "jobs") == kept


async def test_a_batch_goes_with_its_last_job(
    ledger: Ledger, account: Account, database: Location
) -> None:
    whole = await start(ledger, account, ago(days=31), ago(days=31), batch="batch_whole")
    part = await start(ledger, account, ago(days=31), ago(days=31), batch="batch_part")
    await end(ledger, account, *whole, part[0])
    await purge_all(ledger)
    assert await ids(database, "batches") == ["batch_part"]
    assert await ids(database, "jobs") == [part[1]]
    await end(ledger, account, part[1])
    await purge_all(ledger)
    assert await ids(database, "batches") == await ids(database, "jobs") == []


async def test_a_file_goes_with_its_templates_when_its_last_line_has_ended(
    ledger: Ledger, account: Account, database: Location
) -> None:
    (old,) = await start(ledger, account, ago(days=31))
    await end(ledger, account, old)
    # Of months ago.
    await files.write(ledger, account, "batch_file", [files.right(0)], [files.right(1)])
    await files.submit(ledger, account, "batch_file", count=2)
    await purge_all(ledger)
    assert await ids(database, "batches") == ["batch_file"]
    assert await ids(database, "batch_templates", "number") == [0, 1]
    await files.work_off(ledger, account)
    await purge_all(ledger)
    assert await ids(database, "jobs") == await ids(database, "batches") == []
    assert await ids(database, "batch_templates", "number") == []


async def test_many_go_in_small_steps(ledger: Ledger, account: Account, database: Location) -> None:
    count = 3 * purging.STEP + 1
    # Those that run stand between those that may go.
    jobs = await start(ledger, account, *[ago(days=31)] * count)
    running = jobs[:: purging.STEP // 2]
    await end(ledger, account, *(set(jobs) - set(running)))
    (young,) = await start(ledger, account, ago(days=1))
    await purge_all(ledger)
    assert await ids(database, "jobs") == [*running, young]


async def test_inputs_and_receipts_go_when_their_time_is_over(
    ledger: Ledger, account: Account, database: Location
) -> None:
    over, lasting, waiting = await start(ledger, account, *[clock.now()] * 3, waits=True)
    for job_id, until in ((over, ago(seconds=1)), (lasting, clock.now() + timedelta(hours=1))):
        moment = until.isoformat(sep=" ")
        await fetch(
            database,
            f"UPDATE job_inputs SET keep_until = '{moment}' WHERE job_id = {job_id}",  # noqa: S608
        )
    for key, until in (("over", ago(seconds=1)), ("held", clock.now() + timedelta(hours=1))):
        await ledger.run(
            claim_receipt(account.id, key, fingerprint="f", moment=ago(hours=1), until=until)
        )
    await purge_all(ledger)
    assert await ids(database, "job_inputs", "job_id") == [lasting, waiting]
    assert await ids(database, "receipts", "key") == ["held"]
    assert await ids(database, "jobs") == [over, lasting, waiting]


async def test_inputs_are_retained_only_for_who_still_asks(
    ledger: Ledger, account: Account, database: Location
) -> None:
    await set_retention(account.id, on=True)
    before, meanwhile, waiting = await start(ledger, account, *[clock.now()] * 3)
    await end(ledger, account, before, until=AS_LONG_AS_THE_JOB)
    assert await ids(database, "job_inputs", "job_id") == [before, meanwhile, waiting]
    await set_retention(account.id, on=False)
    # What still runs needs its input; it goes with the job's end.
    assert await ids(database, "job_inputs", "job_id") == [meanwhile, waiting]
    await end(ledger, account, meanwhile, until=AS_LONG_AS_THE_JOB)
    assert await ids(database, "job_inputs", "job_id") == [waiting]
    await set_retention(account.id, on=True)
    await end(ledger, account, waiting, until=AS_LONG_AS_THE_JOB)
    assert await ids(database, "job_inputs", "job_id") == [waiting]


async def test_turning_retention_off_leaves_what_waits_to_be_tried_again(
    ledger: Ledger, account: Account, database: Location
) -> None:
    await set_retention(account.id, on=True)
    (failed,) = await start(ledger, account, clock.now())
    await end(ledger, account, failed, until=datetime.now(UTC) + timedelta(hours=24))
    await set_retention(account.id, on=False)
    assert await ids(database, "job_inputs", "job_id") == [failed]
