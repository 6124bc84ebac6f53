"""What a child may take of the machine. Where a platform lacks a limit, the others hold."""

import contextlib
import ctypes
import os
import resource
import select
import socket
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from app.media.limits import MEMORY

_PR_SET_NO_NEW_PRIVS = 38
_STEP_BACK = 5
_STATM = Path("/proc/self/statm")


class Confinement:
    """The limits of this process, in force from when it is made: import first what is needed."""

    def __init__(self, peer: socket.socket, *, steps_back: bool) -> None:
        if steps_back:
            with contextlib.suppress(OSError):
                os.nice(_STEP_BACK)
        self._statm = os.open(_STATM, os.O_RDONLY) if _STATM.exists() else None
        self._page = resource.getpagesize()
        _limit(resource.RLIMIT_CORE, 0)
        # No file can be written, not even one that is open.
        _limit(resource.RLIMIT_FSIZE, 0)
        if self._statm is not None:
            _limit(resource.RLIMIT_AS, self._pages(0) * self._page + MEMORY)
        if sys.platform == "linux":
            # Nothing that it might start gains rights.
            ctypes.CDLL(None).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        _end_with(peer)
        # One more descriptor can be open: the file to decode. So there is no other file, and no
        # connection, while that is worked on.
        free = os.dup(peer.fileno())
        os.close(free)
        _limit(resource.RLIMIT_NOFILE, free + 1)

    def resident(self) -> int:
        """Return the bytes of memory that this process holds; 0 where that can't be told."""
        return 0 if self._statm is None else self._pages(1) * self._page

    def _pages(self, field: int) -> int:
        assert self._statm is not None  # noqa: S101 - callers have asked
        return int(os.pread(self._statm, 256, 0).split()[field])


@contextlib.contextmanager
def cpu_limit(seconds: int) -> Iterator[None]:
    """Let the kernel end this process if a block takes more of a processor than this."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    used = int(time.process_time())
    resource.setrlimit(resource.RLIMIT_CPU, (used + seconds + 1, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_CPU, (resource.RLIM_INFINITY, hard))


def _limit(what: int, value: int) -> None:
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(what, (value, value))


def _end_with(peer: socket.socket) -> None:
    """End this process when its parent has gone, in the middle of a file too."""

    def wait() -> None:
        poll = select.poll()
        poll.register(peer, 0)  # only the end of the connection wakes
        poll.poll()
        os._exit(0)

    threading.Thread(target=wait, daemon=True).start()
