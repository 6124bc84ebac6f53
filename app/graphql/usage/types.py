"""Usage as GraphQL shows it: REST's shape, and the days for plots."""

from __future__ import annotations

from datetime import date

import strawberry

from app.domain.plans import Plan
from app.domain.usage import usage as domain
from app.engines.contract import InputType
from app.graphql.scalars import DateTime, Dollars

_COST = (
    "What models cost, those that were asked in vain too. Jobs of which the cost is not known "
    "count nothing."
)


@strawberry.type(description="What the plan allows. Null is unlimited.")
class UsageLimits:
    requests: int | None = strawberry.field(description="Requests a month; null is unlimited.")
    resets_at: DateTime = strawberry.field(description="When the month's count starts anew.")
    media: bool = strawberry.field(description="Whether anything but text may be sent.")
    schemas: int | None = strawberry.field(description="Saved schemas; null is unlimited.")
    batch_size: int = strawberry.field(description="Items in a batch.")


@strawberry.type(description="Requests by input type.")
class UsageByType:
    text: int = strawberry.field(description="Texts.")
    image: int = strawberry.field(description="Images.")
    audio: int = strawberry.field(description="Recordings.")
    video: int = strawberry.field(description="Videos.")

    @classmethod
    def of(cls, counts: dict[InputType, int]) -> UsageByType:
        """Show counts."""
        return cls(
            text=counts[InputType.TEXT],
            image=counts[InputType.IMAGE],
            audio=counts[InputType.AUDIO],
            video=counts[InputType.VIDEO],
        )


@strawberry.type(description="Cost by input type.")
class CostByType:
    text: Dollars = strawberry.field(description="Of texts.")
    image: Dollars = strawberry.field(description="Of images.")
    audio: Dollars = strawberry.field(description="Of recordings.")
    video: Dollars = strawberry.field(description="Of videos.")

    @classmethod
    def of(cls, costs: dict[InputType, int]) -> CostByType:
        """Show costs."""
        return cls(
            text=Dollars(costs[InputType.TEXT]),
            image=Dollars(costs[InputType.IMAGE]),
            audio=Dollars(costs[InputType.AUDIO]),
            video=Dollars(costs[InputType.VIDEO]),
        )


@strawberry.type(description="One day's use.")
class UsageDay:
    date: date = strawberry.field(description="The day, in UTC.")
    requests: int = strawberry.field(description="Requests, running ones too.")
    tokens: int = strawberry.field(description="Tokens of completed work.")
    by_type: UsageByType = strawberry.field(description="Requests by input type.")
    cost: Dollars = strawberry.field(description=_COST)
    cost_by_type: CostByType = strawberry.field(description="The same by input type.")


@strawberry.type(description="What was used of a month.")
class UsageCounts:
    requests: int = strawberry.field(description="Requests, running ones too.")
    remaining: int | None = strawberry.field(
        description="Requests left of the limit; null is unlimited."
    )
    tokens: int = strawberry.field(description="Tokens of completed work.")
    by_type: UsageByType = strawberry.field(description="Requests by input type.")
    cost: Dollars = strawberry.field(description=_COST)
    cost_by_type: CostByType = strawberry.field(description="The same by input type.")
    by_day: list[UsageDay] = strawberry.field(description="The days with any use, in order.")


@strawberry.type(description="A month's usage against the plan's limits.")
class Usage:
    period: str = strawberry.field(description="The month, YYYY-MM, in UTC.")
    plan: Plan = strawberry.field(description="The account's plan.")
    limits: UsageLimits = strawberry.field(description="What the plan allows.")
    usage: UsageCounts = strawberry.field(description="What was used.")

    @classmethod
    def of(cls, usage: domain.Usage) -> Usage:
        """Show a month."""
        return cls(
            period=str(usage.period),
            plan=usage.plan,
            limits=UsageLimits(
                requests=usage.limits.requests,
                resets_at=DateTime(usage.period.end),
                media=usage.limits.media,
                schemas=usage.limits.schemas,
                batch_size=usage.limits.batch_size,
            ),
            usage=UsageCounts(
                requests=usage.requests,
                remaining=usage.remaining,
                tokens=usage.tokens,
                by_type=UsageByType.of(usage.by_type),
                cost=Dollars(usage.cost),
                cost_by_type=CostByType.of(usage.cost_by_type),
                by_day=[
                    UsageDay(
                        date=day.day,
                        requests=day.requests,
                        tokens=day.tokens,
                        by_type=UsageByType.of(day.by_type),
                        cost=Dollars(day.cost),
                        cost_by_type=CostByType.of(day.cost_by_type),
                    )
                    for day in usage.days
                ],
            ),
        )
