"""`classifyBatch`."""

from typing import Annotated

import strawberry

from app.domain.accounts.account import Account
from app.domain.batches.batch import BatchItemRequest, BatchRequest
from app.domain.batches.classify_batch import ClassifiedBatch, classify_batch
from app.domain.batches.dry_run import dry_run_batch
from app.domain.classification import dry_run as domain
from app.engines.contract import InputType, Mode
from app.graphql.batches.types import Batch
from app.graphql.classification.dry_run import DryRun
from app.graphql.classification.inputs import CategoryInput, to_categories, to_schema_id
from app.graphql.context import Info
from app.graphql.errors import UserError


@strawberry.input(description="One item of a batch; what it leaves out is as the batch says.")
class BatchItemInput:
    input: str = strawberry.field(description="The content.")
    id: str | None = strawberry.field(
        default=None, description="Your own id, echoed as itemId. Default: the item's index."
    )
    type: InputType | None = strawberry.field(default=None, description="The kind of content.")
    categories: list[CategoryInput] | None = strawberry.field(
        default=None, description="Categories of its own."
    )
    schema_id: strawberry.ID | None = strawberry.field(
        default=None, description="A schema of its own; wins over categories."
    )


@strawberry.input(description="Several inputs, and the settings that they share.")
class ClassifyBatchInput:
    items: list[BatchItemInput] = strawberry.field(
        description="What to classify, up to the plan's batch size."
    )
    type: InputType | None = strawberry.field(default=None, description="The kind of content.")
    categories: list[CategoryInput] | None = strawberry.field(
        default=None, description="Categories for all items."
    )
    schema_id: strawberry.ID | None = strawberry.field(
        default=None, description="A schema for all items; wins over categories."
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
        description="Whether it may belong to none of the categories: the result gets an outcome, "
        "and a distribution is over the categories and none. Default false.",
    )
    min_margin: float | None = strawberry.field(
        default=None,
        description="How far the answer has to be from the next one, 0.0 to 1.0, else its outcome "
        "is UNSURE: in SINGLE and TOP_N between the first two confidences, in MULTI between each "
        "category's confidence and the threshold, or 0.5 when that is 0.",
    )
    run_async: bool | None = strawberry.field(
        name="async",
        default=None,
        description="Whether to answer at once, with the results to come. Default false.",
    )
    store: bool | None = strawberry.field(
        default=None,
        description="Whether to keep the previews and explanations. Default true.",
    )
    dry_run: bool | None = strawberry.field(
        default=None,
        description="Whether to only check the request, the plan and the quota and say what would "
        "be counted: nothing is counted, stored or shown to a model. Default false.",
    )

    def to_request(self) -> BatchRequest:
        """Hand the values to the domain."""
        return BatchRequest(
            items=[
                BatchItemRequest(
                    input=item.input,
                    id=item.id,
                    type=item.type,
                    categories=to_categories(item.categories),
                    schema=to_schema_id(item.schema_id),
                )
                for item in self.items
            ],
            type=self.type,
            categories=to_categories(self.categories),
            schema=to_schema_id(self.schema_id),
            mode=self.mode,
            top_n=self.top_n,
            threshold=self.threshold,
            explain=self.explain,
            allow_none=self.allow_none,
            min_margin=self.min_margin,
            run_async=self.run_async,
            store=self.store,
        )


@strawberry.type(description="What classifyBatch did.")
class ClassifyBatchPayload:
    batch: Batch | None = strawberry.field(
        description="The batch; null when there are errors, and in a dry run."
    )
    dry_run: DryRun | None = strawberry.field(
        description="What the batch would do; null unless dryRun was asked for."
    )
    errors: list[UserError] = strawberry.field(description="Why there is no batch.")


async def resolve_classify_batch(
    info: Info,
    input: Annotated[ClassifyBatchInput, strawberry.argument(description="What to classify.")],
) -> ClassifyBatchPayload:
    """Classify several inputs."""
    context = info.context

    async def verb(_account: Account) -> ClassifiedBatch | domain.DryRun:
        services, caller, request = context.services, context.caller, input.to_request()
        if input.dry_run:
            return await dry_run_batch(services, caller, request)
        return await classify_batch(services, caller, request, started=context.started)

    done = await context.attempt(verb)
    if isinstance(done, list):
        return ClassifyBatchPayload(batch=None, dry_run=None, errors=done)
    if isinstance(done, domain.DryRun):
        return ClassifyBatchPayload(batch=None, dry_run=DryRun.of(done), errors=[])
    context.used = done.used
    batch = Batch.of(done.batch)
    return ClassifyBatchPayload(batch=batch, dry_run=None, errors=[])
