"""A webhook, what it may be told of, and the log of what it was told."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from app.storage.ledger import announcing


class WebhookTopic(StrEnum):
    """What a webhook can be subscribed to."""

    ALL = "*"
    JOB_COMPLETED = announcing.JOB_COMPLETED
    JOB_FAILED = announcing.JOB_FAILED
    BATCH_COMPLETED = announcing.BATCH_COMPLETED


class WebhookEvent(StrEnum):
    """What a delivery tells."""

    JOB_COMPLETED = announcing.JOB_COMPLETED
    JOB_FAILED = announcing.JOB_FAILED
    BATCH_COMPLETED = announcing.BATCH_COMPLETED
    WEBHOOK_TEST = "webhook.test"


class DisabledReason(StrEnum):
    """Why the server switched a webhook off."""

    GONE = "gone"
    FAILING = "failing"


class DeliveryStatus(StrEnum):
    """Where a delivery stands. The last two are final, until it is sent again."""

    PENDING = "pending"
    DELIVERING = "delivering"
    DELIVERED = "delivered"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Webhook:
    """An endpoint that is told of what ends.

    `failing_since` is when it failed first since it last answered well. `disabled_reason` is None
    when the account switched it off itself. Until `previous_secret_until` the secret before the
    present one signs as well.
    """

    id: int
    account_id: int
    url: str
    topics: tuple[WebhookTopic, ...]
    active: bool
    disabled_reason: DisabledReason | None
    failing_since: datetime | None
    previous_secret_until: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class SecretWebhook:
    """A webhook with its secret, as it is shown once."""

    webhook: Webhook
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DeliveryAttempt:
    """One attempt: the answer's status and the first 4 KiB of its body, or why there was none."""

    attempted_at: datetime
    duration_ms: int
    status_code: int | None
    response: str | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one endpoint, over all its attempts.

    `next_attempt_at` is None when it is under way or has ended.
    """

    id: str
    webhook_id: int
    event: WebhookEvent
    status: DeliveryStatus
    payload: str
    job_id: int | None
    batch_id: str | None
    next_attempt_at: datetime | None
    created_at: datetime
    completed_at: datetime | None
