"""The subscription `batch`."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import strawberry

from app.domain.batches.watch import watch_batch
from app.graphql.batches.types import Batch
from app.graphql.context import Info


async def follow_batch(
    info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The batch's id.")]
) -> AsyncGenerator[Batch, None]:
    """Yield the batch as it is, then at each progress."""
    context = info.context
    async with aclosing(watch_batch(context.services, context.caller, id)) as batches:
        async for batch in batches:
            context.forget()
            yield Batch.of(batch)
