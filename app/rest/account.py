"""`/account`: the account that the key belongs to."""

from app.domain.accounts.manage import AccountChange, change_account
from app.rest.account_replies import AccountReply
from app.rest.call import Call
from app.rest.operation import Operation
from app.rest.rendering import render_account
from app.rest.reply import Reply
from app.rest.shapes import AccountChangeBody


async def get_account(call: Call) -> Reply:
    """Return the caller's account."""
    return Reply(render_account(call.account))


async def patch_account(call: Call) -> Reply:
    """Change what the body names."""
    body = await call.body(AccountChangeBody)
    change = AccountChange(name=body.name, retain_inputs=body.retain_inputs)
    return Reply(render_account(await change_account(call.account, change)))


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
