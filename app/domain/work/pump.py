"""Taking up what waits, as far as there is room, and holding on to it while it runs.

A pump is poked: by a signal, by the sweep, by work that ended. Each poke takes up one lot under a
lease of its own. While there is no room a poke waits, and so does whoever sent it: signals that
nobody reads stay for other processes.

Leases are renewed three times before they would pass. A lot of which nothing is held any more
(canceled, or taken over after this process was stopped for too long) is abandoned.
"""

import asyncio
import contextlib
import logging
import secrets
from abc import ABC, abstractmethod
from collections.abc import Coroutine, Sequence
from datetime import timedelta
from typing import Any, Generic, TypeVar

from app.domain import clock
from app.domain.services import Services
from app.storage.errors import DatabaseError
from app.storage.ledger.work import Lease

logger = logging.getLogger(__name__)

Item = TypeVar("Item")


class Pump(ABC, Generic[Item]):
    """Runs one kind of work in this process, `capacity` pieces at a time."""

    def __init__(self, services: Services, *, capacity: int) -> None:
        self.services = services
        self._capacity = capacity
        self._busy = 0
        self._lots: dict[str, asyncio.Task[None]] = {}
        self._abandoned: set[str] = set()
        self._steps: set[asyncio.Task[None]] = set()
        self._claiming = asyncio.Lock()
        self._has_room = asyncio.Event()
        self._has_room.set()
        self._is_stopping = False

    @abstractmethod
    async def claim(self, lease: Lease, *, room: int) -> Sequence[Item]:
        """Lease up to `room` pieces of what is due."""

    @abstractmethod
    async def work(self, lease_id: str, items: Sequence[Item]) -> None:
        """Run leased pieces to their end."""

    @abstractmethod
    async def renew(self, lease: Lease) -> bool:
        """Hold on to a lease; False when nothing is held under it."""

    @abstractmethod
    async def hand_back(self, lease_id: str) -> None:
        """Let what is leased wait again for another process."""

    async def poke(self) -> None:
        """Take up one lot of what is due, once there is room."""
        await self.take_up_lot()

    async def take_up_lot(self) -> bool:
        """Do so, and tell whether there was one."""
        async with self._claiming:
            await self._has_room.wait()
            if self._is_stopping:
                return False
            lease = Lease(secrets.token_hex(16), clock.now() + self._lease_time)
            try:
                items = await self.claim(lease, room=self._capacity - self._busy)
            except DatabaseError as error:
                logger.warning("nothing can be taken up: %s", error)
                return False
            if items:
                self._busy += len(items)
                if self._busy >= self._capacity:
                    self._has_room.clear()
                self._lots[lease.id] = asyncio.create_task(self._run(lease, items))
            return bool(items)

    async def hold(self) -> None:
        """Renew the leases of what runs, for as long as the process works."""
        while True:
            await asyncio.sleep(self._lease_time.total_seconds() / 3)
            until = clock.now() + self._lease_time
            for lease_id, task in list(self._lots.items()):
                if lease_id in self._abandoned:
                    # It ends when what can't be taken back is done.
                    continue
                with contextlib.suppress(DatabaseError):
                    if not await self.renew(Lease(lease_id, until)) and lease_id in self._lots:
                        logger.warning("a lease has passed to others: its work is abandoned")
                        self._abandoned.add(lease_id)
                        task.cancel()

    async def stop(self, *, grace_s: float) -> None:
        """Take nothing up any more, let what runs end within `grace_s`, hand the rest back."""
        self._is_stopping = True
        self._has_room.set()
        async with self._claiming:
            # What is being taken up now is among the lots then.
            pass
        if self._lots:
            await asyncio.wait(self._lots.values(), timeout=grace_s)
        late = dict(self._lots)
        for task in late.values():
            task.cancel()
        if late:
            await asyncio.wait(late.values())
        for lease_id in late:
            # Without a database the leases run out by themselves, each on its own.
            with contextlib.suppress(DatabaseError):
                await self.hand_back(lease_id)

    def start(self, step: Coroutine[Any, Any, None]) -> None:
        """Let a step go on by itself."""
        task = asyncio.create_task(step)
        self._steps.add(task)
        task.add_done_callback(self._steps.discard)

    @property
    def has_room(self) -> bool:
        """Whether more could be taken up now."""
        return self._has_room.is_set()

    @property
    def _lease_time(self) -> timedelta:
        return timedelta(seconds=self.services.settings.lease_seconds)

    async def _run(self, lease: Lease, items: Sequence[Item]) -> None:
        try:
            await self.work(lease.id, items)
        except Exception:
            # The lease runs out, and the sweep lets the work wait again.
            logger.exception("a lot of work failed")
        finally:
            del self._lots[lease.id]
            self._abandoned.discard(lease.id)
            self._busy -= len(items)
            self._has_room.set()
        # There may be more: signals are not one for one.
        if not self._is_stopping:
            self.start(self.poke())
