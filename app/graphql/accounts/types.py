"""The account as GraphQL shows it."""

from __future__ import annotations

import strawberry

from app.domain import clock
from app.domain.accounts import account as domain
from app.domain.accounts.account import SubscriptionStatus
from app.domain.clock import Period
from app.domain.plans import Plan
from app.domain.usage.read import get_usage
from app.graphql.context import Info
from app.graphql.plans.types import PlanLimits
from app.graphql.scalars import DateTime
from app.graphql.usage.types import Usage


@strawberry.type(description="The account that a key belongs to.")
class Account:
    id: strawberry.ID = strawberry.field(description="The account's id.")
    name: str = strawberry.field(description="What it is called.")
    email: str | None = strawberry.field(
        description="Whom to write to about it; null when nobody was named."
    )
    plan: Plan = strawberry.field(description="Its plan.")
    status: SubscriptionStatus = strawberry.field(description="The standing of its subscription.")
    limits: PlanLimits = strawberry.field(description="What its plan allows.")
    retain_inputs: bool = strawberry.field(
        description="Whether whole inputs are kept with their jobs, as long as these."
    )
    created_at: DateTime = strawberry.field(description="When it was made.")

    @strawberry.field(description="The current month's usage.")
    async def usage(self, info: Info) -> Usage:
        """Read the current month."""
        return Usage.of(await get_usage(info.context.account, Period.of(clock.now())))

    @classmethod
    def of(cls, account: domain.Account) -> Account:
        """Show an account."""
        return cls(
            id=strawberry.ID(str(account.id)),
            name=account.name,
            email=account.email,
            plan=account.plan,
            status=account.subscription_status,
            limits=PlanLimits.of(account.limits),
            retain_inputs=account.retain_inputs,
            created_at=DateTime(account.created_at),
        )


def resolve_viewer(info: Info) -> Account:
    """Return the caller's account, in whatever standing."""
    return Account.of(info.context.account)
