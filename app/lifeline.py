"""The end of the process that started this one, which a child outlives if nobody tells it."""

import asyncio
import multiprocessing
import os
import signal


def end_with_parent() -> None:
    """End this process in order, as SIGTERM would, once the one that started it has ended.

    Needs a running event loop. Does nothing where `multiprocessing` did not start this process.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return
    loop, sentinel = asyncio.get_running_loop(), parent.sentinel

    def end() -> None:
        loop.remove_reader(sentinel)
        os.kill(os.getpid(), signal.SIGTERM)

    loop.add_reader(sentinel, end)
