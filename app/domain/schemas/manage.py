"""Making, reading, changing and deleting schemas."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.domain import clock
from app.domain.accounts.account import Account
from app.domain.classification.request import check_categories, check_filled, check_text
from app.domain.errors import ErrorCode, InvalidRequest, NotFound, PlanRestriction
from app.domain.models.choice import checked_model
from app.domain.plans import cheapest_plan
from app.domain.schemas.schema import Schema, SchemaType, dump_categories, load_categories
from app.domain.unchanged import UNCHANGED, Unchanged
from app.engines.contract import Category, Mode
from app.settings import Settings
from app.storage import schemas as rows
from app.storage.models import SchemaRow

MAX_NAME_LENGTH = 200
MAX_DESCRIPTION_LENGTH = 2_000


@dataclass(frozen=True, slots=True)
class SchemaRequest:
    """A schema as asked for. None means the default."""

    name: str
    categories: Sequence[Category]
    description: str | None = None
    type: SchemaType | None = None
    mode: Mode | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """What to change of a schema. A description or a model of None is taken away."""

    name: str | None = None
    categories: Sequence[Category] | None = None
    description: str | Unchanged | None = UNCHANGED
    type: SchemaType | None = None
    mode: Mode | None = None
    model: str | Unchanged | None = UNCHANGED


@dataclass(frozen=True, slots=True)
class SchemaPage:
    """One page of a list by offset, and how many there are in all."""

    schemas: tuple[Schema, ...]
    total: int


async def create_schema(settings: Settings, account: Account, request: SchemaRequest) -> Schema:
    """Save a set of categories.

    Raises:
        InvalidRequest: A value is out of its range.
        PlanRestriction: The plan has no schemas, or no room for another.
    """
    columns = _columns_of(settings, request)
    require_schemas(account)
    limit = account.limits.schemas
    row = await rows.insert_schema(account.id, columns, created_at=clock.now(), limit=limit)
    if row is None:
        raise PlanRestriction(
            "schemas",
            required=cheapest_plan(lambda limits: limits.schemas is None),
            message=f"Your plan allows {limit} schemas. Delete one, or upgrade.",
        )
    return to_schema(row)


async def get_schema(account: Account, schema_id: int) -> Schema:
    """Return one schema.

    Raises:
        NotFound: There is none, or it is another account's.
    """
    row = await rows.find_schema(account.id, schema_id)
    if row is None:
        raise no_such_schema(schema_id)
    return to_schema(row)


async def get_any_schema(schema_id: int) -> Schema:
    """Return a schema of whichever account: for whoever operates the server.

    Raises:
        NotFound: There is none.
    """
    row = await rows.find_any_schema(schema_id)
    if row is None:
        raise no_such_schema(schema_id)
    return to_schema(row)


async def get_schemas(account: Account, schema_ids: Sequence[int]) -> dict[int, Schema]:
    """Return those of the named schemas that the account has, by id."""
    return {row.id: to_schema(row) for row in await rows.find_schemas(account.id, list(schema_ids))}


async def list_schemas(account: Account, *, limit: int, offset: int) -> SchemaPage:
    """Return a page by offset, newest first."""
    page = await rows.list_schemas(account.id, limit=limit, offset=offset)
    total = await rows.count_schemas(account.id)
    return SchemaPage(schemas=tuple(to_schema(row) for row in page), total=total)


async def page_schemas(
    account: Account,
    *,
    limit: int,
    after: int | None = None,
    before: int | None = None,
    backward: bool = False,
) -> list[Schema]:
    """Return up to `limit` schemas, newest first, older than `after` and newer than `before`."""
    page = await rows.page_schemas(
        account.id, limit=limit, after=after, before=before, backward=backward
    )
    return [to_schema(row) for row in page]


async def count_schemas(account: Account) -> int:
    """Count an account's schemas."""
    return await rows.count_schemas(account.id)


