"""Usage: what an account used of a month, and what its plan allows."""

from dataclasses import dataclass
from datetime import date

from app.domain.clock import Period
from app.domain.plans import Limits, Plan
from app.engines.contract import InputType


@dataclass(frozen=True, slots=True)
class DayUsage:
    """One day's use. `tokens` counts completed work."""

    day: date
    requests: int
    tokens: int
    by_type: dict[InputType, int]


@dataclass(frozen=True, slots=True)
class Usage:
    """One month's use. `days` holds the days with any use, in order."""

    period: Period
    plan: Plan
    limits: Limits
    requests: int
    tokens: int
    by_type: dict[InputType, int]
    days: tuple[DayUsage, ...]

    @property
    def remaining(self) -> int | None:
        """Requests left of the month's limit; None when unlimited."""
        if self.limits.requests is None:
            return None
        return max(self.limits.requests - self.requests, 0)
