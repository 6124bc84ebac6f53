"""`schema` and `schemas`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from app.domain.schemas import manage
from app.graphql.connection import (
    After,
    Before,
    First,
    Last,
    PageInfo,
    cursor,
    load_page,
    window,
)
from app.graphql.context import Info
from app.graphql.ids import integer_id
from app.graphql.schemas.types import Schema


@strawberry.type(description="A schema in a list.")
class SchemaEdge:
    cursor: str = strawberry.field(description="Where it stands in the list.")
    node: Schema = strawberry.field(description="The schema.")


@strawberry.type(description="A page of schemas, newest first.")
class SchemaConnection:
    edges: list[SchemaEdge] = strawberry.field(description="The schemas with their cursors.")
    nodes: list[Schema] = strawberry.field(description="The schemas.")
    page_info: PageInfo = strawberry.field(description="Where the page stands.")

    @strawberry.field(description="How many there are in all; counted when asked for.")
    async def total_count(self, info: Info) -> int:
        """Count."""
        return await manage.count_schemas(info.context.paying_account)


async def resolve_schema(
    info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The schema's id.")]
) -> Schema | None:
    """Return one schema, or null."""
    schema_id = integer_id(id)
    schema = None if schema_id is None else await info.context.schemas.load(schema_id)
    return None if schema is None else Schema.of(schema)


async def resolve_schemas(
    info: Info,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> SchemaConnection:
    """Return a page of schemas."""
    account = info.context.paying_account
    asked = window(first=first, after=after, last=last, before=before)
    page = await load_page(
        asked,
        lambda limit: manage.page_schemas(
            account,
            limit=limit,
            after=asked.after,
            before=asked.before,
            backward=asked.backward,
        ),
    )
    nodes = [Schema.of(schema) for schema in page.rows]
    edges = [
        SchemaEdge(cursor=cursor(row.id), node=node)
        for row, node in zip(page.rows, nodes, strict=True)
    ]
    return SchemaConnection(edges=edges, nodes=nodes, page_info=page.info)
