"""The ledger's invariant: used is completed plus running, whatever happens in whatever order."""

import asyncio
import random
from datetime import UTC, datetime, timedelta

import pytest

from app.domain.accounts.account import Account
from app.domain.keys.key import hash_secret
from app.domain.keys.manage import create_key, revoke_key
from app.domain.webhooks.events import EVENTS
from app.storage.database import open_ledger
from app.storage.ledger.ending import finish_jobs
from app.storage.ledger.keys import find_key
from app.storage.ledger.ledger import Ledger
from app.storage.ledger.receipts import claim_receipt, release_receipt, write_receipt
from app.storage.ledger.records import (
    BatchStart,
    Claimed,
    JobEnd,
    JobStart,
    Receipt,
    Refused,
    Reserved,
    Taken,
)
from app.storage.ledger.starting import start_jobs
from app.storage.ledger.work import recover_jobs
from app.storage.location import Location
from tests.databases import fetch

NOW = datetime(2026, 3, 15, 10, 30, tzinfo=UTC)
PERIOD = "2026-03"


def start(lease: timedelta = timedelta(minutes=5)) -> JobStart:
    return JobStart(
        input_type="text",
        input_preview="x",
        mode="single",
        categories=("a",),
        schema_id=None,
        created_at=NOW,
        lease_expires_at=NOW + lease,
    )


def end(account: Account, job_id: int, *, failed: bool = False) -> JobEnd:
    if failed:
        return JobEnd(account.id, job_id, NOW, error_code="server_error", error_message="m")
    return JobEnd(account.id, job_id, NOW, labels=(("a", 0.9, None),), model="m", tokens=3)


async def counts(database: Location) -> tuple[int, int, int, int]:
    """Return used of the month, requests of the day, tokens, and completed plus running jobs."""
    sums = """
    SELECT (SELECT COALESCE(SUM(used), 0) FROM usage_months),
           (SELECT COALESCE(SUM(requests), 0) FROM usage_days),
           (SELECT COALESCE(SUM(tokens), 0) FROM usage_days),
           (SELECT COUNT(*) FROM jobs WHERE status IN ('completed', 'processing'))
    """
    ((used, requests, tokens, alive),) = await fetch(database, sums)
    return int(used), int(requests), int(tokens), int(alive)


async def reserve(ledger: Ledger, account: Account, count: int, limit: int | None) -> object:
    jobs = [start() for _ in range(count)]
    return await ledger.run(start_jobs(account.id, jobs, period=PERIOD, limit=limit))


async def finish(ledger: Ledger, *ends: JobEnd, receipt: Receipt | None = None) -> int:
    ended = await ledger.run(finish_jobs(ends, announcer=EVENTS, receipt=receipt))
    return len(ended.jobs)


async def expire(ledger: Ledger, moment: datetime) -> int:
    lost = JobEnd(0, 0, moment, error_code="server_error", error_message="m")
    recovered = await ledger.run(
        recover_jobs(moment, most_attempts=3, given_up=lost, abandoned=lost, announcer=EVENTS)
    )
    assert recovered.requeued == 0
    return len(recovered.failed.jobs)


@pytest.mark.contract("account.all_or_nothing")
async def test_all_or_nothing(ledger: Ledger, account: Account, database: Location) -> None:
    assert isinstance(await reserve(ledger, account, 3, 5), Reserved)
    assert await reserve(ledger, account, 3, 5) == Refused(used=3)
    assert isinstance(await reserve(ledger, account, 2, 5), Reserved)
    assert await reserve(ledger, account, 1, 5) == Refused(used=5)
    assert await counts(database) == (5, 5, 0, 5)


async def test_the_first_request_of_a_month_is_held_to_the_limit(
    ledger: Ledger, account: Account, database: Location
) -> None:
    assert await reserve(ledger, account, 6, 5) == Refused(used=0)
    assert await counts(database) == (0, 0, 0, 0)


async def test_an_end_counts_once(ledger: Ledger, account: Account, database: Location) -> None:
    reserved = await reserve(ledger, account, 2, None)
    assert isinstance(reserved, Reserved)
    one, two = reserved.job_ids
    assert await finish(ledger, end(account, one)) == 1
    assert await finish(ledger, end(account, one)) == 0
    assert await finish(ledger, end(account, one, failed=True)) == 0
    assert await finish(ledger, end(account, two, failed=True)) == 1
    assert await finish(ledger, end(account, two)) == 0
    assert await counts(database) == (1, 1, 3, 1)


@pytest.mark.contract("account.given_back")
async def test_an_expired_lease_gives_back_once(
    ledger: Ledger, account: Account, database: Location
) -> None:
    reserved = await reserve(ledger, account, 2, None)
    assert isinstance(reserved, Reserved)
    await finish(ledger, end(account, reserved.job_ids[0]))
    assert await expire(ledger, NOW + timedelta(minutes=4)) == 0
    assert await expire(ledger, NOW + timedelta(minutes=6)) == 1
    assert await expire(ledger, NOW + timedelta(minutes=6)) == 0
    # Whoever ran it comes back too late.
    assert await finish(ledger, end(account, reserved.job_ids[1])) == 0
    assert await counts(database) == (1, 1, 3, 1)


