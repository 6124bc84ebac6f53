"""The account as GraphQL shows it."""

from __future__ import annotations

import strawberry

from app.domain import clock
from app.domain.accounts import account as domain
from app.domain.accounts.account import SubscriptionStatus
from app.domain.budget import BudgetStanding, get_standing
from app.domain.clock import Period
from app.domain.plans import Plan
from app.domain.usage.read import get_usage
from app.graphql.context import Info
from app.graphql.plans.types import PlanLimits
from app.graphql.scalars import DateTime, Dollars
from app.graphql.usage.types import Usage


@strawberry.type(
    description="What an account's work may cost a month. Whoever operates the server sets it. "
    "Work whose cost it might not cover is refused before a model is asked."
)
class Budget:
    limit: Dollars = strawberry.field(description="The month's budget.")
    used: Dollars = strawberry.field(
        description="What is used of it, with what work that runs may cost at most."
    )
    remaining: Dollars = strawberry.field(description="What is left of it.")
    resets_at: DateTime = strawberry.field(description="When the month's use starts anew.")

    @classmethod
    def of(cls, standing: BudgetStanding) -> Budget:
        """Show a budget."""
        return cls(
            limit=Dollars(standing.limit),
            used=Dollars(standing.used),
            remaining=Dollars(standing.remaining),
            resets_at=DateTime(standing.resets_at),
        )


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
    cache_ttl: int | None = strawberry.field(
        description="For how many seconds answers are kept for exact repeats; null is not at all."
    )
    default_model: str | None = strawberry.field(
        description="The models that judge its work; null leaves that to the server."
    )
    created_at: DateTime = strawberry.field(description="When it was made.")

    @strawberry.field(description="The month's budget; null when there is none.")
    async def budget(self, info: Info) -> Budget | None:
        """Read how it stands."""
        standing = await get_standing(info.context.account)
        return None if standing is None else Budget.of(standing)

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
            cache_ttl=account.cache_ttl,
            default_model=account.default_model,
            created_at=DateTime(account.created_at),
        )


def resolve_viewer(info: Info) -> Account:
    """Return the caller's account, in whatever standing."""
    return Account.of(info.context.account)
