"""`updateAccount`."""

from typing import Annotated

import strawberry

from app.domain.accounts.manage import AccountChange, change_account
from app.domain.unchanged import UNCHANGED
from app.graphql.accounts.types import Account
from app.graphql.context import Info
from app.graphql.errors import UserError
from app.graphql.schemas.types import MODEL


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
    cache_ttl: int | None = strawberry.field(
        default=None,
        description="For how many seconds answers are kept for exact repeats, up to a week; these "
        "are then answered without asking a model, and counted. 0 turns that off. Not of requests "
        "with store: false, nor of media by URL.",
    )
    default_model: str | None = strawberry.field(
        default=strawberry.UNSET, description=f"{MODEL} Null leaves it to the server."
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
    change = AccountChange(
        name=input.name,
        retain_inputs=input.retain_inputs,
        cache_ttl=input.cache_ttl,
        default_model=(
            UNCHANGED if input.default_model is strawberry.UNSET else input.default_model
        ),
    )
    settings = info.context.services.settings
    changed = await info.context.attempt(lambda account: change_account(settings, account, change))
    if isinstance(changed, list):
        return UpdateAccountPayload(account=None, errors=changed)
    return UpdateAccountPayload(account=Account.of(changed), errors=[])
