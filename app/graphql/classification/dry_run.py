"""What a request would do, as GraphQL shows it."""

from __future__ import annotations

import strawberry

from app.domain.classification import dry_run as domain
from app.domain.classification.admission import Admitted
from app.engines.contract import InputType, Mode


@strawberry.type(description="A job that a request would make.")
class PlannedJob:
    input_type: InputType = strawberry.field(description="The kind of content.")
    mode: Mode = strawberry.field(description="How many labels it would ask for.")
    categories: list[str] | None = strawberry.field(
        description="The names it would choose from; null for generic labels."
    )
    schema_id: strawberry.ID | None = strawberry.field(
        description="The schema it would use; null when it would use none."
    )
    item_id: str | None = strawberry.field(
        description="Your own id of the item, or the name of the schema or category set that is "
        "one of several; null for a single job and for a set without a name."
    )

    @classmethod
    def of(cls, planned: Admitted) -> PlannedJob:
        """Show a planned job."""
        names = planned.category_names
        schema_id = planned.schema_id
        return cls(
            input_type=planned.task.input_type,
            mode=planned.task.mode,
            categories=None if names is None else list(names),
            schema_id=None if schema_id is None else strawberry.ID(str(schema_id)),
            item_id=planned.item_id,
        )


@strawberry.type(description="What a request would do. Nothing of it was done.")
class DryRun:
    requests: int = strawberry.field(description="Requests that would be counted.")
    remaining_after: int | None = strawberry.field(
        description="Requests that would be left of the month's limit; null is unlimited."
    )
    jobs: list[PlannedJob] = strawberry.field(description="The jobs that it would make, in order.")

    @classmethod
    def of(cls, dry_run: domain.DryRun) -> DryRun:
        """Show a dry run."""
        return cls(
            requests=len(dry_run.jobs),
            remaining_after=dry_run.remaining_after,
            jobs=[PlannedJob.of(planned) for planned in dry_run.jobs],
        )
