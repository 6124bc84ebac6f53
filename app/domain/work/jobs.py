"""The pump of jobs."""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence

from app.domain import clock
from app.domain.services import Services
from app.domain.signals import batch_topic, job_topic
from app.domain.work.attempt import attempt
from app.domain.work.pump import Pump
from app.engines.contract import InputType
from app.storage.ledger.files import feed_queue, has_waiting_lines
from app.storage.ledger.records import LeasedJob
from app.storage.ledger.work import (
    Lease,
    claim_jobs,
    hand_back,
    has_due_jobs,
    renew_lease,
)

logger = logging.getLogger(__name__)

# Enough to keep remote models busy; the embedded one bounds itself by its threads.
CAPACITY = 64
# Texts take milliseconds: many at a time are claimed, scored and written together. Media take
# seconds: few, so that one process does not take all while others are idle.
LOTS = {InputType.TEXT: 32, InputType.IMAGE: 8, InputType.AUDIO: 2, InputType.VIDEO: 2}
# Held at a time. The embedded model hears two recordings at a time, for minutes each: more of them
# would wait here until their time is over, and leave no room for texts.
MOST = {
    InputType.TEXT: CAPACITY,
    InputType.IMAGE: CAPACITY,
    InputType.AUDIO: 8,
    InputType.VIDEO: 8,
}


class JobPump(Pump[LeasedJob]):
    """Runs jobs: singles side by side, those of a batch in lots that are scored together."""

    def __init__(self, services: Services) -> None:
        super().__init__(services, capacity=CAPACITY)
        self._held: Counter[str] = Counter()

    async def claim(self, lease: Lease, *, room: int) -> Sequence[LeasedJob]:
        """Lease up to `room` jobs of what is due first."""
        ledger, now = self.services.ledger, clock.now()
        most = {kind.value: min(LOTS[kind], MOST[kind] - self._held[kind.value]) for kind in LOTS}
        # A poke in vain should cost reads, not a transaction.
        while not await ledger.run(has_due_jobs(now, most=most)):
            if not await ledger.run(has_waiting_lines()) or not await ledger.run(feed_queue()):
                return []
        jobs = await ledger.run(claim_jobs(now, lease, most=most, room=room))
        self._held.update(job.input_type for job in jobs)
        for job in jobs:
            self.services.signals.publish(job_topic(job.id))
        for batch_id in {job.batch_id for job in jobs if job.batch_id is not None}:
            self.services.signals.publish(batch_topic(batch_id))
        return jobs

    async def work(self, lease_id: str, items: Sequence[LeasedJob]) -> None:
        """Run leased jobs to their end."""
        try:
            await self._attempt(lease_id, items)
        finally:
            self._held.subtract(job.input_type for job in items)

    async def _attempt(self, lease_id: str, items: Sequence[LeasedJob]) -> None:
        if items[0].batch_id is not None:
            await attempt(self.services, lease_id, items)
            return
        singles = (attempt(self.services, lease_id, [job]) for job in items)
        for failure in await asyncio.gather(*singles, return_exceptions=True):
            if isinstance(failure, BaseException):
                # Its lease runs out, and the sweep lets it wait again; the others go on.
                logger.error("an attempt at a job failed", exc_info=failure)

    async def renew(self, lease: Lease) -> bool:
        """Hold on to a lease; False when nothing is held under it."""
        held = await self.services.ledger.run(renew_lease(lease))
        return bool(held)

    async def hand_back(self, lease_id: str) -> None:
        """Let what is leased wait again for another process."""
        await self.services.ledger.run(hand_back(lease_id, clock.now()))
