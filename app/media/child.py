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
from app.media.limits import TIMES, Bounds
from app.media.refusal import Refused
from app.media.wire import Disconnected, Message, receive, send

#: A part of an answer: what it says of itself, and its bytes.
Part = tuple[dict[str, object], bytes]
#: From a file and what the parent says of it.
Decode = Callable[[BinaryIO, Message], Iterator[Part]]


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
                file, asked = _next(peer)
                send(peer, {"taken": True})
                with file, cpu_limit(TIMES[kind].cpu):
                    end = _answer(peer, decode, file, asked)
                send(peer, {**end, "resident": confinement.resident()})
            except (Disconnected, ConnectionError):
                return


def _next(peer: socket.socket) -> tuple[BinaryIO, Message]:
    """Wait for a file and what is to be known of it."""
    _, descriptors, *_ = socket.recv_fds(peer, 1, 1)
    if not descriptors:
        raise Disconnected
    return os.fdopen(descriptors[0], "rb"), receive(peer)


def _answer(peer: socket.socket, decode: Decode, file: BinaryIO, asked: Message) -> Message:
    try:
        for part, data in decode(file, asked):
            send(peer, {"part": part}, data)
    except Refused as refusal:
        return {"error": str(refusal)}
    except MemoryError:
        return {"error": "the file takes too much memory to decode"}
    return {"end": True}


def _image() -> Decode:
    from app.media import pictures  # noqa: PLC0415 - each kind imports its own libraries

    def decode(file: BinaryIO, asked: Message) -> Iterator[Part]:
        bounds = Bounds(asked["long"], asked["short"])
        frames, facts = pictures.decode(file, asked["mime"], bounds)
        for pixels in frames:
            yield {**facts, "shape": [pixels.height, pixels.width, 3]}, pixels.data

    return decode


def _sound() -> Decode:
    from app.media import sound  # noqa: PLC0415 - each kind imports its own libraries

    def decode(file: BinaryIO, asked: Message) -> Iterator[Part]:
        for chunk in sound.decode(file, asked["mime"]):
            yield {"shape": [len(chunk) // sound.BYTES]}, chunk

    return decode


def _video() -> Decode:
    from app.media import footage  # noqa: PLC0415 - each kind imports its own libraries

    def decode(file: BinaryIO, asked: Message) -> Iterator[Part]:
        moments, facts = footage.decode(file, asked["mime"])
        for moment in moments:
            shape = [moment.pixels.height, moment.pixels.width, 3]
            yield {**facts, "at": moment.seconds, "shape": shape}, moment.pixels.data

    return decode


DECODERS = {"image": _image, "sound": _sound, "video": _video}

if __name__ == "__main__":
    main()
