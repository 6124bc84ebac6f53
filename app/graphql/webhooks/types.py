"""Webhooks and their deliveries as GraphQL shows them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import strawberry

from app.domain.webhooks import webhook as domain
from app.domain.webhooks.log import LogPosition, LogWindow
from app.domain.webhooks.webhook import (
    DeliveryStatus,
    DisabledReason,
    WebhookEvent,
    WebhookTopic,
)
from app.graphql.connection import (
    After,
    Before,
    First,
    Keys,
    Last,
    PageInfo,
    cut_page,
    window_of,
    write_cursor,
)
from app.graphql.context import Info
from app.graphql.scalars import DateTime

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_POSITION = re.compile(r"([0-9]{1,17}):(dlv_[0-9a-f]{1,40})")


def _write_position(position: LogPosition) -> str:
    return f"{(position.created_at - _EPOCH) // timedelta(microseconds=1)}:{position.id}"


def _read_position(text: str) -> LogPosition | None:
    match = _POSITION.fullmatch(text)
    if match is None:
        return None
    return LogPosition(_EPOCH + timedelta(microseconds=int(match[1])), match[2])


_POSITIONS = Keys("d", _write_position, _read_position)


@strawberry.type(description="One attempt at a delivery.")
class DeliveryAttempt:
    attempted_at: DateTime = strawberry.field(description="When it began.")
    duration_ms: int = strawberry.field(description="Whole milliseconds until the answer.")
    status_code: int | None = strawberry.field(
        description="The answer's status; null when there was no answer."
    )
    response: str | None = strawberry.field(
        description="The first 4 KiB of the answer's body; null when there was no answer."
    )
    error: str | None = strawberry.field(
        description="Why there was no answer; null when there was one."
    )

    @classmethod
    def of(cls, attempt: domain.DeliveryAttempt) -> DeliveryAttempt:
        """Show an attempt."""
        return cls(
            attempted_at=DateTime(attempt.attempted_at),
            duration_ms=attempt.duration_ms,
            status_code=attempt.status_code,
            response=attempt.response,
            error=attempt.error,
        )


@strawberry.type(description="One message to one endpoint, over all its attempts.")
class Delivery:
    id: strawberry.ID = strawberry.field(description="The id, the same over all attempts.")
    event: WebhookEvent = strawberry.field(description="What it tells.")
    status: DeliveryStatus = strawberry.field(description="Where it stands.")
    payload: str = strawberry.field(description="The JSON that is sent, byte for byte.")
    job_id: strawberry.ID | None = strawberry.field(
        description="The job it tells of; null when it tells of none."
    )
    batch_id: strawberry.ID | None = strawberry.field(
        description="The batch it tells of; null when it tells of none."
    )
    next_attempt_at: DateTime | None = strawberry.field(
        description="When it is sent next; null when it is under way or has ended."
    )
    created_at: DateTime = strawberry.field(description="When what it tells happened.")
    completed_at: DateTime | None = strawberry.field(
        description="When it was delivered or failed; null before."
    )

    @strawberry.field(description="The attempts, in their order.")
    async def attempts(self, info: Info) -> list[DeliveryAttempt]:
        """Load the attempts, together with those of other deliveries of the request."""
        attempts = await info.context.deliveries.attempts.load(str(self.id))
        return [DeliveryAttempt.of(attempt) for attempt in attempts]

    @classmethod
    def of(cls, delivery: domain.Delivery) -> Delivery:
        """Show a delivery."""
        return cls(
            id=strawberry.ID(delivery.id),
            event=delivery.event,
            status=delivery.status,
            payload=delivery.payload,
            job_id=None if delivery.job_id is None else strawberry.ID(str(delivery.job_id)),
            batch_id=None if delivery.batch_id is None else strawberry.ID(delivery.batch_id),
            next_attempt_at=_optional(delivery.next_attempt_at),
            created_at=DateTime(delivery.created_at),
            completed_at=_optional(delivery.completed_at),
        )


@strawberry.type(description="A delivery in a list.")
class DeliveryEdge:
    cursor: str = strawberry.field(description="Where it stands in the list.")
    node: Delivery = strawberry.field(description="The delivery.")


@strawberry.type(description="A page of deliveries, newest first.")
class DeliveryConnection:
    edges: list[DeliveryEdge] = strawberry.field(description="The deliveries with their cursors.")
    nodes: list[Delivery] = strawberry.field(description="The deliveries.")
    page_info: PageInfo = strawberry.field(description="Where the page stands.")
    webhook_id: strawberry.Private[int]
    status: strawberry.Private[DeliveryStatus | None]

    @strawberry.field(description="How many there are in all; counted when asked for.")
    async def total_count(self, info: Info) -> int:
        """Count, together with other logs of the request."""
        return await info.context.deliveries.counts.load((self.webhook_id, self.status))


@strawberry.type(description="An endpoint that is told of what ends.")
class Webhook:
    id: strawberry.ID = strawberry.field(description="The webhook's id, the same as in REST.")
    url: str = strawberry.field(description="Where deliveries go.")
    events: list[WebhookTopic] = strawberry.field(description="What it is subscribed to.")
    active: bool = strawberry.field(description="Whether anything is sent to it.")
    disabled_reason: DisabledReason | None = strawberry.field(
        description="Why the server switched it off; null when it did not."
    )
    failing_since: DateTime | None = strawberry.field(
        description="When it failed first since it answered well; null while it is well."
    )
    previous_secret_until: DateTime | None = strawberry.field(
        description="Until when the secret before signs too; null when there is none."
    )
    created_at: DateTime = strawberry.field(description="When it was registered.")
    updated_at: DateTime = strawberry.field(description="When it was changed last.")
    webhook_id: strawberry.Private[int]

    @strawberry.field(description="What was sent to it in the last 30 days, newest first.")
    async def deliveries(
        self,
        info: Info,
        status: Annotated[
            DeliveryStatus | None, strawberry.argument(description="Only those in this status.")
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> DeliveryConnection:
        """Load a page, together with those of other webhooks of the request."""
        asked = window_of(_POSITIONS, first=first, after=after, last=last, before=before)
        window = LogWindow(
            size=asked.size + 1,
            status=status,
            after=asked.after,
            before=asked.before,
            backward=asked.backward,
        )
        rows = await info.context.deliveries.pages.load((self.webhook_id, window))
        page = cut_page(asked, rows, cursor=_cursor)
        nodes = [Delivery.of(delivery) for delivery in page.rows]
        edges = [
            DeliveryEdge(cursor=_cursor(row), node=node)
            for row, node in zip(page.rows, nodes, strict=True)
        ]
        return DeliveryConnection(
            edges=edges,
            nodes=nodes,
            page_info=page.info,
            webhook_id=self.webhook_id,
            status=status,
        )

    @classmethod
    def of(cls, webhook: domain.Webhook) -> Webhook:
        """Show a webhook."""
        return cls(
            id=strawberry.ID(str(webhook.id)),
            url=webhook.url,
            events=list(webhook.topics),
            active=webhook.active,
            disabled_reason=webhook.disabled_reason,
            failing_since=_optional(webhook.failing_since),
            previous_secret_until=_optional(webhook.previous_secret_until),
            created_at=DateTime(webhook.created_at),
            updated_at=DateTime(webhook.updated_at),
            webhook_id=webhook.id,
        )


def _cursor(delivery: domain.Delivery) -> str:
    return write_cursor(_POSITIONS, LogPosition(delivery.created_at, delivery.id))


def _optional(moment: datetime | None) -> DateTime | None:
    return None if moment is None else DateTime(moment)
