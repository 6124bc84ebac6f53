"""`classify`."""

from typing import Annotated

import strawberry

from app.domain.accounts.account import Account
from app.domain.batches.classify_batch import ClassifiedBatch
from app.domain.batches.classify_sets import classify_sets, dry_run_sets
from app.domain.classification import dry_run as domain
from app.domain.classification.classify import Classified, classify
from app.graphql.batches.types import Batch
from app.graphql.classification.dry_run import DryRun
from app.graphql.classification.inputs import ClassifyInput
from app.graphql.context import Context, Info
from app.graphql.errors import UserError
from app.graphql.jobs.types import Job


@strawberry.type(description="What classify did.")
class ClassifyPayload:
    job: Job | None = strawberry.field(
        default=None,
        description="The job; null when there are errors, in a dry run, and with schemaIds or "
        "categorySets.",
    )
    batch: Batch | None = strawberry.field(
        default=None,
        description="The jobs of schemaIds or categorySets, in their order; null without them, "
        "when there are errors, and in a dry run.",
    )
    dry_run: DryRun | None = strawberry.field(
        default=None, description="What the request would do; null unless dryRun was asked for."
    )
    errors: list[UserError] = strawberry.field(
        default_factory=list, description="Why nothing was classified."
    )


async def resolve_classify(
    info: Info,
    input: Annotated[ClassifyInput, strawberry.argument(description="What to classify.")],
) -> ClassifyPayload:
    """Classify one input."""
    context = info.context

    async def verb(_account: Account) -> Classified | ClassifiedBatch | domain.DryRun:
        services, caller = context.services, context.caller
        asked = input.to_sets_request()
        if asked is not None:
            if input.dry_run:
                return await dry_run_sets(services, caller, asked)
            return await classify_sets(
                services,
                caller,
                asked,
                started=context.started,
                receipt=lambda batch: context.deed.receipt(batch=batch.id),
            )
        request = input.to_request()
        if input.dry_run:
            return await domain.dry_run(services, caller, request)
        return await classify(
            services,
            caller,
            request,
            started=context.started,
            receipt=lambda job: context.deed.receipt(job=str(job.id)),
        )

    if context.deed.done is not None:
        return await _show(context, context.deed.done)
    done = await context.attempt(verb, acts=not input.dry_run)
    if isinstance(done, list):
        return ClassifyPayload(errors=done)
    if isinstance(done, domain.DryRun):
        return ClassifyPayload(dry_run=DryRun.of(done))
    context.used = done.used
    settings = context.services.settings
    if isinstance(done, ClassifiedBatch):
        return ClassifyPayload(batch=Batch.of(done.batch))
    return ClassifyPayload(job=Job.of(done.job, settings))


async def _show(context: Context, done: dict[str, str]) -> ClassifyPayload:
    """Show what an earlier try of the same request did."""
    context.deed.acted = True
    settings = context.services.settings
    if "batch" in done:
        batch = await context.batches.load(done["batch"])
        return ClassifyPayload(batch=None if batch is None else Batch.of(batch))
    job = await context.jobs.load(int(done["job"]))
    return ClassifyPayload(job=None if job is None else Job.of(job, settings))
