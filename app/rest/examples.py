"""The reference's own examples, for the OpenAPI document: by operation, then by what they show.

A test sends or reads each of them, so that none goes stale.
"""

from typing import Any

from app.domain.accounts.account import SubscriptionStatus
from app.domain.clock import Period
from app.domain.errors import (
    Error,
    ErrorCode,
    InvalidJson,
    InvalidRequest,
    MediaUnavailable,
    ModelUnavailable,
    PayloadTooLarge,
    PlanRestriction,
    RateLimitExceeded,
    SubscriptionInactive,
)
from app.domain.plans import Plan
from app.rest.rendering import render_error
from app.rest.webhook_examples import WEBHOOK_REPLIES, WEBHOOK_REQUESTS

Examples = dict[str, Any]

_CREATED = "2025-03-15T10:30:00Z"
_TOPICS = ["finance", "engineering", "marketing", "support"]
_QUEUES = ["billing", "technical", "account", "general"]
_TICKETS = "Support Ticket Topics"
_RICH = [
    {
        "name": "billing",
        "description": "Payments, refunds, invoices, subscription charges",
        "examples": ["I was charged twice", "my refund hasnt arrived", "cancel my subscription"],
    },
    {
        "name": "technical",
        "description": "Bugs, errors, API issues, performance problems",
        "examples": ["getting a 500 error", "the API is slow", "login is broken"],
    },
    {
        "name": "account",
        "description": "Profile, password, permissions, 2FA",
        "examples": ["forgot my password", "change my email", "enable two-factor"],
    },
    {"name": "general", "description": "Everything else"},
]
_SCHEMA = {"name": _TICKETS, "type": "text", "mode": "single", "categories": _RICH}
_SAVED = {
    "id": 42, **_SCHEMA, "description": "Routes incoming support tickets to the right team",
    "total_uses": 0, "created_at": _CREATED,
}  # fmt: skip
_JOB = {
    "id": "84", "status": "completed", "input_type": "text",
    "input_preview": "Our server costs doubled...",
    "result": {"label": "finance", "confidence": 0.94},
    "categories": ["finance", "engineering", "marketing"], "schema_id": None,
    "model_used": "classifai-v1", "tokens_used": 124, "prompt_tokens": 124,
    "completion_tokens": 0, "cost": "0", "cached": False, "latency_ms": 218, "created_at": _CREATED,
    "completed_at": _CREATED,
}  # fmt: skip
_WAITING = {
    **_JOB, "status": "pending", "result": None, "model_used": None, "tokens_used": None,
    "prompt_tokens": None, "completion_tokens": None, "cost": "0", "cached": False,
    "latency_ms": None, "completed_at": None,
}  # fmt: skip
_CANCELED = {
    **_WAITING, "status": "failed", "completed_at": _CREATED,
    "error": {"code": "canceled", "message": "The job was canceled."},
}  # fmt: skip
_META = {
    "model": "classifai-v1", "latency_ms": 218, "tokens": 124, "prompt_tokens": 124,
    "completion_tokens": 0, "cost": "0", "cached": False, "mode": "single",
    "confidence_source": "calibrated", "truncated": [], "flags": [],
}  # fmt: skip
_ANSWERED = {"id": "84", "status": "completed", "type": "text"}
_BATCH = {
    "id": "batch_6612abc0f1d2e3a4b5c6d7e8", "status": "completed",
    "results": [
        {"id": "ticket_1001", "status": "completed",
         "result": {"label": "billing", "confidence": 0.97}},
        {"id": "ticket_1002", "status": "completed",
         "result": {"label": "technical", "confidence": 0.93}},
        {"id": "ticket_1003", "status": "completed",
         "result": {"label": "account", "confidence": 0.88}},
    ],
    "meta": {"total": 3, "completed": 3, "failed": 0, "latency_ms": 412},
    "created_at": _CREATED,
}  # fmt: skip
_SETS = {
    "id": _BATCH["id"], "status": "completed", "type": "text",
    "results": [
        {"id": "87", "schema": 42, "name": _TICKETS, "status": "completed",
         "result": {"label": "billing", "confidence": 0.97}},
        {"id": "88", "schema": 57, "name": "Tone", "status": "completed",
         "result": {"label": "angry", "confidence": 0.81}},
    ],
    "meta": {"total": 2, "completed": 2, "failed": 0, "latency_ms": 231},
    "created_at": _CREATED,
}  # fmt: skip
_ACCOUNT = {
    "id": 7, "name": "Acme", "email": "ops@example.com", "plan": "pro", "status": "active",
    "retain_inputs": False, "cache_ttl": None, "default_model": None, "budget": None,
    "created_at": _CREATED,
}  # fmt: skip

