"""Accounts: who pays, on which plan, in which standing."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.domain.errors import SubscriptionInactive
from app.domain.plans import LIMITS, Limits, Plan


class SubscriptionStatus(StrEnum):
    """The standing of a subscription. Only `active` may use a paid plan."""

    ACTIVE = "active"
    PAST_DUE = "past_due"
    CANCELED = "canceled"


@dataclass(frozen=True, slots=True)
class Account:
    """One tenant. `retain_inputs` keeps whole inputs with their jobs, for review and learning.

    `budget` is what its work may cost a month, in nano-dollars; None is no limit. `cache_ttl` is
    how long answers are kept for exact repeats, in seconds; None is not at all.
    `default_model` is its choice of models; None leaves that to the server.
    """

    id: int
    name: str
    email: str | None
    plan: Plan
    subscription_status: SubscriptionStatus
    created_at: datetime
    retain_inputs: bool = False
    budget: int | None = None
    cache_ttl: int | None = None
    default_model: str | None = None

    @property
    def limits(self) -> Limits:
        """The limits of the account's plan."""
        return LIMITS[self.plan]


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request: the account, and the key that proved it.

    `used` is what the account had used of this month's quota when the key was checked.
    """

    account: Account
    key_id: int
    used: int


def require_active_subscription(account: Account) -> None:
    """Refuse a paid plan whose subscription has lapsed.

    Raises:
        SubscriptionInactive: The plan is a paid one and its subscription is not active.
    """
    active = account.subscription_status is SubscriptionStatus.ACTIVE
    if account.plan is not Plan.FREE and not active:
        raise SubscriptionInactive(account.plan, account.subscription_status.value)
