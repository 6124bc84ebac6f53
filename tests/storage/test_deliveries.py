"""The queue of deliveries: places for each endpoint, leases, fences, what attempts say, the log."""

import asyncio
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.domain.accounts.account import Account
from app.storage import webhooks
from app.storage.database import open_ledger
from app.storage.ledger.announcing import new_delivery_id
from app.storage.ledger.deliveries import (
    claim_deliveries,
    close_deliveries,
    due_endpoints,
    hand_deliveries_back,
    has_expired_deliveries,
    recover_deliveries,
    renew_deliveries,
    settle_delivery,
)
from app.storage.ledger.delivery_log import (
    count_deliveries,
    delivery_attempts,
    delivery_pages,
    drop_deliveries,
    forget_deliveries,
    insert_delivery,
    list_deliveries,
    send_again,
    send_many_again,
)
from app.storage.ledger.delivery_records import (
    DueEndpoint,
    LeasedDelivery,
    LogPosition,
    LogWindow,
    NewDelivery,
    Settled,
    Settlement,
    Verdict,
)
from app.storage.ledger.ledger import Ledger
from app.storage.ledger.work import Lease
from app.storage.location import Location
from app.storage.models import WebhookRow
from tests.databases import fetch, make_sqlite

NOW = datetime(2026, 3, 15, 10, 30, tzinfo=UTC)
LEASE = timedelta(seconds=15)
PLACES = 4
MOST_ATTEMPTS = 8
PATIENCE = timedelta(days=5)


async def make_webhook(account: Account, **columns: object) -> int:
    row = await WebhookRow.create(
        account_id=account.id,
        url="https://example.com/hook",
        events=["*"],
        on_job_completed=True,
        on_job_failed=True,
        on_batch_completed=True,
        secret="sealed",
        created_at=NOW,
        updated_at=NOW,
        **columns,
    )
    return row.id


async def write(
    ledger: Ledger, account: Account, webhook_id: int, count: int = 1, *, at: datetime = NOW
) -> list[str]:
    ids = sorted(new_delivery_id() for _ in range(count))
    for each in ids:
        new = NewDelivery(each, account.id, webhook_id, "webhook.test", '{"x": "é"}', at)
        await ledger.run(insert_delivery(new))
    return ids


async def due(ledger: Ledger, moment: datetime = NOW) -> list[DueEndpoint]:
    return await ledger.run(due_endpoints(moment, places=PLACES, count=16))


async def claim(
    ledger: Ledger, lease: str, moment: datetime = NOW, *, room: int = 100
) -> list[LeasedDelivery]:
    active = [each.webhook_id for each in await due(ledger, moment) if each.active]
    return await ledger.run(
        claim_deliveries(moment, Lease(lease, moment + LEASE), active, places=PLACES, room=room)
    )


async def settle(
    ledger: Ledger,
    delivery: LeasedDelivery,
    lease: str,
    verdict: Verdict,
    *,
    at: datetime = NOW,
    due_at: datetime | None = None,
) -> Settled:
    return await ledger.run(
        settle_delivery(
            Settlement(
                delivery_id=delivery.id,
                lease_id=lease,
                verdict=verdict,
                attempted_at=at,
                settled_at=at,
                failing_before=at - PATIENCE,
                duration_ms=12,
                status_code=200 if verdict is Verdict.HEALTHY else 500,
                response="thanks",
                error=None,
                due_at=due_at,
            )
        )
    )


async def statuses(database: Location) -> dict[str, int]:
    rows = await fetch(database, "SELECT status, COUNT(*) FROM deliveries GROUP BY status")
    return dict(rows)


async def test_an_endpoint_has_few_places_over_all_processes(
    ledger: Ledger, account: Account, database: Location
) -> None:
    busy, other = await make_webhook(account), await make_webhook(account)
    await write(ledger, account, busy, 30)
    await write(ledger, account, other, 2, at=NOW + timedelta(seconds=1))
    later = NOW + timedelta(seconds=1)
    async with open_ledger(database) as second:
        lots = await asyncio.gather(
            *(claim(each, f"{n}", later) for n, each in enumerate([ledger, second] * 6))
        )
    by_endpoint = [lot[0].webhook_id for lot in lots if lot]
    assert sorted(by_endpoint) == [busy, other]
    assert {len(lot) for lot in lots if lot} == {PLACES, 2}
    assert await due(ledger, later) == []
    assert await statuses(database) == {"delivering": PLACES + 2, "pending": 26}


