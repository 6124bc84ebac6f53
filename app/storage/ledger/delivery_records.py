"""What the ledger's operations on deliveries take and return."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum


@dataclass(frozen=True, slots=True)
class DueEndpoint:
    """A webhook for which something is due. One that is not active is off, or gone."""

    webhook_id: int
    active: bool


@dataclass(frozen=True, slots=True)
class LeasedDelivery:
    """A delivery to send, and where to. Secrets are sealed; `attempts` counts this one."""

    id: str
    webhook_id: int
    event: str
    payload: str
    attempts: int
    url: str
    secret: str
    previous_secret: str | None
    previous_until: datetime | None


class Verdict(Enum):
    """What an attempt says of its endpoint."""

    HEALTHY = "healthy"
    FAILING = "failing"
    GONE = "gone"
    #: The attempt never got as far as the endpoint.
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Settlement:
    """An attempt and what becomes of its delivery.

    With `due_at` it waits for another attempt; without, it is delivered when the verdict is
    HEALTHY, and else has failed. An endpoint that has been failing since before `failing_before` is
    switched off.
    """

    delivery_id: str
    lease_id: str
    verdict: Verdict
    attempted_at: datetime
    settled_at: datetime
    failing_before: datetime
    duration_ms: int
    status_code: int | None
    response: str | None
    error: str | None
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Settled:
    """What a settlement changed. It counts for nothing when the delivery was no longer held."""

    was_held: bool
    switched_off: bool = False


@dataclass(frozen=True, slots=True)
class RecoveredDeliveries:
    """What was found of dead processes: deliveries that wait again, and those given up."""

    requeued: int
    failed: int


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A delivery to write that no job or batch gave rise to."""

    id: str
    account_id: int
    webhook_id: int
    event: str
    payload: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class DeliveryRecord:
    """A delivery as stored."""

    id: str
    webhook_id: int
    event: str
    job_id: int | None
    batch_id: str | None
    payload: str
    status: str
    due_at: datetime | None
    created_at: datetime
    completed_at: datetime | None


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One attempt at a delivery as stored."""

    id: int
    delivery_id: str
    attempted_at: datetime
    duration_ms: int
    status_code: int | None
    response: str | None
    error: str | None


@dataclass(frozen=True, slots=True)
class LogPosition:
    """Where a delivery stands in its webhook's log."""

    created_at: datetime
    id: str


@dataclass(frozen=True, slots=True)
class LogWindow:
    """A part of a webhook's log: up to `size`, newest first, older than `after`, newer than
    `before`; the last of them when `backward`. A status of None is any.
    """

    size: int
    status: str | None = None
    after: LogPosition | None = None
    before: LogPosition | None = None
    backward: bool = False
