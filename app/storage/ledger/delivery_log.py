"""The log of deliveries: reading it, sending again what is in it, forgetting it."""

from collections.abc import Sequence
from datetime import UTC, datetime

from app.storage.columns import read_time
from app.storage.ledger.delivery_records import (
    AttemptRecord,
    DeliveryRecord,
    LogPosition,
    LogWindow,
    NewDelivery,
)
from app.storage.ledger.work import SWEEP
from app.storage.operation import (
    Many,
    Parameters,
    Query,
    Row,
    Rows,
    Statement,
    Steps,
    reading,
    writing,
)

_COLUMNS = """
SELECT id, webhook_id, event, job_id, batch_id, payload, status, due_at, created_at, completed_at
FROM deliveries WHERE account_id = :account AND webhook_id = :webhook
"""
_OF_STATUS = "AND (CAST(:status AS TEXT) IS NULL OR status = :status)"
_PAGE = f"""{_COLUMNS} {_OF_STATUS}
  AND (created_at, id) < (:older_at, :older_id) AND (created_at, id) > (:newer_at, :newer_id)
"""
_FORWARD = Statement(f"{_PAGE} ORDER BY created_at DESC, id DESC LIMIT :size")
_BACKWARD = Statement(f"{_PAGE} ORDER BY created_at, id LIMIT :size")
_OFFSET = Statement(
    f"{_COLUMNS} {_OF_STATUS} ORDER BY created_at DESC, id DESC LIMIT :size OFFSET :offset"
)
_ONE = Statement("""
SELECT 1 FROM deliveries
WHERE account_id = :account AND webhook_id = :webhook AND id = :delivery
""")
_COUNT = Statement("""
SELECT webhook_id, COUNT(*) FROM deliveries
WHERE account_id = :account AND webhook_id = :webhook
  AND (CAST(:status AS TEXT) IS NULL OR status = :status)
GROUP BY webhook_id
""")
_ATTEMPTS = Statement("""
SELECT id, delivery_id, attempted_at, duration_ms, status_code, response, error
FROM delivery_attempts WHERE account_id = :account AND delivery_id = :delivery ORDER BY id
""")
_INSERT = Statement(
    """
INSERT INTO deliveries (id, account_id, webhook_id, event, payload, status, attempts, due_at,
                        created_at)
VALUES (:id, :account, :webhook, :event, :payload, 'pending', 0, :moment, :moment)
""",
    Rows.NONE,
)
_SEND_ONE_AGAIN = Statement("""
UPDATE deliveries SET status = 'pending', attempts = 0, due_at = :moment, completed_at = NULL
WHERE id = :delivery AND account_id = :account AND webhook_id = :webhook
  AND status IN ('pending', 'delivered', 'failed')
RETURNING id
""")
_SEND_MANY_AGAIN = Statement("""
WITH picked AS MATERIALIZED (
    SELECT id FROM deliveries
    WHERE account_id = :account AND webhook_id = :webhook
      AND (created_at, id) > (:newer_at, :newer_id) AND status IN ('failed', :other)
    ORDER BY created_at, id LIMIT :count /* lock */)
UPDATE deliveries SET status = 'pending', attempts = 0, due_at = :moment, completed_at = NULL
WHERE id IN (SELECT id FROM picked) AND status IN ('delivered', 'failed')
RETURNING created_at, id
""")
_FORGET = Statement("""
WITH picked AS MATERIALIZED (
    SELECT id FROM deliveries WHERE created_at < :before AND status IN ('delivered', 'failed')
    ORDER BY created_at LIMIT :count /* lock, skip locked */)
DELETE FROM deliveries WHERE id IN (SELECT id FROM picked)
RETURNING id
""")
_DROP = Statement("""
WITH picked AS MATERIALIZED (
    SELECT id FROM deliveries WHERE account_id = :account AND webhook_id = :webhook
    ORDER BY created_at LIMIT :count /* lock */)
DELETE FROM deliveries WHERE id IN (SELECT id FROM picked)
RETURNING id
""")
_FORGET_ATTEMPTS = Statement(
    "DELETE FROM delivery_attempts WHERE delivery_id = :delivery", Rows.NONE
)

# Ids follow `dlv_`: one is before them all, the other behind.
_NEWEST = LogPosition(datetime(9999, 12, 31, tzinfo=UTC), "~")
_OLDEST = LogPosition(datetime(1, 1, 1, tzinfo=UTC), "")


@reading
def delivery_pages(
    account_id: int, webhook_ids: Sequence[int], window: LogWindow
) -> Steps[dict[int, list[DeliveryRecord]]]:
    """Return the same part of the logs of several webhooks, newest first."""
    rows = yield Many(
        _BACKWARD if window.backward else _FORWARD,
        [_page_of(account_id, webhook_id, window) for webhook_id in webhook_ids],
    )
    pages: dict[int, list[DeliveryRecord]] = {webhook_id: [] for webhook_id in webhook_ids}
    for row in reversed(rows) if window.backward else rows:
        pages[row[1]].append(_delivery(row))
    return pages


