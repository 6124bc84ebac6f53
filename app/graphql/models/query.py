"""`models`."""

from app.domain.accounts.account import require_active_subscription
from app.domain.models.allowed import list_allowed
from app.graphql.context import Info
from app.graphql.models.types import Model


async def resolve_models(info: Info) -> list[Model]:
    """Return the models that accounts may choose."""
    require_active_subscription(info.context.account)
    return [Model.of(model) for model in await list_allowed(info.context.services)]
