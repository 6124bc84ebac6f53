"""The queue of deliveries: they wait by endpoint, are leased, sent, put off, settled.

Each endpoint has a few places in flight, counted over all processes while its row is locked; one
that fails has a single place. So a slow or dead endpoint holds nothing that another needs, and what
waits for it is passed over without being read: endpoints are found by skipping through an index.

Only under its lease can a delivery be settled, which writes its attempt and what the attempt says
of the endpoint in the same step. Where a lease passes, its holder is taken for dead, and the
delivery is sent again under the same id.
"""

from collections.abc import Sequence
from datetime import datetime

from app.storage.columns import read_time
from app.storage.ledger.delivery_records import (
    DueEndpoint,
    LeasedDelivery,
    RecoveredDeliveries,
    Settled,
    Settlement,
    Verdict,
)
from app.storage.ledger.work import SWEEP, Lease
from app.storage.operation import (
    Parameters,
    Query,
    Rows,
    Statement,
    Steps,
    reading,
    writing,
)

_DUE_ENDPOINTS = Statement("""
WITH RECURSIVE waiting (webhook_id) AS (
    SELECT MIN(webhook_id) FROM deliveries WHERE status = 'pending'
    UNION ALL
    SELECT (SELECT MIN(deliveries.webhook_id) FROM deliveries
            WHERE deliveries.status = 'pending' AND deliveries.webhook_id > waiting.webhook_id)
    FROM waiting WHERE waiting.webhook_id IS NOT NULL),
heads AS (
    SELECT webhook_id, (SELECT MIN(due_at) FROM deliveries
                        WHERE deliveries.status = 'pending'
                          AND deliveries.webhook_id = waiting.webhook_id) AS due_at
    FROM waiting WHERE webhook_id IS NOT NULL)
SELECT heads.webhook_id, COALESCE(webhooks.active, FALSE)
FROM heads LEFT JOIN webhooks ON webhooks.id = heads.webhook_id
WHERE heads.due_at <= :moment
  AND (SELECT COUNT(*) FROM deliveries
       WHERE deliveries.status = 'delivering' AND deliveries.webhook_id = heads.webhook_id)
      < CASE WHEN webhooks.failing_since IS NULL THEN CAST(:places AS BIGINT) ELSE 1 END
ORDER BY COALESCE(webhooks.active, FALSE) DESC, heads.due_at, heads.webhook_id LIMIT :count
""")
_ENDPOINT = Statement("""
SELECT url, secret, previous_secret, previous_until, failing_since FROM webhooks
WHERE id = :webhook AND active /* lock, skip locked */
""")
_IN_FLIGHT = Statement("""
SELECT COUNT(*) FROM deliveries WHERE status = 'delivering' AND webhook_id = :webhook
""")
_CLAIM = Statement("""
WITH picked AS MATERIALIZED (
    SELECT id FROM deliveries
    WHERE status = 'pending' AND webhook_id = :webhook AND due_at <= :moment
    ORDER BY due_at, id LIMIT :count /* lock, skip locked */)
UPDATE deliveries SET status = 'delivering', attempts = attempts + 1, due_at = NULL,
                      lease_id = :lease, lease_expires_at = :until
WHERE id IN (SELECT id FROM picked) AND status = 'pending'
RETURNING id, event, payload, attempts
""")
_CLOSE = Statement("""
WITH picked AS MATERIALIZED (
    SELECT id FROM deliveries
    WHERE status = 'pending' AND webhook_id = :webhook AND due_at <= :moment
      AND NOT EXISTS (SELECT 1 FROM webhooks WHERE webhooks.id = :webhook AND webhooks.active)
    ORDER BY due_at, id LIMIT :count /* lock, skip locked */)
UPDATE deliveries SET status = 'failed', due_at = NULL, completed_at = :moment
WHERE id IN (SELECT id FROM picked) AND status = 'pending'
RETURNING id
""")
_RENEW = Statement("""
UPDATE deliveries SET lease_expires_at = :until WHERE lease_id = :lease AND status = 'delivering'
RETURNING id
""")
_HAND_BACK = Statement("""
UPDATE deliveries SET status = 'pending', attempts = attempts - 1, due_at = :moment,
                      lease_id = NULL, lease_expires_at = NULL
WHERE lease_id = :lease AND status = 'delivering'
RETURNING id
""")
_ANY_EXPIRED = Statement("""
SELECT 1 FROM deliveries WHERE status = 'delivering' AND lease_expires_at < :moment LIMIT 1
""")
_EXPIRED = """
WITH picked AS MATERIALIZED (
    SELECT id FROM deliveries
    WHERE status = 'delivering' AND lease_expires_at < :moment AND attempts {bound} :most
    ORDER BY lease_expires_at LIMIT :count /* lock, skip locked */)
UPDATE deliveries SET {ending}, lease_id = NULL, lease_expires_at = NULL
WHERE id IN (SELECT id FROM picked) AND status = 'delivering'
RETURNING id
"""
_REQUEUE = Statement(_EXPIRED.format(bound="<", ending="status = 'pending', due_at = :moment"))
_GIVE_UP = Statement(
    _EXPIRED.format(bound=">=", ending="status = 'failed', completed_at = :moment")
)
_SETTLE = Statement("""
UPDATE deliveries SET status = :status, due_at = :due_at, completed_at = :completed_at,
                      lease_id = NULL, lease_expires_at = NULL
WHERE id = :delivery AND lease_id = :lease AND status = 'delivering'
RETURNING account_id, webhook_id
""")
_INSERT_ATTEMPT = Statement(
    """
INSERT INTO delivery_attempts (account_id, delivery_id, attempted_at, duration_ms, status_code,
                               response, error)
VALUES (:account, :delivery, :attempted_at, :duration_ms, :status_code, :response, :error)
""",
    Rows.NONE,
)
_RECOVERS = Statement(
    """
UPDATE webhooks SET failing_since = NULL WHERE id = :webhook AND failing_since IS NOT NULL
""",
    Rows.NONE,
)
_BEGINS_TO_FAIL = Statement(
    """
UPDATE webhooks SET failing_since = :moment WHERE id = :webhook AND failing_since IS NULL
""",
    Rows.NONE,
)
_SWITCH_OFF = """
UPDATE webhooks SET active = FALSE, disabled_reason = '{reason}', updated_at = :moment
WHERE id = :webhook AND active AND {condition}
RETURNING id
"""
_IS_GONE = Statement(_SWITCH_OFF.format(reason="gone", condition="TRUE"))
_FAILS_TOO_LONG = Statement(
    _SWITCH_OFF.format(reason="failing", condition="failing_since <= :failing_before")
)


