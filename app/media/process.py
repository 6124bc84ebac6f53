"""A child process seen from its parent."""

import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

import app
from app.engines.errors import ModelUnavailable, UnreadableMedia
from app.media.limits import CHUNK_SAMPLES, KEPT_MEMORY, LONG_SIDE, MAX_REQUESTS, TIMES
from app.media.wire import Disconnected, Message, receive, receive_into, send

Array = NDArray[Any]


class NotTaken(Exception):
    """The child ended before it looked at the file: another one may decode it."""


_ROOT = Path(app.__file__).resolve().parent.parent
_START_S = 60
#: What an array is of, and how many numbers it may hold at most.
_ARRAYS = {
    "image": (np.uint8, LONG_SIDE * LONG_SIDE * 3),
    "sound": (np.int16, CHUNK_SAMPLES),
    "video": (np.uint8, LONG_SIDE * LONG_SIDE * 3),
}


class Child:
    """One process, which answers one request at a time. Safe to end from another thread."""

    def __init__(self, kind: str) -> None:
        """Start it.

        Raises:
            ModelUnavailable: It does not start.
        """
        self.kind = kind
        self._requests = 0
        self._is_midway = False
        self._peer, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                [sys.executable, "-m", "app.media.child", kind],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                # None of our settings or secrets are its business.
                env={"PYTHONPATH": str(_ROOT), "PYTHONUTF8": "1"},
                cwd="/",
            )
        try:
            self._peer.settimeout(_START_S)
            self._resident = self._start = _resident(receive(self._peer))
        except (Disconnected, OSError):
            self.end()
            raise ModelUnavailable(f"the process that decodes {kind} does not start") from None

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def _called(self) -> str:
        return {"sound": "recording"}.get(self.kind, self.kind)

    @property
    def is_fit(self) -> bool:
        """Whether it can take another request: alive, not grown, not worn out."""
        return (
            not self._is_midway
            and self._process.poll() is None
            and self._requests < MAX_REQUESTS
            and self._resident - self._start <= KEPT_MEMORY
        )

    def decode(
        self, path: Path, mime: str, asked: Mapping[str, int]
    ) -> Iterator[tuple[dict[str, Any], Array]]:
        """Decode a file: each array with what the child says of it, as soon as it is there.

        `asked` goes with the file (`wire`). After an error, or when the answer is not read to its
        end, the child is of no more use.

        Raises:
            UnreadableMedia: It can't be decoded within the limits.
            NotTaken: The child had ended.
        """
        self._requests += 1
        self._is_midway = True
        with path.open("rb") as file:
            try:
                count = 0
                for part in self._exchange(file.fileno(), {"mime": mime, **asked}):
                    count += 1
                    yield part
            except TimeoutError:
                raise UnreadableMedia(f"the {self._called} takes too long to decode") from None
            except (Disconnected, OSError):
                raise UnreadableMedia(
                    f"the {self._called} is damaged, or takes too much to decode"
                ) from None
        self._is_midway = False
        if not count:
            raise UnreadableMedia(f"the {self._called} is empty")

    def _exchange(
        self, file: int, message: Mapping[str, object]
    ) -> Iterator[tuple[dict[str, Any], Array]]:
        waits = _Waits(self._peer, TIMES[self.kind].wait)
        waits.go_on()
        try:
            socket.send_fds(self._peer, [b"?"], [file])
            send(self._peer, message)
            receive(self._peer)
        except TimeoutError:
            raise
        except (Disconnected, OSError):
            raise NotTaken from None
        while True:
            waits.go_on()
            message = receive(self._peer)
            if "part" not in message:
                break
            waits.go_on()
            array = self._array(message)
            waits.pause()
            yield message["part"], array
        self._resident = _resident(message)
        if "error" in message:
            self._is_midway = False
            raise UnreadableMedia(str(message["error"]))

    def end(self) -> None:
        """End it, whatever it is doing."""
        self._process.kill()
        with contextlib.suppress(OSError):
            self._peer.shutdown(socket.SHUT_RDWR)
        self._peer.close()
        self._process.wait()

    def _array(self, message: Message) -> Array:
        kind, most = _ARRAYS[self.kind]
        shape = [int(side) for side in message["part"]["shape"]]
        # What a child says is not believed: it may be the file that speaks.
        if min(shape) < 1 or prod(shape) > most:
            raise Disconnected
        array = np.empty(shape, kind)
        if array.nbytes != message["bytes"]:
            raise Disconnected
        receive_into(self._peer, array.reshape(-1).view(np.uint8).data)
        return array


class _Waits:
    """A socket's time: the sum of waits is bounded, and what the reader does between is not."""

    def __init__(self, peer: socket.socket, seconds: float) -> None:
        self._peer = peer
        self._left = seconds
        self._since: float | None = None

    def go_on(self) -> None:
        """Wait from now, or go on waiting."""
        self.pause()
        if self._left <= 0:
            raise TimeoutError
        self._since = time.monotonic()
        self._peer.settimeout(self._left)

    def pause(self) -> None:
        """Count what has been waited."""
        if self._since is not None:
            self._left -= time.monotonic() - self._since
            self._since = None


def _resident(message: Message) -> int:
    return int(message.get("resident", 0))
