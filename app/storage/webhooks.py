"""Rows of webhooks."""

from datetime import datetime
from typing import Any

from tortoise.expressions import F

from app.storage.columns import integer_key
from app.storage.limited import insert_within
from app.storage.models import WebhookRow


async def insert_webhook(
    account_id: int, columns: dict[str, Any], *, created_at: datetime, limit: int | None
) -> WebhookRow | None:
    """Write a new webhook, unless the account already has `limit`: then None."""
    stamped = {**columns, "created_at": created_at, "updated_at": created_at}
    return await insert_within(WebhookRow, account_id, stamped, limit=limit)


async def find_webhook(account_id: int, webhook_id: int) -> WebhookRow | None:
    """Return one webhook of an account."""
    return await WebhookRow.get_or_none(account_id=account_id, id=integer_key(webhook_id))


async def account_webhooks(account_id: int) -> list[WebhookRow]:
    """Return an account's webhooks, newest first."""
    return await WebhookRow.filter(account_id=account_id).order_by("-id")


async def count_webhooks(account_id: int) -> int:
    """Count an account's webhooks."""
    return await WebhookRow.filter(account_id=account_id).count()


async def list_webhooks(account_id: int, *, limit: int, offset: int) -> list[WebhookRow]:
    """Return a page of an account's webhooks by offset, newest first."""
    rows = WebhookRow.filter(account_id=account_id).order_by("-id")
    return await rows.offset(offset).limit(limit)


async def update_webhook(
    account_id: int, webhook_id: int, changes: dict[str, Any], *, updated_at: datetime
) -> bool:
    """Change columns of a webhook; False when the account has none such."""
    rows = WebhookRow.filter(account_id=account_id, id=integer_key(webhook_id))
    return bool(await rows.update(**changes, updated_at=updated_at))


async def replace_secret(
    account_id: int, webhook_id: int, sealed: str, *, previous_until: datetime, updated_at: datetime
) -> bool:
    """Put a secret in the place of the present one, which stays as the previous one."""
    rows = WebhookRow.filter(account_id=account_id, id=integer_key(webhook_id))
    return bool(
        await rows.update(
            previous_secret=F("secret"),
            previous_until=previous_until,
            secret=sealed,
            updated_at=updated_at,
        )
    )


async def delete_webhook(account_id: int, webhook_id: int) -> bool:
    """Delete a webhook; False when the account has none such."""
    return bool(await WebhookRow.filter(account_id=account_id, id=integer_key(webhook_id)).delete())


async def all_webhooks() -> list[WebhookRow]:
    """Return every account's webhooks: for whoever operates the server."""
    return await WebhookRow.all().order_by("id")


async def reseal(webhook_id: int, column: str, *, before: str, after: str) -> None:
    """Write a secret sealed anew, unless it has been changed since it was read."""
    await WebhookRow.filter(id=webhook_id, **{column: before}).update(**{column: after})
