"""Money in the ledger: every attempt counts once, on the job, the day and the month."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from app.domain.accounts.account import Account
from app.domain.webhooks.events import EVENTS
from app.storage.ledger.ending import finish_jobs
from app.storage.ledger.ledger import Ledger
from app.storage.ledger.records import JobEnd, JobStart, LeasedJob, Reserved, Took
from app.storage.ledger.restarting import restart_jobs
from app.storage.ledger.starting import submit_jobs
from app.storage.ledger.work import Lease, claim_jobs, put_off
from app.storage.location import Location
from tests.databases import fetch

NOW = datetime(2026, 3, 15, 10, 30, tzinfo=UTC)
PERIOD = "2026-03"
# More than 32 bits hold.
LARGE = 5_000_000_000
JOB = JobStart(
    input_type="text",
    input_preview="x",
    mode="single",
    categories=("a",),
    schema_id=None,
    created_at=NOW,
    payload="{}",
)


async def submit(ledger: Ledger, account: Account) -> int:
    reserved = await ledger.run(submit_jobs(account.id, [JOB], period=PERIOD, limit=None))
    assert isinstance(reserved, Reserved)
    return reserved.job_ids[0]


async def claim(ledger: Ledger, name: str, moment: datetime = NOW) -> LeasedJob:
    lease = Lease(name, moment + timedelta(seconds=15))
    (job,) = await ledger.run(claim_jobs(moment, lease, most={"text": 8}, room=8))
    return job


def ending(account: Account, job: int, lease: str, *, failed: bool = False) -> JobEnd:
    end = JobEnd(account.id, job, NOW, lease_id=lease, tokens=110, completion_tokens=10, cost=LARGE)
    if failed:
        until = NOW + timedelta(hours=24)
        return replace(end, error_code="server_error", error_message="m", input_until=until)
    return replace(end, labels=(("a", 0.9, None),))


async def sums(database: Location) -> tuple[object, ...]:
    """Return a job's tokens, written ones and cost; the day's tokens and cost; the month's cost."""
    job = await fetch(database, "SELECT tokens, completion_tokens, cost FROM jobs")
    day = await fetch(database, "SELECT tokens, cost FROM usage_days WHERE day = '2026-03-15'")
    month = await fetch(database, "SELECT spent FROM usage_months WHERE period = '2026-03'")
    return (*job[0], *day[0], *month[0])


async def test_all_attempts_at_a_job_count(
    ledger: Ledger, account: Account, database: Location
) -> None:
    job_id = await submit(ledger, account)
    assert await sums(database) == (None, None, 0, 0, 0, 0)
    await claim(ledger, "one")
    assert await ledger.run(put_off(job_id, "one", due_at=NOW, took=Took(220, 20, 7)))
    assert await sums(database) == (220, 20, 7, 0, 7, 7)
    # Whoever is late, or does it again, changes nothing.
    assert not await ledger.run(put_off(job_id, "one", due_at=NOW, took=Took(220, 20, 7)))
    await claim(ledger, "two")
    assert await ledger.run(put_off(job_id, "two", due_at=NOW))
    await claim(ledger, "three")
    end = ending(account, job_id, "three")
    assert len((await ledger.run(finish_jobs([end], announcer=EVENTS))).jobs) == 1
    assert not (await ledger.run(finish_jobs([end], announcer=EVENTS))).jobs
    assert await sums(database) == (330, 30, LARGE + 7, 330, LARGE + 7, LARGE + 7)


async def test_a_failed_job_keeps_its_cost_and_counts_on_when_tried_again(
    ledger: Ledger, account: Account, database: Location
) -> None:
    job_id = await submit(ledger, account)
    await claim(ledger, "one")
    failed = ending(account, job_id, "one", failed=True)
    await ledger.run(finish_jobs([failed], announcer=EVENTS))
    assert await sums(database) == (110, 10, LARGE, 0, LARGE, LARGE)
    assert await fetch(database, "SELECT used FROM usage_months") == [(0,)]
    await ledger.run(restart_jobs(account.id, job_id=job_id, moment=NOW, period=PERIOD, limit=None))
    await claim(ledger, "two")
    await ledger.run(finish_jobs([ending(account, job_id, "two")], announcer=EVENTS))
    assert await sums(database) == (220, 20, 2 * LARGE, 220, 2 * LARGE, 2 * LARGE)


async def test_a_cost_that_is_not_known_stays_so_and_counts_nothing(
    ledger: Ledger, account: Account, database: Location
) -> None:
    job_id = await submit(ledger, account)
    await claim(ledger, "one")
    await ledger.run(put_off(job_id, "one", due_at=NOW, took=Took(220, 20, None)))
    await claim(ledger, "two")
    end = replace(ending(account, job_id, "two"), cost=3)
    await ledger.run(finish_jobs([end], announcer=EVENTS))
    assert await sums(database) == (330, 30, None, 330, 3, 3)


async def test_a_job_that_failed_without_asking_says_nothing_of_tokens(
    ledger: Ledger, account: Account, database: Location
) -> None:
    job_id = await submit(ledger, account)
    await claim(ledger, "one")
    failed = replace(
        ending(account, job_id, "one", failed=True), tokens=0, completion_tokens=0, cost=0
    )
    await ledger.run(finish_jobs([failed], announcer=EVENTS))
    assert await sums(database) == (None, None, 0, 0, 0, 0)