async def test_what_ends_makes_room_for_what_waits_longest(
    ledger: Ledger, account: Account
) -> None:
    webhook = await make_webhook(account)
    ids = await write(ledger, account, webhook, 6)
    first = await claim(ledger, "one")
    assert [each.id for each in first] == ids[:4]
    assert (first[0].payload, first[0].attempts, first[0].url) == (
        '{"x": "é"}', 1, "https://example.com/hook",
    )  # fmt: skip
    assert await claim(ledger, "two") == []
    assert (await settle(ledger, first[0], "one", Verdict.HEALTHY)).was_held
    assert [each.id for each in await claim(ledger, "two")] == [ids[4]]


async def test_a_failing_endpoint_has_one_place_until_it_answers(
    ledger: Ledger, account: Account
) -> None:
    webhook = await make_webhook(account)
    await write(ledger, account, webhook, 8)
    lot = await claim(ledger, "one")
    for each in lot:
        await settle(ledger, each, "one", Verdict.FAILING, due_at=NOW + timedelta(minutes=5))
    (only,) = await claim(ledger, "two")
    assert await claim(ledger, "three") == []
    await settle(ledger, only, "two", Verdict.HEALTHY)
    assert len(await claim(ledger, "three")) == 3


async def test_a_lease_fences_off_whoever_lost_it(
    ledger: Ledger, account: Account, database: Location
) -> None:
    await write(ledger, account, await make_webhook(account))
    (slow,) = await claim(ledger, "slow")
    assert await ledger.run(renew_deliveries(Lease("slow", NOW + LEASE))) == 1
    late = NOW + LEASE + timedelta(seconds=1)
    assert await ledger.run(has_expired_deliveries(late))
    recovered = await ledger.run(recover_deliveries(late, most_attempts=MOST_ATTEMPTS))
    assert (recovered.requeued, recovered.failed) == (1, 0)
    (quick,) = await claim(ledger, "quick", late)
    assert (quick.id, quick.attempts) == (slow.id, 2)
    assert await ledger.run(renew_deliveries(Lease("slow", late + LEASE))) == 0
    assert not (await settle(ledger, slow, "slow", Verdict.HEALTHY)).was_held
    assert await statuses(database) == {"delivering": 1}
    assert await fetch(database, "SELECT COUNT(*) FROM delivery_attempts") == [(0,)]
    assert (await settle(ledger, quick, "quick", Verdict.HEALTHY)).was_held
    assert await statuses(database) == {"delivered": 1}
    assert not await ledger.run(has_expired_deliveries(late + LEASE))


async def test_what_kills_its_process_does_not_come_back_for_ever(
    ledger: Ledger, account: Account, database: Location
) -> None:
    await write(ledger, account, await make_webhook(account))
    moment = NOW
    for start in range(1, MOST_ATTEMPTS + 1):
        assert [each.attempts for each in await claim(ledger, f"{start}", moment)] == [start]
        moment += LEASE + timedelta(seconds=1)
        await ledger.run(recover_deliveries(moment, most_attempts=MOST_ATTEMPTS))
    assert await claim(ledger, "more", moment) == []
    assert await statuses(database) == {"failed": 1}


async def test_what_is_handed_back_was_not_sent(ledger: Ledger, account: Account) -> None:
    await write(ledger, account, await make_webhook(account))
    await claim(ledger, "one")
    assert await ledger.run(hand_deliveries_back("one", NOW)) == 1
    assert [each.attempts for each in await claim(ledger, "two")] == [1]


async def test_what_is_put_off_waits_until_then(ledger: Ledger, account: Account) -> None:
    await write(ledger, account, await make_webhook(account))
    (delivery,) = await claim(ledger, "one")
    later = NOW + timedelta(seconds=5)
    await settle(ledger, delivery, "one", Verdict.FAILING, due_at=later)
    assert await claim(ledger, "two", later - timedelta(seconds=1)) == []
    assert [each.attempts for each in await claim(ledger, "two", later)] == [2]


async def endpoint(database: Location) -> tuple[object, ...]:
    sql = "SELECT active, failing_since IS NULL, disabled_reason FROM webhooks"
    active, healthy, reason = (await fetch(database, sql))[0]
    return bool(active), bool(healthy), reason


