"""The domain's enumerations as GraphQL shows them: SCREAMING_SNAKE, each value described.

Types and inputs name the domain's classes. Importing this module tells Strawberry what these are;
the package does so first, because Strawberry would otherwise register them bare.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

from app.domain.accounts.account import SubscriptionStatus
from app.domain.batches.batch import BatchKind
from app.domain.errors import ErrorCode
from app.domain.files.file import FileFormat
from app.domain.jobs.job import JobStatus
from app.domain.plans import Plan
from app.domain.schemas.schema import SchemaType
from app.domain.webhooks.webhook import (
    DeliveryStatus,
    DisabledReason,
    WebhookEvent,
    WebhookTopic,
)
from app.engines.contract import (
    Basis,
    ConfidenceSource,
    Flag,
    InputType,
    Mode,
    OutcomeKind,
    QuestionKind,
    Truncated,
)

E = TypeVar("E", bound=StrEnum)


def _show(source: type[E], *, description: str, values: Mapping[E, str]) -> None:
    """Register an enumeration; every value must be described."""
    strawberry.enum(source, description=description)
    definition: StrawberryEnumDefinition = source.__strawberry_definition__  # type: ignore[attr-defined]
    for value in definition.values:
        value.description = values[source[value.name]]


_show(
    Plan,
    description="A plan, cheapest first.",
    values={
        Plan.FREE: "100 requests a month, text, generic labels.",
        Plan.STARTER: "10,000 requests a month, images, own categories, 10 schemas.",
        Plan.PRO: "100,000 requests a month, all input types, webhooks.",
        Plan.ENTERPRISE: "Unlimited requests.",
    },
)
_show(
    SubscriptionStatus,
    description="The standing of a subscription. Only ACTIVE may use a paid plan.",
    values={
        SubscriptionStatus.ACTIVE: "Paid, or on the free plan.",
        SubscriptionStatus.PAST_DUE: "A payment is late.",
        SubscriptionStatus.CANCELED: "It was ended.",
    },
)
_show(
    InputType,
    description="The kind of content.",
    values={
        InputType.TEXT: "Text.",
        InputType.IMAGE: "A picture, by URL or data URI.",
        InputType.AUDIO: "A recording, by URL or data URI.",
        InputType.VIDEO: "A video, by URL or data URI.",
    },
)
_show(
    SchemaType,
    description="The kind of content that a schema is for.",
    values={
        SchemaType.TEXT: "Text only.",
        SchemaType.IMAGE: "Images only.",
        SchemaType.AUDIO: "Audio only.",
        SchemaType.VIDEO: "Video only.",
        SchemaType.ANY: "Any kind.",
    },
)
_show(
    Mode,
    description="How many labels an answer holds.",
    values={
        Mode.SINGLE: "The best label.",
        Mode.MULTI: "Every label judged on its own, those above the threshold.",
        Mode.TOP_N: "The best few of a distribution that sums to 1.",
    },
)
_show(
    QuestionKind,
    description="What kind of answer a question has.",
    values={
        QuestionKind.CHOICE: "One of several options.",
        QuestionKind.SCORE: "A place on a scale of ordered levels.",
        QuestionKind.NOUL: "Whether something holds.",
    },
)
_show(
    JobStatus,
    description="Where a job or a batch stands.",
    values={
        JobStatus.PENDING: "Accepted, not started.",
        JobStatus.PROCESSING: "Running.",
        JobStatus.COMPLETED: "Ended with a result.",
        JobStatus.FAILED: "Ended with an error; its quota was given back.",
    },
)
_show(
    OutcomeKind,
    description="What a result comes to, for a caller that allowed none of the categories or "
    "wanted a margin.",
    values={
        OutcomeKind.MATCHED: "A category fits.",
        OutcomeKind.NONE_OF_THE_ABOVE: "SINGLE and TOP_N: none of the categories is the most "
        "likely. MULTI: no category reaches the threshold, and none is more likely than not.",
        OutcomeKind.UNSURE: "The margin is below minMargin, or the best is below the threshold: "
        "for a person to decide.",
    },
)
_show(
    BatchKind,
    description="What was sent as a batch.",
    values={
        BatchKind.BATCH: "Items in a request.",
        BatchKind.SETS: "One input for several schemas or sets of categories.",
        BatchKind.FILE: "A file of lines.",
    },
)
_show(
    FileFormat,
    description="How the lines of a file are written, in UTF-8.",
    values={
        FileFormat.CSV: "A header with a column input or text, and maybe id and type.",
        FileFormat.JSONL: "A JSON object a line, as an item of REST's batch.",
    },
)
_show(
    ConfidenceSource,
    description="Where a confidence comes from.",
    values={
        ConfidenceSource.CALIBRATED: "Fitted on labelled data.",
        ConfidenceSource.MEASURED: "The model's token probabilities.",
        ConfidenceSource.SELF_REPORTED: "The model said so.",
    },
)
_show(
    Truncated,
    description="What a model may get only in part.",
    values={
        Truncated.INPUT: "The input: parts of it were left out.",
        Truncated.CATEGORIES: "The categories: examples were left out, then descriptions.",
    },
)
_show(
    Flag,
    description="What is worth knowing of an input beside its label.",
    values={
        Flag.INSTRUCTIONS: "It gives orders to the model, which are not followed.",
    },
)
_show(
    Basis,
    description="What in an image, a recording or a video an answer rests on.",
    values={
        Basis.PIXELS: "What an image looks like.",
        Basis.OCR: "The text in an image or in frames.",
        Basis.TRANSCRIPT: "What is said.",
        Basis.SOUND: "What a recording sounds like, speech or not.",
        Basis.FRAMES: "What frames of a video look like.",
    },
)
_show(
    WebhookTopic,
    description="What a webhook can be subscribed to.",
    values={
        WebhookTopic.ALL: "All that follow, and what later releases add.",
        WebhookTopic.JOB_COMPLETED: "A job ended with a result; not those of batches.",
        WebhookTopic.JOB_FAILED: "A job ended with an error; not those of batches.",
        WebhookTopic.BATCH_COMPLETED: "Every item of a batch has ended.",
    },
)
_show(
    WebhookEvent,
    description="What a delivery tells.",
    values={
        WebhookEvent.JOB_COMPLETED: "A job ended with a result.",
        WebhookEvent.JOB_FAILED: "A job ended with an error.",
        WebhookEvent.BATCH_COMPLETED: "Every item of a batch has ended.",
        WebhookEvent.WEBHOOK_TEST: "A test was asked for.",
    },
)
_show(
    DisabledReason,
    description="Why the server switched a webhook off.",
    values={
        DisabledReason.GONE: "It answered 410.",
        DisabledReason.FAILING: "It did not answer well once in 5 days.",
    },
)
_show(
    DeliveryStatus,
    description="Where a delivery stands.",
    values={
        DeliveryStatus.PENDING: "It waits for its next attempt.",
        DeliveryStatus.DELIVERING: "It is under way.",
        DeliveryStatus.DELIVERED: "The endpoint answered with a status from 200 to 299.",
        DeliveryStatus.FAILED: "Every attempt failed, or the webhook was switched off.",
    },
)
_show(
    ErrorCode,
    description="The code of an error: REST's codes in upper case.",
    values={code: code.meaning for code in ErrorCode},
)
