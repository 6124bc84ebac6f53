"""Running an engine over labelled data."""

from collections.abc import Callable, Sequence

from app.engines.contract import Category, Engine, Outcome, Task
from app.evaluation.report import Prediction

_CHUNK = 64


async def predict(
    engine: Engine,
    rows: Sequence[tuple[str, str]],
    categories: tuple[Category, ...],
    *,
    progress: Callable[[int], None] = lambda _done: None,
) -> list[Prediction]:
    """Classify (text, label) rows; `progress` is told how many more are done."""
    predictions: list[Prediction] = []
    for first in range(0, len(rows), _CHUNK):
        chunk = rows[first : first + _CHUNK]
        tasks = [Task(text, categories=categories) for text, _ in chunk]
        answers = await engine.classify_many(tasks)
        for (_, truth), answer in zip(chunk, answers, strict=True):
            best = answer.labels[0] if isinstance(answer, Outcome) and answer.labels else None
            predictions.append(
                Prediction(truth, best.label, best.confidence)
                if best
                else Prediction(truth, None, 0.0)
            )
        progress(len(chunk))
    return predictions
