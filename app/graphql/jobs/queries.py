"""`job` and `jobs`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from app.domain.jobs import read
from app.domain.jobs.job import JobStatus
from app.domain.jobs.read import JobFilter as DomainFilter
from app.engines.contract import InputType
from app.graphql.connection import (
    After,
    Before,
    First,
    Last,
    cursor,
    load_page,
    window,
)
from app.graphql.context import Info
from app.graphql.ids import integer_id
from app.graphql.jobs.connection import JobConnection, JobEdge
from app.graphql.jobs.types import Job
from app.graphql.scalars import DateTime


@strawberry.input(description="Which jobs. What is left out does not restrict.")
class JobFilter:
    status: JobStatus | None = strawberry.field(default=None, description="In this status.")
    input_type: InputType | None = strawberry.field(default=None, description="Of this type.")
    created_after: DateTime | None = strawberry.field(
        default=None, description="Accepted then or later."
    )
    created_before: DateTime | None = strawberry.field(
        default=None, description="Accepted before then."
    )


async def resolve_job(
    info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="The job's id.")]
) -> Job | None:
    """Return one job, or null."""
    job_id = integer_id(id)
    job = None if job_id is None else await info.context.jobs.load(job_id)
    return None if job is None else Job.of(job, info.context.services.settings)


async def resolve_jobs(
    info: Info,
    filter: Annotated[JobFilter | None, strawberry.argument(description="Which jobs.")] = None,
    first: First = None,
    after: After = None,
    last: Last = None,
    before: Before = None,
) -> JobConnection:
    """Return a page of jobs."""
    account = info.context.paying_account
    asked = window(first=first, after=after, last=last, before=before)
    which = (
        DomainFilter()
        if filter is None
        else DomainFilter(
            status=filter.status,
            input_type=filter.input_type,
            created_after=filter.created_after,
            created_before=filter.created_before,
        )
    )
    page = await load_page(
        asked,
        lambda limit: read.page_jobs(
            account,
            which,
            limit=limit,
            after=asked.after,
            before=asked.before,
            backward=asked.backward,
        ),
    )
    nodes = [Job.of(job, info.context.services.settings) for job in page.rows]
    return JobConnection(
        edges=[
            JobEdge(cursor=cursor(row.id), node=node)
            for row, node in zip(page.rows, nodes, strict=True)
        ],
        nodes=nodes,
        page_info=page.info,
        count=lambda: read.count_jobs(account, which),
    )
