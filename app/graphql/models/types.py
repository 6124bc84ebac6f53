"""Models as GraphQL shows them."""

from __future__ import annotations

import strawberry

from app.domain.models.allowed import AllowedModel
from app.engines.contract import ConfidenceSource, InputType


@strawberry.type(description="A model that accounts may choose.")
class Model:
    name: str = strawberry.field(
        description="Its name, for defaultModel of the account and model of a schema."
    )
    input_types: list[InputType] = strawberry.field(
        description="The kinds of content that it is known to take."
    )
    confidence_source: ConfidenceSource | None = strawberry.field(
        description="Where the confidence of a single label comes from, as a rule: each job's meta "
        "says it of itself. Null when it is not known."
    )
    default_for: list[InputType] = strawberry.field(
        description="The kinds of content for which it is asked first where neither the account "
        "nor the schema chooses a model."
    )

    @classmethod
    def of(cls, model: AllowedModel) -> Model:
        """Show a model."""
        return cls(
            name=model.name,
            input_types=list(model.input_types),
            confidence_source=model.confidence_source,
            default_for=list(model.default_for),
        )
