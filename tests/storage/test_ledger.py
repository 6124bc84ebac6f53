"""The ledger's invariant: used is completed plus running, whatever happens in whatever order."""

import asyncio
import random
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.domain.accounts.account import Account
from app.domain.keys.key import hash_secret
from app.domain.keys.manage import create_key, revoke_key
from app.storage.ledger import (
    BatchEnd,
    BatchStart,
    Claimed,
    JobEnd,
    JobStart,
    Receipt,
    Refused,
    Reserved,
    Taken,
)
from app.storage.sqlite_ledger import SqliteLedger

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


def counts(database: Path) -> tuple[int, int, int, int]:
    """Return used of the month, requests of the day, tokens, and completed plus running jobs."""
    connection = sqlite3.connect(database)
    one = [
        connection.execute(sql).fetchone()[0]
        for sql in (
            "SELECT COALESCE(SUM(used), 0) FROM usage_months",
            "SELECT COALESCE(SUM(requests), 0) FROM usage_days",
            "SELECT COALESCE(SUM(tokens), 0) FROM usage_days",
            "SELECT COUNT(*) FROM jobs WHERE status IN ('completed', 'processing')",
        )
    ]
    connection.close()
    return one[0], one[1], one[2], one[3]


async def reserve(ledger: SqliteLedger, account: Account, count: int, limit: int | None) -> object:
    return await ledger.start_jobs(
        account.id, [start() for _ in range(count)], period=PERIOD, limit=limit
    )


async def test_all_or_nothing(ledger: SqliteLedger, account: Account, database: Path) -> None:
    assert isinstance(await reserve(ledger, account, 3, 5), Reserved)
    assert await reserve(ledger, account, 3, 5) == Refused(used=3)
    assert isinstance(await reserve(ledger, account, 2, 5), Reserved)
    assert await reserve(ledger, account, 1, 5) == Refused(used=5)
    assert counts(database) == (5, 5, 0, 5)


async def test_the_first_request_of_a_month_is_held_to_the_limit(
    ledger: SqliteLedger, account: Account, database: Path
) -> None:
    assert await reserve(ledger, account, 6, 5) == Refused(used=0)
    assert counts(database) == (0, 0, 0, 0)


async def test_an_end_counts_once(ledger: SqliteLedger, account: Account, database: Path) -> None:
    reserved = await reserve(ledger, account, 2, None)
    assert isinstance(reserved, Reserved)
    one, two = reserved.job_ids
    assert await ledger.finish_jobs([end(account, one)]) == 1
    assert await ledger.finish_jobs([end(account, one)]) == 0
    assert await ledger.finish_jobs([end(account, one, failed=True)]) == 0
    assert await ledger.finish_jobs([end(account, two, failed=True)]) == 1
    assert await ledger.finish_jobs([end(account, two)]) == 0
    assert counts(database) == (1, 1, 3, 1)


async def test_an_expired_lease_gives_back_once(
    ledger: SqliteLedger, account: Account, database: Path
) -> None:
    async def expire(moment: datetime) -> int:
        return await ledger.fail_expired(moment, error_code="server_error", error_message="m")

    reserved = await reserve(ledger, account, 2, None)
    assert isinstance(reserved, Reserved)
    await ledger.finish_jobs([end(account, reserved.job_ids[0])])
    assert await expire(NOW + timedelta(minutes=4)) == 0
    assert await expire(NOW + timedelta(minutes=6)) == 1
    assert await expire(NOW + timedelta(minutes=6)) == 0
    # Whoever ran it comes back too late.
    assert await ledger.finish_jobs([end(account, reserved.job_ids[1])]) == 0
    assert counts(database) == (1, 1, 3, 1)


