"""Decoding a hostile file in every way that there is, and what it leaves behind."""

import resource
import sys
from pathlib import Path

from app.engines.contract import Media
from app.engines.errors import UnreadableMedia
from app.media.decoder import Decoder
from tests.media.hostile import Hostile


def resident() -> int:
    """Bytes of memory that this process holds, or where that can't be told has ever held."""
    statm = Path("/proc/self/statm")
    if statm.exists():
        return int(statm.read_text().split()[1]) * resource.getpagesize()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def survive(decoder: Decoder, path: Path, file: Hostile) -> list[str]:
    """Decode a file as whatever it might be; return what came of it, one or two answers."""
    path.write_bytes(file.data)
    media = Media(path, file.mime)
    kind = file.mime.partition("/")[0]
    ways = {"image": [_image], "audio": [_sound], "video": [_video, _sound]}[kind]
    answers = []
    for way in ways:
        try:
            answers.append(way(decoder, media))
        except UnreadableMedia as refusal:
            answers.append(str(refusal))
    return answers


def _image(decoder: Decoder, media: Media) -> str:
    return f"{len(decoder.image(media).frames)} frames"


def _video(decoder: Decoder, media: Media) -> str:
    return f"{len(decoder.video(media).moments)} frames"


def _sound(decoder: Decoder, media: Media) -> str:
    with decoder.sound(media) as chunks:
        return f"{sum(len(chunk) for chunk in chunks) / 16_000:.0f} s"
