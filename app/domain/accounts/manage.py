"""Making and changing accounts: what whoever operates the server may do, and their own keys."""

from dataclasses import dataclass, replace

from app.domain import clock
from app.domain.accounts.account import Account, SubscriptionStatus
from app.domain.classification.request import check_filled, check_text
from app.domain.errors import InvalidRequest, NotFound
from app.domain.models.choice import checked_model
from app.domain.plans import Plan
from app.domain.unchanged import UNCHANGED, Unchanged
from app.settings import Settings
from app.storage import accounts as rows
from app.storage.inputs import drop_retained
from app.storage.models import AccountRow

MAX_NAME_LENGTH = 200
MAX_EMAIL_LENGTH = 320
#: As long as the shortest history of a plan: what an explanation quotes is not kept longer.
MAX_CACHE_TTL_S = 7 * 24 * 3600
# Bounds how long one step keeps others from writing.
_DROPPED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class AccountChange:
    """What to change of an account. None stays. A `cache_ttl` of 0 seconds turns the cache off.

    A `default_model` of None is taken away.
    """

    name: str | None = None
    retain_inputs: bool | None = None
    cache_ttl: int | None = None
    default_model: str | Unchanged | None = UNCHANGED


async def create_account(name: str, *, plan: Plan, email: str | None = None) -> Account:
    """Make an account.

    Raises:
        InvalidRequest: The name is empty or too long, or the address is not one.
    """
    cleaned = _check_name(name)
    if email is not None and ("@" not in email or len(email) > MAX_EMAIL_LENGTH):
        raise InvalidRequest(("email",), "must be an e-mail address")
    row = await rows.insert_account(
        name=cleaned, email=email, plan=plan.value, created_at=clock.now()
    )
    return _to_account(row)


async def get_account(account_id: int) -> Account:
    """Return one account.

    Raises:
        NotFound: There is none with this id.
    """
    row = await rows.find_account(account_id)
    if row is None:
        raise NotFound(f"There is no account {account_id}.")
    return _to_account(row)


async def list_accounts() -> list[Account]:
    """Return every account, oldest first."""
    return [_to_account(row) for row in await rows.all_accounts()]


async def set_plan(account_id: int, plan: Plan) -> None:
    """Move an account to a plan. The next request of any process sees it.

    Raises:
        NotFound: There is none with this id.
    """
    if not await rows.update_account(account_id, plan=plan.value):
        raise NotFound(f"There is no account {account_id}.")


async def set_status(account_id: int, status: SubscriptionStatus) -> None:
    """Change the standing of an account's subscription. The next request sees it.

    Raises:
        NotFound: There is none with this id.
    """
    if not await rows.update_account(account_id, subscription_status=status.value):
        raise NotFound(f"There is no account {account_id}.")


async def set_budget(account_id: int, budget: int | None) -> None:
    """Limit what an account's work may cost a month, in nano-dollars; None is no limit.

    The next request sees it. What runs already may end.

    Raises:
        NotFound: There is none with this id.
    """
    if not await rows.update_account(account_id, budget=budget):
        raise NotFound(f"There is no account {account_id}.")


async def set_retention(account_id: int, *, on: bool) -> None:
    """Retain whole inputs from now on, or stop it and drop all that was retained.

    What still runs when it is turned off is not retained either.

    Raises:
        NotFound: There is none with this id.
    """
    if not await rows.update_account(account_id, retain_inputs=on):
        raise NotFound(f"There is no account {account_id}.")
    last: int | None = None if on else 0
    while last is not None:
        last = await drop_retained(account_id, after=last, count=_DROPPED_AT_ONCE)


async def set_cache(account_id: int, ttl_s: int) -> None:
    """Answer exact repeats from a cache for so many seconds; 0 turns that off.

    Raises:
        InvalidRequest: It is longer than answers may be kept.
        NotFound: There is no account with this id.
    """
    if not 0 <= ttl_s <= MAX_CACHE_TTL_S:
        raise InvalidRequest(("cache_ttl",), f"must be 0 to {MAX_CACHE_TTL_S} seconds, got {ttl_s}")
    if not await rows.update_account(account_id, cache_ttl=ttl_s or None):
        raise NotFound(f"There is no account {account_id}.")


async def set_model(settings: Settings, account_id: int, choice: str | None) -> str | None:
    """Choose the models that judge an account's work; None leaves that to the server.

    Returns:
        The choice as it is kept.

    Raises:
        InvalidRequest: It is not from the list that the operator allows.
        NotFound: There is no account with this id.
    """
    checked = None if choice is None else checked_model(settings, choice, at=("default_model",))
    if not await rows.update_account(account_id, default_model=checked):
        raise NotFound(f"There is no account {account_id}.")
    return checked


async def change_account(settings: Settings, account: Account, change: AccountChange) -> Account:
    """Change what its own keys may change of an account.

    Raises:
        InvalidRequest: The name is empty or too long, or the time of the cache is, or the model is
            not from the list that the operator allows.
    """
    name = None if change.name is None else _check_name(change.name)
    if not isinstance(change.default_model, Unchanged):
        chosen = await set_model(settings, account.id, change.default_model)
        account = replace(account, default_model=chosen)
    if change.cache_ttl is not None:
        await set_cache(account.id, change.cache_ttl)
        account = replace(account, cache_ttl=change.cache_ttl or None)
    if name is not None:
        await rows.update_account(account.id, name=name)
        account = replace(account, name=name)
    if change.retain_inputs is not None:
        await set_retention(account.id, on=change.retain_inputs)
        account = replace(account, retain_inputs=change.retain_inputs)
    return account


def _check_name(name: str) -> str:
    check_text(("name",), name, maximum=MAX_NAME_LENGTH)
    check_filled(("name",), name)
    return name.strip()


def _to_account(row: AccountRow) -> Account:
    return Account(
        id=row.id,
        name=row.name,
        email=row.email,
        plan=Plan(row.plan),
        subscription_status=SubscriptionStatus(row.subscription_status),
        created_at=row.created_at,
        retain_inputs=row.retain_inputs,
        budget=row.budget,
        cache_ttl=row.cache_ttl,
        default_model=row.default_model,
    )
