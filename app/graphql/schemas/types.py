"""Schemas as GraphQL shows them."""

from __future__ import annotations

import strawberry

from app.domain.schemas import schema as domain
from app.domain.schemas.schema import SchemaType
from app.engines.contract import Mode
from app.graphql.scalars import DateTime


@strawberry.type(description="A category of a schema.")
class Category:
    name: str = strawberry.field(description="The label returned.")
    description: str | None = strawberry.field(
        description="What the category means; null when it was not told."
    )
    examples: list[str] = strawberry.field(description="Inputs that belong to it.")


MODEL = (
    "The model that judges, or several that are asked in turn, separated by commas: of those that "
    "whoever operates the server allows. A schema's goes before the account's, which goes before "
    "the server's own."
)


@strawberry.type(description="A saved set of categories.")
class Schema:
    id: strawberry.ID = strawberry.field(description="The schema's id, the same as in REST.")
    name: str = strawberry.field(description="What it is called.")
    description: str | None = strawberry.field(
        description="What it is for; null when it was not told."
    )
    type: SchemaType = strawberry.field(description="The kind of content it is for.")
    mode: Mode = strawberry.field(description="The mode of requests that name none.")
    model: str | None = strawberry.field(
        description="The models that judge for it; null leaves that to the account."
    )
    categories: list[Category] = strawberry.field(description="Its categories.")
    total_uses: int = strawberry.field(description="How many classifications used it.")
    created_at: DateTime = strawberry.field(description="When it was saved first.")
    updated_at: DateTime = strawberry.field(description="When it was changed last.")

    @classmethod
    def of(cls, schema: domain.Schema) -> Schema:
        """Show a schema."""
        return cls(
            id=strawberry.ID(str(schema.id)),
            name=schema.name,
            description=schema.description,
            type=schema.type,
            mode=schema.mode,
            model=schema.model,
            categories=[
                Category(name=c.name, description=c.description, examples=list(c.examples))
                for c in schema.categories
            ],
            total_uses=schema.total_uses,
            created_at=DateTime(schema.created_at),
            updated_at=DateTime(schema.updated_at),
        )
