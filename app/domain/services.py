"""What the verbs need of the process they run in."""

from dataclasses import dataclass

from app.engines.contract import Engine
from app.settings import Settings
from app.storage.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Services:
    """One per process: made at start, handed to every verb on the hot path."""

    settings: Settings
    ledger: Ledger
    engine: Engine

    async def readiness(self) -> dict[str, str]:
        """Return `ok` or what is wrong, by part."""
        database = "ok" if await self.ledger.is_reachable() else "unreachable"
        return {"database": database, "model": "ok" if self.engine.is_loaded else "loading"}
