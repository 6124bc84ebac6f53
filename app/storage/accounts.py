"""Rows of accounts and their API keys."""

from datetime import datetime

from app.storage.columns import integer_key
from app.storage.limited import insert_within
from app.storage.models import AccountRow, ApiKeyRow


async def insert_account(
    *, name: str, email: str | None, plan: str, created_at: datetime
) -> AccountRow:
    """Write a new account."""
    return await AccountRow.create(name=name, email=email, plan=plan, created_at=created_at)


async def find_account(account_id: int) -> AccountRow | None:
    """Return one account."""
    return await AccountRow.get_or_none(id=integer_key(account_id))


async def all_accounts() -> list[AccountRow]:
    """Return every account, oldest first."""
    return await AccountRow.all().order_by("id")


async def update_account(account_id: int, **changes: str | int | None) -> bool:
    """Change columns of an account; False when there is none."""
    return bool(await AccountRow.filter(id=integer_key(account_id)).update(**changes))


async def insert_key(
    account_id: int,
    *,
    name: str,
    hint: str,
    key_hash: str,
    created_at: datetime,
    limit: int | None,
) -> ApiKeyRow | None:
    """Write a new key, unless the account already has `limit` live ones: then None."""
    columns = {"name": name, "hint": hint, "key_hash": key_hash, "created_at": created_at}
    return await insert_within(ApiKeyRow, account_id, columns, limit=limit, revoked_at__isnull=True)


async def find_key(account_id: int, key_id: int) -> ApiKeyRow | None:
    """Return one key of an account, revoked or not."""
    return await ApiKeyRow.get_or_none(account_id=account_id, id=integer_key(key_id))


async def account_keys(account_id: int) -> list[ApiKeyRow]:
    """Return an account's keys, newest first, revoked ones too."""
    return await ApiKeyRow.filter(account_id=account_id).order_by("-id")


async def all_keys() -> list[ApiKeyRow]:
    """Return every key, oldest first."""
    return await ApiKeyRow.all().order_by("id")


async def rename_key(account_id: int, key_id: int, *, name: str) -> bool:
    """Rename a key; False when the account has none such."""
    return bool(
        await ApiKeyRow.filter(account_id=account_id, id=integer_key(key_id)).update(name=name)
    )


async def revoke_key(account_id: int, key_id: int, *, revoked_at: datetime) -> bool:
    """Revoke a live key; False when there is none such."""
    return bool(
        await ApiKeyRow.filter(
            account_id=account_id, id=integer_key(key_id), revoked_at__isnull=True
        ).update(revoked_at=revoked_at)
    )
