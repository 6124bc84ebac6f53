"""Models' temperatures: read at start, written by the evaluation."""

from datetime import datetime

from app.storage.models import ModelTemperatureRow


async def all_temperatures() -> list[ModelTemperatureRow]:
    """Return every temperature."""
    return await ModelTemperatureRow.all()


async def keep_temperature(
    model: str,
    source: str,
    *,
    temperature: float,
    texts: int,
    error_before: float,
    error_after: float,
    fitted_at: datetime,
) -> None:
    """Keep a temperature in place of the one before."""
    await ModelTemperatureRow.update_or_create(
        model=model,
        source=source,
        defaults={
            "temperature": temperature,
            "texts": texts,
            "error_before": error_before,
            "error_after": error_after,
            "fitted_at": fitted_at,
        },
    )
