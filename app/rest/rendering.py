"""From the domain's values to the shapes of the contract."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from app.domain.accounts.account import Account
from app.domain.batches.batch import Batch, BatchKind
from app.domain.budget import BudgetStanding
from app.domain.classification.admission import Admitted
from app.domain.classification.dry_run import DryRun
from app.domain.clock import to_iso
from app.domain.errors import Error
from app.domain.files.file import FileDryRun
from app.domain.jobs.job import Job, JobStatus
from app.domain.jobs.result import result_of
from app.domain.jobs.shown_model import shown_model
from app.domain.models.allowed import AllowedModel
from app.domain.money import to_dollars
from app.domain.plans import Limits, Plan
from app.domain.schemas.schema import Schema
from app.domain.usage.usage import Usage
from app.engines.contract import Basis, Category, InputType
from app.rest import account_replies, replies, sets_replies
from app.settings import Settings


def render_error(error: Error, *, docs: str) -> dict[str, Any]:
    """Render `{"error": {"code", "message", "docs", …}}`."""
    body: dict[str, Any] = {"code": error.error_code.value, "message": error.message, "docs": docs}
    body.update({detail.name: detail.value for detail in error.details})
    return {"error": body}


def render_result(job: Job) -> dict[str, Any] | None:
    """Render a completed job's result in the shape of its mode."""
    return None if job.labels is None else result_of(job.mode, job.labels, job.outcome)


def render_classification(job: Job, settings: Settings) -> replies.ClassifyReply:
    """Render the answer to `POST /classify`."""
    return replies.ClassifyReply(
        id=str(job.id),
        status=job.status,
        type=job.input_type,
        result=render_result(job),
        meta=replies.MetaReply(
            model=shown_model(settings, job),
            latency_ms=job.latency_ms,
            tokens=job.tokens,
            prompt_tokens=job.prompt_tokens,
            completion_tokens=job.completion_tokens,
            cost=None if job.cost is None else to_dollars(job.cost),
            cached=job.cached,
            mode=job.mode,
            confidence_source=job.confidence_source,
            truncated=list(job.truncated),
            flags=list(job.flags),
            basis=_render_basis(job),
        ),
        created_at=to_iso(job.created_at),
    )


def render_promise(promised_id: str) -> replies.PromiseReply:
    """Render the 202 of a job or a batch that somebody will do."""
    return replies.PromiseReply(id=promised_id, status=JobStatus.PENDING)


def render_dry_run(dry_run: DryRun) -> replies.DryRunReply:
    """Render what a classification would be."""
    (planned,) = dry_run.jobs
    return replies.DryRunReply(
        dry_run=True,
        requests=len(dry_run.jobs),
        remaining_after=dry_run.remaining_after,
        type=planned.task.input_type,
        mode=planned.task.mode,
        categories=planned.category_names,
        schema_id=planned.schema_id,
    )


def render_batch_dry_run(dry_run: DryRun) -> replies.BatchDryRunReply:
    """Render what a batch would be."""
    return replies.BatchDryRunReply(
        dry_run=True,
        requests=len(dry_run.jobs),
        remaining_after=dry_run.remaining_after,
        items=[_render_planned(planned) for planned in dry_run.jobs],
    )


def render_file_dry_run(dry_run: FileDryRun) -> replies.FileDryRunReply:
    """Render what a file would be."""
    return replies.FileDryRunReply(
        dry_run=True,
        requests=dry_run.requests,
        remaining_after=dry_run.remaining_after,
        total=dry_run.total,
        failed=dry_run.refused,
        errors=[
            replies.RefusedLineReply(
                id=line.item_id,
                error=replies.ItemErrorReply(line.error.error_code.value, line.error.message),
            )
            for line in dry_run.first_refused
        ],
    )


def _render_planned(planned: Admitted) -> replies.DryRunItemReply:
    return replies.DryRunItemReply(
        id=planned.item_id or "",
        type=planned.task.input_type,
        mode=planned.task.mode,
        categories=planned.category_names,
        schema_id=planned.schema_id,
    )


def render_sets_dry_run(dry_run: DryRun) -> sets_replies.SetsDryRunReply:
    """Render what an input against several schemas or sets would be."""
    return sets_replies.SetsDryRunReply(
        dry_run=True,
        requests=len(dry_run.jobs),
        remaining_after=dry_run.remaining_after,
        type=dry_run.jobs[0].task.input_type,
        results=[
            sets_replies.SetDryRunReply(
                schema=planned.schema_id,
                name=planned.item_id,
                mode=planned.task.mode,
                categories=planned.category_names,
            )
            for planned in dry_run.jobs
        ],
    )


def render_job(job: Job, settings: Settings, *, content: str | None = None) -> replies.JobReply:
    """Render the job object; `content` is the whole input, where it is retained."""
    return replies.JobReply(
        id=str(job.id),
        status=job.status,
        input_type=job.input_type,
        input_preview=job.input_preview,
        result=render_result(job),
        categories=None if job.categories is None else list(job.categories),
        schema_id=job.schema_id,
        model_used=shown_model(settings, job),
        tokens_used=job.tokens,
        prompt_tokens=job.prompt_tokens,
        completion_tokens=job.completion_tokens,
        cost=None if job.cost is None else to_dollars(job.cost),
        cached=job.cached,
        latency_ms=job.latency_ms,
        created_at=to_iso(job.created_at),
        completed_at=None if job.completed_at is None else to_iso(job.completed_at),
        error=_render_job_error(job),
        basis=_render_basis(job),
        input=UNSET if content is None else content,
    )


