"""Recordings through the API to the embedded model, and what it can't read."""

import io
import math
import struct
import wave

import pytest

from tests.conftest import Tenant
from tests.inputs.samples import data_uri, some
from tests.inputs.test_inputs import refused


def tone(seconds: float) -> bytes:
    """Return a WAV of a tone at 440 Hz."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setparams((1, 2, 16_000, 0, "NONE", ""))
        samples = (int(9_000 * math.sin(n * 0.1728)) for n in range(int(16_000 * seconds)))
        sound.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    return file.getvalue()


@pytest.mark.timeout(300)
def test_a_recording_is_judged_by_the_embedded_model(tenant: Tenant) -> None:
    body = {"type": "audio", "categories": ["speech", "music"]}
    answer = tenant.client.post(
        "/v1/classify", json={**body, "input": data_uri(tone(2))}, timeout=250
    )
    assert answer.status_code == 200, answer.text
    assert answer.json()["result"]["label"] in {"speech", "music"}
    assert set(answer.json()["meta"]["basis"]) <= {"sound", "transcript"}
    cut = data_uri(some("audio/flac"))
    said = refused(tenant.client.post("/v1/classify", json={**body, "input": cut}, timeout=250))
    assert said.startswith("input: ")
