"""The subscription `job`."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import strawberry

from app.domain.jobs.read import no_such_job
from app.domain.jobs.watch import watch_job
from app.graphql.context import Info
from app.graphql.ids import integer_id
from app.graphql.jobs.types import Job


async def follow_job(
    info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The job's id.")]
) -> AsyncGenerator[Job, None]:
    """Yield the job as it is, then at each change of its status."""
    context = info.context
    job_id = integer_id(id)
    if job_id is None:
        raise no_such_job(id)
    async with aclosing(watch_job(context.services, context.caller, job_id)) as jobs:
        async for job in jobs:
            context.forget()
            yield Job.of(job, context.services.settings)
