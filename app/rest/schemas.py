"""`/schemas`: saved sets of categories."""

from dataclasses import replace

from msgspec import UnsetType

from app.domain.errors import ErrorCode
from app.domain.schemas.manage import (
    SchemaChange,
    SchemaRequest,
    change_schema,
    create_schema,
    delete_schema,
    get_schema,
    list_schemas,
    replace_schema,
)
from app.domain.unchanged import UNCHANGED
from app.rest.call import Call
from app.rest.classify import to_categories
from app.rest.operation import Operation
from app.rest.parameters import PAGE, REQUIRED_SCHEMA_ID, SCHEMA_ID
from app.rest.rendering import render_schema
from app.rest.replies import SchemaListReply, SchemaReply
from app.rest.reply import Reply
from app.rest.shapes import SchemaBody, SchemaChangeBody


async def get_schemas(call: Call) -> Reply:
    """Return the schema that `id` names, or a page of the account's schemas, newest first."""
    limit, offset = call.page()
    if call.id_text() is not None:
        return Reply(render_schema(await get_schema(call.account, call.required_id())))
    page = await list_schemas(call.account, limit=limit, offset=offset)
    schemas = [render_schema(schema) for schema in page.schemas]
    return Reply(SchemaListReply(schemas=schemas, total=page.total, limit=limit, offset=offset))


async def post_schema(call: Call) -> Reply:
    """Save a schema."""
    request = _to_request(await call.body(SchemaBody))
    return Reply(
        render_schema(await create_schema(call.services.settings, call.account, request)),
        status=201,
    )


async def put_schema(call: Call) -> Reply:
    """Replace a schema as a whole."""
    request = _to_request(await call.body(SchemaBody))
    return Reply(
        render_schema(
            await replace_schema(call.services.settings, call.account, call.required_id(), request)
        )
    )


async def patch_schema(call: Call) -> Reply:
    """Change what the body names."""
    body = await call.body(SchemaChangeBody)
    change = SchemaChange(
        name=body.name,
        categories=to_categories(body.categories),
        description=UNCHANGED if isinstance(body.description, UnsetType) else body.description,
        type=body.type,
        mode=None if body.mode is None else body.mode.mode,
        model=UNCHANGED if isinstance(body.model, UnsetType) else body.model,
    )
    return Reply(
        render_schema(
            await change_schema(call.services.settings, call.account, call.required_id(), change)
        )
    )


async def remove_schema(call: Call) -> Reply:
    """Delete a schema; its jobs stay readable."""
    await delete_schema(call.account, call.required_id())
    return Reply(None, status=204)


def _to_request(body: SchemaBody) -> SchemaRequest:
    return SchemaRequest(
        name=body.name,
        categories=to_categories(body.categories) or [],
        description=body.description,
        type=body.type,
        mode=None if body.mode is None else body.mode.mode,
        model=body.model,
    )


_READ = Operation(
    get_schemas,
    name="getSchemas",
    summary="One schema, or a page of them",
    reply=SchemaReply | SchemaListReply,
    query=(SCHEMA_ID, *PAGE),
    errors=(ErrorCode.SCHEMA_NOT_FOUND,),
)
_CHANGE_ERRORS = (ErrorCode.PLAN_RESTRICTION, ErrorCode.SCHEMA_NOT_FOUND)

SCHEMAS = {
    "GET": _READ,
    "POST": Operation(
        post_schema,
        name="createSchema",
        summary="Save a schema",
        body=SchemaBody,
        reply=SchemaReply,
        status=201,
        errors=(ErrorCode.PLAN_RESTRICTION,),
    ),
    "PUT": Operation(
        put_schema,
        name="replaceSchema",
        summary="Replace a schema",
        body=SchemaBody,
        reply=SchemaReply,
        query=(REQUIRED_SCHEMA_ID,),
        errors=_CHANGE_ERRORS,
    ),
    "PATCH": Operation(
        patch_schema,
        name="changeSchema",
        summary="Change a part of a schema",
        body=SchemaChangeBody,
        reply=SchemaReply,
        query=(REQUIRED_SCHEMA_ID,),
        errors=_CHANGE_ERRORS,
    ),
    "DELETE": Operation(
        remove_schema,
        name="deleteSchema",
        summary="Delete a schema",
        reply=None,
        status=204,
        query=(REQUIRED_SCHEMA_ID,),
        errors=(ErrorCode.SCHEMA_NOT_FOUND,),
    ),
}
# POST makes a schema; it has no place at the address of one.
SCHEMA = {
    "GET": replace(_READ, reply=SchemaReply, query=(REQUIRED_SCHEMA_ID,)),
    **{method: SCHEMAS[method] for method in ("PUT", "PATCH", "DELETE")},
}
