"""Sound, decoded by PyAV to what speech models hear: one channel, 16,000 samples a second, 16 bits.

Runs in a child.
"""

from collections.abc import Iterator
from typing import BinaryIO

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.container import InputContainer

from app.media.container import MAX_DAMAGED, opened, too_long
from app.media.limits import CHUNK_SAMPLES, MAX_SECONDS, SAMPLE_RATE
from app.media.refusal import Refused

#: Bytes of a sample.
BYTES = 2


def decode(file: BinaryIO, mime: str) -> Iterator[bytes]:
    """Decode the sound of a recording or a video in chunks of `CHUNK_SAMPLES`; the last is shorter.

    Raises:
        Refused: It has no sound, is too long, or is damaged.
    """
    pending = bytearray()
    total = 0
    with opened(file, mime) as container:
        if not container.streams.audio:
            raise Refused("there is no sound in it")
        for piece in _pieces(container):
            pending += piece
            total += len(piece)
            if total > MAX_SECONDS * SAMPLE_RATE * BYTES:
                raise too_long()
            while len(pending) >= CHUNK_SAMPLES * BYTES:
                yield bytes(pending[: CHUNK_SAMPLES * BYTES])
                del pending[: CHUNK_SAMPLES * BYTES]
    if not total:
        raise Refused("no sound in it can be decoded")
    if pending:
        yield bytes(pending)


def _pieces(container: InputContainer) -> Iterator[bytes]:
    resampler = AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
    for frame in _frames(container):
        # Times play no part: a gap or a jump back in them is no reason to fail.
        frame.pts = None
        yield from _samples(resampler, frame)
    yield from _samples(resampler, None)


def _samples(resampler: AudioResampler, frame: AudioFrame | None) -> Iterator[bytes]:
    for resampled in resampler.resample(frame):
        # A plane may be longer than its samples.
        yield bytes(resampled.planes[0])[: resampled.samples * BYTES]


def _frames(container: InputContainer) -> Iterator[AudioFrame]:
    stream = container.streams.audio[0]
    damaged = 0
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            damaged += 1
            if damaged > MAX_DAMAGED:
                raise
            continue
        for frame in frames:
            if isinstance(frame, AudioFrame):
                yield frame
