"""`createSchema`, `updateSchema`, `deleteSchema`."""

from typing import Annotated

import strawberry

from app.domain.accounts.account import Account
from app.domain.schemas import manage
from app.domain.schemas.manage import SchemaChange, SchemaRequest
from app.domain.schemas.schema import Schema as DomainSchema
from app.domain.schemas.schema import SchemaType
from app.domain.unchanged import UNCHANGED
from app.engines.contract import Mode
from app.graphql.classification.inputs import CategoryInput, to_categories
from app.graphql.context import Info
from app.graphql.errors import UserError
from app.graphql.ids import integer_id
from app.graphql.schemas.types import MODEL, Schema


@strawberry.input(description="A schema to save.")
class CreateSchemaInput:
    name: str = strawberry.field(description="What to call it; up to 200 characters.")
    categories: list[CategoryInput] = strawberry.field(description="1 to 1,000 categories.")
    description: str | None = strawberry.field(default=None, description="What it is for.")
    type: SchemaType | None = strawberry.field(
        default=None, description="The kind of content it is for. Default ANY."
    )
    mode: Mode | None = strawberry.field(
        default=None, description="Its default mode: SINGLE or MULTI. Default SINGLE."
    )
    model: str | None = strawberry.field(default=None, description=MODEL)


@strawberry.input(description="What to change of a schema; what is left out stays.")
class UpdateSchemaInput:
    id: strawberry.ID = strawberry.field(description="Which schema.")
    name: str | None = strawberry.field(default=None, description="What to call it.")
    categories: list[CategoryInput] | None = strawberry.field(
        default=None, description="All its categories anew."
    )
    description: str | None = strawberry.field(
        default=strawberry.UNSET, description="What it is for; null takes it away."
    )
    type: SchemaType | None = strawberry.field(
        default=None, description="The kind of content it is for."
    )
    mode: Mode | None = strawberry.field(default=None, description="Its default mode.")
    model: str | None = strawberry.field(
        default=strawberry.UNSET, description=f"{MODEL} Null leaves it to the account."
    )


@strawberry.input(description="A schema to delete.")
class DeleteSchemaInput:
    id: strawberry.ID = strawberry.field(description="Which schema.")


@strawberry.type(description="What createSchema did.")
class CreateSchemaPayload:
    schema: Schema | None = strawberry.field(description="The schema; null when there are errors.")
    errors: list[UserError] = strawberry.field(description="Why it was not saved.")


@strawberry.type(description="What updateSchema did.")
class UpdateSchemaPayload:
    schema: Schema | None = strawberry.field(
        description="The schema as it is now; null when there are errors."
    )
    errors: list[UserError] = strawberry.field(description="Why it was not changed.")


@strawberry.type(description="What deleteSchema did.")
class DeleteSchemaPayload:
    deleted_id: strawberry.ID | None = strawberry.field(
        description="The id of what was deleted; null when there are errors."
    )
    errors: list[UserError] = strawberry.field(description="Why it was not deleted.")


async def resolve_create_schema(
    info: Info,
    input: Annotated[CreateSchemaInput, strawberry.argument(description="The schema.")],
) -> CreateSchemaPayload:
    """Save a schema."""
    request = SchemaRequest(
        name=input.name,
        categories=to_categories(input.categories) or [],
        description=input.description,
        type=input.type,
        mode=input.mode,
        model=input.model,
    )
    settings = info.context.services.settings
    made = await info.context.attempt(
        lambda account: manage.create_schema(settings, account, request)
    )
    if isinstance(made, list):
        return CreateSchemaPayload(schema=None, errors=made)
    return CreateSchemaPayload(schema=Schema.of(made), errors=[])


async def resolve_update_schema(
    info: Info,
    input: Annotated[UpdateSchemaInput, strawberry.argument(description="What to change.")],
) -> UpdateSchemaPayload:
    """Change what the input names."""
    change = SchemaChange(
        name=input.name,
        categories=to_categories(input.categories),
        description=UNCHANGED if input.description is strawberry.UNSET else input.description,
        type=input.type,
        mode=input.mode,
        model=UNCHANGED if input.model is strawberry.UNSET else input.model,
    )

    async def verb(account: Account) -> DomainSchema:
        return await manage.change_schema(
            info.context.services.settings, account, _schema_id(input.id), change
        )

    changed = await info.context.attempt(verb)
    if isinstance(changed, list):
        return UpdateSchemaPayload(schema=None, errors=changed)
    return UpdateSchemaPayload(schema=Schema.of(changed), errors=[])


async def resolve_delete_schema(
    info: Info,
    input: Annotated[DeleteSchemaInput, strawberry.argument(description="Which schema.")],
) -> DeleteSchemaPayload:
    """Delete a schema; its jobs stay readable."""

    async def verb(account: Account) -> None:
        await manage.delete_schema(account, _schema_id(input.id))

    failed = await info.context.attempt(verb)
    if failed is not None:
        return DeleteSchemaPayload(deleted_id=None, errors=failed)
    return DeleteSchemaPayload(deleted_id=input.id, errors=[])


def _schema_id(value: strawberry.ID) -> int:
    schema_id = integer_id(value)
    if schema_id is None:
        raise manage.no_such_schema(value)
    return schema_id
