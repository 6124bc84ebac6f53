"""`decide`."""

from collections.abc import Sequence
from typing import Annotated

import strawberry

from app.domain.accounts.account import Account
from app.domain.batches.classify_batch import ClassifiedBatch
from app.domain.decisions.decide import decide
from app.domain.jobs import job as domain
from app.graphql.batches.types import Batch
from app.graphql.context import Context, Info
from app.graphql.decisions.inputs import DecideInput
from app.graphql.decisions.types import Answer
from app.graphql.errors import UserError


@strawberry.type(description="What decide did.")
class DecidePayload:
    answers: list[Answer] = strawberry.field(
        default_factory=list,
        description="The answers in the order of the questions; empty when there are errors. Of a "
        "question that could not be answered, the job has the error; it is not counted.",
    )
    batch: Batch | None = strawberry.field(
        default=None,
        description="The questions' jobs, in their order; null when there are errors.",
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why nothing was answered."
    )


async def resolve_decide(
    info: Info,
    input: Annotated[DecideInput, strawberry.argument(description="What to answer.")],
) -> DecidePayload:
    """Answer typed questions about one text."""
    context = info.context

    async def verb(_account: Account) -> ClassifiedBatch:
        return await decide(
            context.services,
            context.caller,
            input.to_request(),
            started=context.started,
            receipt=lambda batch: context.deed.receipt(batch=batch.id),
        )

    if context.deed.done is not None:
        return await _show(context, input, context.deed.done)
    done = await context.attempt(verb)
    if isinstance(done, list):
        return DecidePayload(errors=done)
    context.used = done.used
    return _payload(context, input, Batch.of(done.batch), done.batch.jobs)


async def _show(context: Context, input: DecideInput, done: dict[str, str]) -> DecidePayload:
    """Show what an earlier try of the same request did."""
    context.deed.acted = True
    batch = await context.batches.load(done["batch"])
    if batch is None:
        return DecidePayload()
    return _payload(context, input, Batch.of(batch), await context.batch_jobs.load(batch.id))


def _payload(
    context: Context,
    input: DecideInput,
    batch: Batch,
    jobs: Sequence[domain.Job],
) -> DecidePayload:
    pairs = zip(input.to_request().questions, jobs, strict=True)
    settings = context.services.settings
    return DecidePayload(
        answers=[Answer.of(asked, job, settings) for asked, job in pairs], batch=batch
    )
