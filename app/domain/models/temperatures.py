"""Temperatures that were fitted on the operator's labelled data, by model and source."""

from app.domain import clock
from app.engines.contract import ConfidenceSource
from app.engines.remote.temperature import Temperatures
from app.storage import temperatures as rows


async def load_temperatures() -> dict[str, Temperatures]:
    """Return the fitted temperatures of each model."""
    found: dict[str, dict[ConfidenceSource, float]] = {}
    for row in await rows.all_temperatures():
        found.setdefault(row.model, {})[ConfidenceSource(row.source)] = row.temperature
    return dict(found)


async def keep_temperature(
    model: str,
    source: ConfidenceSource,
    *,
    temperature: float,
    texts: int,
    error_before: float,
    error_after: float,
) -> None:
    """Keep a temperature in place of the one before; servers use it from their next start."""
    await rows.keep_temperature(
        model,
        source.value,
        temperature=temperature,
        texts=texts,
        error_before=error_before,
        error_after=error_after,
        fitted_at=clock.now(),
    )
