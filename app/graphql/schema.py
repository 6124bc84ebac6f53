"""The schema: every operation, put together from the domains' folders."""

from collections.abc import AsyncGenerator

import strawberry

from app.graphql.accounts.types import Account, resolve_viewer
from app.graphql.accounts.update import UpdateAccountPayload, resolve_update_account
from app.graphql.batches.create_file import CreateBatchFilePayload, resolve_create_batch_file
from app.graphql.batches.mutations import (
    CancelBatchPayload,
    RetryBatchPayload,
    resolve_cancel_batch,
    resolve_retry_batch,
)
from app.graphql.batches.query import resolve_batch
from app.graphql.batches.subscription import follow_batch
from app.graphql.batches.types import Batch
from app.graphql.classification.classify import ClassifyPayload, resolve_classify
from app.graphql.classification.classify_batch import (
    ClassifyBatchPayload,
    resolve_classify_batch,
)
from app.graphql.decisions.decide import DecidePayload, resolve_decide
from app.graphql.jobs.connection import JobConnection
from app.graphql.jobs.mutations import (
    CancelJobPayload,
    RetryJobPayload,
    resolve_cancel_job,
    resolve_retry_job,
)
from app.graphql.jobs.queries import resolve_job, resolve_jobs
from app.graphql.jobs.subscription import follow_job
from app.graphql.jobs.types import Job
from app.graphql.keys.mutations import (
    CreateApiKeyPayload,
    RenameApiKeyPayload,
    RevokeApiKeyPayload,
    resolve_create_api_key,
    resolve_rename_api_key,
    resolve_revoke_api_key,
)
from app.graphql.keys.query import resolve_api_keys
from app.graphql.keys.types import ApiKey
from app.graphql.models.query import resolve_models
from app.graphql.models.types import Model
from app.graphql.plans.query import resolve_plans
from app.graphql.plans.types import PlanOffer
from app.graphql.scalars import CONFIG
from app.graphql.schemas.mutations import (
    CreateSchemaPayload,
    DeleteSchemaPayload,
    UpdateSchemaPayload,
    resolve_create_schema,
    resolve_delete_schema,
    resolve_update_schema,
)
from app.graphql.schemas.queries import SchemaConnection, resolve_schema, resolve_schemas
from app.graphql.schemas.types import Schema
from app.graphql.usage.query import resolve_usage
from app.graphql.usage.types import Usage
from app.graphql.webhooks.mutations import (
    CreateWebhookPayload,
    DeleteWebhookPayload,
    RotateWebhookSecretPayload,
    UpdateWebhookPayload,
    resolve_create_webhook,
    resolve_delete_webhook,
    resolve_rotate_webhook_secret,
    resolve_update_webhook,
)
from app.graphql.webhooks.queries import resolve_webhook, resolve_webhooks
from app.graphql.webhooks.sending import (
    RedeliverWebhookPayload,
    TestWebhookPayload,
    resolve_redeliver_webhook,
    resolve_test_webhook,
)
from app.graphql.webhooks.types import Webhook


@strawberry.type(description="What can be read.")
class Query:
    viewer: Account = strawberry.field(
        resolver=resolve_viewer, description="The account that the key belongs to."
    )
    job: Job | None = strawberry.field(
        resolver=resolve_job,
        description="One job; null when there is none, it is another account's, or older than "
        "the plan's history.",
    )
    jobs: JobConnection = strawberry.field(
        resolver=resolve_jobs, description="The account's jobs, newest first."
    )
    batch: Batch | None = strawberry.field(
        resolver=resolve_batch,
        description="One batch; null when there is none, it is another account's, or older than "
        "the plan's history.",
    )
    schema: Schema | None = strawberry.field(
        resolver=resolve_schema,
        description="One schema; null when there is none, or it is another account's.",
    )
    schemas: SchemaConnection = strawberry.field(
        resolver=resolve_schemas, description="The account's schemas, newest first."
    )
    usage: Usage = strawberry.field(
        resolver=resolve_usage, description="A month's usage against the plan's limits."
    )
    models: list[Model] = strawberry.field(
        resolver=resolve_models,
        description="The models that accounts may choose, in the operator's order; empty when "
        "there is no choice.",
    )
    plans: list[PlanOffer] = strawberry.field(
        resolver=resolve_plans, description="Every plan and what it allows, cheapest first."
    )
    webhooks: list[Webhook] = strawberry.field(
        resolver=resolve_webhooks, description="The account's webhooks, newest first."
    )
    webhook: Webhook | None = strawberry.field(
        resolver=resolve_webhook,
        description="One webhook; null when there is none, or it is another account's.",
    )
    api_keys: list[ApiKey] = strawberry.field(
        resolver=resolve_api_keys,
        description="The account's API keys, newest first, revoked ones too.",
    )


