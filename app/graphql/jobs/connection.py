"""Lists of jobs."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import strawberry

from app.graphql.connection import PageInfo
from app.graphql.jobs.types import Job


@strawberry.type(description="A job in a list.")
class JobEdge:
    cursor: str = strawberry.field(description="Where it stands in the list.")
    node: Job = strawberry.field(description="The job.")


@strawberry.type(description="A page of jobs.")
class JobConnection:
    edges: list[JobEdge] = strawberry.field(description="The jobs with their cursors.")
    nodes: list[Job] = strawberry.field(description="The jobs.")
    page_info: PageInfo = strawberry.field(description="Where the page stands.")
    count: strawberry.Private[Callable[[], Awaitable[int]]]

    @strawberry.field(description="How many there are in all; counted when asked for.")
    async def total_count(self) -> int:
        """Count."""
        return await self.count()