def _render_basis(job: Job) -> list[Basis] | msgspec.UnsetType:
    return list(job.basis) if job.basis else UNSET


def _render_job_error(job: Job) -> replies.ItemErrorReply | msgspec.UnsetType:
    if job.error is None:
        return UNSET
    return replies.ItemErrorReply(code=job.error.code.value, message=job.error.message)


def render_batch(batch: Batch) -> replies.BatchReply | sets_replies.SetsReply:
    """Render a batch, with its results once it has ended."""
    # The results of a file are too many for one answer.
    ended = batch.kind is not BatchKind.FILE and batch.completed_at is not None
    if batch.kind is BatchKind.SETS:
        return sets_replies.SetsReply(
            id=batch.id,
            status=batch.status,
            type=batch.jobs[0].input_type,
            results=[_render_set(job) for job in batch.jobs] if ended else UNSET,
            meta=_render_batch_meta(batch),
            created_at=to_iso(batch.created_at),
        )
    return replies.BatchReply(
        id=batch.id,
        status=batch.status,
        results=[_render_item(job) for job in batch.jobs] if ended else UNSET,
        meta=_render_batch_meta(batch),
        created_at=to_iso(batch.created_at),
    )


def _render_batch_meta(batch: Batch) -> replies.BatchMetaReply:
    return replies.BatchMetaReply(
        total=batch.total,
        completed=batch.completed,
        failed=batch.failed,
        latency_ms=batch.latency_ms,
    )


def _render_set(job: Job) -> sets_replies.SetReply:
    result = render_result(job)
    return sets_replies.SetReply(
        id=str(job.id),
        schema=job.schema_id,
        name=job.item_id,
        status=job.status,
        result=UNSET if result is None else result,
        error=_render_job_error(job),
        basis=_render_basis(job),
    )


def _render_item(job: Job) -> replies.BatchItemReply:
    result = render_result(job)
    return replies.BatchItemReply(
        id=job.item_id or str(job.id),
        status=job.status,
        result=UNSET if result is None else result,
        error=_render_job_error(job),
        basis=_render_basis(job),
    )


def render_schema(schema: Schema) -> replies.SchemaReply:
    """Render a schema."""
    return replies.SchemaReply(
        id=schema.id,
        name=schema.name,
        description=schema.description,
        categories=render_categories(schema.categories),
        type=schema.type,
        mode=schema.mode,
        model=UNSET if schema.model is None else schema.model,
        total_uses=schema.total_uses,
        created_at=to_iso(schema.created_at),
    )


def render_categories(categories: Sequence[Category]) -> list[str | replies.CategoryReply]:
    """Render categories: all as names when none has more than that, else all as objects."""
    if not any(category.description or category.examples for category in categories):
        return [category.name for category in categories]
    return [_render_category(category) for category in categories]


def _render_category(category: Category) -> replies.CategoryReply:
    return replies.CategoryReply(
        name=category.name,
        description=UNSET if category.description is None else category.description,
        examples=list(category.examples) or UNSET,
    )


def render_usage(usage: Usage) -> account_replies.UsageReply:
    """Render `GET /usage`."""
    return account_replies.UsageReply(
        period=str(usage.period),
        plan=usage.plan,
        limits=account_replies.UsageLimitsReply(
            requests=usage.limits.requests,
            resets_at=to_iso(usage.period.end),
            media=usage.limits.media,
            schemas=usage.limits.schemas,
            batch_size=usage.limits.batch_size,
        ),
        usage=account_replies.UsageCountsReply(
            requests=usage.requests,
            remaining=usage.remaining,
            by_type=account_replies.UsageByTypeReply(
                **{kind.value: count for kind, count in usage.by_type.items()}
            ),
            tokens=usage.tokens,
            cost=to_dollars(usage.cost),
            cost_by_type=account_replies.CostByTypeReply(
                **{kind.value: to_dollars(cost) for kind, cost in usage.cost_by_type.items()}
            ),
        ),
    )


def render_account(account: Account, budget: BudgetStanding | None) -> account_replies.AccountReply:
    """Render an account."""
    return account_replies.AccountReply(
        id=account.id,
        name=account.name,
        email=account.email,
        plan=account.plan,
        status=account.subscription_status,
        retain_inputs=account.retain_inputs,
        cache_ttl=account.cache_ttl,
        default_model=account.default_model,
        budget=None
        if budget is None
        else account_replies.BudgetReply(
            limit=to_dollars(budget.limit),
            used=to_dollars(budget.used),
            remaining=to_dollars(budget.remaining),
            resets_at=to_iso(budget.resets_at),
        ),
        created_at=to_iso(account.created_at),
    )


def render_plan(plan: Plan, limits: Limits) -> account_replies.PlanReply:
    """Render a plan of `GET /plans`."""
    return account_replies.PlanReply(
        plan=plan,
        requests=limits.requests,
        batch_size=limits.batch_size,
        batch_files=limits.batch_files,
        input_types=[kind for kind in InputType if kind in limits.input_types],
        custom_categories=limits.custom_categories,
        schemas=limits.schemas,
        api_keys=limits.api_keys,
        webhooks=limits.webhooks,
        history_days=None if limits.history is None else limits.history.days,
        explain=limits.explain,
        async_jobs=limits.async_jobs,
    )


def render_model(model: AllowedModel) -> account_replies.ModelReply:
    """Render a model of `GET /models`."""
    return account_replies.ModelReply(
        name=model.name,
        input_types=list(model.input_types),
        confidence_source=model.confidence_source,
        default_for=list(model.default_for),
    )