@pytest.mark.contract("account.concurrency")
@pytest.mark.parametrize("seed", range(5))
async def test_used_is_completed_plus_running_after_any_history(
    ledger: Ledger, account: Account, database: Location, seed: int
) -> None:
    chance = random.Random(seed)
    running: list[int] = []
    limit = 20
    for _ in range(120):
        step = chance.choice(["start", "start", "complete", "fail", "again", "expire"])
        if step == "start":
            reserved = await reserve(ledger, account, chance.randint(1, 4), limit)
            running += reserved.job_ids if isinstance(reserved, Reserved) else []
        elif step == "expire" and chance.random() < 0.1:
            late = NOW + timedelta(hours=1)
            await expire(ledger, late)
            running.clear()
        elif step in {"complete", "fail"} and running:
            job_id = running.pop(chance.randrange(len(running)))
            await finish(ledger, end(account, job_id, failed=step == "fail"))
        elif step == "again":
            await finish(ledger, end(account, chance.randint(1, 60), failed=True))
            running = [job_id for job_id in running if await is_running(database, job_id)]
        used, requests, _, alive = await counts(database)
        assert used == requests == alive <= limit


async def is_running(database: Location, job_id: int) -> bool:
    rows = await fetch(database, "SELECT id FROM jobs WHERE status = 'processing'")
    return (job_id,) in rows


async def test_concurrent_writers_never_pass_the_limit(
    ledger: Ledger, account: Account, database: Location
) -> None:
    async with open_ledger(database) as other:
        outcomes = await asyncio.gather(
            *(reserve(each, account, 1, 100) for _ in range(150) for each in (ledger, other))
        )
    assert sum(isinstance(outcome, Reserved) for outcome in outcomes) == 100
    assert (await counts(database))[0] == 100


async def test_a_revoked_key_is_not_found(ledger: Ledger, account: Account) -> None:
    made = await create_key(account, "k")
    digest = hash_secret(made.secret)
    found = await ledger.run(find_key(digest, period=PERIOD))
    assert found is not None
    assert (found.account_id, found.plan, found.used) == (account.id, "starter", 0)
    await revoke_key(account, made.key.id)
    assert await ledger.run(find_key(digest, period=PERIOD)) is None


async def test_a_batch_of_dead_jobs_ends_as_failed(
    ledger: Ledger, account: Account, database: Location
) -> None:
    batch = BatchStart("batch_1", "batch", NOW)
    await ledger.run(
        start_jobs(account.id, [start(), start()], period=PERIOD, limit=None, batch=batch)
    )
    assert await expire(ledger, NOW + timedelta(hours=1)) == 2
    rows = await fetch(database, "SELECT status, completed, failed, total FROM batches")
    assert rows == [("failed", 0, 2, 2)]


@pytest.mark.contract("idempotency.expiry")
async def test_a_receipt_is_claimed_once_and_expires(ledger: Ledger, account: Account) -> None:
    async def claim(moment: datetime, fingerprint: str = "f") -> Claimed | Taken:
        until = moment + timedelta(minutes=5)
        return await ledger.run(
            claim_receipt(account.id, "key", fingerprint=fingerprint, moment=moment, until=until)
        )

    assert await claim(NOW) == Claimed()
    assert await claim(NOW, "g") == Taken("f", None, None)
    receipt = Receipt(account.id, "key", 200, b"{}", NOW + timedelta(hours=24))
    await ledger.run(write_receipt(receipt))
    await ledger.run(release_receipt(account.id, "key"))
    assert await claim(NOW + timedelta(hours=23)) == Taken("f", 200, b"{}")
    assert await claim(NOW + timedelta(hours=25)) == Claimed()
    await ledger.run(release_receipt(account.id, "key"))
    assert await claim(NOW + timedelta(hours=25)) == Claimed()


async def test_a_job_that_ended_meanwhile_leaves_no_receipt(
    ledger: Ledger, account: Account
) -> None:
    reserved = await reserve(ledger, account, 1, None)
    assert isinstance(reserved, Reserved)
    (job_id,) = reserved.job_ids
    until = NOW + timedelta(minutes=5)
    await ledger.run(claim_receipt(account.id, "key", fingerprint="f", moment=NOW, until=until))
    await expire(ledger, NOW + timedelta(hours=1))
    receipt = Receipt(account.id, "key", 200, b"{}", NOW + timedelta(hours=24))
    assert await finish(ledger, end(account, job_id), receipt=receipt) == 0
    held = await ledger.run(
        claim_receipt(account.id, "key", fingerprint="f", moment=NOW, until=until)
    )
    assert held == Taken("f", None, None)
