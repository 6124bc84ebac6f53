"""What parent and child say to one another over a socket.

A message is its length (4 bytes, big-endian) and a JSON object, whose `bytes` says how many bytes
of an array follow it.

    parent: a byte with the open file as its ancillary descriptor, then {"mime"}; of an image also
            {"long", "short"}, the `limits.Bounds` of what comes back
    child:  {"taken": true} before it looks at the file;
            {"part": …, "bytes": n} and n bytes, any number of times; then one of
            {"end": …, "resident": bytes} and {"error": why, in words for the caller, "resident"}

A new child first says {"ready": true}.
"""

import json
import socket
import struct
from collections.abc import Mapping
from typing import Any

Message = dict[str, Any]

_LENGTH = struct.Struct("!I")
_MAX_MESSAGE = 64 * 1024


class Disconnected(Exception):
    """The other end has gone."""


def send(peer: socket.socket, message: Mapping[str, object], payload: bytes = b"") -> None:
    """Send a message, and the bytes that it announces.

    Raises:
        OSError: The other end has gone, or takes too long.
    """
    body = json.dumps({**message, "bytes": len(payload)}).encode()
    peer.sendall(_LENGTH.pack(len(body)) + body)
    if payload:
        peer.sendall(payload)


def receive(peer: socket.socket) -> Message:
    """Receive a message; bytes that it announces are still to be received.

    Raises:
        Disconnected: The other end has gone, or does not speak like this.
        TimeoutError: The socket's time is over.
    """
    length = bytearray(_LENGTH.size)
    receive_into(peer, memoryview(length))
    (size,) = _LENGTH.unpack(length)
    if size > _MAX_MESSAGE:
        raise Disconnected
    body = bytearray(size)
    receive_into(peer, memoryview(body))
    try:
        message = json.loads(body)
    except ValueError:
        raise Disconnected from None
    if not isinstance(message, dict):
        raise Disconnected
    return message


def receive_into(peer: socket.socket, buffer: memoryview) -> None:
    """Fill a buffer.

    Raises:
        Disconnected: The other end has gone.
        TimeoutError: The socket's time is over.
    """
    while buffer:
        count = peer.recv_into(buffer)
        if not count:
            raise Disconnected
        buffer = buffer[count:]