@pytest.mark.parametrize("seed", range(5))
async def test_used_is_completed_plus_running_after_any_history(
    ledger: SqliteLedger, account: Account, database: Path, seed: int
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
            await ledger.fail_expired(late, error_code="server_error", error_message="m")
            running.clear()
        elif step in {"complete", "fail"} and running:
            job_id = running.pop(chance.randrange(len(running)))
            await ledger.finish_jobs([end(account, job_id, failed=step == "fail")])
        elif step == "again":
            await ledger.finish_jobs([end(account, chance.randint(1, 60), failed=True)])
            running = [job_id for job_id in running if is_running(database, job_id)]
        used, requests, _, alive = counts(database)
        assert used == requests == alive <= limit


def is_running(database: Path, job_id: int) -> bool:
    connection = sqlite3.connect(database)
    row = connection.execute("SELECT status FROM jobs WHERE id = ?", (job_id,)).fetchone()
    connection.close()
    return row is not None and row[0] == "processing"


async def test_concurrent_writers_never_pass_the_limit(
    ledger: SqliteLedger, account: Account, database: Path
) -> None:
    other = SqliteLedger(database)
    try:
        outcomes = await asyncio.gather(
            *(reserve(each, account, 1, 100) for _ in range(150) for each in (ledger, other))
        )
    finally:
        await other.close()
    assert sum(isinstance(outcome, Reserved) for outcome in outcomes) == 100
    assert counts(database)[0] == 100


async def test_a_revoked_key_is_not_found(ledger: SqliteLedger, account: Account) -> None:
    made = await create_key(account, "k")
    digest = hash_secret(made.secret)
    found = await ledger.find_key(digest, period=PERIOD)
    assert found is not None
    assert (found.account_id, found.plan, found.used) == (account.id, "starter", 0)
    await revoke_key(account, made.key.id)
    assert await ledger.find_key(digest, period=PERIOD) is None


async def test_a_batch_of_dead_jobs_ends_as_failed(
    ledger: SqliteLedger, account: Account, database: Path
) -> None:
    batch = BatchStart("batch_1", NOW)
    await ledger.start_jobs(account.id, [start(), start()], period=PERIOD, limit=None, batch=batch)
    late = NOW + timedelta(hours=1)
    assert await ledger.fail_expired(late, error_code="server_error", error_message="m") == 2
    connection = sqlite3.connect(database)
    assert connection.execute("SELECT status FROM batches").fetchall() == [("failed",)]
    connection.close()
    ending = BatchEnd("batch_1", "completed", 5, NOW)
    assert await ledger.finish_jobs([], batch=ending) == 0


async def test_a_receipt_is_claimed_once_and_expires(
    ledger: SqliteLedger, account: Account
) -> None:
    async def claim(moment: datetime, fingerprint: str = "f") -> Claimed | Taken:
        until = moment + timedelta(minutes=5)
        return await ledger.claim_receipt(
            account.id, "key", fingerprint=fingerprint, moment=moment, until=until
        )

    assert await claim(NOW) == Claimed()
    assert await claim(NOW, "g") == Taken("f", None, None)
    receipt = Receipt(account.id, "key", 200, b"{}", NOW + timedelta(hours=24))
    await ledger.write_receipt(receipt)
    await ledger.release_receipt(account.id, "key")
    assert await claim(NOW + timedelta(hours=23)) == Taken("f", 200, b"{}")
    assert await claim(NOW + timedelta(hours=25)) == Claimed()
    await ledger.release_receipt(account.id, "key")
    assert await claim(NOW + timedelta(hours=25)) == Claimed()


async def test_a_job_that_ended_meanwhile_leaves_no_receipt(
    ledger: SqliteLedger, account: Account
) -> None:
    reserved = await reserve(ledger, account, 1, None)
    assert isinstance(reserved, Reserved)
    (job_id,) = reserved.job_ids
    until = NOW + timedelta(minutes=5)
    await ledger.claim_receipt(account.id, "key", fingerprint="f", moment=NOW, until=until)
    await ledger.fail_expired(NOW + timedelta(hours=1), error_code="server_error", error_message="")
    receipt = Receipt(account.id, "key", 200, b"{}", NOW + timedelta(hours=24))
    assert await ledger.finish_jobs([end(account, job_id)], receipt=receipt) == 0
    held = await ledger.claim_receipt(account.id, "key", fingerprint="f", moment=NOW, until=until)
    assert held == Taken("f", None, None)
