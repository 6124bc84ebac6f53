"""The models that accounts may choose, as far as it is known what they can do."""

from dataclasses import dataclass

from app.domain.services import Services
from app.engines.choice import ChoosingEngine
from app.engines.contract import ConfidenceSource, InputType


@dataclass(frozen=True, slots=True)
class AllowedModel:
    """A model that may be chosen.

    `confidence_source` is that of a single label, as a rule. `default_for` are the kinds of content
    for which it is asked first where neither the account nor the schema chooses.
    """

    name: str
    input_types: tuple[InputType, ...]
    confidence_source: ConfidenceSource | None
    default_for: tuple[InputType, ...]


async def list_allowed(services: Services) -> list[AllowedModel]:
    """Return the models that accounts may choose, in the operator's order; none without a choice.

    Raises:
        EngineError: One of them can't be loaded.
    """
    engine, settings = services.engine, services.settings
    if not isinstance(engine, ChoosingEngine):
        return []
    return [
        AllowedModel(
            name=link.name,
            input_types=tuple(kind for kind in InputType if kind in link.engine.input_types),
            confidence_source=link.engine.confidence_source,
            default_for=tuple(
                kind for kind in InputType if settings.models_for(kind)[0] == link.name
            ),
        )
        for link in await engine.allowed()
    ]
