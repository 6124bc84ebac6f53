"""`classify`."""

from typing import Annotated

import strawberry

from app.domain.accounts.account import Account
from app.domain.classification import dry_run as domain
from app.domain.classification.classify import Classified, classify
from app.graphql.classification.dry_run import DryRun
from app.graphql.classification.inputs import ClassifyInput
from app.graphql.context import Info
from app.graphql.errors import UserError
from app.graphql.jobs.types import Job


@strawberry.type(description="What classify did.")
class ClassifyPayload:
    job: Job | None = strawberry.field(
        description="The job; null when there are errors, and in a dry run."
    )
    dry_run: DryRun | None = strawberry.field(
        description="What the request would do; null unless dryRun was asked for."
    )
    errors: list[UserError] = strawberry.field(description="Why there is no job.")


async def resolve_classify(
    info: Info,
    input: Annotated[ClassifyInput, strawberry.argument(description="What to classify.")],
) -> ClassifyPayload:
    """Classify one input."""
    context = info.context

    async def verb(_account: Account) -> Classified | domain.DryRun:
        services, caller, request = context.services, context.caller, input.to_request()
        if input.dry_run:
            return await domain.dry_run(services, caller, request)
        return await classify(services, caller, request, started=context.started)

    done = await context.attempt(verb)
    if isinstance(done, list):
        return ClassifyPayload(job=None, dry_run=None, errors=done)
    if isinstance(done, domain.DryRun):
        return ClassifyPayload(job=None, dry_run=DryRun.of(done), errors=[])
    context.used = done.used
    return ClassifyPayload(job=Job.of(done.job, context.services.settings), dry_run=None, errors=[])
