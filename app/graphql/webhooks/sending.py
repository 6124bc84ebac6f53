"""`testWebhook` and `redeliverWebhook`."""

from typing import Annotated

import strawberry

from app.domain.accounts.account import Account
from app.domain.errors import InvalidRequest
from app.domain.webhooks import log
from app.domain.webhooks import webhook as domain
from app.domain.webhooks.webhook import WebhookEvent
from app.graphql.context import Info
from app.graphql.errors import UserError
from app.graphql.scalars import DateTime
from app.graphql.webhooks.mutations import parse_webhook_id
from app.graphql.webhooks.types import Delivery


@strawberry.input(description="A webhook to try.")
class TestWebhookInput:
    id: strawberry.ID = strawberry.field(description="Which webhook.")
    event: WebhookEvent | None = strawberry.field(
        default=None, description="What to send a sample of. Default WEBHOOK_TEST."
    )


@strawberry.input(description="What to send again: one delivery, or all since a time.")
class RedeliverWebhookInput:
    id: strawberry.ID = strawberry.field(description="Which webhook.")
    delivery_id: strawberry.ID | None = strawberry.field(
        default=None, description="One delivery of its log."
    )
    since: DateTime | None = strawberry.field(
        default=None,
        description="All that have ended of those made at this time or later.",
    )
    failed_only: bool = strawberry.field(
        default=False, description="With since: only those that failed."
    )


@strawberry.type(description="What testWebhook did.")
class TestWebhookPayload:
    delivery: Delivery | None = strawberry.field(
        description="The delivery, still to be sent; null when there are errors."
    )
    errors: list[UserError] = strawberry.field(description="Why nothing is sent.")


@strawberry.type(description="What redeliverWebhook did.")
class RedeliverWebhookPayload:
    redelivered: int | None = strawberry.field(
        description="How many are sent again, without what is under way; null when there are "
        "errors."
    )
    errors: list[UserError] = strawberry.field(description="Why nothing is sent again.")


async def resolve_test_webhook(
    info: Info,
    input: Annotated[TestWebhookInput, strawberry.argument(description="Which webhook.")],
) -> TestWebhookPayload:
    """Send a sample."""

    async def verb(account: Account) -> domain.Delivery:
        webhook_id = parse_webhook_id(input.id)
        event = input.event or WebhookEvent.WEBHOOK_TEST
        return await log.send_test(info.context.services, account, webhook_id, event)

    sent = await info.context.attempt(verb)
    if isinstance(sent, list):
        return TestWebhookPayload(delivery=None, errors=sent)
    return TestWebhookPayload(delivery=Delivery.of(sent), errors=[])


async def resolve_redeliver_webhook(
    info: Info,
    input: Annotated[RedeliverWebhookInput, strawberry.argument(description="What to send.")],
) -> RedeliverWebhookPayload:
    """Send one delivery again, or all since a time."""
    services = info.context.services

    async def verb(account: Account) -> int:
        webhook_id = parse_webhook_id(input.id)
        if input.delivery_id is not None and input.since is not None:
            raise InvalidRequest(("since",), "can't be given together with deliveryId")
        if input.delivery_id is not None:
            return await log.send_again(services, account, webhook_id, input.delivery_id)
        if input.since is None:
            raise InvalidRequest(("delivery",), "is required, unless since is given")
        return await log.send_all_again(
            services, account, webhook_id, since=input.since, failed_only=input.failed_only
        )

    again = await info.context.attempt(verb)
    if isinstance(again, list):
        return RedeliverWebhookPayload(redelivered=None, errors=again)
    return RedeliverWebhookPayload(redelivered=again, errors=[])
