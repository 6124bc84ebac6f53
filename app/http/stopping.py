"""Hearing that the process is to stop before the server acts on it.

A server that is told to stop waits for open responses, and open streams have no end. So they hear
of it first, end by their own protocol, and then the server is told.
"""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

# Long enough for streams to say goodbye, too short for anybody to notice.
HEAD_START_S = 0.1
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextlib.contextmanager
def told_first(hear: Callable[[], None]) -> Iterator[None]:
    """Call `hear` in the event loop when a signal asks the process to stop, for a block's length.

    The handler that was there before is called `HEAD_START_S` later.
    """
    # Only the main thread can have signals; a server in another is stopped in another way.
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in _SIGNALS}

    def pass_on(number: int, frame: FrameType | None) -> None:
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    def handle(number: int, _frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(hear)
        loop.call_soon_threadsafe(loop.call_later, HEAD_START_S, pass_on, number, None)

    for number in _SIGNALS:
        signal.signal(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