async def test_an_endpoint_that_never_answers_is_switched_off_in_time(
    ledger: Ledger, account: Account, database: Location
) -> None:
    await write(ledger, account, await make_webhook(account), 5)
    steps = [
        (timedelta(0), Verdict.FAILING, (True, False, None), False),
        (timedelta(days=4), Verdict.HEALTHY, (True, True, None), False),
        (timedelta(days=4), Verdict.FAILING, (True, False, None), False),
        (timedelta(days=8, hours=23), Verdict.NONE, (True, False, None), False),
        (timedelta(days=9), Verdict.FAILING, (False, False, "failing"), True),
    ]
    for number, (after, verdict, expected, switched_off) in enumerate(steps):
        moment = NOW + after
        (delivery,) = await claim(ledger, f"{number}", moment, room=1)
        settled = await settle(ledger, delivery, f"{number}", verdict, at=moment)
        assert (await endpoint(database), settled.switched_off) == (expected, switched_off)


async def test_a_gone_endpoint_is_switched_off_and_what_waits_for_it_fails(
    ledger: Ledger, account: Account, database: Location
) -> None:
    webhook = await make_webhook(account)
    await write(ledger, account, webhook, 3)
    await write(ledger, account, webhook, 1, at=NOW + timedelta(hours=1))
    (delivery,) = await claim(ledger, "one", room=1)
    assert (await settle(ledger, delivery, "one", Verdict.GONE)).switched_off
    assert (await endpoint(database))[::2] == (False, "gone")
    assert await due(ledger) == [DueEndpoint(webhook, active=False)]
    assert await ledger.run(close_deliveries(webhook, NOW)) == 2
    assert await due(ledger) == []
    # What is not due yet is left for whoever switches the endpoint on again.
    assert await statuses(database) == {"failed": 3, "pending": 1}


async def test_nothing_is_closed_for_an_active_endpoint(ledger: Ledger, account: Account) -> None:
    webhook = await make_webhook(account)
    await write(ledger, account, webhook)
    assert await ledger.run(close_deliveries(webhook, NOW)) == 0


async def test_a_backlog_is_passed_over_without_being_read(tmp_path: Path) -> None:
    file = make_sqlite(tmp_path)
    text = next(due_endpoints(NOW, places=PLACES, count=16).start()).statement.sqlite
    for name, value in (("moment", f"'{NOW}'"), ("places", "4"), ("count", "16")):
        text = text.replace(f":{name}", value)
    plan = [str(row[3]) for row in await fetch(file, f"EXPLAIN QUERY PLAN {text}")]
    read = [step for step in plan if "deliveries" in step]
    assert len(read) >= 4
    searched = re.compile("SEARCH deliveries USING (COVERING )?INDEX")
    assert all(map(searched.match, read)), plan


async def log(ledger: Ledger, account: Account, webhook: int, window: LogWindow) -> list[str]:
    pages = await ledger.run(delivery_pages(account.id, [webhook], window))
    return [each.id for each in pages[webhook]]


async def test_the_log_pages_both_ways(ledger: Ledger, account: Account) -> None:
    webhook, other = await make_webhook(account), await make_webhook(account)
    # Two of the same moment, so that the id decides.
    moments = [NOW, NOW, NOW + timedelta(seconds=1), NOW + timedelta(seconds=1.5)]
    ids = [(await write(ledger, account, webhook, at=at))[0] for at in moments]
    ids = [*reversed([*sorted(ids[:2]), *ids[2:]])]
    await write(ledger, account, other, 3)
    assert await log(ledger, account, webhook, LogWindow(10)) == ids
    second = LogPosition(NOW + timedelta(seconds=1), ids[1])
    assert await log(ledger, account, webhook, LogWindow(1, after=second)) == ids[2:3]
    assert await log(ledger, account, webhook, LogWindow(9, before=second)) == ids[:1]
    assert await log(ledger, account, webhook, LogWindow(2, backward=True)) == ids[2:]
    third = LogPosition(NOW, ids[2])
    assert await log(ledger, account, webhook, LogWindow(9, after=third)) == ids[3:]
    page = await ledger.run(
        list_deliveries(account.id, webhook, status="pending", limit=2, offset=1)
    )
    assert [each.id for each in page] == ids[1:3]
    counts = count_deliveries(account.id, [webhook, other, 99], status=None)
    assert await ledger.run(counts) == {webhook: 4, other: 3, 99: 0}
    assert await log(ledger, account, webhook, LogWindow(9, status="failed")) == []
    pages = delivery_pages(account.id + 1, [webhook], LogWindow(9))
    assert await ledger.run(pages) == {webhook: []}


