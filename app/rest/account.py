"""`/account`: the account that the key belongs to."""

from msgspec import UnsetType

from app.domain.accounts.manage import AccountChange, change_account
from app.domain.budget import get_standing
from app.domain.unchanged import UNCHANGED
from app.rest.account_replies import AccountReply
from app.rest.call import Call
from app.rest.operation import Operation
from app.rest.rendering import render_account
from app.rest.reply import Reply
from app.rest.shapes import AccountChangeBody


async def get_account(call: Call) -> Reply:
    """Return the caller's account."""
    return Reply(render_account(call.account, await get_standing(call.account)))


async def patch_account(call: Call) -> Reply:
    """Change what the body names."""
    body = await call.body(AccountChangeBody)
    change = AccountChange(
        name=body.name,
        retain_inputs=body.retain_inputs,
        cache_ttl=body.cache_ttl,
        default_model=UNCHANGED
        if isinstance(body.default_model, UnsetType)
        else body.default_model,
    )
    account = await change_account(call.services.settings, call.account, change)
    return Reply(render_account(account, await get_standing(account)))


ACCOUNT = {
    "GET": Operation(
        get_account, name="getAccount", summary="The account of the key", reply=AccountReply
    ),
    "PATCH": Operation(
        patch_account,
        name="changeAccount",
        summary="Change a part of the account",
        body=AccountChangeBody,
        reply=AccountReply,
    ),
}
