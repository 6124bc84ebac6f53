"""`createBatchFile`."""

from __future__ import annotations

from typing import Annotated

import strawberry

from app.domain.accounts.account import Account
from app.domain.batches.classify_batch import ClassifiedBatch
from app.domain.errors import ErrorCode
from app.domain.files import file as domain
from app.domain.files.file import MAX_LINES, FileFormat, FileRequest
from app.domain.files.submit import dry_run_file, submit_file
from app.engines.contract import InputType, Mode
from app.graphql.batches.types import Batch
from app.graphql.classification.inputs import CategoryInput, to_categories, to_schema_id
from app.graphql.context import Context, Info
from app.graphql.errors import UserError


@strawberry.input(description="A file of lines to classify, and the settings that they share.")
class CreateBatchFileInput:
    content: str = strawberry.field(description=f"The file itself, up to {MAX_LINES:,} lines.")
    format: FileFormat = strawberry.field(description="How its lines are written.")
    type: InputType | None = strawberry.field(
        default=None, description="The kind of content. Default: the schema's, or TEXT."
    )
    categories: list[CategoryInput] | None = strawberry.field(
        default=None, description="Categories for all lines; left out for generic labels."
    )
    schema_id: strawberry.ID | None = strawberry.field(
        default=None, description="A schema for all lines; wins over categories."
    )
    mode: Mode | None = strawberry.field(
        default=None, description="How many labels. Default: the schema's, or SINGLE."
    )
    top_n: int | None = strawberry.field(
        default=None, description="How many labels in TOP_N: 1 to 10. Default 3."
    )
    threshold: float | None = strawberry.field(
        default=None, description="The least confidence, 0.0 to 1.0. Default 0.0."
    )
    explain: bool | None = strawberry.field(
        default=None, description="Whether to say what drove each label. Default false."
    )
    allow_none: bool | None = strawberry.field(
        default=None,
        description="Whether a line may belong to none of the categories. Default false.",
    )
    min_margin: float | None = strawberry.field(
        default=None,
        description="How far an answer has to be from the next one, 0.0 to 1.0, else it is UNSURE.",
    )
    store: bool | None = strawberry.field(
        default=None,
        description="Whether to keep the previews and explanations. Default true.",
    )
    dry_run: bool | None = strawberry.field(
        default=None,
        description="Whether to only check the file, the plan and the quota and say what would "
        "be counted: nothing is counted or stored. Default false.",
    )

    def to_request(self) -> FileRequest:
        """Hand the values to the domain."""
        return FileRequest(
            # What is no Unicode is refused as a file's bytes would be.
            content=self.content.encode("utf-8", "surrogatepass"),
            format=self.format,
            type=self.type,
            categories=to_categories(self.categories),
            schema=to_schema_id(self.schema_id),
            mode=self.mode,
            top_n=self.top_n,
            threshold=self.threshold,
            explain=self.explain,
            allow_none=self.allow_none,
            min_margin=self.min_margin,
            store=self.store,
        )


@strawberry.type(description="A line of a file that can't be judged.")
class RefusedLine:
    item_id: str = strawberry.field(description="The line's id, or its number.")
    code: ErrorCode = strawberry.field(description="What kind of error.")
    message: str = strawberry.field(description="What is wrong, for people, with its number.")


@strawberry.type(description="What a file would do. Nothing of it was done.")
class FileDryRun:
    requests: int = strawberry.field(description="Requests that would be counted.")
    remaining_after: int | None = strawberry.field(
        description="Requests that would be left of the month's limit; null is unlimited."
    )
    total: int = strawberry.field(description="Lines in all.")
    failed: int = strawberry.field(description="Lines that would fail at once.")
    refused: list[RefusedLine] = strawberry.field(description="The first 100 of these.")

    @classmethod
    def of(cls, dry_run: domain.FileDryRun) -> FileDryRun:
        """Show a dry run."""
        return cls(
            requests=dry_run.requests,
            remaining_after=dry_run.remaining_after,
            total=dry_run.total,
            failed=dry_run.refused,
            refused=[
                RefusedLine(
                    item_id=line.item_id,
                    code=line.error.error_code,
                    message=line.error.message,
                )
                for line in dry_run.first_refused
            ],
        )


@strawberry.type(description="What createBatchFile did.")
class CreateBatchFilePayload:
    batch: Batch | None = strawberry.field(
        description="The batch; null when there are errors, and in a dry run."
    )
    dry_run: FileDryRun | None = strawberry.field(
        description="What the file would do; null unless dryRun was asked for."
    )
    errors: list[UserError] = strawberry.field(description="Why there is no batch.")


async def resolve_create_batch_file(
    info: Info,
    input: Annotated[CreateBatchFileInput, strawberry.argument(description="The file.")],
) -> CreateBatchFilePayload:
    """Promise to classify the lines of a file."""
    context = info.context

    async def verb(_account: Account) -> ClassifiedBatch | domain.FileDryRun:
        services, caller, request = context.services, context.caller, input.to_request()
        if input.dry_run:
            return await dry_run_file(services, caller, request)
        return await submit_file(
            services,
            caller,
            request,
            receipt=lambda batch: context.deed.receipt(batch=batch.id),
        )

    if context.deed.done is not None:
        return await _show(context, context.deed.done)
    done = await context.attempt(verb, acts=not input.dry_run)
    if isinstance(done, list):
        return CreateBatchFilePayload(batch=None, dry_run=None, errors=done)
    if isinstance(done, domain.FileDryRun):
        return CreateBatchFilePayload(batch=None, dry_run=FileDryRun.of(done), errors=[])
    context.used = done.used
    return CreateBatchFilePayload(batch=Batch.of(done.batch), dry_run=None, errors=[])


async def _show(context: Context, done: dict[str, str]) -> CreateBatchFilePayload:
    """Show what an earlier try of the same request did."""
    context.deed.acted = True
    batch = await context.batches.load(done["batch"])
    shown = None if batch is None else Batch.of(batch)
    return CreateBatchFilePayload(batch=shown, dry_run=None, errors=[])