async def test_attempts_are_kept_with_their_delivery(ledger: Ledger, account: Account) -> None:
    (wanted,) = await write(ledger, account, await make_webhook(account))
    (delivery,) = await claim(ledger, "one")
    await settle(ledger, delivery, "one", Verdict.FAILING, due_at=NOW)
    (delivery,) = await claim(ledger, "two")
    await settle(ledger, delivery, "two", Verdict.HEALTHY)
    attempts = (await ledger.run(delivery_attempts(account.id, [wanted, "none"])))[wanted]
    shown = [(each.status_code, each.duration_ms, each.response) for each in attempts]
    assert shown == [(500, 12, "thanks"), (200, 12, "thanks")]
    assert (await ledger.run(delivery_attempts(account.id + 1, [wanted])))[wanted] == []


async def test_what_has_ended_can_be_sent_again(
    ledger: Ledger, account: Account, database: Location
) -> None:
    webhook = await make_webhook(account)
    early = await write(ledger, account, webhook, 1)
    since = NOW + timedelta(minutes=1)
    ids = await write(ledger, account, webhook, 3, at=since)
    later = NOW + timedelta(hours=1)
    lot = await claim(ledger, "one", later)
    for each in lot:
        verdict = Verdict.FAILING if each.id in {ids[0], ids[2]} else Verdict.HEALTHY
        await settle(ledger, each, "one", verdict, at=later)
    assert await statuses(database) == {"delivered": 2, "failed": 2}

    after = LogPosition(since, "")
    failed = send_many_again(account.id, webhook, later, after=after, failed_only=True)
    positions = await ledger.run(failed)
    assert [each.id for each in positions] == [ids[0], ids[2]]
    rest = send_many_again(account.id, webhook, later, after=positions[-1], failed_only=True)
    assert await ledger.run(rest) == []
    any_of_them = send_many_again(account.id, webhook, later, after=after, failed_only=False)
    assert [each.id for each in await ledger.run(any_of_them)] == [ids[1]]

    assert not await ledger.run(send_again(account.id, webhook + 1, early[0], later))
    assert not await ledger.run(send_again(account.id + 1, webhook, early[0], later))
    assert await ledger.run(send_again(account.id, webhook, early[0], later))
    assert await statuses(database) == {"pending": 4}
    again = await claim(ledger, "two", later)
    assert [each.attempts for each in again] == [1]
    # What is under way stays with whoever sends it.
    assert not await ledger.run(send_again(account.id, webhook, again[0].id, later))


async def test_old_deliveries_are_forgotten_with_their_attempts(
    ledger: Ledger, account: Account, database: Location
) -> None:
    webhook = await make_webhook(account)
    await write(ledger, account, webhook, 2)
    await write(ledger, account, webhook, 1, at=NOW + timedelta(days=1))
    later = NOW + timedelta(days=1)
    for each in await claim(ledger, "one", later):
        await settle(ledger, each, "one", Verdict.HEALTHY)
    await write(ledger, account, webhook, 1)
    before = NOW + timedelta(hours=1)
    assert await ledger.run(forget_deliveries(before, count=10)) == 2
    assert await ledger.run(forget_deliveries(before, count=10)) == 0
    assert await statuses(database) == {"delivered": 1, "pending": 1}
    assert await fetch(database, "SELECT COUNT(*) FROM delivery_attempts") == [(1,)]
    assert await ledger.run(drop_deliveries(account.id + 1, webhook)) == 0
    assert await ledger.run(drop_deliveries(account.id, webhook)) == 2
    assert await fetch(database, "SELECT COUNT(*) FROM delivery_attempts") == [(0,)]


@pytest.mark.parametrize("beyond", [2**31, 10**18 - 1])
async def test_an_id_beyond_the_column_names_no_webhook(account: Account, beyond: int) -> None:
    moment = account.created_at
    assert await webhooks.find_webhook(account.id, beyond) is None
    assert not await webhooks.update_webhook(account.id, beyond, {}, updated_at=moment)
    assert not await webhooks.delete_webhook(account.id, beyond)
    rotated = webhooks.replace_secret(
        account.id, beyond, "s", previous_until=moment, updated_at=moment
    )
    assert not await rotated
