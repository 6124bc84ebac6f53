"""Rows of schemas."""

from datetime import datetime
from typing import Any

from app.storage.columns import integer_key
from app.storage.limited import insert_within
from app.storage.models import SchemaRow


async def insert_schema(
    account_id: int, columns: dict[str, Any], *, created_at: datetime, limit: int | None
) -> SchemaRow | None:
    """Write a new schema, unless the account already has `limit`: then None."""
    stamped = {**columns, "created_at": created_at, "updated_at": created_at}
    return await insert_within(SchemaRow, account_id, stamped, limit=limit)


async def find_schema(account_id: int, schema_id: int) -> SchemaRow | None:
    """Return one schema of an account."""
    return await SchemaRow.get_or_none(account_id=account_id, id=integer_key(schema_id))


async def find_any_schema(schema_id: int) -> SchemaRow | None:
    """Return one schema of whichever account: for whoever operates the server."""
    return await SchemaRow.get_or_none(id=integer_key(schema_id))


async def find_schemas(account_id: int, schema_ids: list[int]) -> list[SchemaRow]:
    """Return those of the named schemas that the account has, in no order."""
    return await SchemaRow.filter(
        account_id=account_id, id__in=[integer_key(each) for each in schema_ids]
    )


async def count_schemas(account_id: int) -> int:
    """Count an account's schemas."""
    return await SchemaRow.filter(account_id=account_id).count()


async def list_schemas(account_id: int, *, limit: int, offset: int) -> list[SchemaRow]:
    """Return a page of an account's schemas by offset, newest first."""
    rows = SchemaRow.filter(account_id=account_id).order_by("-id")
    return await rows.offset(offset).limit(limit)


async def page_schemas(
    account_id: int, *, limit: int, after: int | None, before: int | None, backward: bool
) -> list[SchemaRow]:
    """Return up to `limit` schemas, newest first, older than `after` and newer than `before`."""
    rows = SchemaRow.filter(account_id=account_id)
    if after is not None:
        rows = rows.filter(id__lt=integer_key(after))
    if before is not None:
        rows = rows.filter(id__gt=integer_key(before))
    page = await rows.order_by("id" if backward else "-id").limit(limit)
    return page[::-1] if backward else page


async def update_schema(
    account_id: int, schema_id: int, changes: dict[str, Any], *, updated_at: datetime
) -> bool:
    """Change columns of a schema; False when the account has none such."""
    rows = SchemaRow.filter(account_id=account_id, id=integer_key(schema_id))
    return bool(await rows.update(**changes, updated_at=updated_at))


async def delete_schema(account_id: int, schema_id: int) -> bool:
    """Delete a schema; False when the account has none such."""
    return bool(await SchemaRow.filter(account_id=account_id, id=integer_key(schema_id)).delete())
