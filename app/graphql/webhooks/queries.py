"""`webhook` and `webhooks`."""

from typing import Annotated

import strawberry

from app.domain.errors import NotFound
from app.domain.webhooks.manage import account_webhooks, get_webhook
from app.graphql.context import Info
from app.graphql.ids import integer_id
from app.graphql.webhooks.types import Webhook


async def resolve_webhooks(info: Info) -> list[Webhook]:
    """Return the account's webhooks."""
    return [Webhook.of(webhook) for webhook in await account_webhooks(info.context.paying_account)]


async def resolve_webhook(
    info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The webhook's id.")]
) -> Webhook | None:
    """Return one webhook, or null."""
    account = info.context.paying_account
    webhook_id = integer_id(id)
    try:
        return None if webhook_id is None else Webhook.of(await get_webhook(account, webhook_id))
    except NotFound:
        return None
