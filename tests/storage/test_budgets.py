"""The month's budget in the ledger: what is spent and held never passes it, in whatever order."""

import asyncio
import random
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from app.domain.accounts.account import Account
from app.domain.accounts.manage import set_budget
from app.domain.webhooks.events import EVENTS
from app.storage.database import open_ledger
from app.storage.ledger.budgets import (
    Budget,
    check_budget,
    has_orphaned_holds,
    hold_for_attempts,
    release_orphaned_holds,
)
from app.storage.ledger.ending import finish_jobs
from app.storage.ledger.ledger import Ledger
from app.storage.ledger.records import (
    JobEnd,
    JobStart,
    LeasedJob,
    OverBudget,
    Refused,
    Reserved,
    Took,
)
from app.storage.ledger.restarting import restart_jobs
from app.storage.ledger.starting import start_jobs, submit_jobs
from app.storage.ledger.work import (
    Lease,
    cancel_jobs,
    claim_jobs,
    hand_back,
    put_off,
    recover_jobs,
)
from app.storage.location import Location
from tests.databases import fetch

NOW = datetime(2026, 3, 15, 10, 30, tzinfo=UTC)
PERIOD = "2026-03"
LIMIT = 100
WAITING = JobStart(
    input_type="text",
    input_preview="x",
    mode="single",
    categories=("a",),
    schema_id=None,
    created_at=NOW,
    payload="{}",
)
RUNNING = replace(WAITING, payload=None, lease_expires_at=NOW + timedelta(minutes=5))


async def start(
    ledger: Ledger, account: Account, *needs: int, limit: int | None = None, most: int = LIMIT
) -> Reserved | Refused | OverBudget:
    return await ledger.run(
        start_jobs(
            account.id,
            [RUNNING] * len(needs),
            period=PERIOD,
            limit=limit,
            budget=Budget(most, needs),
        )
    )


async def submit(
    ledger: Ledger, account: Account, *needs: int, most: int = LIMIT
) -> Reserved | Refused | OverBudget:
    budget = Budget(most, needs)
    jobs = [WAITING] * len(needs)
    return await ledger.run(submit_jobs(account.id, jobs, period=PERIOD, limit=None, budget=budget))


async def claim(ledger: Ledger, name: str, moment: datetime = NOW) -> list[LeasedJob]:
    lease = Lease(name, moment + timedelta(seconds=15))
    return await ledger.run(claim_jobs(moment, lease, most={"text": 8}, room=8))


async def hold(ledger: Ledger, lease: str, job: int, need: int) -> bool:
    held = hold_for_attempts(lease, {job: Budget(LIMIT, (need,))}, moment=NOW)
    return not await ledger.run(held)


def ending(
    account: Account, job: int, cost: int | None, *, lease: str | None = None, failed: bool = False
) -> JobEnd:
    end = JobEnd(account.id, job, NOW, lease_id=lease, tokens=1, cost=cost)
    if failed:
        until = NOW + timedelta(hours=24)
        return replace(end, error_code="server_error", error_message="m", input_until=until)
    return replace(end, labels=(("a", 0.9, None),))


async def finish(ledger: Ledger, *ends: JobEnd) -> int:
    return len((await ledger.run(finish_jobs(ends, announcer=EVENTS))).jobs)


async def recover(ledger: Ledger, moment: datetime) -> None:
    lost = JobEnd(0, 0, moment, error_code="server_error", error_message="m")
    await ledger.run(
        recover_jobs(moment, most_attempts=3, given_up=lost, abandoned=lost, announcer=EVENTS)
    )


async def standing(database: Location) -> tuple[int, int]:
    """Return what is spent and held, and see that it agrees with days and holds."""
    sums = """
    SELECT (SELECT COALESCE(SUM(spent), 0) FROM usage_months),
           (SELECT COALESCE(SUM(held), 0) FROM usage_months),
           (SELECT COALESCE(SUM(cost), 0) FROM usage_days),
           (SELECT COALESCE(SUM(amount), 0) FROM budget_holds)
    """
    ((spent, held, by_day, holds),) = await fetch(database, sums)
    assert (spent, held) == (by_day, holds)
    return int(spent), int(held)


async def test_work_is_held_together_or_refused(
    ledger: Ledger, account: Account, database: Location
) -> None:
    reserved = await start(ledger, account, 40, 40)
    assert isinstance(reserved, Reserved)
    assert await standing(database) == (0, 80)
    assert await start(ledger, account, 11, 10) == OverBudget(spent=0, held=80, needed=21)
    assert await start(ledger, account, 101) == OverBudget(spent=0, held=80, needed=101)
    one, two = reserved.job_ids
    assert await finish(ledger, ending(account, one, 7), ending(account, two, 3, failed=True)) == 2
    assert await standing(database) == (10, 0)
    assert isinstance(await start(ledger, account, 90), Reserved)
    assert await fetch(database, "SELECT used FROM usage_months") == [(2,)]


