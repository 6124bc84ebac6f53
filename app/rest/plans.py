"""`GET /plans`."""

from app.domain.plans import LIMITS
from app.rest.account_replies import PlanListReply
from app.rest.call import Call
from app.rest.operation import Operation
from app.rest.rendering import render_plan
from app.rest.reply import Reply


async def get_plans(_call: Call) -> Reply:
    """Return every plan, cheapest first."""
    return Reply(PlanListReply([render_plan(plan, limits) for plan, limits in LIMITS.items()]))


PLANS = {
    "GET": Operation(
        get_plans,
        name="getPlans",
        summary="Every plan and what it allows",
        reply=PlanListReply,
    )
}
