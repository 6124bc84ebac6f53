"""What a worker has to know of a job, as the text that is stored with it."""

from dataclasses import dataclass

import msgspec

from app.domain.classification.admission import Admitted
from app.observability.context import request_id
from app.observability.tracing import traceparent


@dataclass(frozen=True, slots=True)
class Payload:
    """The task and its options, and which request asked for it: for logs and traces."""

    admitted: Admitted
    request_id: str | None = None
    traceparent: str | None = None


_decoder = msgspec.json.Decoder(Payload)


def dump_payload(admitted: Admitted) -> str:
    """Write a task that the request under way asks for."""
    payload = Payload(admitted, request_id.get(), traceparent())
    return msgspec.json.encode(payload).decode()


def load_payload(text: str) -> Payload:
    """Read what `dump_payload` wrote."""
    return _decoder.decode(text)
