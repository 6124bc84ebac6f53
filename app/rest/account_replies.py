"""The JSON shapes of the documented contract: usage and plans; and the account."""

from typing import Annotated

from msgspec import Struct

from app.domain.accounts.account import SubscriptionStatus
from app.domain.plans import Plan
from app.engines.contract import InputType
from app.rest.described import Moment, about


class AccountReply(Struct):
    """The account that the key belongs to."""

    id: Annotated[int, about("The account's id.", examples=[7])]
    name: Annotated[str, about("What it is called.", examples=["Acme"])]
    email: Annotated[str | None, about("Whom to write to about it; null when nobody was named.")]
    plan: Annotated[Plan, about("Its plan.")]
    status: Annotated[SubscriptionStatus, about("The standing of its subscription.")]
    retain_inputs: Annotated[
        bool, about("Whether whole inputs are kept with their jobs, as long as these.")
    ]
    created_at: Annotated[Moment, about("When it was made.")]


class UsageLimitsReply(Struct):
    """What the plan allows. Unlimited is null."""

    requests: Annotated[int | None, about("Requests a month; null is unlimited.", examples=[10000])]
    resets_at: Annotated[Moment, about("When the month's count starts anew.")]
    media: Annotated[bool, about("Whether anything but text may be sent.")]
    schemas: Annotated[int | None, about("Saved schemas; null is unlimited.", examples=[10])]
    batch_size: Annotated[int, about("Items in a batch.", examples=[50])]


class UsageByTypeReply(Struct):
    """Requests by input type."""

    text: Annotated[int, about("Texts.", examples=[3200])]
    image: Annotated[int, about("Images.", examples=[221])]
    audio: Annotated[int, about("Recordings.", examples=[0])]
    video: Annotated[int, about("Videos.", examples=[0])]


class UsageCountsReply(Struct):
    """What was used. `remaining` is null when unlimited."""

    requests: Annotated[int, about("Requests, running ones too.", examples=[3421])]
    remaining: Annotated[
        int | None, about("Requests left of the limit; null is unlimited.", examples=[6579])
    ]
    by_type: Annotated[UsageByTypeReply, about("Requests by input type.")]
    tokens: Annotated[int, about("Tokens of completed work.", examples=[891234])]


class UsageReply(Struct):
    """A month's usage against the plan's limits."""

    period: Annotated[str, about("The month, in UTC.", examples=["2025-03"])]
    plan: Annotated[Plan, about("The account's plan.")]
    limits: Annotated[UsageLimitsReply, about("What the plan allows.")]
    usage: Annotated[UsageCountsReply, about("What was used.")]


class PlanReply(Struct):
    """What a plan allows. Unlimited is null."""

    plan: Annotated[Plan, about("Which plan.")]
    requests: Annotated[int | None, about("Requests a month; null is unlimited.")]
    batch_size: Annotated[int, about("Items in a batch.")]
    batch_files: Annotated[bool, about("Whether files of lines may be sent.")]
    input_types: Annotated[list[InputType], about("The kinds of content it may classify.")]
    custom_categories: Annotated[bool, about("Whether requests may bring their own categories.")]
    schemas: Annotated[int | None, about("Saved schemas; null is unlimited.")]
    api_keys: Annotated[int | None, about("Live API keys; null is unlimited.")]
    webhooks: Annotated[int | None, about("Webhooks; null is unlimited.")]
    history_days: Annotated[
        int | None, about("Days for which jobs stay readable; null is for good.")
    ]
    explain: Annotated[bool, about("Whether answers may come with explanations.")]
    async_jobs: Annotated[bool, about("Whether jobs may be asked for without waiting.")]


class PlanListReply(Struct):
    """Every plan, cheapest first."""

    plans: Annotated[list[PlanReply], about("Cheapest first.")]
