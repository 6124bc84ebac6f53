"""Batches as GraphQL shows them."""

from __future__ import annotations

from typing import Annotated

import strawberry

from app.domain.batches import batch as domain
from app.domain.batches.batch import BatchKind
from app.domain.files.results import count_batch_jobs, page_batch_jobs
from app.domain.jobs.job import Job as DomainJob
from app.domain.jobs.job import JobStatus
from app.graphql.connection import After, Before, First, Last, cursor, load_page, window
from app.graphql.context import Info
from app.graphql.jobs.connection import JobConnection, JobEdge
from app.graphql.jobs.types import Job
from app.graphql.scalars import DateTime


@strawberry.type(description="Counts of a batch.")
class BatchMeta:
    total: int = strawberry.field(description="Items in all.")
    completed: int = strawberry.field(description="Items that completed so far.")
    failed: int = strawberry.field(description="Items that failed so far.")
    latency_ms: int | None = strawberry.field(
        description="Whole milliseconds from request in to results ready; null until then."
    )


@strawberry.type(description="Several classifications asked for at once.")
class Batch:
    id: strawberry.ID = strawberry.field(description="The batch's id, the same as in REST.")
    kind: BatchKind = strawberry.field(description="What was sent.")
    status: JobStatus = strawberry.field(
        description="Where it stands; FAILED when every item failed."
    )
    meta: BatchMeta = strawberry.field(description="Counts.")
    created_at: DateTime = strawberry.field(description="When it was accepted.")
    completed_at: DateTime | None = strawberry.field(
        description="When it ended; null while it runs."
    )

    known: strawberry.Private[tuple[DomainJob, ...] | None]

    @strawberry.field(
        description="Its jobs in the order sent; itemId is the caller's own id. Of a FILE they "
        "are too many: the list is empty; read jobs."
    )
    async def results(self, info: Info) -> list[Job]:
        """Show the jobs; load them, together with those of other batches, if need be."""
        context, jobs = info.context, self.known
        if jobs is None:
            jobs = await context.batch_jobs.load(str(self.id))
        return [Job.of(job, context.services.settings) for job in jobs]

    @strawberry.field(
        description="Its jobs in the order sent, page by page. The lines of a FILE become jobs as "
        "they are taken up."
    )
    async def jobs(
        self,
        info: Info,
        status: Annotated[
            JobStatus | None, strawberry.argument(description="Only those in this status.")
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> JobConnection:
        """Return a page of its jobs."""
        account, batch_id = info.context.paying_account, str(self.id)
        asked = window(first=first, after=after, last=last, before=before)
        page = await load_page(
            asked,
            lambda limit: page_batch_jobs(
                account,
                batch_id,
                status=status,
                limit=limit,
                after=asked.after,
                before=asked.before,
                backward=asked.backward,
            ),
        )
        nodes = [Job.of(row.job, info.context.services.settings) for row in page.rows]
        return JobConnection(
            edges=[
                JobEdge(cursor=cursor(row.id), node=node)
                for row, node in zip(page.rows, nodes, strict=True)
            ],
            nodes=nodes,
            page_info=page.info,
            count=lambda: count_batch_jobs(account, batch_id, status=status),
        )

    @classmethod
    def of(cls, batch: domain.Batch) -> Batch:
        """Show a batch, whether its jobs have been read or not."""
        # Those of a file are no results to list.
        known = batch.jobs or batch.kind is domain.BatchKind.FILE
        return cls(
            id=strawberry.ID(batch.id),
            kind=batch.kind,
            status=batch.status,
            meta=BatchMeta(
                total=batch.total,
                completed=batch.completed,
                failed=batch.failed,
                latency_ms=batch.latency_ms,
            ),
            created_at=DateTime(batch.created_at),
            completed_at=None if batch.completed_at is None else DateTime(batch.completed_at),
            known=batch.jobs if known else None,
        )
