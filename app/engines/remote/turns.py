"""Tasks side by side: no more than there are turns, each as long as its time."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager

from app.engines.contract import Outcome, Task
from app.engines.errors import EngineBusy, EngineError
from app.engines.side_by_side import all_of


class Turns:
    """So many turns at a time, in the order of asking; those with patience after all others."""

    def __init__(self, count: int = 1) -> None:
        self._free = count
        self._hurried: deque[asyncio.Future[None]] = deque()
        self._patient: deque[asyncio.Future[None]] = deque()

    async def acquire(self, *, patient: bool) -> None:
        """Wait for a turn."""
        if self._free:
            self._free -= 1
            return
        mine = asyncio.get_running_loop().create_future()
        waiting = self._patient if patient else self._hurried
        waiting.append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if not mine.cancelled():
                # It came at the moment of giving up.
                self.release()
            elif mine in waiting:
                waiting.remove(mine)
            raise

    def release(self) -> None:
        """Give a turn back."""
        for waiting in (self._hurried, self._patient):
            while waiting:
                first = waiting.popleft()
                if not first.done():
                    first.set_result(None)
                    return
        self._free += 1


@asynccontextmanager
async def turn(turns: Turns, task: Task, *, timeout_s: float) -> AsyncIterator[float]:
    """Hold one of the turns for the length of a block; the loop's time by which it has to end.

    Raises:
        EngineBusy: It did not come in time.
    """
    loop = asyncio.get_running_loop()
    asked = loop.time()
    wait_s = timeout_s if task.patience_s is None else task.patience_s
    try:
        async with asyncio.timeout_at(asked + wait_s):
            await turns.acquire(patient=task.patience_s is not None)
    except TimeoutError:
        raise EngineBusy("too many tasks wait for the model") from None
    try:
        yield (asked if task.patience_s is None else loop.time()) + timeout_s
    finally:
        turns.release()


async def answer_each(
    classify: Callable[[Task], Awaitable[Outcome]], tasks: Sequence[Task]
) -> list[Outcome | EngineError]:
    """Answer tasks in their order; one that fails has its error in its place."""

    async def answer(task: Task) -> Outcome | EngineError:
        try:
            return await classify(task)
        except EngineError as error:
            return error

    return await all_of(answer(task) for task in tasks)
