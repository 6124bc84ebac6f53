"""What webhooks are sent, as the OpenAPI document tells it."""

from typing import Annotated, Any, Literal

from msgspec import UNSET, Struct, UnsetType

from app.engines.contract import Basis, InputType
from app.rest.described import REF, Moment, about
from app.rest.replies import BASIS, RESULT, BatchItemReply, BatchMetaReply, ItemErrorReply

_SIGNATURE = (
    "`sha256=` and the hex HMAC-SHA256 of the raw body under your secret as it was shown. "
    "After a rotation: under the new one."
)
_HEADERS = {
    "X-ClassifAIly-Signature": _SIGNATURE,
    "X-ClassifAI-Signature": "The same.",
    "X-ClassifAIly-Event": "The event.",
    "X-ClassifAIly-Delivery": "The delivery's id, the same over all attempts: a delivery may "
    "arrive twice, and this tells.",
    "webhook-id": "The same, for the libraries of standardwebhooks.com.",
    "webhook-timestamp": "When this attempt began, in unix seconds.",
    "webhook-signature": "`v1,` and the base64 HMAC-SHA256 of `id.timestamp.body`. The key is "
    "what follows `whsec_`, base64-decoded; of a secret of another form, its UTF-8 bytes. For 24 "
    "hours after a rotation there are two, separated by a space.",
}
_EVENT = about("Which event.")
_TIMESTAMP = about("When it ended.")
_TEST = about("true in samples; else left out.")


class JobCompletedEvent(Struct):
    """A job ended with a result. The items of a batch are told of by the batch."""

    event: Annotated[Literal["job.completed"], _EVENT]
    id: Annotated[str, about("The job's id.")]
    result: Annotated[Any, RESULT]
    type: Annotated[InputType, about("The kind of content.")]
    schema: Annotated[int | None, about("The schema it used; null when it used none.")]
    timestamp: Annotated[Moment, _TIMESTAMP]
    basis: Annotated[list[Basis] | UnsetType, BASIS] = UNSET
    test: Annotated[bool, _TEST] = False


class JobFailedEvent(Struct):
    """A job ended with an error."""

    event: Annotated[Literal["job.failed"], _EVENT]
    id: Annotated[str, about("The job's id.")]
    error: Annotated[ItemErrorReply, about("Why it failed.")]
    type: Annotated[InputType, about("The kind of content.")]
    schema: Annotated[int | None, about("The schema it used; null when it used none.")]
    timestamp: Annotated[Moment, _TIMESTAMP]
    test: Annotated[bool, _TEST] = False


class BatchCompletedEvent(Struct):
    """Every item of a batch has ended. `status` is failed when all failed."""

    event: Annotated[Literal["batch.completed"], _EVENT]
    id: Annotated[str, about("The batch's id.")]
    status: Annotated[Literal["completed", "failed"], about("How it ended.")]
    meta: Annotated[BatchMetaReply, about("Its counts.")]
    timestamp: Annotated[Moment, _TIMESTAMP]
    results: Annotated[
        list[BatchItemReply] | UnsetType, about("In the order sent; left out for files.")
    ] = UNSET
    test: Annotated[bool, _TEST] = False


class WebhookTestEvent(Struct):
    """You asked for a test."""

    event: Annotated[Literal["webhook.test"], _EVENT]
    timestamp: Annotated[Moment, about("When you asked for it.")]
    test: Annotated[bool, about("Always true.")]


EVENT_SHAPES: tuple[type[Struct], ...] = (
    JobCompletedEvent,
    JobFailedEvent,
    BatchCompletedEvent,
    WebhookTestEvent,
)
_NAMES = ("job.completed", "job.failed", "batch.completed", "webhook.test")


def webhook_events() -> dict[str, Any]:
    """Return the document's `webhooks`."""
    return {
        name: {"post": _event(name, shape)}
        for name, shape in zip(_NAMES, EVENT_SHAPES, strict=True)
    }


def _event(name: str, shape: type[Struct]) -> dict[str, Any]:
    reference = {"$ref": REF.format(name=shape.__name__)}
    return {
        "summary": f"We send {name} to your endpoint",
        "description": shape.__doc__,
        "security": [],
        "parameters": [
            {
                "name": header,
                "in": "header",
                "required": True,
                "description": description,
                "schema": {"type": "string"},
            }
            for header, description in _HEADERS.items()
        ],
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": reference}},
        },
        "responses": {
            "2XX": {"description": "Received, if it comes within 15 seconds."},
            "410": {"description": "Never again: the webhook is switched off."},
            "default": {"description": "Not received: it is sent again. Redirects too."},
        },
    }
