"""The process that decodes: `python -m app.media.child image`, or `sound`, or `video`.

Its standard input is the socket to its parent. It imports what its kind of file needs, confines
itself, and answers one request after another.
"""

import os
import socket
import sys
from collections.abc import Callable, Iterator
from typing import BinaryIO

from app.media.confinement import Confinement, cpu_limit
from app.media.limits import TIMES
from app.media.refusal import Refused
from app.media.wire import Disconnected, Message, receive, send

#: A part of an answer: what it says of itself, and its bytes.
Part = tuple[dict[str, object], bytes]
Decode = Callable[[BinaryIO, str], Iterator[Part]]


def main() -> None:
    """Serve the parent until it goes."""
    kind = sys.argv[1]
    decode = DECODERS[kind]()
    with socket.socket(fileno=0) as peer:
        # An image is decoded while somebody waits; sound and video take their time anyway.
        confinement = Confinement(peer, steps_back=kind != "image")
        send(peer, {"ready": True, "resident": confinement.resident()})
        while True:
            try:
                file, mime = _next(peer)
                with file, cpu_limit(TIMES[kind].cpu):
                    end = _answer(peer, decode, file, mime)
                send(peer, {**end, "resident": confinement.resident()})
            except (Disconnected, ConnectionError):
                return


def _next(peer: socket.socket) -> tuple[BinaryIO, str]:
    """Wait for a file and its type."""
    _, descriptors, *_ = socket.recv_fds(peer, 1, 1)
    if not descriptors:
        raise Disconnected
    return os.fdopen(descriptors[0], "rb"), str(receive(peer)["mime"])


def _answer(peer: socket.socket, decode: Decode, file: BinaryIO, mime: str) -> Message:
    try:
        for part, data in decode(file, mime):
            send(peer, {"part": part}, data)
    except Refused as refusal:
        return {"error": str(refusal)}
    except MemoryError:
        return {"error": "the file takes too much memory to decode"}
    return {"end": True}


def _image() -> Decode:
    from app.media import pictures  # noqa: PLC0415 - each kind imports its own libraries

    def decode(file: BinaryIO, mime: str) -> Iterator[Part]:
        frames, facts = pictures.decode(file, mime)
        for pixels in frames:
            yield {**facts, "shape": [pixels.height, pixels.width, 3]}, pixels.data

    return decode


def _sound() -> Decode:
    from app.media import sound  # noqa: PLC0415 - each kind imports its own libraries

    def decode(file: BinaryIO, mime: str) -> Iterator[Part]:
        for chunk in sound.decode(file, mime):
            yield {"shape": [len(chunk) // sound.BYTES]}, chunk

    return decode


def _video() -> Decode:
    from app.media import footage  # noqa: PLC0415 - each kind imports its own libraries

    def decode(file: BinaryIO, mime: str) -> Iterator[Part]:
        moments, facts = footage.decode(file, mime)
        for moment in moments:
            shape = [moment.pixels.height, moment.pixels.width, 3]
            yield {**facts, "at": moment.seconds, "shape": shape}, moment.pixels.data

    return decode


DECODERS = {"image": _image, "sound": _sound, "video": _video}

if __name__ == "__main__":
    main()
