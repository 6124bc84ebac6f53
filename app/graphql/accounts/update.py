"""`updateAccount`."""

from typing import Annotated

import strawberry

from app.domain.accounts.manage import AccountChange, change_account
from app.graphql.accounts.types import Account
from app.graphql.context import Info
from app.graphql.errors import UserError


@strawberry.input(description="What to change of the account; what is left out stays.")
class UpdateAccountInput:
    name: str | None = strawberry.field(
        default=None, description="What to call it; up to 200 characters."
    )
    retain_inputs: bool | None = strawberry.field(
        default=None,
        description="Whether to keep whole inputs with their jobs, as long as these. Nothing is "
        "kept of requests with store: false. Turning it off deletes what was kept.",
    )


@strawberry.type(description="What updateAccount did.")
class UpdateAccountPayload:
    account: Account | None = strawberry.field(
        description="The account as it is now; null when there are errors."
    )
    errors: list[UserError] = strawberry.field(description="Why it was not changed.")


async def resolve_update_account(
    info: Info,
    input: Annotated[UpdateAccountInput, strawberry.argument(description="What to change.")],
) -> UpdateAccountPayload:
    """Change what the input names."""
    change = AccountChange(name=input.name, retain_inputs=input.retain_inputs)
    changed = await info.context.attempt(lambda account: change_account(account, change))
    if isinstance(changed, list):
        return UpdateAccountPayload(account=None, errors=changed)
    return UpdateAccountPayload(account=Account.of(changed), errors=[])
