"""Inserting a row of which an account may have only so many."""

from typing import Any, TypeVar

from tortoise.models import Model
from tortoise.transactions import in_transaction

M = TypeVar("M", bound=Model)


class _TooMany(Exception):
    """Undoes the insert of a row above the limit."""


async def insert_within(
    model: type[M], account_id: int, columns: dict[str, Any], *, limit: int | None, **counted: Any
) -> M | None:
    """Write a row, unless the account then has more than `limit` that match `counted`: then None.

    The row is written before it is counted, so that two writers can't both see room for one.
    """
    try:
        async with in_transaction() as connection:
            row = await model.create(using_db=connection, account_id=account_id, **columns)
            if limit is not None:
                rows = model.filter(account_id=account_id, **counted).using_db(connection)
                if await rows.count() > limit:
                    raise _TooMany
    except _TooMany:
        return None
    return row
