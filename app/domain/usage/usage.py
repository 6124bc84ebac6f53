"""Usage: what an account used of a month, and what its plan allows."""

from dataclasses import dataclass
from datetime import date

from app.domain.clock import Period
from app.domain.plans import Limits, Plan
from app.engines.contract import InputType


@dataclass(frozen=True, slots=True)
class DayUsage:
    """One day's use. `tokens` counts completed work, the costs (nano-dollars) failed work too."""

    day: date
    requests: int
    tokens: int
    by_type: dict[InputType, int]
    cost_by_type: dict[InputType, int]

    @property
    def cost(self) -> int:
        """What the day's work cost; jobs of which that is not known count nothing."""
        return sum(self.cost_by_type.values())


@dataclass(frozen=True, slots=True)
class Usage:
    """One month's use. `days` holds the days with any use, in order.

    Costs are in nano-dollars; jobs of which the cost is not known count nothing.
    """

    period: Period
    plan: Plan
    limits: Limits
    requests: int
    tokens: int
    by_type: dict[InputType, int]
    cost_by_type: dict[InputType, int]
    days: tuple[DayUsage, ...]

    @property
    def cost(self) -> int:
        """What the month's work cost."""
        return sum(self.cost_by_type.values())

    @property
    def remaining(self) -> int | None:
        """Requests left of the month's limit; None when unlimited."""
        if self.limits.requests is None:
            return None
        return max(self.limits.requests - self.requests, 0)
