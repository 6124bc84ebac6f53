"""`createApiKey`, `renameApiKey`, `revokeApiKey`."""

from typing import Annotated

import strawberry

from app.domain.accounts.account import Account
from app.domain.keys import manage
from app.domain.keys.key import ApiKey as DomainKey
from app.graphql.context import Info
from app.graphql.errors import UserError
from app.graphql.ids import integer_id
from app.graphql.keys.types import ApiKey


@strawberry.input(description="A key to make.")
class CreateApiKeyInput:
    name: str = strawberry.field(description="What to call it; up to 200 characters.")


@strawberry.input(description="A key to rename.")
class RenameApiKeyInput:
    id: strawberry.ID = strawberry.field(description="Which key.")
    name: str = strawberry.field(description="What to call it; up to 200 characters.")


@strawberry.input(description="A key to revoke.")
class RevokeApiKeyInput:
    id: strawberry.ID = strawberry.field(description="Which key.")


@strawberry.type(description="What createApiKey did.")
class CreateApiKeyPayload:
    api_key: ApiKey | None = strawberry.field(description="The key; null when there are errors.")
    secret: str | None = strawberry.field(
        description="What to send as Bearer token, shown only here; null when there are errors."
    )
    errors: list[UserError] = strawberry.field(description="Why there is no key.")


@strawberry.type(description="What renameApiKey did.")
class RenameApiKeyPayload:
    api_key: ApiKey | None = strawberry.field(description="The key; null when there are errors.")
    errors: list[UserError] = strawberry.field(description="Why it was not renamed.")


@strawberry.type(description="What revokeApiKey did.")
class RevokeApiKeyPayload:
    api_key: ApiKey | None = strawberry.field(description="The key; null when there are errors.")
    errors: list[UserError] = strawberry.field(description="Why it was not revoked.")


async def resolve_create_api_key(
    info: Info, input: Annotated[CreateApiKeyInput, strawberry.argument(description="The key.")]
) -> CreateApiKeyPayload:
    """Make a key."""
    made = await info.context.attempt(lambda account: manage.create_key(account, input.name))
    if isinstance(made, list):
        return CreateApiKeyPayload(api_key=None, secret=None, errors=made)
    return CreateApiKeyPayload(api_key=ApiKey.of(made.key), secret=made.secret, errors=[])


async def resolve_rename_api_key(
    info: Info, input: Annotated[RenameApiKeyInput, strawberry.argument(description="The key.")]
) -> RenameApiKeyPayload:
    """Rename a key."""

    async def verb(account: Account) -> DomainKey:
        return await manage.rename_key(account, _key_id(input.id), input.name)

    renamed = await info.context.attempt(verb)
    if isinstance(renamed, list):
        return RenameApiKeyPayload(api_key=None, errors=renamed)
    return RenameApiKeyPayload(api_key=ApiKey.of(renamed), errors=[])


async def resolve_revoke_api_key(
    info: Info, input: Annotated[RevokeApiKeyInput, strawberry.argument(description="The key.")]
) -> RevokeApiKeyPayload:
    """Revoke a key: the next request with it is refused."""

    async def verb(account: Account) -> DomainKey:
        return await manage.revoke_key(account, _key_id(input.id))

    revoked = await info.context.attempt(verb)
    if isinstance(revoked, list):
        return RevokeApiKeyPayload(api_key=None, errors=revoked)
    return RevokeApiKeyPayload(api_key=ApiKey.of(revoked), errors=[])


def _key_id(value: strawberry.ID) -> int:
    key_id = integer_id(value)
    if key_id is None:
        raise manage.no_such_key(value)
    return key_id
