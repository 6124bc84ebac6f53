"""Sample payloads for trying an endpoint: each is marked `"test": true`."""

from datetime import datetime
from typing import Any

import msgspec

from app.domain.clock import to_iso
from app.domain.webhooks.webhook import WebhookEvent

_RESULT = {"label": "finance", "confidence": 0.94}
_ERROR = {"code": "model_unavailable", "message": "No model could answer."}
_MEMBERS: dict[WebhookEvent, dict[str, Any]] = {
    WebhookEvent.WEBHOOK_TEST: {},
    WebhookEvent.JOB_COMPLETED: {"id": "84", "result": _RESULT, "type": "text", "schema": 42},
    WebhookEvent.JOB_FAILED: {"id": "85", "error": _ERROR, "type": "text", "schema": None},
    WebhookEvent.BATCH_COMPLETED: {
        "id": "batch_6612abc",
        "status": "completed",
        "results": [
            {"id": "ticket_1001", "status": "completed", "result": _RESULT},
            {"id": "ticket_1002", "status": "failed", "error": _ERROR},
        ],
        "meta": {"total": 2, "completed": 1, "failed": 1, "latency_ms": 412},
    },
}


def sample_payload(event: WebhookEvent, *, moment: datetime) -> str:
    """Return the JSON of a sample of an event."""
    body = {"event": event, **_MEMBERS[event], "timestamp": to_iso(moment), "test": True}
    return msgspec.json.encode(body).decode()
