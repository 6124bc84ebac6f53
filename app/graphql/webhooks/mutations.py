"""`createWebhook`, `updateWebhook`, `deleteWebhook`, `rotateWebhookSecret`."""

from typing import Annotated

import strawberry

from app.domain.accounts.account import Account
from app.domain.webhooks import manage
from app.domain.webhooks import webhook as domain
from app.domain.webhooks.manage import WebhookChange, WebhookRequest
from app.domain.webhooks.webhook import WebhookTopic
from app.graphql.context import Info
from app.graphql.errors import UserError
from app.graphql.ids import integer_id
from app.graphql.webhooks.types import Webhook

_OWN = (
    "A signing secret of your own, up to 256 characters. By default one is generated: whsec_ and "
    "base64."
)


@strawberry.input(description="An endpoint to register.")
class CreateWebhookInput:
    url: str = strawberry.field(description="An https URL with a public address.")
    events: list[WebhookTopic] | None = strawberry.field(
        default=None, description="What to subscribe to. Default ALL."
    )
    secret: str | None = strawberry.field(default=None, description=_OWN)


@strawberry.input(description="What to change of a webhook; what is left out stays.")
class UpdateWebhookInput:
    id: strawberry.ID = strawberry.field(description="Which webhook.")
    url: str | None = strawberry.field(
        default=None, description="An https URL with a public address."
    )
    events: list[WebhookTopic] | None = strawberry.field(
        default=None, description="All that it is subscribed to, anew."
    )
    active: bool | None = strawberry.field(
        default=None,
        description="false: nothing is sent. true: it is sent again, and past failures are "
        "forgotten.",
    )


@strawberry.input(description="A webhook to delete.")
class DeleteWebhookInput:
    id: strawberry.ID = strawberry.field(description="Which webhook.")


@strawberry.input(description="A webhook that is to have another secret.")
class RotateWebhookSecretInput:
    id: strawberry.ID = strawberry.field(description="Which webhook.")
    secret: str | None = strawberry.field(default=None, description=_OWN)


@strawberry.type(description="What createWebhook did.")
class CreateWebhookPayload:
    webhook: Webhook | None = strawberry.field(
        description="The webhook; null when there are errors."
    )
    secret: str | None = strawberry.field(
        description="Its signing secret, shown only here; null when there are errors."
    )
    errors: list[UserError] = strawberry.field(description="Why there is no webhook.")


@strawberry.type(description="What updateWebhook did.")
class UpdateWebhookPayload:
    webhook: Webhook | None = strawberry.field(
        description="The webhook as it is now; null when there are errors."
    )
    errors: list[UserError] = strawberry.field(description="Why it was not changed.")


@strawberry.type(description="What deleteWebhook did.")
class DeleteWebhookPayload:
    deleted_id: strawberry.ID | None = strawberry.field(
        description="The id of what was deleted; null when there are errors."
    )
    errors: list[UserError] = strawberry.field(description="Why it was not deleted.")


@strawberry.type(description="What rotateWebhookSecret did.")
class RotateWebhookSecretPayload:
    webhook: Webhook | None = strawberry.field(
        description="The webhook as it is now; null when there are errors."
    )
    secret: str | None = strawberry.field(
        description="Its new signing secret, shown only here; null when there are errors."
    )
    errors: list[UserError] = strawberry.field(description="Why it has no new secret.")


async def resolve_create_webhook(
    info: Info,
    input: Annotated[CreateWebhookInput, strawberry.argument(description="The endpoint.")],
) -> CreateWebhookPayload:
    """Register an endpoint."""
    request = WebhookRequest(url=input.url, topics=input.events, secret=input.secret)
    services = info.context.services
    made = await info.context.attempt(
        lambda account: manage.create_webhook(services, account, request)
    )
    if isinstance(made, list):
        return CreateWebhookPayload(webhook=None, secret=None, errors=made)
    return CreateWebhookPayload(webhook=Webhook.of(made.webhook), secret=made.secret, errors=[])


async def resolve_update_webhook(
    info: Info,
    input: Annotated[UpdateWebhookInput, strawberry.argument(description="What to change.")],
) -> UpdateWebhookPayload:
    """Change what the input names."""
    change = WebhookChange(url=input.url, topics=input.events, active=input.active)

    async def verb(account: Account) -> domain.Webhook:
        webhook_id = parse_webhook_id(input.id)
        return await manage.change_webhook(info.context.services, account, webhook_id, change)

    changed = await info.context.attempt(verb)
    if isinstance(changed, list):
        return UpdateWebhookPayload(webhook=None, errors=changed)
    return UpdateWebhookPayload(webhook=Webhook.of(changed), errors=[])


async def resolve_delete_webhook(
    info: Info,
    input: Annotated[DeleteWebhookInput, strawberry.argument(description="Which webhook.")],
) -> DeleteWebhookPayload:
    """Delete a webhook with its log."""

    async def verb(account: Account) -> None:
        webhook_id = parse_webhook_id(input.id)
        await manage.delete_webhook(info.context.services, account, webhook_id)

    failed = await info.context.attempt(verb)
    if failed is not None:
        return DeleteWebhookPayload(deleted_id=None, errors=failed)
    return DeleteWebhookPayload(deleted_id=input.id, errors=[])


async def resolve_rotate_webhook_secret(
    info: Info,
    input: Annotated[RotateWebhookSecretInput, strawberry.argument(description="Which webhook.")],
) -> RotateWebhookSecretPayload:
    """Give a webhook a new secret."""

    async def verb(account: Account) -> domain.SecretWebhook:
        webhook_id = parse_webhook_id(input.id)
        return await manage.rotate_secret(
            info.context.services, account, webhook_id, secret=input.secret
        )

    rotated = await info.context.attempt(verb)
    if isinstance(rotated, list):
        return RotateWebhookSecretPayload(webhook=None, secret=None, errors=rotated)
    return RotateWebhookSecretPayload(
        webhook=Webhook.of(rotated.webhook), secret=rotated.secret, errors=[]
    )


def parse_webhook_id(value: strawberry.ID) -> int:
    """Read a webhook's id.

    Raises:
        NotFound: It can't be one.
    """
    webhook_id = integer_id(value)
    if webhook_id is None:
        raise manage.no_such_webhook(value)
    return webhook_id
