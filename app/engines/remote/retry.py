"""Trying a call again, by class of error, while the task's time lasts.

- 429: after what Retry-After says, if that leaves time for another try; without it as below.
- 5xx, a cut connection: after a pause that grows, of random length so that callers that failed
  together do not come back together ("full jitter", Brooker 2015,
  https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
- anything else: never.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from app.engines.remote.call import CallFailed

T = TypeVar("T")

ATTEMPTS = 3
BASE_PAUSE_S = 0.25
# Less than this is no time to answer in.
LEAST_S = 0.1


async def with_retries(attempt: Callable[[float], Awaitable[T]], *, deadline: float) -> T:
    """Run `attempt`, which is told the seconds left, until it succeeds or `deadline` (loop time).

    Raises:
        CallFailed: The last failure, or the first that is not worth another try.
    """
    loop = asyncio.get_running_loop()
    tried = 0
    while True:
        try:
            return await attempt(max(deadline - loop.time(), LEAST_S))
        except CallFailed as failure:
            tried += 1
            pause = _pause(failure, tried)
            left = deadline - loop.time() - pause
            if not failure.retryable or tried == ATTEMPTS or left < LEAST_S:
                raise
        await asyncio.sleep(pause)


def _pause(failure: CallFailed, tried: int) -> float:
    if failure.retry_after is not None:
        return failure.retry_after
    return random.uniform(0, BASE_PAUSE_S * 2**tried)
