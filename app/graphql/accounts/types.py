"""The account as GraphQL shows it."""

from __future__ import annotations

import strawberry

from app.domain import clock
from app.domain.accounts import account as domain
from app.domain.accounts.account import SubscriptionStatus
from app.domain.clock import Period
from app.domain.plans import Limits, Plan
from app.domain.usage.read import get_usage
from app.engines.contract import InputType
from app.graphql.context import Info
from app.graphql.scalars import DateTime
from app.graphql.usage.types import Usage


@strawberry.type(description="What a plan allows. Null is unlimited.")
class PlanLimits:
    requests: int | None = strawberry.field(description="Requests a month; null is unlimited.")
    batch_size: int = strawberry.field(description="Items in a batch.")
    input_types: list[InputType] = strawberry.field(description="The kinds of content.")
    custom_categories: bool = strawberry.field(
        description="Whether requests may bring categories of their own."
    )
    schemas: int | None = strawberry.field(description="Saved schemas; null is unlimited.")
    api_keys: int | None = strawberry.field(description="Live API keys; null is unlimited.")
    webhooks: int | None = strawberry.field(description="Webhooks; null is unlimited.")
    history_days: int | None = strawberry.field(
        description="Days for which jobs stay readable; null is unlimited."
    )

    @classmethod
    def of(cls, limits: Limits) -> PlanLimits:
        """Show limits."""
        return cls(
            requests=limits.requests,
            batch_size=limits.batch_size,
            input_types=[kind for kind in InputType if kind in limits.input_types],
            custom_categories=limits.custom_categories,
            schemas=limits.schemas,
            api_keys=limits.api_keys,
            webhooks=limits.webhooks,
            history_days=None if limits.history is None else limits.history.days,
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
            created_at=DateTime(account.created_at),
        )


def resolve_viewer(info: Info) -> Account:
    """Return the caller's account, in whatever standing."""
    return Account.of(info.context.account)