@reading
def due_endpoints(moment: datetime, *, places: int, count: int) -> Steps[list[DueEndpoint]]:
    """Return up to `count` webhooks with something due and a place free, longest due first.

    An endpoint has `places`, one that fails has one. Those that are off come last.
    """
    rows = yield Query(_DUE_ENDPOINTS, {"moment": moment, "places": places, "count": count})
    return [DueEndpoint(row[0], bool(row[1])) for row in rows]


@writing(durable=False)
def claim_deliveries(
    moment: datetime, lease: Lease, webhook_ids: Sequence[int], *, places: int, room: int
) -> Steps[list[LeasedDelivery]]:
    """Lease up to `room` deliveries of the first of these endpoints that has any and a place."""
    for webhook_id in webhook_ids:
        named = {"webhook": webhook_id}
        # Whoever holds the row counts the places; another process takes the next endpoint.
        endpoint = yield Query(_ENDPOINT, named)
        if not endpoint:
            continue
        url, secret, previous, until, failing_since = endpoint[0]
        ((in_flight,),) = yield Query(_IN_FLIGHT, named)
        free = (places if failing_since is None else 1) - in_flight
        if free <= 0:
            continue
        rows = yield Query(
            _CLAIM,
            {
                **named,
                "moment": moment,
                "lease": lease.id,
                "until": lease.until,
                "count": min(free, room),
            },
        )
        if rows:
            return [
                LeasedDelivery(
                    id=row[0],
                    webhook_id=webhook_id,
                    event=row[1],
                    payload=row[2],
                    attempts=row[3],
                    url=url,
                    secret=secret,
                    previous_secret=previous,
                    previous_until=None if until is None else read_time(until),
                )
                for row in rows
            ]
    return []