REQUESTS: dict[str, Examples] = {
    "classify": {
        "Inline categories": {
            "input": "Our server costs doubled again this quarter.", "categories": _TOPICS,
        },
        "A saved schema, with explanations": {
            "input": "Refund was never processed after 2 weeks.", "schema": 42, "explain": True,
        },
        "Generic labels": {"input": "The sunset over the lake was breathtaking."},
        "An image by its URL": {
            "input": "https://example.com/product-photo.jpg", "type": "image",
            "categories": ["apparel", "electronics", "furniture", "food"],
        },
        "Top 3": {
            "input": "Refund never processed after 2 weeks.", "categories": _QUEUES,
            "mode": "top_n", "top_n": 3, "explain": True,
        },
        "Several saved schemas": {
            "input": "Refund was never processed after 2 weeks.", "schemas": [42, 57],
        },
        "Several lists of categories": {
            "input": "Refund was never processed after 2 weeks.",
            "category_sets": [
                {"name": "topic", "categories": _QUEUES},
                {"name": "tone", "categories": ["angry", "neutral", "friendly"]},
            ],
        },
    },
    "classifyBatch": {
        "Three support tickets": {
            "categories": _QUEUES,
            "mode": "single",
            "items": [
                {"id": "ticket_1001", "input": "I was charged twice for my subscription."},
                {"id": "ticket_1002", "input": "The API keeps returning a 500 error."},
                {"id": "ticket_1003", "input": "How do I change my password?"},
            ],
        },
    },
    "decide": {
        "A choice, a noul and a score": {
            "model": "classifai-v1",
            "state": "I was charged twice for my order last week and nobody has replied.",
            "questions": {
                "route": {
                    "type": "choice",
                    "instructions": "Which team should handle this?",
                    "criteria": {
                        "billing": "Payments, refunds, invoices", "shipping": None,
                        "technical": "Bugs, errors",
                    },
                },
                "angry": {
                    "type": "noul",
                    "instructions": "Is the customer angry?",
                    "criteria": {"true": "Angry, annoyed", "false": "Calm, friendly"},
                },
                "urgency": {
                    "type": "score",
                    "instructions": "How urgent is this?",
                    "criteria": ["It can wait", "This week", "Today", "Right now"],
                },
            },
        },
    },
    "createSchema": {"Rich category objects": _SCHEMA},
    "replaceSchema": {"Rich category objects": _SCHEMA},
    "changeSchema": {"Other categories": {"categories": _QUEUES}},
    "changeAccount": {"Keep whole inputs": {"retain_inputs": True}},
    **WEBHOOK_REQUESTS,
}  # fmt: skip