async def test_the_first_work_of_a_month_is_held_to_the_budget(
    ledger: Ledger, account: Account, database: Location
) -> None:
    assert await start(ledger, account, LIMIT + 1) == OverBudget(0, 0, LIMIT + 1)
    assert await start(ledger, account, 1, most=0) == OverBudget(0, 0, 1)
    assert await fetch(database, "SELECT * FROM jobs") == []


async def test_what_the_quota_refuses_holds_nothing(
    ledger: Ledger, account: Account, database: Location
) -> None:
    assert await start(ledger, account, 5, 5, limit=1) == Refused(used=0)
    assert await standing(database) == (0, 0)


async def test_an_end_settles_once(ledger: Ledger, account: Account, database: Location) -> None:
    reserved = await start(ledger, account, 40)
    assert isinstance(reserved, Reserved)
    (job,) = reserved.job_ids
    assert await finish(ledger, ending(account, job, 7)) == 1
    assert await finish(ledger, ending(account, job, 7)) == 0
    assert await standing(database) == (7, 0)


async def test_a_cost_that_is_not_known_counts_as_what_was_held(
    ledger: Ledger, account: Account, database: Location
) -> None:
    reserved = await start(ledger, account, 40)
    assert isinstance(reserved, Reserved)
    await finish(ledger, ending(account, reserved.job_ids[0], None))
    assert await standing(database) == (40, 0)
    assert await fetch(database, "SELECT cost FROM jobs") == [(None,)]


async def test_a_promise_holds_nothing_until_it_runs(
    ledger: Ledger, account: Account, database: Location
) -> None:
    assert isinstance(await submit(ledger, account, 90, 200), Reserved)
    assert await submit(ledger, account, 101, 200) == OverBudget(0, 0, 101)
    assert await standing(database) == (0, 0)
    first, second = sorted(job.id for job in await claim(ledger, "one"))
    assert await hold(ledger, "one", first, 90)
    # Not under another's lease, and not beyond the budget.
    assert await hold(ledger, "two", second, 90)
    assert not await hold(ledger, "one", second, 11)
    assert await standing(database) == (0, 90)
    # What is held comes back: that is no reason to refuse a promise.
    assert isinstance(await submit(ledger, account, 100), Reserved)
    over = await ledger.run(check_budget(account.id, period=PERIOD, budget=Budget(LIMIT, (6, 5))))
    assert over == OverBudget(0, 90, 11)


async def test_the_budget_comes_with_the_claim(ledger: Ledger, account: Account) -> None:
    await submit(ledger, account, 1)
    assert [job.budget for job in await claim(ledger, "one")] == [None]
    await set_budget(account.id, 5_000_000_000)
    await ledger.run(hand_back("one", NOW))
    assert [job.budget for job in await claim(ledger, "two")] == [5_000_000_000]


async def test_attempts_that_end_no_job_give_back(
    ledger: Ledger, account: Account, database: Location
) -> None:
    await submit(ledger, account, 50)
    (job,) = await claim(ledger, "one")
    assert await hold(ledger, "one", job.id, 50)
    assert await ledger.run(put_off(job.id, "one", due_at=NOW, took=Took(1, 0, 20)))
    assert await standing(database) == (20, 0)
    (again,) = await claim(ledger, "two")
    assert again.attempts == 2
    assert await hold(ledger, "two", job.id, 50)
    assert await ledger.run(put_off(job.id, "two", due_at=NOW, counts=False))
    assert await standing(database) == (20, 0)
    (again,) = await claim(ledger, "three")
    assert again.attempts == 2
    assert await hold(ledger, "three", job.id, 50)
    await ledger.run(hand_back("three", NOW))
    assert await standing(database) == (20, 0)
    await claim(ledger, "four")
    assert await hold(ledger, "four", job.id, 50)
    await recover(ledger, NOW + timedelta(minutes=1))
    assert await standing(database) == (20, 0)


async def test_what_lost_processes_held_comes_back(
    ledger: Ledger, account: Account, database: Location
) -> None:
    reserved = await start(ledger, account, 60)
    assert isinstance(reserved, Reserved)
    await recover(ledger, NOW + timedelta(minutes=6))
    assert await standing(database) == (0, 0)
    # Whoever ran it comes back too late.
    assert await finish(ledger, ending(account, reserved.job_ids[0], 7)) == 0
    assert await standing(database) == (0, 0)


async def test_a_canceled_job_counts_what_it_still_costs(
    ledger: Ledger, account: Account, database: Location
) -> None:
    await submit(ledger, account, 50)
    (job,) = await claim(ledger, "one")
    assert await hold(ledger, "one", job.id, 50)
    canceled = replace(ending(account, job.id, 0, failed=True), holds=False)
    assert len((await ledger.run(cancel_jobs([canceled], announcer=EVENTS))).jobs) == 1
    # Its model is still at work: that money is not free yet, though the job is tried again.
    assert await standing(database) == (0, 50)
    await ledger.run(restart_jobs(account.id, job_id=job.id, moment=NOW, period=PERIOD, limit=None))
    await claim(ledger, "two")
    assert not await hold(ledger, "two", job.id, 51)
    assert await hold(ledger, "two", job.id, 50)
    assert await finish(ledger, ending(account, job.id, 20, lease="one")) == 0
    assert await finish(ledger, ending(account, job.id, 20, lease="one")) == 0
    assert await standing(database) == (20, 50)
    assert await finish(ledger, ending(account, job.id, 30, lease="two")) == 1
    assert await standing(database) == (50, 0)
    assert await fetch(database, "SELECT cost FROM jobs") == [(50,)]


