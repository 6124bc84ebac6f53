"""What a worker has to know of a job, as the text that is stored with it."""

from collections.abc import Sequence
from dataclasses import replace

import msgspec

from app.domain.classification.admission import Admitted
from app.engines.contract import InputType
from app.storage.ledger.records import LeasedJob

_decoder = msgspec.json.Decoder(Admitted)


def dump_payload(admitted: Admitted) -> str:
    """Write a task and its options as JSON; without content it is a template of many."""
    return msgspec.json.encode(admitted).decode()


def load_payloads(jobs: Sequence[LeasedJob]) -> list[Admitted]:
    """Read what was written for jobs; a template that several share is read once."""
    templates: dict[str, Admitted] = {}
    return [_load(job, templates) for job in jobs]


def _load(job: LeasedJob, templates: dict[str, Admitted]) -> Admitted:
    if job.template is None:
        return _decoder.decode(job.payload)
    if job.template not in templates:
        templates[job.template] = _decoder.decode(job.template)
    admitted = templates[job.template]
    task = replace(admitted.task, content=job.payload, input_type=InputType(job.input_type))
    return replace(admitted, task=task)
