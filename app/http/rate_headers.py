"""The rate-limit headers of authenticated responses."""

from app.domain import clock
from app.domain.accounts.account import Caller
from app.domain.clock import Period


def rate_limit_headers(caller: Caller, used: int) -> dict[str, str]:
    """Return the month's limit, what is left, and when it resets (unix seconds).

    An unlimited plan has none.
    """
    limit = caller.account.limits.requests
    if limit is None:
        return {}
    reset = Period.of(clock.now()).end
    return {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(max(limit - used, 0)),
        "X-RateLimit-Reset": str(int(reset.timestamp())),
    }
