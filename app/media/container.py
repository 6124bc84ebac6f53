"""Files of sound and pictures opened by PyAV. Runs in a child."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import av
import av.audio.codeccontext
import av.audio.stream
import av.subtitles.codeccontext
import av.subtitles.stream
import av.video.codeccontext
import av.video.stream
from av.container import InputContainer

from app.media.formats import CONTAINERS
from app.media.limits import MAX_SECONDS
from app.media.refusal import Refused

#: PyAV would look for these when it meets a stream: they are imported before no file can be opened.
LOADED = (
    av.audio.codeccontext,
    av.audio.stream,
    av.subtitles.codeccontext,
    av.subtitles.stream,
    av.video.codeccontext,
    av.video.stream,
)
_BUFFER = 256 * 1024
#: Packets of a stream that can't be decoded, before the file is given up.
MAX_DAMAGED = 200


@contextmanager
def opened(file: BinaryIO, mime: str) -> Iterator[InputContainer]:
    """Open a file for the length of a block.

    Raises:
        Refused: It is of no known format, too long, damaged, or takes too much memory.
    """
    name = CONTAINERS.get(mime)
    if name is None:
        raise Refused(f"recordings of type {mime} can't be read")
    try:
        with av.open(
            file,
            "r",
            format=name,
            # Its own bytes are all that it may be made of.
            container_options={"protocol_whitelist": "none"},
            buffer_size=_BUFFER,
            io_open=_no_other_file,
        ) as container:
            seconds = _seconds(container)
            if seconds is not None and seconds > MAX_SECONDS:
                raise too_long()
            yield container
    except MemoryError:
        raise Refused("the recording takes too much memory to decode") from None
    except Refused:
        raise
    except Exception:  # noqa: BLE001 - damaged files make decoders raise anything
        raise Refused("the recording is damaged, or not of the format that it begins as") from None


def too_long() -> Refused:
    """Return the refusal of a file that is longer than is read."""
    return Refused(f"the recording is longer than {MAX_SECONDS // 3600} hours")


def _seconds(container: InputContainer) -> float | None:
    """Return the length that a file claims, None for none or a senseless one."""
    duration = container.duration
    return None if duration is None or duration <= 0 else duration / av.time_base


def _no_other_file(*_: object) -> BinaryIO:
    raise Refused("the recording names other files, which are not read")
