"""What processes tell each other: that work waits, that something changed.

A signal may be lost or come twice, and never says more than where to look: the database is the
truth. So nothing here blocks, fails, or has to be waited for.
"""

from contextlib import AbstractContextManager
from enum import StrEnum
from typing import Protocol


class Queue(StrEnum):
    """Where work waits."""

    JOBS = "jobs"
    DELIVERIES = "deliveries"


class Listener(Protocol):
    """An ear on one topic."""

    async def wait(self, timeout_s: float) -> None:
        """Return when something was said since the last call, or when the time is over."""
        ...


class Signals(Protocol):
    """The signals of one process. Used inside its event loop."""

    def wake(self, queue: Queue, count: int = 1) -> None:
        """Tell workers that `count` more things wait."""
        ...

    def publish(self, topic: str) -> None:
        """Tell all processes that something about the topic changed."""
        ...

    async def is_reachable(self) -> bool:
        """Tell whether the broker answers."""
        ...

    def listen(self, topic: str) -> AbstractContextManager[Listener]:
        """Listen to a topic for the length of a block."""
        ...


def job_topic(job_id: int) -> str:
    """Return the topic of a job."""
    return f"job:{job_id}"


def batch_topic(batch_id: str) -> str:
    """Return the topic of a batch."""
    return f"batch:{batch_id}"
