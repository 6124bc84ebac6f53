"""What the verbs need of the process they run in."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from app.domain.media.sources import MediaSources
from app.domain.sealing import Seal
from app.domain.signals import Signals
from app.engines.contract import Engine
from app.observability.tracing import Tracing
from app.outbound.client import Outbound
from app.settings import Settings
from app.storage.ledger.ledger import Ledger

# Who asks whether we are ready gives up soon itself.
PATIENCE_S = 2.0


class Answers(Protocol):
    """Where answers are kept, by key."""

    async def find(self, keys: Sequence[str]) -> dict[str, str]:
        """Return those of the answers that are there and have not lapsed."""
        ...

    async def keep(self, account_id: int, answers: Mapping[str, str], *, ttl_s: int) -> None:
        """Keep answers for so long."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """One per process: made at start, handed to every verb on the hot path."""

    settings: Settings
    ledger: Ledger
    engine: Engine
    signals: Signals
    outbound: Outbound
    media: MediaSources
    answers: Answers
    seal: Seal
    tracing: Tracing | None = None
    #: Set when the process was told to stop: those who wait for long let go.
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def readiness(self) -> dict[str, str]:
        """Return `ok` or what is wrong, by part."""
        database, broker = await asyncio.gather(
            _is_soon_true(self.ledger.is_reachable()), _is_soon_true(self.signals.is_reachable())
        )
        reached = {True: "ok", False: "unreachable"}
        return {
            "database": reached[database],
            "broker": reached[broker],
            "model": "ok" if self.engine.is_loaded else "loading",
        }


async def _is_soon_true(question: Awaitable[bool]) -> bool:
    try:
        async with asyncio.timeout(PATIENCE_S):
            return await question
    except TimeoutError:
        return False
