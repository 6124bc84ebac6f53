"""Plans as GraphQL shows them."""

from __future__ import annotations

import strawberry

from app.domain.plans import Limits, Plan
from app.engines.contract import InputType


@strawberry.type(description="What a plan allows. Null is unlimited.")
class PlanLimits:
    requests: int | None = strawberry.field(description="Requests a month; null is unlimited.")
    batch_size: int = strawberry.field(description="Items in a batch.")
    batch_files: bool = strawberry.field(description="Whether files of lines may be sent.")
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
    explain: bool = strawberry.field(description="Whether answers may come with explanations.")
    async_jobs: bool = strawberry.field(
        description="Whether jobs may be asked for without waiting."
    )

    @classmethod
    def of(cls, limits: Limits) -> PlanLimits:
        """Show limits."""
        return cls(
            requests=limits.requests,
            batch_size=limits.batch_size,
            batch_files=limits.batch_files,
            input_types=[kind for kind in InputType if kind in limits.input_types],
            custom_categories=limits.custom_categories,
            schemas=limits.schemas,
            api_keys=limits.api_keys,
            webhooks=limits.webhooks,
            history_days=None if limits.history is None else limits.history.days,
            explain=limits.explain,
            async_jobs=limits.async_jobs,
        )


@strawberry.type(description="A plan and what it allows.")
class PlanOffer:
    plan: Plan = strawberry.field(description="Which plan.")
    limits: PlanLimits = strawberry.field(description="What it allows.")
