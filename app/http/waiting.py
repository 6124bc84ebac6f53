"""Waiting for whichever comes first: an end, a client that goes away, a process that stops."""

import asyncio
from collections.abc import Awaitable
from typing import Any

from starlette.types import Receive


async def first_of(*works: Awaitable[Any]) -> None:
    """Run works side by side until one of them ends; cancel the others, and wait for that.

    Raises:
        Exception: What the one that ended raised.
    """
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


async def disconnected(receive: Receive) -> None:
    """Return when the client has gone; whatever it still sends is dropped."""
    while (await receive())["type"] != "http.disconnect":
        pass
