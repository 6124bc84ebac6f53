"""`classify`."""

from typing import Annotated

import strawberry

from app.domain.accounts.account import Account
from app.domain.classification.classify import Classified, classify
from app.graphql.classification.inputs import ClassifyInput
from app.graphql.context import Info
from app.graphql.errors import UserError
from app.graphql.jobs.types import Job


@strawberry.type(description="What classify did.")
class ClassifyPayload:
    job: Job | None = strawberry.field(description="The job; null when there are errors.")
    errors: list[UserError] = strawberry.field(description="Why there is no job.")


async def resolve_classify(
    info: Info,
    input: Annotated[ClassifyInput, strawberry.argument(description="What to classify.")],
) -> ClassifyPayload:
    """Classify one input."""
    context = info.context

    async def verb(_account: Account) -> Classified:
        return await classify(
            context.services, context.caller, input.to_request(), started=context.started
        )

    done = await context.attempt(verb)
    if isinstance(done, list):
        return ClassifyPayload(job=None, errors=done)
    context.used = done.used
    return ClassifyPayload(job=Job.of(done.job, context.services.settings), errors=[])
