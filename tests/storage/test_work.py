"""The queue in the database: leases, fences, second chances, batches that end once."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import cast

from app.domain import clock
from app.domain.accounts.account import Account
from app.domain.services import Services
from app.domain.webhooks.events import EVENTS
from app.domain.work.jobs import CAPACITY, LOTS, MOST, JobPump
from app.engines.contract import InputType
from app.storage.database import open_ledger
from app.storage.ledger.ending import finish_jobs
from app.storage.ledger.ledger import Ledger
from app.storage.ledger.records import (
    BatchStart,
    Ended,
    JobEnd,
    JobStart,
    LeasedJob,
    Recovered,
    Refused,
    Reserved,
)
from app.storage.ledger.restarting import restart_jobs
from app.storage.ledger.starting import submit_jobs
from app.storage.ledger.work import (
    Lease,
    cancel_batch,
    cancel_jobs,
    claim_jobs,
    hand_back,
    has_due_jobs,
    has_expired_jobs,
    put_off,
    queue_depths,
    recover_jobs,
    renew_lease,
)
from app.storage.location import Location
from tests.databases import fetch
from tests.storage import test_files as files

NOW = datetime(2026, 3, 15, 10, 30, tzinfo=UTC)
PERIOD = "2026-03"
LEASE = timedelta(seconds=15)
MOST_ATTEMPTS = 3


def waiting(
    *,
    priority: int = 0,
    preview: str | None = "x",
    index: int | None = None,
    input_type: str = "text",
) -> JobStart:
    return JobStart(
        input_type=input_type,
        input_preview=preview,
        mode="single",
        categories=("a",),
        schema_id=None,
        created_at=NOW,
        payload="{}",
        priority=priority,
        batch_index=index,
    )


async def submit(
    ledger: Ledger,
    account: Account,
    *jobs: JobStart,
    limit: int | None = None,
    batch: BatchStart | None = None,
) -> tuple[int, ...]:
    reserved = await ledger.run(
        submit_jobs(account.id, jobs, period=PERIOD, limit=limit, batch=batch)
    )
    assert isinstance(reserved, Reserved)
    return reserved.job_ids


async def claim(
    ledger: Ledger, name: str, moment: datetime = NOW, *, room: int = 8
) -> list[LeasedJob]:
    lease = Lease(name, moment + LEASE)
    return await ledger.run(claim_jobs(moment, lease, most={"text": room}, room=room))


async def finish(
    ledger: Ledger, account: Account, jobs: Sequence[LeasedJob], lease: str, *, failed: bool = False
) -> Ended:
    ends = [
        JobEnd(
            account.id,
            job.id,
            NOW,
            lease_id=lease,
            labels=None if failed else (("a", 0.9, None),),
            error_code="server_error" if failed else None,
            error_message="m" if failed else None,
            tokens=3,
            input_until=NOW + timedelta(hours=24) if failed else None,
        )
        for job in jobs
    ]
    return await ledger.run(finish_jobs(ends, announcer=EVENTS))


async def recover(ledger: Ledger, moment: datetime) -> Recovered:
    lost = JobEnd(0, 0, moment, error_code="server_error", error_message="m")
    return await ledger.run(
        recover_jobs(
            moment, most_attempts=MOST_ATTEMPTS, given_up=lost, abandoned=lost, announcer=EVENTS
        )
    )


def services_of(ledger: Ledger) -> Services:
    """What a pump asks when it claims."""
    signals = SimpleNamespace(publish=lambda topic: None)
    return cast("Services", SimpleNamespace(ledger=ledger, signals=signals))


async def used(database: Location) -> int:
    return int((await fetch(database, "SELECT SUM(used) FROM usage_months"))[0][0])


async def inputs(database: Location) -> int:
    return int((await fetch(database, "SELECT COUNT(*) FROM job_inputs"))[0][0])


async def test_a_job_is_claimed_once_by_whoever_comes_first(
    ledger: Ledger, account: Account, database: Location
) -> None:
    ids = await submit(ledger, account, *(waiting() for _ in range(40)))
    async with open_ledger(database) as other:
        lots = await asyncio.gather(
            *(claim(each, f"{n}", room=3) for n, each in enumerate([ledger, other] * 15))
        )
    claimed = sorted(job.id for lot in lots for job in lot)
    assert claimed == sorted(ids)
    assert not await ledger.run(has_due_jobs(NOW, most={"text": 1}))


async def test_types_that_there_is_no_room_for_are_passed_over(
    ledger: Ledger, account: Account
) -> None:
    audio, text = await submit(ledger, account, waiting(input_type="audio"), waiting())
    lease = Lease("one", NOW + LEASE)
    most = {"text": 8, "audio": 0}
    assert [job.id for job in await ledger.run(claim_jobs(NOW, lease, most=most, room=8))] == [text]
    assert await ledger.run(claim_jobs(NOW, lease, most=most, room=8)) == []
    most = {"text": 8, "audio": 2}
    claimed = await ledger.run(claim_jobs(NOW, lease, most=most, room=8))
    assert [job.id for job in claimed] == [audio]


async def test_of_a_mixed_batch_one_type_is_claimed_at_a_time(
    ledger: Ledger, account: Account
) -> None:
    types = ("text", "audio", "text", "audio", "audio")
    jobs = [waiting(priority=1, index=n, input_type=each) for n, each in enumerate(types)]
    await submit(ledger, account, *jobs, batch=BatchStart("batch_1", "batch", NOW))
    most, lots = {"text": 32, "audio": 2}, []
    for number in range(3):
        lease = Lease(str(number), NOW + LEASE)
        claimed = await ledger.run(claim_jobs(NOW, lease, most=most, room=64))
        lots.append([job.input_type for job in claimed])
    assert lots == [["text", "text"], ["audio", "audio"], ["audio"]]


async def test_a_worker_full_of_recordings_still_takes_texts(
    ledger: Ledger, account: Account
) -> None:
    recordings = [waiting(input_type="audio") for _ in range(CAPACITY)]
    await submit(ledger, account, *recordings, waiting())
    pump = JobPump(services_of(ledger))
    held: list[str] = []
    while claimed := await pump.claim(Lease(f"{len(held)}", clock.now() + LEASE), room=CAPACITY):
        held += [job.input_type for job in claimed]
    assert Counter(held) == {"audio": MOST[InputType.AUDIO], "text": 1}


async def test_a_worker_full_of_recordings_still_takes_lines_of_files(
    ledger: Ledger, account: Account
) -> None:
    recordings = [waiting(input_type="audio") for _ in range(MOST[InputType.AUDIO] + 1)]
    await submit(ledger, account, *recordings)
    pump = JobPump(services_of(ledger))
    for number in range(MOST[InputType.AUDIO] // LOTS[InputType.AUDIO]):
        await pump.claim(Lease(f"{number}", clock.now() + LEASE), room=CAPACITY)
    await files.write(ledger, account, "batch_1", [files.right(0), files.right(1)])
    await files.submit(ledger, account, "batch_1", count=2)
    claimed = await pump.claim(Lease("of the file", clock.now() + LEASE), room=CAPACITY)
    assert [job.input_type for job in claimed] == ["text", "text"]


async def test_interactive_jobs_come_before_batches(ledger: Ledger, account: Account) -> None:
    batch = BatchStart("batch_1", "batch", NOW)
    of_batch = [waiting(priority=1, index=n) for n in range(3)]
    batched = await submit(ledger, account, *of_batch, batch=batch)
    (single,) = await submit(ledger, account, waiting())
    depths = await ledger.run(queue_depths())
    assert {priority: depth.waiting for priority, depth in depths.items()} == {0: 1, 1: 3}
    assert depths[0].oldest_due_at == NOW
    assert [job.id for job in await claim(ledger, "one")] == [single]
    assert tuple(job.id for job in await claim(ledger, "two")) == batched


async def test_a_lease_fences_off_whoever_lost_it(
    ledger: Ledger, account: Account, database: Location
) -> None:
    await submit(ledger, account, waiting())
    slow = await claim(ledger, "slow")
    assert await ledger.run(renew_lease(Lease("slow", NOW + LEASE))) == {slow[0].id}
    late = NOW + LEASE + timedelta(seconds=1)
    assert await ledger.run(has_expired_jobs(late))
    assert (await recover(ledger, late)).requeued == 1
    quick = await claim(ledger, "quick", late)
    assert (quick[0].id, quick[0].attempts) == (slow[0].id, 2)
    assert await ledger.run(renew_lease(Lease("slow", late + LEASE))) == frozenset()
    assert (await finish(ledger, account, slow, "slow")).jobs == ()
    assert len((await finish(ledger, account, quick, "quick")).jobs) == 1
    assert (await finish(ledger, account, slow, "slow")).jobs == ()
    assert await used(database) == 1
    assert await inputs(database) == 0


async def test_a_poison_job_is_given_up_and_given_back(
    ledger: Ledger, account: Account, database: Location
) -> None:
    await submit(ledger, account, waiting())
    moment = NOW
    for start in range(1, MOST_ATTEMPTS + 1):
        assert [job.attempts for job in await claim(ledger, f"{start}", moment)] == [start]
        moment += LEASE + timedelta(seconds=1)
        recovered = await recover(ledger, moment)
        assert recovered.requeued == (1 if start < MOST_ATTEMPTS else 0)
    assert len(recovered.failed.jobs) == 1
    assert await claim(ledger, "more", moment) == []
    assert await used(database) == 0


async def test_what_is_handed_back_was_not_started(ledger: Ledger, account: Account) -> None:
    await submit(ledger, account, waiting())
    await claim(ledger, "one")
    assert await ledger.run(hand_back("one", NOW)) == 1
    assert [job.attempts for job in await claim(ledger, "two")] == [1]


async def test_what_is_put_off_waits_until_then(ledger: Ledger, account: Account) -> None:
    await submit(ledger, account, waiting())
    (job,) = await claim(ledger, "one")
    later = NOW + timedelta(seconds=5)
    assert not await ledger.run(put_off(job.id, "another", due_at=later))
    assert await ledger.run(put_off(job.id, "one", due_at=later))
    assert await claim(ledger, "two", later - timedelta(seconds=1)) == []
    assert [job.attempts for job in await claim(ledger, "two", later)] == [2]


async def test_a_batch_ends_once_with_its_last_job(
    ledger: Ledger, account: Account, database: Location
) -> None:
    jobs = [waiting(priority=1, index=n) for n in range(12)]
    await submit(ledger, account, *jobs, batch=BatchStart("batch_1", "batch", NOW))
    async with open_ledger(database) as other:
        lots = [await claim(ledger, f"{n}", room=3) for n in range(4)]
        ends = await asyncio.gather(
            *(
                finish(each, account, lot, f"{n}", failed=n == 0)
                for n, (each, lot) in enumerate(zip([ledger, other] * 2, lots, strict=True))
            )
        )
    assert [end.batches for end in ends if end.batches] == [("batch_1",)]
    rows = await fetch(database, "SELECT status, completed, failed FROM batches")
    assert rows == [("completed", 9, 3)]
    assert await used(database) == 9
    # What failed can be tried again, within the quota, and the batch ends anew.
    again = {"batch_id": "batch_1", "moment": NOW, "period": PERIOD}
    assert await ledger.run(restart_jobs(account.id, **again, limit=11)) == Refused(9)
    restarted = await ledger.run(restart_jobs(account.id, **again, limit=12))
    assert isinstance(restarted, Reserved)
    assert (len(restarted.job_ids), restarted.used) == (3, 12)
    assert await fetch(database, "SELECT status, failed FROM batches") == [("processing", 0)]
    ended = await finish(ledger, account, await claim(ledger, "again"), "again")
    assert ended.batches == ("batch_1",)
    assert await inputs(database) == 0


async def test_an_input_that_is_not_to_be_stored_goes_with_a_failure(
    ledger: Ledger, account: Account, database: Location
) -> None:
    await submit(ledger, account, waiting(preview=None), waiting())
    await finish(ledger, account, await claim(ledger, "one"), "one", failed=True)
    assert await inputs(database) == 1


async def test_cancelling_ends_what_waits_and_what_runs(
    ledger: Ledger, account: Account, database: Location
) -> None:
    def canceled(job_id: int) -> JobEnd:
        return JobEnd(account.id, job_id, NOW, error_code="canceled", error_message="m")

    one, two = await submit(ledger, account, waiting(), waiting())
    running = await claim(ledger, "one", room=1)
    ended = await ledger.run(cancel_jobs([canceled(one), canceled(two)], announcer=EVENTS))
    assert {job.id for job in ended.jobs} == {one, two}
    assert (await finish(ledger, account, running, "one")).jobs == ()
    assert (await ledger.run(cancel_jobs([canceled(one)], announcer=EVENTS))).jobs == ()
    assert await used(database) == 0

    jobs = [waiting(priority=1, index=n) for n in range(3)]
    await submit(ledger, account, *jobs, batch=BatchStart("batch_1", "batch", NOW))
    ended = await ledger.run(cancel_batch("batch_1", canceled(0), announcer=EVENTS))
    assert (len(ended.jobs), ended.batches) == (3, ("batch_1",))
    assert await fetch(database, "SELECT status FROM batches") == [("failed",)]
