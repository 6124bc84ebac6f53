"""Examples of `/webhooks`, for the OpenAPI document."""

from typing import Any

_CREATED = "2025-03-15T10:30:00Z"
_URL = "https://example.com/hooks/classifaily"
_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDgE2mZ6bM"  # noqa: S105 - an example
_WEBHOOK = {
    "id": 7, "url": _URL, "events": ["*"], "active": True, "disabled_reason": None,
    "failing_since": None, "previous_secret_until": None, "created_at": _CREATED,
    "updated_at": _CREATED,
}  # fmt: skip
_EVENT = {
    "event": "job.completed", "id": "84", "result": {"label": "finance", "confidence": 0.94},
    "type": "text", "schema": 42, "timestamp": _CREATED,
}  # fmt: skip
_DELIVERY = {
    "id": "dlv_0f1e2d3c4b5a69788796a5b4", "event": "job.completed", "status": "delivered",
    "payload": _EVENT,
    "attempts": [
        {"attempted_at": _CREATED, "duration_ms": 87, "status_code": 200, "response": "ok",
         "error": None},
    ],
    "next_attempt_at": None, "created_at": _CREATED, "completed_at": _CREATED,
}  # fmt: skip

WEBHOOK_REQUESTS: dict[str, dict[str, Any]] = {
    "createWebhook": {
        "All events": {"url": _URL},
        "Some events, a secret of your own": {
            "url": _URL, "events": ["job.failed", "batch.completed"], "secret": "correct horse",
        },
    },
    "changeWebhook": {
        "Other events": {"events": ["batch.completed"]},
        "Switch it on again": {"active": True},
    },
    "rotateWebhookSecret": {"A generated secret": {}},
    "testWebhook": {"A test": {}, "A sample of an event": {"event": "job.completed"}},
    "redeliverWebhook": {
        "One delivery": {"delivery": _DELIVERY["id"]},
        "What failed since a time": {"since": _CREATED, "failed_only": True},
    },
}  # fmt: skip

WEBHOOK_REPLIES: dict[str, dict[str, Any]] = {
    "getWebhooks": {
        "One webhook": _WEBHOOK,
        "A page of webhooks": {"webhooks": [_WEBHOOK], "total": 1, "limit": 20, "offset": 0},
    },
    "getWebhooksById": {"One webhook": _WEBHOOK},
    "createWebhook": {"All events": {**_WEBHOOK, "secret": _SECRET}},
    "changeWebhook": {"Other events": {**_WEBHOOK, "events": ["batch.completed"]}},
    "rotateWebhookSecret": {
        "A generated secret": {
            **_WEBHOOK, "previous_secret_until": "2025-03-16T10:30:00Z", "secret": _SECRET,
        },
    },
    "testWebhook": {
        "A sample of an event": {
            **_DELIVERY, "status": "pending", "payload": {**_EVENT, "test": True}, "attempts": [],
            "next_attempt_at": _CREATED, "completed_at": None,
        },
    },
    "getWebhookDeliveries": {
        "A page of deliveries": {"deliveries": [_DELIVERY], "total": 1, "limit": 20, "offset": 0},
    },
    "redeliverWebhook": {"What failed since a time": {"redelivered": 3}},
}  # fmt: skip