def _page_of(account_id: int, webhook_id: int, window: LogWindow) -> Parameters:
    older, newer = window.after or _NEWEST, window.before or _OLDEST
    return {
        "account": account_id,
        "webhook": webhook_id,
        "status": window.status,
        "older_at": older.created_at,
        "older_id": older.id,
        "newer_at": newer.created_at,
        "newer_id": newer.id,
        "size": window.size,
    }


@reading
def list_deliveries(
    account_id: int, webhook_id: int, *, status: str | None, limit: int, offset: int
) -> Steps[list[DeliveryRecord]]:
    """Return a page of a webhook's log by offset, newest first."""
    named = {"account": account_id, "webhook": webhook_id, "status": status}
    rows = yield Query(_OFFSET, {**named, "size": limit, "offset": offset})
    return [_delivery(row) for row in rows]


@reading
def has_delivery(account_id: int, webhook_id: int, delivery_id: str) -> Steps[bool]:
    """Tell whether a webhook has a delivery."""
    named = {"account": account_id, "webhook": webhook_id, "delivery": delivery_id}
    return bool((yield Query(_ONE, named)))


@reading
def count_deliveries(
    account_id: int, webhook_ids: Sequence[int], *, status: str | None
) -> Steps[dict[int, int]]:
    """Count the logs of several webhooks."""
    named = {"account": account_id, "status": status}
    rows = yield Many(_COUNT, [{**named, "webhook": webhook_id} for webhook_id in webhook_ids])
    counts = {row[0]: int(row[1]) for row in rows}
    return {webhook_id: counts.get(webhook_id, 0) for webhook_id in webhook_ids}


@reading
def delivery_attempts(
    account_id: int, delivery_ids: Sequence[str]
) -> Steps[dict[str, list[AttemptRecord]]]:
    """Return the attempts at several deliveries, each in their order."""
    attempts: dict[str, list[AttemptRecord]] = {each: [] for each in delivery_ids}
    rows = yield Many(
        _ATTEMPTS, [{"account": account_id, "delivery": each} for each in delivery_ids]
    )
    for row in rows:
        attempts[row[1]].append(
            AttemptRecord(
                id=row[0],
                delivery_id=row[1],
                attempted_at=read_time(row[2]),
                duration_ms=row[3],
                status_code=row[4],
                response=row[5],
                error=row[6],
            )
        )
    return attempts


@writing(durable=True)
def insert_delivery(new: NewDelivery) -> Steps[None]:
    """Write a delivery that is due at once."""
    yield Query(
        _INSERT,
        {
            "id": new.id,
            "account": new.account_id,
            "webhook": new.webhook_id,
            "event": new.event,
            "payload": new.payload,
            "moment": new.created_at,
        },
    )


@writing(durable=True, repeatable=True)
def send_again(account_id: int, webhook_id: int, delivery_id: str, moment: datetime) -> Steps[bool]:
    """Let one delivery be due at once, its schedule begun anew; False when it is under way."""
    named = {"account": account_id, "webhook": webhook_id, "delivery": delivery_id}
    return bool((yield Query(_SEND_ONE_AGAIN, {**named, "moment": moment})))


@writing(durable=True, repeatable=True)
def send_many_again(
    account_id: int, webhook_id: int, moment: datetime, *, after: LogPosition, failed_only: bool
) -> Steps[list[LogPosition]]:
    """Do so with up to `SWEEP` ended deliveries newer than `after`; return where these stand."""
    rows = yield Query(
        _SEND_MANY_AGAIN,
        {
            "account": account_id,
            "webhook": webhook_id,
            "moment": moment,
            "newer_at": after.created_at,
            "newer_id": after.id,
            "other": "failed" if failed_only else "delivered",
            "count": SWEEP,
        },
    )
    found = [LogPosition(read_time(row[0]), row[1]) for row in rows]
    return sorted(found, key=lambda position: (position.created_at, position.id))


@writing(durable=False, repeatable=True)
def forget_deliveries(before: datetime, *, count: int) -> Steps[int]:
    """Delete up to `count` ended deliveries older than that, with their attempts."""
    rows = yield Query(_FORGET, {"before": before, "count": count})
    return (yield from _forget_attempts(rows))


@writing(durable=False, repeatable=True)
def drop_deliveries(account_id: int, webhook_id: int) -> Steps[int]:
    """Delete up to `SWEEP` deliveries of a deleted webhook; none are left when it returns 0."""
    rows = yield Query(_DROP, {"account": account_id, "webhook": webhook_id, "count": SWEEP})
    return (yield from _forget_attempts(rows))


def _forget_attempts(deliveries: Sequence[Row]) -> Steps[int]:
    if deliveries:
        yield Many(_FORGET_ATTEMPTS, [{"delivery": row[0]} for row in deliveries])
    return len(deliveries)


def _delivery(row: Row) -> DeliveryRecord:
    return DeliveryRecord(
        id=row[0],
        webhook_id=row[1],
        event=row[2],
        job_id=row[3],
        batch_id=row[4],
        payload=row[5],
        status=row[6],
        due_at=None if row[7] is None else read_time(row[7]),
        created_at=read_time(row[8]),
        completed_at=None if row[9] is None else read_time(row[9]),
    )
