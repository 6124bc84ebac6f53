"""Jobs whose process died while the caller waited: failed, and their quota given back."""

from app.domain import clock
from app.domain.errors import ServerError
from app.domain.services import Services


async def fail_abandoned_jobs(services: Services) -> int:
    """Fail the running jobs whose lease has passed and return how many there were."""
    error = ServerError()
    return await services.ledger.fail_expired(
        clock.now(), error_code=error.error_code.value, error_message=error.message
    )
