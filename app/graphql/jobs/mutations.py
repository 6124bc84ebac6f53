"""`cancelJob`, `retryJob`."""

from typing import Annotated

import strawberry

from app.domain.accounts.account import Account
from app.domain.jobs.cancel import cancel_job
from app.domain.jobs.job import Job as DomainJob
from app.domain.jobs.read import no_such_job
from app.domain.jobs.retry import retry_job
from app.graphql.context import Info
from app.graphql.errors import UserError
from app.graphql.ids import integer_id
from app.graphql.jobs.types import Job


@strawberry.input(description="A job to cancel.")
class CancelJobInput:
    id: strawberry.ID = strawberry.field(description="Which job: one asked for with async.")


@strawberry.input(description="A job to try again.")
class RetryJobInput:
    id: strawberry.ID = strawberry.field(description="Which job: one that failed.")


@strawberry.type(description="What cancelJob did.")
class CancelJobPayload:
    job: Job | None = strawberry.field(
        description="The job, FAILED with the code CANCELED; null when there are errors."
    )
    errors: list[UserError] = strawberry.field(description="Why it was not canceled.")


@strawberry.type(description="What retryJob did.")
class RetryJobPayload:
    job: Job | None = strawberry.field(
        description="The job, waiting again; null when there are errors."
    )
    errors: list[UserError] = strawberry.field(description="Why it is not tried again.")


async def resolve_cancel_job(
    info: Info, input: Annotated[CancelJobInput, strawberry.argument(description="Which job.")]
) -> CancelJobPayload:
    """Cancel a job; its quota is given back."""
    context = info.context

    async def verb(account: Account) -> DomainJob:
        return await cancel_job(context.services, account, _job_id(input.id))

    job = await context.attempt(verb)
    if isinstance(job, list):
        return CancelJobPayload(job=None, errors=job)
    await context.recount()
    return CancelJobPayload(job=Job.of(job, context.services.settings), errors=[])


async def resolve_retry_job(
    info: Info, input: Annotated[RetryJobInput, strawberry.argument(description="Which job.")]
) -> RetryJobPayload:
    """Try a failed job again; it counts anew."""
    context = info.context

    async def verb(account: Account) -> DomainJob:
        return await retry_job(context.services, account, _job_id(input.id))

    job = await context.attempt(verb)
    if isinstance(job, list):
        return RetryJobPayload(job=None, errors=job)
    await context.recount()
    return RetryJobPayload(job=Job.of(job, context.services.settings), errors=[])


def _job_id(value: strawberry.ID) -> int:
    job_id = integer_id(value)
    if job_id is None:
        raise no_such_job(value)
    return job_id
