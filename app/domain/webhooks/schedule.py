"""When a delivery is tried again, and when an endpoint is given up."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Schedule:
    """Growing delays between attempts; each is drawn from within `jitter` of its length.

    `patience` is how long an endpoint may fail without one success. `answer_s` is how many seconds
    it has for an answer.
    """

    delays: tuple[timedelta, ...]
    jitter: float
    patience: timedelta
    answer_s: float

    @property
    def most_attempts(self) -> int:
        """How many attempts a delivery gets."""
        return len(self.delays) + 1

    def due_again(self, attempts: int, *, moment: datetime) -> datetime | None:
        """Return when to try again after so many attempts have failed; None for never."""
        if attempts >= self.most_attempts:
            return None
        spread = random.uniform(1 - self.jitter, 1 + self.jitter)
        return moment + self.delays[max(attempts, 1) - 1] * spread


#: The documented one. So spread, each delay is longer than the one before, the last two excepted.
DOCUMENTED = Schedule(
    delays=(
        timedelta(seconds=5),
        timedelta(minutes=5),
        timedelta(minutes=30),
        timedelta(hours=2),
        timedelta(hours=5),
        timedelta(hours=10),
        timedelta(hours=10),
    ),
    jitter=0.2,
    patience=timedelta(days=5),
    answer_s=15,
)