REPLIES: dict[str, Examples] = {
    "classify": {
        "single": {
            **_ANSWERED,
            "result": {
                "label": "finance", "confidence": 0.94,
                "explanation": "The text discusses quarterly server costs...",
            },
            "meta": _META, "created_at": _CREATED,
        },
        "multi": {
            **_ANSWERED, "id": "85",
            "result": {
                "labels": [
                    {"label": "finance", "confidence": 0.94},
                    {"label": "engineering", "confidence": 0.61},
                    {"label": "marketing", "confidence": 0.22},
                ],
            },
            "meta": {**_META, "mode": "multi", "latency_ms": 231}, "created_at": _CREATED,
        },
        "Several saved schemas": _SETS,
    },
    "classifyBatch": {"Three support tickets": _BATCH},
    "decide": {
        "A choice, a noul and a score": {
            "model": "classifai-v1",
            "answers": {
                "route": {
                    "type": "choice", "choice": "billing",
                    "probabilities": {"billing": 0.92, "shipping": 0.05, "technical": 0.03},
                    "confidence": 0.88,
                },
                "angry": {"type": "noul", "noul": 0.63},
                "urgency": {
                    "type": "score", "score": 1.6,
                    "legend": {
                        "0": "It can wait", "1": "This week", "2": "Today", "3": "Right now",
                    },
                    "probabilities": {"0": 0.1, "1": 0.3, "2": 0.5, "3": 0.1},
                    "confidence": 0.4,
                },
            },
            "usage": {"input_tokens": 48, "output_tokens": 0},
            "id": "batch_6612abc0f1d2e3a4b5c6d7e8",
        },
    },
    "createBatchFile": {
        "dry_run": {
            "dry_run": True, "requests": 2, "remaining_after": 6577, "total": 3, "failed": 1,
            "errors": [
                {"id": "3", "error": {
                    "code": "invalid_request", "message": "Line 3: input: is required",
                }},
            ],
        },
    },
    "getJobs": {
        "One job": _JOB, "A batch": _BATCH, "Several schemas": _SETS,
        "A page of jobs": {"jobs": [_JOB], "total": 1, "limit": 20, "offset": 0},
    },
    "getJobsById": {"One job": _JOB, "A batch": _BATCH, "Several schemas": _SETS},
    "getAccount": {"An account": _ACCOUNT},
    "changeAccount": {"Keep whole inputs": {**_ACCOUNT, "retain_inputs": True}},
    "cancelJob": {"One job": _CANCELED},
    "retryJob": {"One job": _WAITING},
    "getSchemasById": {"One schema": _SAVED},
    "getSchemas": {
        "One schema": _SAVED,
        "A page of schemas": {"schemas": [_SAVED], "total": 1, "limit": 20, "offset": 0},
    },
    "createSchema": {"Rich category objects": _SAVED},
    "replaceSchema": {"Rich category objects": _SAVED},
    "changeSchema": {"Other categories": {**_SAVED, "categories": _QUEUES}},
    "getUsage": {
        "A month on the Starter plan": {
            "period": "2025-03",
            "plan": "starter",
            "limits": {
                "requests": 10000, "resets_at": "2025-04-01T00:00:00Z", "media": True,
                "schemas": 10, "batch_size": 50,
            },
            "usage": {
                "requests": 3421, "remaining": 6579,
                "by_type": {"text": 3200, "image": 221, "audio": 0, "video": 0},
                "tokens": 891234, "cost": "1.46",
                "cost_by_type": {"text": "1.25", "image": "0.21", "audio": "0", "video": "0"},
            },
        },
    },
    **WEBHOOK_REPLIES,
}  # fmt: skip

PROMISES: dict[str, Examples] = {
    "classify": {"async": {"id": "86", "status": "pending"}},
    "classifyBatch": {"async": {"id": _BATCH["id"], "status": "pending"}},
    "createBatchFile": {
        "Three lines": {
            "id": _BATCH["id"],
            "status": "pending",
            "meta": {"total": 3, "completed": 0, "failed": 1, "latency_ms": None},
            "created_at": _CREATED,
        },
    },
}

# What is no JSON: by operation, then by media type.
_TICKET_LINES = """{"id": "ticket_1001", "input": "I was charged twice for my subscription."}
{"id": "ticket_1002", "input": "The API keeps returning a 500 error."}
"""
_TICKET_TABLE = """id,input
ticket_1001,I was charged twice for my subscription.
ticket_1002,"The API keeps returning a 500 error, again."
"""
_RESULT_LINES = (
    '{"id":"ticket_1001","status":"completed","result":{"label":"billing","confidence":0.97}}\n'
    '{"id":"3","status":"failed",'
    '"error":{"code":"invalid_request","message":"Line 3: input: is required"}}\n'
)
RAW_REQUESTS: dict[str, dict[str, Examples]] = {
    "createBatchFile": {
        "text/csv": {"Two support tickets": _TICKET_TABLE},
        "application/jsonl": {"Two support tickets": _TICKET_LINES},
        "multipart/form-data": {
            "Two support tickets": {"file": _TICKET_TABLE, "categories": ",".join(_QUEUES)},
        },
    },
}
RAW_REPLIES: dict[str, dict[str, Examples]] = {
    "getBatchResults": {"application/jsonl": {"One completed, one failed": _RESULT_LINES}},
}

_ERRORS: dict[ErrorCode, Error] = {
    error.error_code: error
    for error in (
        InvalidJson("Request body is not valid JSON."),
        InvalidRequest(("items", 3, "input"), "is required"),
        MediaUnavailable(("input",), "is larger than 20 MB, the limit for an image", lasting=True),
        SubscriptionInactive(Plan.STARTER, SubscriptionStatus.PAST_DUE.value),
        PlanRestriction(
            "schemas",
            required=Plan.STARTER,
            message="Saved schemas are not available on your plan. Upgrade to starter or above.",
        ),
        PayloadTooLarge(33_554_432),
        RateLimitExceeded(limit=100, used=100, period=Period(2025, 3)),
        ModelUnavailable("The model can't answer at the moment. Try again soon.", retry_after=5),
    )
}


def example_of(code: ErrorCode, *, docs: str) -> dict[str, Any]:
    """Return what an error of this code looks like."""
    return render_error(_ERRORS.get(code) or Error(code.meaning, code=code), docs=docs)
