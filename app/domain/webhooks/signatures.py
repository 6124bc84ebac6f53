"""The headers of a delivery: what it is, and who sent it.

Two kinds of signature go with each. Ours is over the body alone, under the present secret. That of
Standard Webhooks (https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/
standard-webhooks.md) is over id, time and body, so that it can't be replayed later; it may hold
several, one for each secret that is valid.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

from app.domain.webhooks.secret import standard_key

SIGNATURE_HEADERS = ("X-ClassifAIly-Signature", "X-ClassifAI-Signature")


def delivery_headers(
    body: bytes, *, delivery_id: str, event: str, secrets: Sequence[str], moment: datetime
) -> dict[str, str]:
    """Return the headers of an attempt that begins at `moment`; the present secret comes first."""
    timestamp = str(int(moment.timestamp()))
    ours = "sha256=" + hmac.new(secrets[0].encode(), body, hashlib.sha256).hexdigest()
    signed = b".".join((delivery_id.encode(), timestamp.encode(), body))
    return {
        "Content-Type": "application/json",
        **dict.fromkeys(SIGNATURE_HEADERS, ours),
        "X-ClassifAIly-Event": event,
        "X-ClassifAIly-Delivery": delivery_id,
        "webhook-id": delivery_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(_standard(secret, signed) for secret in secrets),
    }


def _standard(secret: str, signed: bytes) -> str:
    digest = hmac.new(standard_key(secret), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"
