"""`plans`."""

from app.domain.accounts.account import require_active_subscription
from app.domain.plans import LIMITS
from app.graphql.context import Info
from app.graphql.plans.types import PlanLimits, PlanOffer


def resolve_plans(info: Info) -> list[PlanOffer]:
    """Return every plan, cheapest first."""
    require_active_subscription(info.context.account)
    return [PlanOffer(plan=plan, limits=PlanLimits.of(limits)) for plan, limits in LIMITS.items()]
