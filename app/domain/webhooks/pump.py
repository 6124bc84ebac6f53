"""The pump of deliveries."""

import asyncio
import logging
from collections.abc import Sequence

from app.domain import clock
from app.domain.services import Services
from app.domain.webhooks.attempt import deliver
from app.domain.webhooks.schedule import DOCUMENTED, Schedule
from app.domain.work.pump import Pump
from app.storage.ledger.deliveries import (
    claim_deliveries,
    close_deliveries,
    due_endpoints,
    hand_deliveries_back,
    has_expired_deliveries,
    recover_deliveries,
    renew_deliveries,
)
from app.storage.ledger.delivery_records import LeasedDelivery
from app.storage.ledger.work import Lease

logger = logging.getLogger(__name__)

# Each is a socket that mostly waits; a process may commonly have 1,024 files open.
CAPACITY = 500
# In flight to one endpoint, over all processes. One that fails gets a single place.
PLACES = 4
# More than one, because other processes may be claiming from the first ones.
CANDIDATES = 16


class DeliveryPump(Pump[LeasedDelivery]):
    """Sends deliveries, a lot for each endpoint, so that none waits for another's answer."""

    def __init__(self, services: Services, schedule: Schedule = DOCUMENTED) -> None:
        super().__init__(services, capacity=CAPACITY)
        self._schedule = schedule
        self._is_poked = False
        self._is_looking = False

    async def poke(self) -> None:
        """See to it that all that is due is taken up, a lot for each endpoint."""
        self._is_poked = True
        if not self._is_looking:
            self._is_looking = True
            self.start(self._look())
        await self._has_room.wait()

    async def _look(self) -> None:
        try:
            while self._is_poked:
                self._is_poked = False
                while await self.take_up_lot():
                    pass
        finally:
            self._is_looking = False

    async def claim(self, lease: Lease, *, room: int) -> Sequence[LeasedDelivery]:
        """Lease what is due for one endpoint, within its places and `room`."""
        ledger, now = self.services.ledger, clock.now()
        endpoints = await ledger.run(due_endpoints(now, places=PLACES, count=CANDIDATES))
        for endpoint in endpoints:
            if not endpoint.active:
                await ledger.run(close_deliveries(endpoint.webhook_id, now))
        active = [endpoint.webhook_id for endpoint in endpoints if endpoint.active]
        if not active:
            return []
        return await ledger.run(claim_deliveries(now, lease, active, places=PLACES, room=room))

    async def work(self, lease_id: str, items: Sequence[LeasedDelivery]) -> None:
        """Send leased deliveries, side by side."""
        sent = (deliver(self.services, self._schedule, lease_id, each) for each in items)
        for failure in await asyncio.gather(*sent, return_exceptions=True):
            if isinstance(failure, BaseException):
                # Its lease runs out, and it is sent again; the others go on.
                logger.error("an attempt at a delivery failed", exc_info=failure)

    async def renew(self, lease: Lease) -> bool:
        """Hold on to a lease; False when nothing is held under it."""
        held = await self.services.ledger.run(renew_deliveries(lease))
        return held > 0

    async def hand_back(self, lease_id: str) -> None:
        """Let what is leased wait again for another process."""
        await self.services.ledger.run(hand_deliveries_back(lease_id, clock.now()))


async def sweep_deliveries(services: Services) -> None:
    """Let deliveries of dead processes wait again."""
    now = clock.now()
    if not await services.ledger.run(has_expired_deliveries(now)):
        return
    recovered = await services.ledger.run(
        recover_deliveries(now, most_attempts=DOCUMENTED.most_attempts)
    )
    if recovered.requeued or recovered.failed:
        logger.warning(
            "of dead processes, %d deliveries wait again and %d have failed",
            recovered.requeued,
            recovered.failed,
        )
