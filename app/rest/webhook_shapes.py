"""The JSON shapes of `/webhooks`."""

from datetime import datetime
from typing import Annotated, Any

from msgspec import Meta, Struct

from app.domain.webhooks.manage import MAX_URL_LENGTH
from app.domain.webhooks.secret import MAX_LENGTH
from app.domain.webhooks.webhook import (
    DeliveryStatus,
    DisabledReason,
    WebhookEvent,
    WebhookTopic,
)
from app.rest.described import Moment, about

_URL = about(
    "Your HTTPS endpoint. Must be publicly accessible.", minLength=1, maxLength=MAX_URL_LENGTH
)
_EVENTS = about(
    'Events to subscribe to: `*` is all. Duplicates count once. Defaults to `["*"]`.', minItems=1
)
_SECRET = about(
    "HMAC signing secret. If omitted, one is generated: `whsec_` and base64. One of your own that "
    "does not have this form is a key to Standard Webhooks by its UTF-8 bytes.",
    minLength=1,
    maxLength=MAX_LENGTH,
)
_SHOWN_ONCE = about("Store it: it won't be shown again.")


class WebhookBody(Struct):
    """An endpoint to register."""

    url: Annotated[str, _URL]
    events: Annotated[list[WebhookTopic] | None, _EVENTS] = None
    secret: Annotated[str | None, _SECRET] = None


class WebhookChangeBody(Struct):
    """What to change of a webhook; what is left out stays."""

    url: Annotated[str | None, _URL] = None
    events: Annotated[list[WebhookTopic] | None, _EVENTS] = None
    active: Annotated[
        bool | None,
        about("false: nothing is sent. true: it is sent again, and past failures are forgotten."),
    ] = None


class RotateBody(Struct):
    """A new secret of your own, if you want one."""

    secret: Annotated[str | None, _SECRET] = None


class TestBody(Struct):
    """What to send a sample of."""

    event: Annotated[WebhookEvent | None, about("Default webhook.test.")] = None


class RedeliverBody(Struct):
    """What to send again: one delivery, or all since a time."""

    delivery: Annotated[str | None, about("The id of one delivery.", minLength=1)] = None
    since: Annotated[
        Annotated[datetime, Meta(tz=True)] | None,
        about("All that have ended of those made at this time or later."),
    ] = None
    failed_only: Annotated[
        bool | None, about("With since: only those that failed. Default false.")
    ] = None


class WebhookReply(Struct):
    """A webhook, without its secret."""

    id: Annotated[int, about("Its id.")]
    url: Annotated[str, about("Where deliveries go.")]
    events: Annotated[list[WebhookTopic], about("What it is subscribed to.")]
    active: Annotated[bool, about("Whether anything is sent to it.")]
    disabled_reason: Annotated[
        DisabledReason | None,
        about(
            "Why the server switched it off: gone (it answered 410), or failing (nothing else for "
            "5 days). Else null."
        ),
    ]
    failing_since: Annotated[
        Moment | None, about("When it failed first since it answered well; null while it is well.")
    ]
    previous_secret_until: Annotated[
        Moment | None, about("Until when the secret before signs too; null when there is none.")
    ]
    created_at: Annotated[Moment, about("When it was registered.")]
    updated_at: Annotated[Moment, about("When it was changed last.")]


class SecretWebhookReply(WebhookReply):
    """A webhook with its secret."""

    secret: Annotated[str, _SHOWN_ONCE]


class WebhookListReply(Struct):
    """A page of webhooks, newest first."""

    webhooks: Annotated[list[WebhookReply], about("The webhooks of the page.")]
    total: Annotated[int, about("How many there are in all.")]
    limit: Annotated[int, about("As asked for.")]
    offset: Annotated[int, about("As asked for.")]


class DeliveryAttemptReply(Struct):
    """One attempt at a delivery."""

    attempted_at: Annotated[Moment, about("When it began.")]
    duration_ms: Annotated[int, about("Whole milliseconds until the answer.")]
    status_code: Annotated[int | None, about("Of the answer; null when there was none.")]
    response: Annotated[
        str | None, about("The first 4 KiB of the answer's body; null without one.")
    ]
    error: Annotated[str | None, about("Why there was no answer; null when there was one.")]


class DeliveryReply(Struct):
    """One message to one endpoint, over all its attempts."""

    id: Annotated[str, about("The same over all attempts.")]
    event: Annotated[WebhookEvent, about("What it tells.")]
    status: Annotated[DeliveryStatus, about("Where it stands.")]
    payload: Annotated[Any, about("What is sent.")]
    attempts: Annotated[list[DeliveryAttemptReply], about("The attempts, in their order.")]
    next_attempt_at: Annotated[Moment | None, about("Null when it is under way or has ended.")]
    created_at: Annotated[Moment, about("When what it tells happened.")]
    completed_at: Annotated[Moment | None, about("When it was delivered or failed; null before.")]


class DeliveryListReply(Struct):
    """A page of a webhook's deliveries, newest first."""

    deliveries: Annotated[list[DeliveryReply], about("The deliveries of the page.")]
    total: Annotated[int, about("How many there are in all.")]
    limit: Annotated[int, about("As asked for.")]
    offset: Annotated[int, about("As asked for.")]


class RedeliverReply(Struct):
    """What is sent again."""

    redelivered: Annotated[
        int, about("How many. What is under way, or waits in the case of since, is not counted.")
    ]
