"""The JSON shape of every error."""

from typing import Annotated

from msgspec import UNSET, Struct, UnsetType

from app.domain.plans import Plan
from app.rest.described import Moment, about


class ErrorBody(Struct):
    """An error. Further members go with its code."""

    code: Annotated[
        str, about("What kind of error; further codes may come.", examples=["rate_limit_exceeded"])
    ]
    message: Annotated[str, about("What is wrong, for people.")]
    docs: Annotated[str, about("Where the codes are explained.", format="uri")]
    field: Annotated[
        str | UnsetType,
        about(
            "invalid_request: the field or parameter that is wrong; left out when it is none.",
            examples=["items[3].input"],
        ),
    ] = UNSET
    feature: Annotated[
        str | UnsetType, about("plan_restriction: what the plan lacks.", examples=["schemas"])
    ] = UNSET
    required_plan: Annotated[
        Plan | UnsetType, about("plan_restriction: the cheapest plan that has it.")
    ] = UNSET
    limit: Annotated[
        int | str | UnsetType,
        about(
            "rate_limit_exceeded: the month's requests. payload_too_large: bytes. budget_exceeded: "
            "US dollars, in a string.",
            examples=[100],
        ),
    ] = UNSET
    used: Annotated[
        int | str | UnsetType,
        about("rate_limit_exceeded and budget_exceeded: what is used of it.", examples=[100]),
    ] = UNSET
    resets_at: Annotated[
        Moment | UnsetType, about("rate_limit_exceeded and budget_exceeded: when it resets.")
    ] = UNSET
    retry_after: Annotated[
        int | UnsetType, about("model_unavailable: when to try again, in seconds.", examples=[5])
    ] = UNSET


class ErrorReply(Struct):
    """The body of every answer that is not a success."""

    error: Annotated[ErrorBody, about("What is wrong.")]