@strawberry.type(description="What can be done.")
class Mutation:
    classify: ClassifyPayload = strawberry.field(
        resolver=resolve_classify,
        description="Classify one input, once or against several schemas or category sets; each "
        "counts as one request, all or none.",
    )
    classify_batch: ClassifyBatchPayload = strawberry.field(
        resolver=resolve_classify_batch,
        description="Classify several inputs; each counts as one request, all or none.",
    )
    decide: DecidePayload = strawberry.field(
        resolver=resolve_decide,
        description="Answer typed questions about one text, with a probability for every option; "
        "each counts as one request, all or none.",
    )
    create_batch_file: CreateBatchFilePayload = strawberry.field(
        resolver=resolve_create_batch_file,
        description="Classify the lines of a file, without waiting. Each line that can be judged "
        "counts as one request, all or none; the others have failed at once.",
    )
    cancel_job: CancelJobPayload = strawberry.field(
        resolver=resolve_cancel_job,
        description="Cancel a job that was asked for with async and has not ended. Its quota is "
        "given back.",
    )
    retry_job: RetryJobPayload = strawberry.field(
        resolver=resolve_retry_job,
        description="Try a failed job again that was asked for with async, within a day. It "
        "counts as a new request.",
    )
    cancel_batch: CancelBatchPayload = strawberry.field(
        resolver=resolve_cancel_batch,
        description="Cancel what has not ended of a batch that was asked for with async. The "
        "quota for it is given back.",
    )
    retry_batch: RetryBatchPayload = strawberry.field(
        resolver=resolve_retry_batch,
        description="Try the failed jobs of a batch again that was asked for with async, within a "
        "day. Each counts as a new request, all or none.",
    )
    update_account: UpdateAccountPayload = strawberry.field(
        resolver=resolve_update_account, description="Change the account that the key belongs to."
    )
    create_schema: CreateSchemaPayload = strawberry.field(
        resolver=resolve_create_schema, description="Save a set of categories."
    )
    update_schema: UpdateSchemaPayload = strawberry.field(
        resolver=resolve_update_schema,
        description="Change a schema. What past jobs show stays.",
    )
    delete_schema: DeleteSchemaPayload = strawberry.field(
        resolver=resolve_delete_schema,
        description="Delete a schema. Its jobs stay readable.",
    )
    create_webhook: CreateWebhookPayload = strawberry.field(
        resolver=resolve_create_webhook, description="Register an endpoint."
    )
    update_webhook: UpdateWebhookPayload = strawberry.field(
        resolver=resolve_update_webhook,
        description="Change a webhook, or switch it on or off.",
    )
    delete_webhook: DeleteWebhookPayload = strawberry.field(
        resolver=resolve_delete_webhook, description="Delete a webhook with its log."
    )
    rotate_webhook_secret: RotateWebhookSecretPayload = strawberry.field(
        resolver=resolve_rotate_webhook_secret,
        description="Give a webhook a new secret. For 24 hours the one before signs too.",
    )
    test_webhook: TestWebhookPayload = strawberry.field(
        resolver=resolve_test_webhook,
        description="Send a sample of an event, marked with test: true.",
    )
    redeliver_webhook: RedeliverWebhookPayload = strawberry.field(
        resolver=resolve_redeliver_webhook,
        description="Send one delivery again, or all since a time, under the same ids.",
    )
    create_api_key: CreateApiKeyPayload = strawberry.field(
        resolver=resolve_create_api_key, description="Make an API key."
    )
    rename_api_key: RenameApiKeyPayload = strawberry.field(
        resolver=resolve_rename_api_key, description="Rename an API key."
    )
    revoke_api_key: RevokeApiKeyPayload = strawberry.field(
        resolver=resolve_revoke_api_key,
        description="Revoke an API key: the next request with it is refused.",
    )


@strawberry.type(
    description="What can be followed: over WebSocket (graphql-transport-ws), or over HTTP with "
    "Accept: text/event-stream. Each begins with the present state, so whoever was cut off "
    "subscribes again."
)
class Subscription:
    job: AsyncGenerator[Job, None] = strawberry.subscription(
        resolver=follow_job,
        description="A job as it is, then at each change of its status, until it has ended.",
    )
    batch: AsyncGenerator[Batch, None] = strawberry.subscription(
        resolver=follow_batch,
        description="A batch as it is, then at each progress, until it has ended.",
    )


SCHEMA = strawberry.Schema(query=Query, mutation=Mutation, subscription=Subscription, config=CONFIG)
