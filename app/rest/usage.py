"""`GET /usage`."""

from app.domain import clock
from app.domain.clock import Period
from app.domain.errors import InvalidRequest
from app.domain.usage.read import get_usage as read_usage
from app.rest.account_replies import UsageReply
from app.rest.call import Call
from app.rest.operation import Operation, Parameter
from app.rest.rendering import render_usage
from app.rest.reply import Reply


async def get_usage(call: Call) -> Reply:
    """Return a month's usage against the plan's limits."""
    month = call.request.query_params.get("month")
    period = Period.of(clock.now()) if month is None else Period.parse(month)
    if period is None:
        raise InvalidRequest(("month",), f"must be YYYY-MM, got '{(month or '')[:40]}'")
    return Reply(render_usage(await read_usage(call.account, period)))


USAGE = {
    "GET": Operation(
        get_usage,
        name="getUsage",
        summary="A month's usage against the plan's limits",
        reply=UsageReply,
        query=(
            Parameter(
                "month",
                "Month in YYYY-MM format. Defaults to the current month.",
                {"type": "string", "pattern": "^(?!0000)[0-9]{4}-(0[1-9]|1[0-2])$"},
            ),
        ),
    )
}