@writing(durable=False, repeatable=True)
def close_deliveries(webhook_id: int, moment: datetime) -> Steps[int]:
    """Fail up to `SWEEP` due deliveries of a webhook that is switched off or gone."""
    named = {"webhook": webhook_id, "moment": moment, "count": SWEEP}
    return len((yield Query(_CLOSE, named)))


@writing(durable=False, repeatable=True)
def renew_deliveries(lease: Lease) -> Steps[int]:
    """Hold on to what is leased, and return how many these still are."""
    return len((yield Query(_RENEW, {"lease": lease.id, "until": lease.until})))


@writing(durable=False, repeatable=True)
def hand_deliveries_back(lease_id: str, moment: datetime) -> Steps[int]:
    """Let what is leased wait again, as if it had not been sent; return how many these were."""
    return len((yield Query(_HAND_BACK, {"lease": lease_id, "moment": moment})))


@reading
def has_expired_deliveries(moment: datetime) -> Steps[bool]:
    """Tell whether the lease of any delivery has passed."""
    return bool((yield Query(_ANY_EXPIRED, {"moment": moment})))


@writing(durable=False, repeatable=True)
def recover_deliveries(moment: datetime, *, most_attempts: int) -> Steps[RecoveredDeliveries]:
    """Let deliveries whose lease has passed wait again, or fail those begun `most_attempts` times.

    So one that kills whoever sends it does not come back for ever.
    """
    bounds = {"moment": moment, "most": most_attempts, "count": SWEEP}
    requeued = yield Query(_REQUEUE, bounds)
    failed = yield Query(_GIVE_UP, bounds)
    return RecoveredDeliveries(len(requeued), len(failed))


@writing(durable=False, repeatable=True)
def settle_delivery(settlement: Settlement) -> Steps[Settled]:
    """Write an attempt, what becomes of its delivery, and what it says of the endpoint.

    Should the power go, the delivery is sent once more: no flush is waited for.
    """
    rows = yield Query(_SETTLE, _settled_row(settlement))
    if not rows:
        return Settled(was_held=False)
    account_id, webhook_id = rows[0]
    yield Query(
        _INSERT_ATTEMPT,
        {
            "account": account_id,
            "delivery": settlement.delivery_id,
            "attempted_at": settlement.attempted_at,
            "duration_ms": settlement.duration_ms,
            "status_code": settlement.status_code,
            "response": settlement.response,
            "error": settlement.error,
        },
    )
    switched_off = yield from _judge_endpoint(webhook_id, settlement)
    return Settled(was_held=True, switched_off=switched_off)


def _settled_row(settlement: Settlement) -> Parameters:
    if settlement.due_at is not None:
        status = "pending"
    else:
        status = "delivered" if settlement.verdict is Verdict.HEALTHY else "failed"
    return {
        "delivery": settlement.delivery_id,
        "lease": settlement.lease_id,
        "status": status,
        "due_at": settlement.due_at,
        "completed_at": settlement.settled_at if settlement.due_at is None else None,
    }


def _judge_endpoint(webhook_id: int, settlement: Settlement) -> Steps[bool]:
    named = {"webhook": webhook_id}
    now = {**named, "moment": settlement.settled_at}
    match settlement.verdict:
        case Verdict.HEALTHY:
            yield Query(_RECOVERS, named)
        case Verdict.GONE:
            return bool((yield Query(_IS_GONE, now)))
        case Verdict.FAILING:
            yield Query(_BEGINS_TO_FAIL, now)
            bounds = {**now, "failing_before": settlement.failing_before}
            return bool((yield Query(_FAILS_TOO_LONG, bounds)))
    return False
