"""Making and changing accounts: what whoever operates the server may do."""

from app.domain import clock
from app.domain.accounts.account import Account, SubscriptionStatus
from app.domain.errors import InvalidRequest, NotFound
from app.domain.plans import Plan
from app.storage import accounts as rows
from app.storage.models import AccountRow

MAX_NAME_LENGTH = 200
MAX_EMAIL_LENGTH = 320


async def create_account(name: str, *, plan: Plan, email: str | None = None) -> Account:
    """Make an account.

    Raises:
        InvalidRequest: The name is empty or too long, or the address is not one.
    """
    cleaned = name.strip()
    if not 1 <= len(cleaned) <= MAX_NAME_LENGTH:
        raise InvalidRequest(("name",), f"must have 1 to {MAX_NAME_LENGTH} characters")
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


def _to_account(row: AccountRow) -> Account:
    return Account(
        id=row.id,
        name=row.name,
        email=row.email,
        plan=Plan(row.plan),
        subscription_status=SubscriptionStatus(row.subscription_status),
        created_at=row.created_at,
        retain_inputs=row.retain_inputs,
    )
