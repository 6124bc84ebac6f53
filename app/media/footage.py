"""Videos, decoded by PyAV to a few frames that show what there is to see. Runs in a child.

Encoders put a key frame where a scene begins, and each can be decoded by itself. So key frames are
the candidates, evenly spread ones of many; the frames between them are decoded only in a short
video with few of them. Of the candidates half are taken evenly over the time, the others where the
picture changes most.
"""

import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import BinaryIO

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import Image

from app.media.container import MAX_DAMAGED, opened, too_long
from app.media.limits import LONG_SIDE, MAX_PIXELS, MAX_SECONDS, MAX_VIDEO_FRAMES
from app.media.pictures import Pixels
from app.media.refusal import Refused

_CANDIDATES = 3 * MAX_VIDEO_FRAMES
#: With fewer key frames the frames between are looked at, for at most so many seconds.
_FEW_KEYS = 6
_WALK_S = 1.5
_LEAST_GAP_S = 0.25
_SKETCH = (16, 9)
#: Mean difference of sketches, of 255, below which a frame shows nothing new.
_SAME = 2.0
_TURNS = {
    90: Image.Transpose.ROTATE_90,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_270,
}


@dataclass(frozen=True, slots=True)
class Moment:
    """A frame and its time from the start, in seconds."""

    seconds: float
    pixels: Pixels


@dataclass(frozen=True, slots=True)
class _Candidate:
    seconds: float
    image: Image.Image
    sketch: bytes


def decode(file: BinaryIO, mime: str) -> tuple[list[Moment], dict[str, object]]:
    """Decode up to `MAX_VIDEO_FRAMES` frames of a video, in the order of time.

    Returns them with its length in `seconds`, as far as it is known, and `has_sound`.

    Raises:
        Refused: It has no pictures, is too large or too long, or is damaged.
    """
    with opened(file, mime) as container:
        stream = _stream(container)
        duration = max(container.duration or 0, 0) / av.time_base
        has_sound = bool(container.streams.audio)
        keys = _key_times(container, stream)
    candidates: list[_Candidate] = []
    if len(keys) < _FEW_KEYS:
        file.seek(0)
        with opened(file, mime) as container:
            candidates += _walked(container, gap=duration / _CANDIDATES)
    file.seek(0)
    with opened(file, mime) as container:
        since = candidates[-1].seconds if candidates else -1.0
        candidates += _keyed(container, _spread(keys, _CANDIDATES), since=since)
    if not candidates:
        raise Refused("no picture in it can be decoded")
    moments = [Moment(c.seconds, _pixels(c.image)) for c in _choose(candidates)]
    seconds = max(candidates[-1].seconds, duration)
    return moments, {"seconds": seconds, "has_sound": has_sound}


def _stream(container: InputContainer) -> VideoStream:
    if not container.streams.video:
        raise Refused("there are no pictures in it")
    stream = container.streams.video[0]
    if stream.width * stream.height > MAX_PIXELS:
        raise Refused(
            f"the video has {stream.width} × {stream.height} pixels: at most "
            f"{MAX_PIXELS // 1_000_000} million are allowed"
        )
    stream.codec_context.thread_count = 1
    return stream


def _key_times(container: InputContainer, stream: VideoStream) -> list[int]:
    """Return the times of the key frames in units of the stream, without decoding any."""
    times: list[int] = []
    for packet in container.demux(stream):
        if not packet.is_keyframe or packet.pts is None:
            continue
        times.append(packet.pts)
        if stream.time_base and (packet.pts - times[0]) * stream.time_base > MAX_SECONDS:
            raise too_long()
    return times


def _keyed(container: InputContainer, chosen: Sequence[int], *, since: float) -> list[_Candidate]:
    """Decode the key frames of these times that come after `since`."""
    stream = _stream(container)
    wanted = set(chosen)
    found: list[_Candidate] = []
    for packet in container.demux(stream):
        if not packet.is_keyframe or packet.pts not in wanted:
            continue
        with contextlib.suppress(av.error.InvalidDataError):
            # A key frame needs no other: what the decoder still waits for is of no interest.
            frames = [*packet.decode(), *stream.codec_context.decode(None)]
            found += [_candidate(frame, stream) for frame in frames[:1]]
        stream.codec_context.flush_buffers()
    return [candidate for candidate in found if candidate.seconds > since]


def _walked(container: InputContainer, *, gap: float) -> list[_Candidate]:
    """Decode frame after frame for a while; keep those that are `gap` seconds apart."""
    stream = _stream(container)
    stream.codec_context.skip_frame = "NONREF"
    until = time.process_time() + _WALK_S
    found: list[_Candidate] = []
    damaged = 0
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            damaged += 1
            if damaged > MAX_DAMAGED:
                break
            continue
        for frame in frames:
            if not found or _seconds(frame, stream) >= found[-1].seconds + max(gap, _LEAST_GAP_S):
                found.append(_candidate(frame, stream))
        if time.process_time() > until or len(found) >= _CANDIDATES:
            break
    return found


def _candidate(frame: VideoFrame, stream: VideoStream) -> _Candidate:
    scale = min(1.0, LONG_SIDE / max(frame.width, frame.height))
    width, height = (max(round(side * scale), 1) for side in (frame.width, frame.height))
    image: Image.Image = frame.to_image(width=width, height=height)  # type: ignore[no-untyped-call]
    # Degrees against the clock, from the note that phones leave.
    turn = _TURNS.get(round(frame.rotation) % 360)
    image = image if turn is None else image.transpose(turn)
    sketch = image.resize(_SKETCH, Image.Resampling.BOX).tobytes()
    return _Candidate(_seconds(frame, stream), image, sketch)


def _seconds(frame: VideoFrame, stream: VideoStream) -> float:
    # The frame's own time is only set where it came straight from a packet.
    if frame.pts is None or stream.time_base is None:
        return 0.0
    return max(float((frame.pts - (stream.start_time or 0)) * stream.time_base), 0.0)


def _choose(candidates: list[_Candidate]) -> list[_Candidate]:
    """Return up to `MAX_VIDEO_FRAMES`, in the order of time, none like the one before it."""
    changes = [255.0] + [_difference(a, b) for a, b in pairwise(candidates)]
    places = list(range(len(candidates)))
    chosen = set(_spread(places, MAX_VIDEO_FRAMES // 2))
    for place in sorted(places, key=lambda place: -changes[place]):
        if len(chosen) >= MAX_VIDEO_FRAMES:
            break
        chosen.add(place)
    frames: list[_Candidate] = []
    for place in sorted(chosen):
        if not frames or _difference(frames[-1], candidates[place]) >= _SAME:
            frames.append(candidates[place])
    return frames


def _difference(one: _Candidate, other: _Candidate) -> float:
    pairs = zip(one.sketch, other.sketch, strict=True)
    return sum(abs(a - b) for a, b in pairs) / len(one.sketch)


def _spread(items: Sequence[int], count: int) -> list[int]:
    """Return `count` evenly spread ones of many, the first among them."""
    if len(items) <= count:
        return list(items)
    return [items[place * len(items) // count] for place in range(count)]


def _pixels(image: Image.Image) -> Pixels:
    return Pixels(image.width, image.height, image.tobytes())
