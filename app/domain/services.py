"""What the verbs need of the process they run in."""

import asyncio
from dataclasses import dataclass, field

from app.domain.signals import Signals
from app.engines.contract import Engine
from app.settings import Settings
from app.storage.ledger.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Services:
    """One per process: made at start, handed to every verb on the hot path."""

    settings: Settings
    ledger: Ledger
    engine: Engine
    signals: Signals
    #: Set when the process was told to stop: those who wait for long let go.
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def readiness(self) -> dict[str, str]:
        """Return `ok` or what is wrong, by part."""
        reached = {True: "ok", False: "unreachable"}
        return {
            "database": reached[await self.ledger.is_reachable()],
            "broker": reached[await self.signals.is_reachable()],
            "model": "ok" if self.engine.is_loaded else "loading",
        }
