"""What a worker has to know of a job, as the text that is stored with it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from app.domain.classification.admission import Admitted
from app.engines.contract import InputType
from app.observability.context import request_id
from app.observability.tracing import traceparent
from app.storage.ledger.records import LeasedJob


@dataclass(frozen=True, slots=True)
class Payload:
    """The task and its options, and which request asked for it: for logs and traces."""

    admitted: Admitted
    request_id: str | None = None
    traceparent: str | None = None


_decoder = msgspec.json.Decoder(Payload)


def dump_payload(admitted: Admitted) -> str:
    """Write a task that the request under way asks for; without content, a template of many."""
    payload = Payload(admitted, request_id.get(), traceparent())
    return msgspec.json.encode(payload).decode()


def load_payload(text: str) -> Payload:
    """Read what `dump_payload` wrote."""
    return _decoder.decode(text)


def load_payloads(jobs: Sequence[LeasedJob]) -> list[Payload]:
    """Read what was written for jobs; a template that several share is read once."""
    templates: dict[str, Payload] = {}
    return [_load(job, templates) for job in jobs]


def _load(job: LeasedJob, templates: dict[str, Payload]) -> Payload:
    if job.template is None:
        return load_payload(job.payload)
    if job.template not in templates:
        templates[job.template] = load_payload(job.template)
    payload = templates[job.template]
    admitted = payload.admitted
    task = replace(admitted.task, content=job.payload, input_type=InputType(job.input_type))
    return replace(payload, admitted=replace(admitted, task=task))
