"""`apiKeys`."""

from app.domain.keys.manage import list_keys
from app.graphql.context import Info
from app.graphql.keys.types import ApiKey


async def resolve_api_keys(info: Info) -> list[ApiKey]:
    """Return the account's keys."""
    return [ApiKey.of(key) for key in await list_keys(info.context.paying_account)]
