"""`/webhooks`: endpoints that are told of what ends."""

from dataclasses import replace

from app.domain.errors import ErrorCode
from app.domain.webhooks.manage import (
    WebhookChange,
    WebhookRequest,
    change_webhook,
    create_webhook,
    delete_webhook,
    get_webhook,
    list_webhooks,
    rotate_secret,
)
from app.rest.call import Call
from app.rest.operation import Operation
from app.rest.parameters import PAGE, REQUIRED_WEBHOOK_ID, WEBHOOK_ID
from app.rest.reply import Reply
from app.rest.webhook_rendering import render_secret_webhook, render_webhook
from app.rest.webhook_shapes import (
    RotateBody,
    SecretWebhookReply,
    WebhookBody,
    WebhookChangeBody,
    WebhookListReply,
    WebhookReply,
)


async def get_webhooks(call: Call) -> Reply:
    """Return the webhook that `id` names, or a page of the account's webhooks, newest first."""
    limit, offset = call.page()
    if call.id_text() is not None:
        return Reply(render_webhook(await get_webhook(call.account, call.required_id())))
    page = await list_webhooks(call.account, limit=limit, offset=offset)
    webhooks = [render_webhook(webhook) for webhook in page.webhooks]
    return Reply(WebhookListReply(webhooks=webhooks, total=page.total, limit=limit, offset=offset))


async def post_webhook(call: Call) -> Reply:
    """Register an endpoint."""
    body = await call.body(WebhookBody)
    request = WebhookRequest(url=body.url, topics=body.events, secret=body.secret)
    made = await create_webhook(call.services, call.account, request)
    return Reply(render_secret_webhook(made), status=201, secret=True)


async def patch_webhook(call: Call) -> Reply:
    """Change what the body names."""
    body = await call.body(WebhookChangeBody)
    change = WebhookChange(url=body.url, topics=body.events, active=body.active)
    webhook_id = call.required_id()
    changed = await change_webhook(call.services, call.account, webhook_id, change)
    return Reply(render_webhook(changed))


async def remove_webhook(call: Call) -> Reply:
    """Delete a webhook with its log."""
    await delete_webhook(call.services, call.account, call.required_id())
    return Reply(None, status=204)


async def post_rotate(call: Call) -> Reply:
    """Give a webhook a new secret."""
    body = await call.optional_body(RotateBody)
    webhook_id = call.required_id()
    rotated = await rotate_secret(call.services, call.account, webhook_id, secret=body.secret)
    return Reply(render_secret_webhook(rotated), secret=True)


_CHANGE_ERRORS = (ErrorCode.PLAN_RESTRICTION, ErrorCode.WEBHOOK_NOT_FOUND)

WEBHOOKS = {
    "GET": Operation(
        get_webhooks,
        name="getWebhooks",
        summary="One webhook, or a page of them",
        reply=WebhookReply | WebhookListReply,
        query=(WEBHOOK_ID, *PAGE),
        errors=(ErrorCode.WEBHOOK_NOT_FOUND,),
    ),
    "POST": Operation(
        post_webhook,
        name="createWebhook",
        summary="Register an endpoint; the only time its secret is shown",
        body=WebhookBody,
        reply=SecretWebhookReply,
        status=201,
        errors=(ErrorCode.PLAN_RESTRICTION,),
    ),
    "PATCH": Operation(
        patch_webhook,
        name="changeWebhook",
        summary="Change a part of a webhook, or switch it on or off",
        body=WebhookChangeBody,
        reply=WebhookReply,
        query=(REQUIRED_WEBHOOK_ID,),
        errors=_CHANGE_ERRORS,
    ),
    "DELETE": Operation(
        remove_webhook,
        name="deleteWebhook",
        summary="Delete a webhook with its log",
        reply=None,
        status=204,
        query=(REQUIRED_WEBHOOK_ID,),
        errors=(ErrorCode.WEBHOOK_NOT_FOUND,),
    ),
}
WEBHOOK = {
    "GET": replace(WEBHOOKS["GET"], reply=WebhookReply, query=(REQUIRED_WEBHOOK_ID,)),
    **{method: WEBHOOKS[method] for method in ("PATCH", "DELETE")},
}
ROTATE = {
    "POST": Operation(
        post_rotate,
        name="rotateWebhookSecret",
        summary="Give a webhook a new secret; for 24 hours the one before signs too",
        body=RotateBody,
        may_lack_body=True,
        reply=SecretWebhookReply,
        query=(REQUIRED_WEBHOOK_ID,),
        errors=_CHANGE_ERRORS,
    )
}
