"""Batches as GraphQL shows them."""

from __future__ import annotations

import strawberry

from app.domain.batches import batch as domain
from app.domain.jobs.job import Job as DomainJob
from app.domain.jobs.job import JobStatus
from app.graphql.context import Info
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
    status: JobStatus = strawberry.field(
        description="Where it stands; FAILED when every item failed."
    )
    meta: BatchMeta = strawberry.field(description="Counts.")
    created_at: DateTime = strawberry.field(description="When it was accepted.")
    completed_at: DateTime | None = strawberry.field(
        description="When it ended; null while it runs."
    )

    jobs: strawberry.Private[tuple[DomainJob, ...] | None]

    @strawberry.field(description="Its jobs in the order sent; itemId is the caller's own id.")
    async def results(self, info: Info) -> list[Job]:
        """Show the jobs; load them, together with those of other batches, if need be."""
        context, jobs = info.context, self.jobs
        if jobs is None:
            jobs = await context.batch_jobs.load(str(self.id))
        return [Job.of(job, context.services.settings) for job in jobs]

    @classmethod
    def of(cls, batch: domain.Batch) -> Batch:
        """Show a batch, whether its jobs have been read or not."""
        # Those of a file are no results to list.
        known = batch.jobs or batch.kind is domain.BatchKind.FILE
        return cls(
            id=strawberry.ID(batch.id),
            status=batch.status,
            meta=BatchMeta(
                total=batch.total,
                completed=batch.completed,
                failed=batch.failed,
                latency_ms=batch.latency_ms,
            ),
            created_at=DateTime(batch.created_at),
            completed_at=None if batch.completed_at is None else DateTime(batch.completed_at),
            jobs=batch.jobs if known else None,
        )
