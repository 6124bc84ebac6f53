"""Jobs as GraphQL shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import strawberry

from app.domain.errors import ErrorCode
from app.domain.jobs import job as domain
from app.domain.jobs.job import JobStatus
from app.domain.jobs.shown_model import shown_model
from app.engines import contract
from app.engines.contract import (
    Basis,
    ConfidenceSource,
    Flag,
    InputType,
    Mode,
    OutcomeKind,
    Truncated,
)
from app.graphql.context import Info
from app.graphql.scalars import DateTime, Dollars
from app.settings import Settings

if TYPE_CHECKING:
    from app.graphql.batches.types import Batch
    from app.graphql.schemas.types import Schema

BatchType = Annotated["Batch", strawberry.lazy("app.graphql.batches.types")]
SchemaType = Annotated["Schema", strawberry.lazy("app.graphql.schemas.types")]


@strawberry.type(description="One label of a result.")
class Label:
    label: str | None = strawberry.field(
        description="The category's name, or a generic label; null for none of the categories, "
        "which only allowNone brings."
    )
    confidence: float = strawberry.field(description="From 0 to 1, rounded to 4 places.")
    explanation: str | None = strawberry.field(
        description="What drove it; null unless explain was asked for."
    )

    @classmethod
    def of(cls, label: contract.Label) -> Label:
        """Show a label."""
        return cls(label=label.label, confidence=label.confidence, explanation=label.explanation)


@strawberry.type(description="What a job found: one shape for every mode.")
class ClassificationResult:
    label: str | None = strawberry.field(
        description="The best label; null when nothing reached the threshold, and when none of "
        "the categories is the best, which only allowNone brings."
    )
    confidence: float | None = strawberry.field(
        description="Its confidence; null when nothing reached the threshold."
    )
    explanation: str | None = strawberry.field(
        description="What drove it; null unless explain was asked for."
    )
    labels: list[Label] = strawberry.field(
        description="All that the mode and the threshold left, best first."
    )
    outcome: OutcomeKind | None = strawberry.field(
        description="What it comes to; null unless allowNone or minMargin was asked for."
    )

    @classmethod
    def of(
        cls, labels: tuple[contract.Label, ...], outcome: OutcomeKind | None
    ) -> ClassificationResult:
        """Show a result."""
        best = labels[0] if labels else None
        return cls(
            label=best.label if best else None,
            confidence=best.confidence if best else None,
            explanation=best.explanation if best else None,
            labels=[Label.of(label) for label in labels],
            outcome=outcome,
        )


@strawberry.type(description="How a result came about.")
class JobMeta:
    model: str | None = strawberry.field(description="The model; null until one has judged.")
    latency_ms: int | None = strawberry.field(
        description="Whole milliseconds from request in to result ready; null until then."
    )
    tokens: int | None = strawberry.field(
        description="Tokens that the model read of the input; null until one has."
    )
    prompt_tokens: int | None = strawberry.field(
        description="Of all tokens, those that were read; null until some were."
    )
    completion_tokens: int | None = strawberry.field(
        description="Of all tokens, those that a model wrote; null until one was asked."
    )
    cost: Dollars | None = strawberry.field(
        description="What the job's models cost so far, those that were asked in vain too. Null "
        "when it is not known; the embedded model costs 0."
    )
    cached: bool = strawberry.field(
        description="Whether the very same task had been answered before, and no model was asked."
    )
    mode: Mode = strawberry.field(description="How many labels were asked for.")
    confidence_source: ConfidenceSource | None = strawberry.field(
        description="Where the confidence comes from; null until there is one."
    )
    truncated: list[Truncated] = strawberry.field(
        description="What the model got only in part, because its context is too small."
    )
    flags: list[Flag] = strawberry.field(description="What is worth knowing of the input.")
    basis: list[Basis] = strawberry.field(
        description="What in an image, a recording or a video the answer rests on; empty for text."
    )


@strawberry.type(description="Why a job failed.")
class JobError:
    code: ErrorCode = strawberry.field(description="What kind of error.")
    message: str = strawberry.field(description="What went wrong, for people.")


@strawberry.type(description="One classification, from acceptance to its end.")
class Job:
    id: strawberry.ID = strawberry.field(description="The job's id, the same as in REST.")
    status: JobStatus = strawberry.field(description="Where it stands.")
    input_type: InputType = strawberry.field(description="The kind of content.")
    input_preview: str | None = strawberry.field(
        description="The input's first 100 characters; null when nothing was to be stored."
    )
    result: ClassificationResult | None = strawberry.field(
        description="What was found; null until the job has completed."
    )
    error: JobError | None = strawberry.field(description="Why it failed; null unless it did.")
    categories: list[str] | None = strawberry.field(
        description="The names it chose from; null for generic labels."
    )
    schema_id: strawberry.ID | None = strawberry.field(
        description="The schema it used; null when it used none."
    )
    model_used: str | None = strawberry.field(description="The model; null until one has judged.")
    tokens_used: int | None = strawberry.field(
        description="Tokens that the model read of the input; null until one has."
    )
    cost: Dollars | None = strawberry.field(
        description="What the job's models cost so far, those that were asked in vain too. Null "
        "when it is not known; the embedded model costs 0."
    )
    latency_ms: int | None = strawberry.field(
        description="Whole milliseconds from request in to result ready; null until then."
    )
    meta: JobMeta = strawberry.field(description="How the result came about.")
    attempts: int = strawberry.field(description="How many times it was started.")
    item_id: str | None = strawberry.field(
        description="Your own id of the item, or the name of the schema or category set that was "
        "one of several; null for a single job and for a set without a name."
    )
    created_at: DateTime = strawberry.field(description="When it was accepted.")
    completed_at: DateTime | None = strawberry.field(
        description="When it ended; null while it runs."
    )
    batch_id: strawberry.Private[str | None]

    @strawberry.field(
        description="The whole input; null unless the account retains inputs and this is one."
    )
    async def input(self, info: Info) -> str | None:
        """Load the input, together with those of other jobs of the request."""
        return await info.context.inputs.load(int(self.id))

    @strawberry.field(description="The batch it belongs to; null outside a batch.")
    async def batch(self, info: Info) -> BatchType | None:
        """Load the batch, together with those of other jobs of the request."""
        from app.graphql.batches.types import Batch  # noqa: PLC0415 - the two refer to each other

        if self.batch_id is None:
            return None
        batch = await info.context.batches.load(self.batch_id)
        return None if batch is None else Batch.of(batch)

    @strawberry.field(
        description="The schema it used, as it is now; null when it used none or that is deleted."
    )
    async def schema(self, info: Info) -> SchemaType | None:
        """Load the schema, together with those of other jobs of the request."""
        from app.graphql.schemas.types import Schema  # noqa: PLC0415 - the two refer to each other

        if self.schema_id is None:
            return None
        schema = await info.context.schemas.load(int(self.schema_id))
        return None if schema is None else Schema.of(schema)

    @classmethod
    def of(cls, job: domain.Job, settings: Settings) -> Job:
        """Show a job."""
        model = shown_model(settings, job)
        error = job.error
        return cls(
            id=strawberry.ID(str(job.id)),
            status=job.status,
            input_type=job.input_type,
            input_preview=job.input_preview,
            result=(
                None if job.labels is None else ClassificationResult.of(job.labels, job.outcome)
            ),
            error=None if error is None else JobError(code=error.code, message=error.message),
            categories=None if job.categories is None else list(job.categories),
            schema_id=None if job.schema_id is None else strawberry.ID(str(job.schema_id)),
            model_used=model,
            tokens_used=job.tokens,
            cost=None if job.cost is None else Dollars(job.cost),
            latency_ms=job.latency_ms,
            meta=JobMeta(
                model=model,
                latency_ms=job.latency_ms,
                tokens=job.tokens,
                prompt_tokens=job.prompt_tokens,
                completion_tokens=job.completion_tokens,
                cost=None if job.cost is None else Dollars(job.cost),
                cached=job.cached,
                mode=job.mode,
                confidence_source=job.confidence_source,
                truncated=list(job.truncated),
                flags=list(job.flags),
                basis=list(job.basis),
            ),
            attempts=job.attempts,
            item_id=job.item_id,
            created_at=DateTime(job.created_at),
            completed_at=None if job.completed_at is None else DateTime(job.completed_at),
            batch_id=job.batch_id,
        )
