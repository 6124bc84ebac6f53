"""What each plan may do: the plan tables of the API reference, a row here for a row there."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from app.engines.contract import InputType


class Plan(StrEnum):
    """A plan, cheapest first."""

    FREE = "free"
    STARTER = "starter"
    PRO = "pro"
    ENTERPRISE = "enterprise"


@dataclass(frozen=True, slots=True)
class Limits:
    """One plan's column of the tables. None means unlimited."""

    requests: int | None
    batch_size: int
    batch_files: bool
    input_types: frozenset[InputType]
    custom_categories: bool
    schemas: int | None
    api_keys: int | None
    webhooks: int | None
    history: timedelta | None
    explain: bool
    async_jobs: bool

    @property
    def media(self) -> bool:
        """Whether anything but text may be sent."""
        return len(self.input_types) > 1


_TEXT = frozenset({InputType.TEXT})
_IMAGES = _TEXT | {InputType.IMAGE}
_ALL = frozenset(InputType)

LIMITS: dict[Plan, Limits] = {
    Plan.FREE: Limits(
        requests=100,
        batch_size=1,
        batch_files=False,
        input_types=_TEXT,
        custom_categories=False,
        schemas=0,
        api_keys=1,
        webhooks=0,
        history=timedelta(days=7),
        explain=True,
        async_jobs=True,
    ),
    Plan.STARTER: Limits(
        requests=10_000,
        batch_size=50,
        batch_files=True,
        input_types=_IMAGES,
        custom_categories=True,
        schemas=10,
        api_keys=3,
        webhooks=0,
        history=timedelta(days=30),
        explain=True,
        async_jobs=True,
    ),
    Plan.PRO: Limits(
        requests=100_000,
        batch_size=500,
        batch_files=True,
        input_types=_ALL,
        custom_categories=True,
        schemas=None,
        api_keys=10,
        webhooks=10,
        history=timedelta(days=365),
        explain=True,
        async_jobs=True,
    ),
    Plan.ENTERPRISE: Limits(
        requests=None,
        batch_size=500,
        batch_files=True,
        input_types=_ALL,
        custom_categories=True,
        schemas=None,
        api_keys=None,
        webhooks=None,
        history=None,
        explain=True,
        async_jobs=True,
    ),
}


def cheapest_plan(allows: Callable[[Limits], bool]) -> Plan:
    """Return the first plan whose limits satisfy `allows`; Enterprise when none does."""
    return next((plan for plan in Plan if allows(LIMITS[plan])), Plan.ENTERPRISE)
