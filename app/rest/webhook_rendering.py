"""From webhooks and deliveries to the shapes of `/webhooks`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from app.domain.clock import to_iso
from app.domain.webhooks.webhook import Delivery, DeliveryAttempt, SecretWebhook, Webhook
from app.rest.webhook_shapes import (
    DeliveryAttemptReply,
    DeliveryReply,
    SecretWebhookReply,
    WebhookReply,
)


def render_webhook(webhook: Webhook) -> WebhookReply:
    """Render a webhook without its secret."""
    return WebhookReply(**_members(webhook))


def render_secret_webhook(shown: SecretWebhook) -> SecretWebhookReply:
    """Render a webhook with its secret."""
    return SecretWebhookReply(**_members(shown.webhook), secret=shown.secret)


def render_delivery(delivery: Delivery, attempts: Sequence[DeliveryAttempt]) -> DeliveryReply:
    """Render a delivery with its attempts."""
    return DeliveryReply(
        id=delivery.id,
        event=delivery.event,
        status=delivery.status,
        payload=msgspec.Raw(delivery.payload.encode()),
        attempts=[_render_attempt(attempt) for attempt in attempts],
        next_attempt_at=_optional(delivery.next_attempt_at),
        created_at=to_iso(delivery.created_at),
        completed_at=_optional(delivery.completed_at),
    )


def _render_attempt(attempt: DeliveryAttempt) -> DeliveryAttemptReply:
    return DeliveryAttemptReply(
        attempted_at=to_iso(attempt.attempted_at),
        duration_ms=attempt.duration_ms,
        status_code=attempt.status_code,
        response=attempt.response,
        error=attempt.error,
    )


def _members(webhook: Webhook) -> dict[str, Any]:
    return {
        "id": webhook.id,
        "url": webhook.url,
        "events": list(webhook.topics),
        "active": webhook.active,
        "disabled_reason": webhook.disabled_reason,
        "failing_since": _optional(webhook.failing_since),
        "previous_secret_until": _optional(webhook.previous_secret_until),
        "created_at": to_iso(webhook.created_at),
        "updated_at": to_iso(webhook.updated_at),
    }


def _optional(moment: datetime | None) -> str | None:
    return None if moment is None else to_iso(moment)
