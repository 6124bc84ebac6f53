"""`batch`."""

from typing import Annotated

import strawberry

from app.domain.batches.batch import is_batch_id
from app.graphql.batches.types import Batch
from app.graphql.context import Info


async def resolve_batch(
    info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The batch's id.")]
) -> Batch | None:
    """Return one batch, or null."""
    batch = await info.context.batches.load(id) if is_batch_id(id) else None
    return None if batch is None else Batch.of(batch)
