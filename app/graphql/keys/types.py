"""API keys as GraphQL shows them."""

from __future__ import annotations

import strawberry

from app.domain.keys import key as domain
from app.graphql.scalars import DateTime


@strawberry.type(description="An API key, without its secret.")
class ApiKey:
    id: strawberry.ID = strawberry.field(description="The key's id.")
    name: str = strawberry.field(description="What it is called.")
    hint: str = strawberry.field(description="How the secret begins.")
    created_at: DateTime = strawberry.field(description="When it was made.")
    revoked_at: DateTime | None = strawberry.field(
        description="When it was revoked; null while it works."
    )

    @classmethod
    def of(cls, key: domain.ApiKey) -> ApiKey:
        """Show a key."""
        return cls(
            id=strawberry.ID(str(key.id)),
            name=key.name,
            hint=key.hint,
            created_at=DateTime(key.created_at),
            revoked_at=None if key.revoked_at is None else DateTime(key.revoked_at),
        )
