"""The log of a webhook's deliveries, and sending again what is in it."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from app.domain import clock
from app.domain.accounts.account import Account
from app.domain.classification.request import check_text
from app.domain.errors import ErrorCode, InvalidRequest, NotFound
from app.domain.services import Services
from app.domain.signals import Queue
from app.domain.webhooks.manage import get_webhook, require_webhooks
from app.domain.webhooks.samples import sample_payload
from app.domain.webhooks.webhook import (
    Delivery,
    DeliveryAttempt,
    DeliveryStatus,
    Webhook,
    WebhookEvent,
)
from app.storage.ledger import delivery_log as steps
from app.storage.ledger.announcing import new_delivery_id
from app.storage.ledger.delivery_records import (
    AttemptRecord,
    DeliveryRecord,
    LogPosition,
    LogWindow,
    NewDelivery,
)

__all__ = ["LogPosition", "LogWindow"]

#: How long what has ended stays in the log.
KEPT = timedelta(days=30)
MAX_DELIVERY_ID_LENGTH = 40
_DELIVERY_ID = re.compile(r"dlv_[0-9a-f]{24}")
_BEFORE_ALL_IDS = ""


async def delivery_pages(
    services: Services, account: Account, webhook_ids: Sequence[int], window: LogWindow
) -> dict[int, list[Delivery]]:
    """Return the same part of the logs of several webhooks of an account, newest first."""
    pages = await services.ledger.run(steps.delivery_pages(account.id, webhook_ids, window))
    return {webhook_id: list(map(_to_delivery, page)) for webhook_id, page in pages.items()}


async def list_deliveries(
    services: Services,
    account: Account,
    webhook_id: int,
    *,
    status: DeliveryStatus | None,
    limit: int,
    offset: int,
) -> tuple[list[Delivery], int]:
    """Return a page of a webhook's log by offset, newest first, and how long it is in all.

    Raises:
        NotFound: There is no such webhook, or it is another account's.
    """
    await get_webhook(account, webhook_id)
    page = await services.ledger.run(
        steps.list_deliveries(account.id, webhook_id, status=status, limit=limit, offset=offset)
    )
    counts = await count_deliveries(services, account, [webhook_id], status=status)
    return [_to_delivery(record) for record in page], counts[webhook_id]


async def count_deliveries(
    services: Services,
    account: Account,
    webhook_ids: Sequence[int],
    *,
    status: DeliveryStatus | None,
) -> dict[int, int]:
    """Count the logs of several webhooks of an account."""
    return await services.ledger.run(steps.count_deliveries(account.id, webhook_ids, status=status))


async def delivery_attempts(
    services: Services, account: Account, delivery_ids: Sequence[str]
) -> dict[str, list[DeliveryAttempt]]:
    """Return the attempts at several deliveries of an account, each in their order."""
    attempts = await services.ledger.run(steps.delivery_attempts(account.id, delivery_ids))
    return {delivery_id: list(map(_to_attempt, each)) for delivery_id, each in attempts.items()}


async def send_test(
    services: Services, account: Account, webhook_id: int, event: WebhookEvent
) -> Delivery:
    """Send a sample of an event, whatever the webhook is subscribed to.

    Raises:
        PlanRestriction: The plan has no webhooks.
        NotFound: There is no such webhook, or it is another account's.
        InvalidRequest: It is switched off.
    """
    await _require_active(account, webhook_id)
    now = clock.now()
    new = NewDelivery(
        id=new_delivery_id(),
        account_id=account.id,
        webhook_id=webhook_id,
        event=event,
        payload=sample_payload(event, moment=now),
        created_at=now,
    )
    await services.ledger.run(steps.insert_delivery(new))
    services.signals.wake(Queue.DELIVERIES)
    return Delivery(
        id=new.id,
        webhook_id=webhook_id,
        event=event,
        status=DeliveryStatus.PENDING,
        payload=new.payload,
        job_id=None,
        batch_id=None,
        next_attempt_at=now,
        created_at=now,
        completed_at=None,
    )


async def send_again(
    services: Services, account: Account, webhook_id: int, delivery_id: str
) -> int:
    """Send one delivery again, under its id and with a new schedule; return 0 if it is under way.

    Raises:
        PlanRestriction: The plan has no webhooks.
        NotFound: There is no such webhook or delivery, or it is another account's.
        InvalidRequest: The webhook is switched off, or the delivery's id is no valid text.
    """
    check_text(("delivery",), delivery_id, maximum=MAX_DELIVERY_ID_LENGTH)
    await _require_active(account, webhook_id)
    if not _DELIVERY_ID.fullmatch(delivery_id) or not await services.ledger.run(
        steps.has_delivery(account.id, webhook_id, delivery_id)
    ):
        raise NotFound(
            f"There is no delivery {delivery_id} in the log of webhook {webhook_id}.",
            code=ErrorCode.DELIVERY_NOT_FOUND,
        )
    again = await services.ledger.run(
        steps.send_again(account.id, webhook_id, delivery_id, clock.now())
    )
    services.signals.wake(Queue.DELIVERIES)
    return int(again)


async def send_all_again(
    services: Services, account: Account, webhook_id: int, *, since: datetime, failed_only: bool
) -> int:
    """Send again what has ended of the deliveries made at or after `since`; return how many.

    Raises:
        PlanRestriction: The plan has no webhooks.
        NotFound: There is no such webhook, or it is another account's.
        InvalidRequest: It is switched off.
    """
    await _require_active(account, webhook_id)
    now = clock.now()
    # Within what the log holds, any moment can be written in UTC.
    earliest = min(max(since, now - KEPT), now).astimezone(UTC)
    sent, position = 0, LogPosition(earliest, _BEFORE_ALL_IDS)
    while moved := await services.ledger.run(
        steps.send_many_again(account.id, webhook_id, now, after=position, failed_only=failed_only)
    ):
        sent, position = sent + len(moved), moved[-1]
        services.signals.wake(Queue.DELIVERIES, len(moved))
    return sent


async def _require_active(account: Account, webhook_id: int) -> Webhook:
    require_webhooks(account)
    webhook = await get_webhook(account, webhook_id)
    if not webhook.active:
        raise InvalidRequest(("id",), "is switched off: set active to true first")
    return webhook


def _to_delivery(record: DeliveryRecord) -> Delivery:
    return Delivery(
        id=record.id,
        webhook_id=record.webhook_id,
        event=WebhookEvent(record.event),
        status=DeliveryStatus(record.status),
        payload=record.payload,
        job_id=record.job_id,
        batch_id=record.batch_id,
        next_attempt_at=record.due_at,
        created_at=record.created_at,
        completed_at=record.completed_at,
    )


def _to_attempt(record: AttemptRecord) -> DeliveryAttempt:
    return DeliveryAttempt(
        attempted_at=record.attempted_at,
        duration_ms=record.duration_ms,
        status_code=record.status_code,
        response=record.response,
        error=record.error,
    )
