"""From a key to its caller, read from the database each time: a revoked key is refused at once."""

from app.domain import clock
from app.domain.accounts.account import Account, Caller, SubscriptionStatus
from app.domain.clock import Period
from app.domain.errors import Unauthorized
from app.domain.keys.key import hash_secret, is_well_formed
from app.domain.plans import Plan
from app.domain.services import Services
from app.storage.ledger.keys import find_key, find_key_by_id
from app.storage.ledger.records import KeyRecord

_ADVICE = "Send a valid API key in the Authorization header as a Bearer token."


async def authenticate(services: Services, secret: str | None) -> Caller:
    """Return whom a key belongs to.

    Raises:
        Unauthorized: There is no key, it is malformed, unknown or revoked.
    """
    if secret is None:
        raise Unauthorized(f"API key missing. {_ADVICE}")
    if not is_well_formed(secret):
        raise Unauthorized(f"API key malformed. {_ADVICE}")
    period = Period.of(clock.now())
    record = await services.ledger.run(find_key(hash_secret(secret), period=str(period)))
    return _caller(record)


async def recheck(services: Services, caller: Caller) -> Caller:
    """Return the caller as they are now: for what goes on after it was let in.

    Raises:
        Unauthorized: The key was revoked meanwhile.
    """
    period = Period.of(clock.now())
    return _caller(await services.ledger.run(find_key_by_id(caller.key_id, period=str(period))))


def _caller(record: KeyRecord | None) -> Caller:
    if record is None:
        raise Unauthorized(f"API key unknown or revoked. {_ADVICE}")
    account = Account(
        id=record.account_id,
        name=record.account_name,
        email=record.email,
        plan=Plan(record.plan),
        subscription_status=SubscriptionStatus(record.subscription_status),
        created_at=record.account_created_at,
        retain_inputs=record.retain_inputs,
        budget=record.budget,
        cache_ttl=record.cache_ttl,
        default_model=record.default_model,
    )
    return Caller(account=account, key_id=record.key_id, used=record.used)


def bearer_token(header: str | None) -> str | None:
    """Return the token of an Authorization header, or None when it carries no Bearer token."""
    if header is None:
        return None
    scheme, _, token = header.strip().partition(" ")
    if scheme.lower() != "bearer":
        return None
    return token.strip() or None
