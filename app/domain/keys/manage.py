"""Making, naming and revoking API keys."""

from app.domain import clock
from app.domain.accounts.account import Account
from app.domain.classification.request import check_filled
from app.domain.errors import ErrorCode, InvalidRequest, NotFound, PlanRestriction
from app.domain.keys.key import ApiKey, NewApiKey, generate_secret, hash_secret, hint_of
from app.domain.plans import cheapest_plan
from app.storage import accounts as rows
from app.storage.models import ApiKeyRow

MAX_NAME_LENGTH = 200


async def list_keys(account: Account) -> list[ApiKey]:
    """Return an account's keys, newest first, revoked ones too."""
    return [_to_key(row) for row in await rows.account_keys(account.id)]


async def list_all_keys() -> list[ApiKey]:
    """Return every account's keys, oldest first: for whoever operates the server."""
    return [_to_key(row) for row in await rows.all_keys()]


async def create_key(account: Account, name: str) -> NewApiKey:
    """Make a key. Its secret is known here and never again.

    Raises:
        InvalidRequest: The name is empty or too long.
        PlanRestriction: The plan has no room for another live key.
    """
    cleaned = _check_name(name)
    limit = account.limits.api_keys
    secret = generate_secret()
    row = await rows.insert_key(
        account.id,
        name=cleaned,
        hint=hint_of(secret),
        key_hash=hash_secret(secret),
        created_at=clock.now(),
        limit=limit,
    )
    if row is None:
        required = cheapest_plan(
            lambda limits: limits.api_keys is None or limits.api_keys > (limit or 0)
        )
        raise PlanRestriction(
            "api_keys",
            required=required,
            message=f"Your plan allows {limit} API key{'s' if limit != 1 else ''}. "
            "Revoke one, or upgrade.",
        )
    return NewApiKey(key=_to_key(row), secret=secret)


async def rename_key(account: Account, key_id: int, name: str) -> ApiKey:
    """Rename a key.

    Raises:
        InvalidRequest: The name is empty or too long.
        NotFound: The account has no such key.
    """
    if not await rows.rename_key(account.id, key_id, name=_check_name(name)):
        raise no_such_key(key_id)
    return await _get_key(account, key_id)


async def revoke_key(account: Account, key_id: int) -> ApiKey:
    """Revoke a key: the next request with it, on any process, is refused. Twice is once.

    Raises:
        NotFound: The account has no such key.
    """
    await rows.revoke_key(account.id, key_id, revoked_at=clock.now())
    return await _get_key(account, key_id)


async def revoke_any_key(key_id: int) -> ApiKey:
    """Revoke a key of whichever account: for whoever operates the server.

    Raises:
        NotFound: There is no such key.
    """
    owner = next((row.account_id for row in await rows.all_keys() if row.id == key_id), None)
    if owner is None:
        raise no_such_key(key_id)
    await rows.revoke_key(owner, key_id, revoked_at=clock.now())
    row = await rows.find_key(owner, key_id)
    if row is None:
        raise no_such_key(key_id)
    return _to_key(row)


async def _get_key(account: Account, key_id: int) -> ApiKey:
    row = await rows.find_key(account.id, key_id)
    if row is None:
        raise no_such_key(key_id)
    return _to_key(row)


def no_such_key(key_id: int | str) -> NotFound:
    """Return the error for a key that is not there, or not the caller's."""
    return NotFound(f"There is no API key {str(key_id)[:40]}.", code=ErrorCode.KEY_NOT_FOUND)


def _check_name(name: str) -> str:
    cleaned = name.strip()
    if not 1 <= len(cleaned) <= MAX_NAME_LENGTH:
        raise InvalidRequest(("name",), f"must have 1 to {MAX_NAME_LENGTH} characters")
    if "\x00" in cleaned or any("\ud800" <= char <= "\udfff" for char in cleaned):
        raise InvalidRequest(("name",), "must be valid Unicode, without NUL or lone surrogates")
    check_filled(("name",), cleaned)
    return cleaned


def _to_key(row: ApiKeyRow) -> ApiKey:
    return ApiKey(
        id=row.id,
        account_id=row.account_id,
        name=row.name,
        hint=row.hint,
        created_at=row.created_at,
        revoked_at=row.revoked_at,
    )
