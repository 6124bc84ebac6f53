"""Images, recordings and videos made on the spot."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.engines.contract import Media

RATE = 16_000
FPS = 10


def scene(seed: int, width: int = 320, height: int = 180) -> Image.Image:
    """A picture of coloured patches, another for each seed."""
    patches = np.random.default_rng(seed).integers(0, 255, (5, 8, 3), dtype=np.uint8)
    return Image.fromarray(patches).resize((width, height), Image.Resampling.BICUBIC)


def tone(seconds: float, rate: int = RATE) -> NDArray[np.int16]:
    """A tone of 440 Hz."""
    at = np.arange(int(seconds * rate)) / rate
    return np.asarray(np.sin(2 * np.pi * 440 * at) * 8000, np.int16)


def save_sound(
    path: Path, samples: NDArray[np.int16], *, codec: str, rate: int = RATE, layout: str = "mono"
) -> Path:
    """Encode samples, the same on each channel."""
    with av.open(path, "w") as container:
        stream = container.add_stream(codec, rate=rate, layout=layout)
        _mux_sound(container, stream, samples)
    return path


def save_video(
    path: Path,
    scenes: list[tuple[Image.Image, float]],
    *,
    codec: str = "libx264",
    gop: int = 250,
    samples: NDArray[np.int16] | None = None,
) -> Path:
    """Encode pictures, each shown for its number of seconds, and samples of sound with them."""
    width, height = scenes[0][0].size
    with av.open(path, "w") as container:
        stream = container.add_stream(codec, rate=FPS)
        stream.width, stream.height, stream.pix_fmt, stream.gop_size = width, height, "yuv420p", gop
        heard = None if samples is None else container.add_stream("aac", rate=RATE, layout="mono")
        at = 0
        for picture, seconds in scenes:
            for _ in range(round(seconds * FPS)):
                frame = av.VideoFrame.from_image(picture)
                frame.pts, frame.time_base = at, Fraction(1, FPS)
                container.mux(stream.encode(frame))
                at += 1
        container.mux(stream.encode(None))
        if samples is not None and heard is not None:
            _mux_sound(container, heard, samples)
    return path


def _mux_sound(
    container: av.container.OutputContainer, stream: av.AudioStream, samples: NDArray[np.int16]
) -> None:
    channels = stream.layout.nb_channels
    for start in range(0, len(samples), 4096):
        piece = np.repeat(samples[start : start + 4096], channels)[None]
        frame = av.AudioFrame.from_ndarray(piece, format="s16", layout=stream.layout.name)
        frame.rate, frame.pts, frame.time_base = stream.rate, start, Fraction(1, stream.rate)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


_MIMES = {
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".avif": "image/avif",
    ".wav": "audio/wav",
    ".mp3": "audio/mpeg",
    ".flac": "audio/flac",
    ".ogg": "audio/ogg",
    ".m4a": "audio/mp4",
    ".aac": "audio/aac",
    ".mp4": "video/mp4",
    ".webm": "video/webm",
    ".mkv": "video/x-matroska",
    ".mov": "video/quicktime",
    ".avi": "video/x-msvideo",
    ".ts": "video/mp2t",
}


def media(path: Path) -> Media:
    """A file with the type of its ending."""
    return Media(path, _MIMES[path.suffix])
