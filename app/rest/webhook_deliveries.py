"""`/webhooks/{id}/deliveries`, `/test` and `/redeliver`: what an endpoint was told."""

from app.domain.errors import ErrorCode, InvalidRequest
from app.domain.webhooks.log import (
    delivery_attempts,
    list_deliveries,
    send_again,
    send_all_again,
    send_test,
)
from app.domain.webhooks.webhook import DeliveryStatus, WebhookEvent
from app.rest.call import Call
from app.rest.operation import Operation, Parameter
from app.rest.parameters import PAGE, REQUIRED_WEBHOOK_ID
from app.rest.reply import Reply
from app.rest.webhook_rendering import render_delivery
from app.rest.webhook_shapes import (
    DeliveryListReply,
    DeliveryReply,
    RedeliverBody,
    RedeliverReply,
    TestBody,
)


async def get_deliveries(call: Call) -> Reply:
    """Return a page of a webhook's log, newest first."""
    limit, offset = call.page()
    deliveries, total = await list_deliveries(
        call.services,
        call.account,
        call.required_id(),
        status=call.query_choice("status", DeliveryStatus),
        limit=limit,
        offset=offset,
    )
    ids = [delivery.id for delivery in deliveries]
    attempts = await delivery_attempts(call.services, call.account, ids)
    shown = [render_delivery(delivery, attempts[delivery.id]) for delivery in deliveries]
    return Reply(DeliveryListReply(deliveries=shown, total=total, limit=limit, offset=offset))


async def post_test(call: Call) -> Reply:
    """Send a sample."""
    body = await call.optional_body(TestBody)
    event = body.event or WebhookEvent.WEBHOOK_TEST
    delivery = await send_test(call.services, call.account, call.required_id(), event)
    return Reply(render_delivery(delivery, ()), status=202)


async def post_redeliver(call: Call) -> Reply:
    """Send one delivery again, or all since a time."""
    body = await call.body(RedeliverBody)
    webhook_id = call.required_id()
    if body.delivery is not None and body.since is not None:
        raise InvalidRequest(("since",), "can't be given together with delivery")
    if body.delivery is not None:
        again = await send_again(call.services, call.account, webhook_id, body.delivery)
    elif body.since is not None:
        again = await send_all_again(
            call.services,
            call.account,
            webhook_id,
            since=body.since,
            failed_only=body.failed_only or False,
        )
    else:
        raise InvalidRequest(("delivery",), "is required, unless since is given")
    return Reply(RedeliverReply(redelivered=again), status=202)


_ERRORS = (ErrorCode.PLAN_RESTRICTION, ErrorCode.WEBHOOK_NOT_FOUND)

DELIVERIES = {
    "GET": Operation(
        get_deliveries,
        name="getWebhookDeliveries",
        summary="What was sent to a webhook in the last 30 days, and how it answered",
        reply=DeliveryListReply,
        query=(
            REQUIRED_WEBHOOK_ID,
            *PAGE,
            Parameter(
                "status",
                "Filter by status.",
                {"type": "string", "enum": [status.value for status in DeliveryStatus]},
            ),
        ),
        errors=(ErrorCode.WEBHOOK_NOT_FOUND,),
    )
}
TEST = {
    "POST": Operation(
        post_test,
        name="testWebhook",
        summary="Send a sample of an event, marked with test: true",
        body=TestBody,
        may_lack_body=True,
        reply=DeliveryReply,
        status=202,
        query=(REQUIRED_WEBHOOK_ID,),
        errors=_ERRORS,
    )
}
REDELIVER = {
    "POST": Operation(
        post_redeliver,
        name="redeliverWebhook",
        summary="Send one delivery again, or all since a time, under the same ids",
        body=RedeliverBody,
        reply=RedeliverReply,
        status=202,
        query=(REQUIRED_WEBHOOK_ID,),
        errors=(*_ERRORS, ErrorCode.DELIVERY_NOT_FOUND),
    )
}