async def test_a_canceled_job_counts_what_it_still_costs_where_nothing_is_held(
    ledger: Ledger, account: Account, database: Location
) -> None:
    waiting = [WAITING] * 3
    await ledger.run(submit_jobs(account.id, waiting, period=PERIOD, limit=None))
    done, put, unknown = await claim(ledger, "one")
    for job in (done, put, unknown):
        canceled = ending(account, job.id, 0, failed=True)
        assert len((await ledger.run(cancel_jobs([canceled], announcer=EVENTS))).jobs) == 1
    # Once, however often it is told, and by nobody who did not run it.
    for lease in ("two", "one", "one"):
        assert await finish(ledger, ending(account, done.id, 20, lease=lease)) == 0
    for lease in ("two", "one", "one"):
        took = Took(tokens=3, cost=5)
        assert not await ledger.run(put_off(put.id, lease, due_at=NOW, took=took))
    assert await finish(ledger, ending(account, unknown.id, None, lease="one")) == 0
    assert await standing(database) == (25, 0)
    shown = await fetch(database, "SELECT cost, status FROM jobs ORDER BY id")
    assert shown == [(20, "failed"), (5, "failed"), (None, "failed")]


async def test_what_is_put_off_after_its_job_was_canceled_counts(
    ledger: Ledger, account: Account, database: Location
) -> None:
    await submit(ledger, account, 50)
    (job,) = await claim(ledger, "one")
    assert await hold(ledger, "one", job.id, 50)
    canceled = replace(ending(account, job.id, 0, failed=True), holds=False)
    await ledger.run(cancel_jobs([canceled], announcer=EVENTS))
    for _ in range(2):
        await ledger.run(put_off(job.id, "one", due_at=NOW, took=Took(cost=20)))
        assert await standing(database) == (20, 0)


async def test_what_nobody_settles_is_swept(
    ledger: Ledger, account: Account, database: Location
) -> None:
    await submit(ledger, account, 50)
    (job,) = await claim(ledger, "one")
    assert await hold(ledger, "one", job.id, 50)
    later = NOW + timedelta(minutes=11)
    assert not await ledger.run(has_orphaned_holds(later))
    canceled = replace(ending(account, job.id, 0, failed=True), holds=False)
    await ledger.run(cancel_jobs([canceled], announcer=EVENTS))
    assert not await ledger.run(has_orphaned_holds(NOW))
    assert await ledger.run(has_orphaned_holds(later))
    assert await ledger.run(release_orphaned_holds(later)) == 1
    assert await standing(database) == (0, 0)


@dataclass
class Play:
    """Several processes on one database, at work on the same account at once."""

    ledgers: list[Ledger]
    account: Account
    database: Location
    seed: int
    spent: int = 0
    ran: int = 0
    refused: int = 0
    highest: int = 0
    done: asyncio.Event = field(default_factory=asyncio.Event)

    async def act(self, number: int) -> None:
        """Start jobs that hold up to 20 and cost up to that, and end them in some way."""
        chance = random.Random(self.seed * 1_000 + number)
        ledger = self.ledgers[number % len(self.ledgers)]
        for _ in range(6):
            needs = [chance.randint(1, 20) for _ in range(chance.randint(1, 2))]
            reserved = await start(ledger, self.account, *needs, most=LIMIT)
            if not isinstance(reserved, Reserved):
                self.refused += 1
                continue
            self.ran += 1
            await asyncio.sleep(chance.random() / 100)
            costs = [chance.choice([0, need // 4, need]) for need in needs]
            self.spent += sum(costs)
            ends = [
                ending(self.account, job, cost, failed=chance.random() < 0.3)
                for job, cost in zip(reserved.job_ids, costs, strict=True)
            ]
            await finish(ledger, *ends)

    async def watch(self) -> None:
        """See that the budget is never passed."""
        while not self.done.is_set():
            ((committed,),) = await fetch(
                self.database, "SELECT COALESCE(SUM(spent + held), 0) FROM usage_months"
            )
            self.highest = max(self.highest, int(committed))
            await asyncio.sleep(0.002)


@pytest.mark.contract("beyond.budget")
@pytest.mark.parametrize("seed", range(2))
async def test_the_budget_is_never_passed(account: Account, database: Location, seed: int) -> None:
    async with AsyncExitStack() as stack:
        ledgers = [await stack.enter_async_context(open_ledger(database)) for _ in range(3)]
        play = Play(ledgers, account, database, seed)
        watching = asyncio.create_task(play.watch())
        await asyncio.gather(*(play.act(number) for number in range(24)))
        play.done.set()
        await watching
    assert play.ran
    assert play.refused
    assert play.highest <= LIMIT
    assert await standing(database) == (play.spent, 0)
    assert play.spent <= LIMIT
