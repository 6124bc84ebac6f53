"""Inserting a row of which an account may have only so many."""

from typing import Any, TypeVar

from tortoise.expressions import F
from tortoise.models import Model
from tortoise.transactions import in_transaction

from app.storage.models import AccountRow

M = TypeVar("M", bound=Model)


class _TooMany(Exception):
    """Undoes the insert of a row above the limit."""


async def insert_within(
    model: type[M], account_id: int, columns: dict[str, Any], *, limit: int | None, **counted: Any
) -> M | None:
    """Write a row, unless the account then has more than `limit` that match `counted`: then None.

    The account's row is locked first, so that two writers can't both see room for one: on
    PostgreSQL neither sees what the other has not committed. SQLite has one writer anyway.
    """
    try:
        async with in_transaction() as connection:
            if limit is not None:
                account = AccountRow.filter(id=account_id).using_db(connection)
                await account.update(name=F("name"))
            row = await model.create(using_db=connection, account_id=account_id, **columns)
            if limit is not None:
                rows = model.filter(account_id=account_id, **counted).using_db(connection)
                if await rows.count() > limit:
                    raise _TooMany
    except _TooMany:
        return None
    return row
