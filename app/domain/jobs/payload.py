"""What a worker has to know of a job, as the text that is stored with it."""

import msgspec

from app.domain.classification.admission import Admitted

_decoder = msgspec.json.Decoder(Admitted)


def dump_payload(admitted: Admitted) -> str:
    """Write a task and its options as JSON."""
    return msgspec.json.encode(admitted).decode()


def load_payload(text: str) -> Admitted:
    """Read what `dump_payload` wrote."""
    return _decoder.decode(text)
