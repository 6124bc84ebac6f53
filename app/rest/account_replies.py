"""The JSON shapes of the documented contract: usage and plans; and the account."""

from typing import Annotated

from msgspec import Struct

from app.domain.accounts.account import SubscriptionStatus
from app.domain.plans import Plan
from app.engines.contract import ConfidenceSource, InputType
from app.rest.described import DOLLARS, Moment, about


class BudgetReply(Struct):
    """What the account's work may cost a month, in US dollars."""

    limit: Annotated[str, about("The month's budget.", pattern=DOLLARS, examples=["25"])]
    used: Annotated[
        str,
        about(
            "What is used of it, with what work that runs may cost at most.",
            pattern=DOLLARS,
            examples=["1.46"],
        ),
    ]
    remaining: Annotated[str, about("What is left.", pattern=DOLLARS, examples=["23.54"])]
    resets_at: Annotated[Moment, about("When the month's use starts anew.")]


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
    cache_ttl: Annotated[
        int | None,
        about("For how many seconds answers are kept for exact repeats; null is not at all."),
    ]
    default_model: Annotated[
        str | None, about("The models that judge its work; null leaves that to the server.")
    ]
    budget: Annotated[
        BudgetReply | None,
        about("The month's budget, which whoever operates the server sets; null is none."),
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


class CostByTypeReply(Struct):
    """Cost by input type, in US dollars."""

    text: Annotated[str, about("Of texts.", pattern=DOLLARS, examples=["1.25"])]
    image: Annotated[str, about("Of images.", pattern=DOLLARS, examples=["0.21"])]
    audio: Annotated[str, about("Of recordings.", pattern=DOLLARS, examples=["0"])]
    video: Annotated[str, about("Of videos.", pattern=DOLLARS, examples=["0"])]


class UsageCountsReply(Struct):
    """What was used. `remaining` is null when unlimited."""

    requests: Annotated[int, about("Requests, running ones too.", examples=[3421])]
    remaining: Annotated[
        int | None, about("Requests left of the limit; null is unlimited.", examples=[6579])
    ]
    by_type: Annotated[UsageByTypeReply, about("Requests by input type.")]
    tokens: Annotated[int, about("Tokens of completed work.", examples=[891234])]
    cost: Annotated[
        str,
        about(
            "What models cost, in US dollars, those that were asked in vain too. Jobs of which the "
            "cost is not known count nothing.",
            pattern=DOLLARS,
            examples=["1.46"],
        ),
    ]
    cost_by_type: Annotated[CostByTypeReply, about("The same by input type.")]


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


class ModelReply(Struct):
    """A model that accounts may choose."""

    name: Annotated[
        str,
        about(
            "For `default_model` of the account and `model` of a schema.",
            examples=["openai/gpt-4o-mini"],
        ),
    ]
    input_types: Annotated[list[InputType], about("The kinds of content that it is known to take.")]
    confidence_source: Annotated[
        ConfidenceSource | None,
        about(
            "Where the confidence of a single label comes from, as a rule: each answer's meta says "
            "it of itself. null when it is not known."
        ),
    ]
    default_for: Annotated[
        list[InputType],
        about(
            "The kinds of content for which it is asked first where neither the account nor the "
            "schema chooses a model."
        ),
    ]


class ModelListReply(Struct):
    """The models that accounts may choose."""

    models: Annotated[
        list[ModelReply], about("In the operator's order; empty when there is no choice.")
    ]