async def replace_schema(
    settings: Settings, account: Account, schema_id: int, request: SchemaRequest
) -> Schema:
    """Replace a schema as a whole. Jobs keep what they show.

    Raises:
        InvalidRequest: A value is out of its range.
        PlanRestriction: The plan has no schemas.
        NotFound: There is none, or it is another account's.
    """
    columns = _columns_of(settings, request)
    require_schemas(account)
    return await _update(account, schema_id, columns)


async def change_schema(
    settings: Settings, account: Account, schema_id: int, change: SchemaChange
) -> Schema:
    """Change what `change` names and nothing else. Jobs keep what they show.

    Raises:
        InvalidRequest: A value is out of its range.
        PlanRestriction: The plan has no schemas.
        NotFound: There is none, or it is another account's.
    """
    columns: dict[str, Any] = {}
    if change.name is not None:
        columns["name"] = _check_name(change.name)
    if not isinstance(change.description, Unchanged):
        columns["description"] = _check_description(change.description)
    if change.type is not None:
        columns["input_type"] = change.type.value
    if change.mode is not None:
        columns["mode"] = _check_mode(change.mode).value
    if change.categories is not None:
        columns["categories"] = _checked_categories(change.categories)
    if not isinstance(change.model, Unchanged):
        columns["model"] = _check_model(settings, change.model)
    require_schemas(account)
    return await _update(account, schema_id, columns)


async def delete_schema(account: Account, schema_id: int) -> None:
    """Delete a schema. Its jobs stay readable.

    Raises:
        NotFound: There is none, or it is another account's.
    """
    if not await rows.delete_schema(account.id, schema_id):
        raise no_such_schema(schema_id)


def require_schemas(account: Account) -> None:
    """Refuse a plan without schemas.

    Raises:
        PlanRestriction: The plan has none.
    """
    if account.limits.schemas == 0:
        required = cheapest_plan(lambda limits: limits.schemas != 0)
        raise PlanRestriction(
            "schemas",
            required=required,
            message=f"Saved schemas are not available on your plan. Upgrade to {required.value} "
            "or above.",
        )


def no_such_schema(schema_id: int | str) -> NotFound:
    """Return the error for a schema that is not there, or not the caller's."""
    return NotFound(f"There is no schema {str(schema_id)[:40]}.", code=ErrorCode.SCHEMA_NOT_FOUND)


def to_schema(row: SchemaRow) -> Schema:
    """Read a stored schema."""
    return Schema(
        id=row.id,
        account_id=row.account_id,
        name=row.name,
        description=row.description,
        type=SchemaType(row.input_type),
        mode=Mode(row.mode),
        model=row.model,
        categories=load_categories(row.categories),
        total_uses=row.total_uses,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


async def _update(account: Account, schema_id: int, columns: dict[str, Any]) -> Schema:
    if not await rows.update_schema(account.id, schema_id, columns, updated_at=clock.now()):
        raise no_such_schema(schema_id)
    return await get_schema(account, schema_id)


def _columns_of(settings: Settings, request: SchemaRequest) -> dict[str, Any]:
    return {
        "name": _check_name(request.name),
        "description": _check_description(request.description),
        "input_type": (request.type or SchemaType.ANY).value,
        "mode": _check_mode(request.mode or Mode.SINGLE).value,
        "categories": _checked_categories(request.categories),
        "model": _check_model(settings, request.model),
    }


def _check_model(settings: Settings, choice: str | None) -> str | None:
    return None if choice is None else checked_model(settings, choice, at=("model",))


def _check_name(name: str) -> str:
    check_text(("name",), name, maximum=MAX_NAME_LENGTH)
    check_filled(("name",), name)
    return name.strip()


def _check_description(description: str | None) -> str | None:
    if description is not None:
        check_text(("description",), description, maximum=MAX_DESCRIPTION_LENGTH)
    return description


def _check_mode(mode: Mode) -> Mode:
    if mode is Mode.TOP_N:
        raise InvalidRequest(("mode",), "must be single or multi, got top_n")
    return mode


def _checked_categories(categories: Sequence[Category]) -> list[dict[str, Any]]:
    check_categories(categories)
    return dump_categories(tuple(categories))
