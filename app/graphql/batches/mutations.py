"""`cancelBatch`, `retryBatch`."""

from typing import Annotated

import strawberry

from app.domain.accounts.account import Account
from app.domain.batches.batch import Batch as DomainBatch
from app.domain.batches.cancel import cancel_batch
from app.domain.batches.retry import retry_batch
from app.graphql.batches.types import Batch
from app.graphql.context import Info
from app.graphql.errors import UserError


@strawberry.input(description="A batch to cancel.")
class CancelBatchInput:
    id: strawberry.ID = strawberry.field(description="Which batch: one asked for with async.")


@strawberry.input(description="A batch to try again.")
class RetryBatchInput:
    id: strawberry.ID = strawberry.field(description="Which batch: one with failed jobs.")


@strawberry.type(description="What cancelBatch did.")
class CancelBatchPayload:
    batch: Batch | None = strawberry.field(
        description="The batch, ended: what had not ended before FAILED with the code CANCELED. "
        "Null when there are errors."
    )
    errors: list[UserError] = strawberry.field(description="Why it was not canceled.")


@strawberry.type(description="What retryBatch did.")
class RetryBatchPayload:
    batch: Batch | None = strawberry.field(
        description="The batch, whose failed jobs wait again; null when there are errors."
    )
    errors: list[UserError] = strawberry.field(description="Why it is not tried again.")


async def resolve_cancel_batch(
    info: Info,
    input: Annotated[CancelBatchInput, strawberry.argument(description="Which batch.")],
) -> CancelBatchPayload:
    """Cancel what is left of a batch; the quota for it is given back."""
    context = info.context

    async def verb(account: Account) -> DomainBatch:
        return await cancel_batch(context.services, account, input.id)

    batch = await context.attempt(verb)
    if isinstance(batch, list):
        return CancelBatchPayload(batch=None, errors=batch)
    await context.recount()
    return CancelBatchPayload(batch=Batch.of(batch), errors=[])


async def resolve_retry_batch(
    info: Info,
    input: Annotated[RetryBatchInput, strawberry.argument(description="Which batch.")],
) -> RetryBatchPayload:
    """Try the failed jobs of a batch again; each counts anew, all or none."""
    context = info.context

    async def verb(account: Account) -> DomainBatch:
        return await retry_batch(context.services, account, input.id)

    batch = await context.attempt(verb)
    if isinstance(batch, list):
        return RetryBatchPayload(batch=None, errors=batch)
    await context.recount()
    return RetryBatchPayload(batch=Batch.of(batch), errors=[])
