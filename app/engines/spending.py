"""What asking models took: tokens, and money in nano-dollars (10⁻⁹ US dollars), never as floats."""

import asyncio
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Spent:
    """What calls took. `tokens` were read and written, `completion_tokens` of them written.

    `cost` is None when it is not known: no price is known for a model, or the provider did not
    tell what it used. What is not known of a part is not known of the sum.
    """

    tokens: int = 0
    completion_tokens: int = 0
    cost: int | None = 0

    def __add__(self, other: "Spent") -> "Spent":
        """Return what both took."""
        known = self.cost is not None and other.cost is not None
        return Spent(
            tokens=self.tokens + other.tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            cost=(self.cost or 0) + (other.cost or 0) if known else None,
        )


NOTHING = Spent()
NOT_KNOWN = Spent(cost=None)


@dataclass(slots=True)
class Bill:
    """What the calls for a task take, each as it ends: also for whoever cancels the task.

    A call that was begun is paid for. When its task is canceled it is waited for, as long as it may
    take, but only until `hurried` is set, and not at all without: what it takes is not known then.
    """

    hurried: asyncio.Event | None = None
    spent: Spent = NOTHING
