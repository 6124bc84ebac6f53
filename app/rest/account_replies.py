"""The JSON shapes of the documented contract: usage and plans."""

from typing import Annotated

from msgspec import Struct

from app.domain.plans import Plan
from app.engines.contract import InputType
from app.rest.described import about


class UsageLimitsReply(Struct):
    """What the plan allows. Unlimited is null."""

    requests: int | None
    resets_at: str
    media: bool
    schemas: int | None
    batch_size: int


class UsageByTypeReply(Struct):
    """Requests by input type."""

    text: int
    image: int
    audio: int
    video: int


class UsageCountsReply(Struct):
    """What was used. `remaining` is null when unlimited."""

    requests: int
    remaining: int | None
    by_type: UsageByTypeReply
    tokens: int


class UsageReply(Struct):
    """A month's usage against the plan's limits."""

    period: str
    plan: Plan
    limits: UsageLimitsReply
    usage: UsageCountsReply


class PlanReply(Struct):
    """What a plan allows. Unlimited is null."""

    plan: Plan
    requests: Annotated[int | None, about("Requests a month.")]
    batch_size: Annotated[int, about("Items in a batch.")]
    input_types: Annotated[list[InputType], about("The kinds of content it may classify.")]
    custom_categories: Annotated[bool, about("Whether requests may bring their own categories.")]
    schemas: Annotated[int | None, about("Saved schemas.")]
    api_keys: Annotated[int | None, about("Live API keys.")]
    webhooks: Annotated[int | None, about("Webhooks.")]
    history_days: Annotated[int | None, about("Days for which jobs stay readable.")]
    explain: Annotated[bool, about("Whether answers may come with explanations.")]
    async_jobs: Annotated[bool, about("Whether jobs may be asked for without waiting.")]


class PlanListReply(Struct):
    """Every plan, cheapest first."""

    plans: list[PlanReply]
