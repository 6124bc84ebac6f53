"""Following what is stored: by signals, and by looking where none came.

Signals get lost, and between processes on SQLite there are none, so whoever follows looks again
every second. A look is cheap; how it differs from the last one is all that is passed on, so any
number of changes in between are one.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TypeVar

from app.domain import clock
from app.domain.accounts.account import Account, Caller, require_active_subscription
from app.domain.keys.authenticate import recheck
from app.domain.services import Services
from app.storage.ledger.progress import Progress

LOOK_AGAIN_S = 1.0

T = TypeVar("T")


async def follow(
    services: Services, topic: str, look: Callable[[], Awaitable[T]], *, least_gap_s: float = 0
) -> AsyncGenerator[T, None]:
    """Yield what `look` returns, then again whenever that has changed. Never ends by itself.

    Two looks are at least `least_gap_s` apart.
    """
    with services.signals.listen(topic) as listener:
        seen = await look()
        looked = time.monotonic()
        yield seen
        while True:
            await listener.wait(LOOK_AGAIN_S)
            await asyncio.sleep(max(looked + least_gap_s - time.monotonic(), 0))
            found = await look()
            looked = time.monotonic()
            if found != seen:
                seen = found
                yield found


async def still_admitted(services: Services, caller: Caller) -> Account:
    """Return the caller's account as it is now.

    Raises:
        Unauthorized: The key was revoked meanwhile.
        SubscriptionInactive: The subscription has lapsed meanwhile.
    """
    account = (await recheck(services, caller)).account
    require_active_subscription(account)
    return account


def is_visible(account: Account, progress: Progress) -> bool:
    """Tell whether something is within the history of the account's plan."""
    history = account.limits.history
    return history is None or progress.created_at >= clock.now() - history
