"""Running an engine over labelled data."""

import math
from collections.abc import Callable, Sequence

from app.engines.contract import Category, Engine, Mode, Outcome, Task
from app.evaluation.report import Prediction

_CHUNK = 64
# `single` asks a model for as many: the one, and how far the next is.
_BEST = 2


async def answer_rows(
    engine: Engine,
    rows: Sequence[tuple[str, str]],
    categories: tuple[Category, ...],
    *,
    progress: Callable[[int], None] = lambda _done: None,
) -> list[tuple[str, Outcome | None]]:
    """Classify (text, label) rows, each into its label and the best two; None where it failed.

    `progress` is told how many more are done.
    """
    answered: list[tuple[str, Outcome | None]] = []
    for first in range(0, len(rows), _CHUNK):
        chunk = rows[first : first + _CHUNK]
        tasks = [
            Task(text, categories=categories, mode=Mode.TOP_N, top_n=_BEST, patience_s=math.inf)
            for text, _ in chunk
        ]
        answers = await engine.classify_many(tasks)
        for (_, truth), answer in zip(chunk, answers, strict=True):
            answered.append((truth, answer if isinstance(answer, Outcome) else None))
        progress(len(chunk))
    return answered


def predictions(answered: Sequence[tuple[str, Outcome | None]]) -> list[Prediction]:
    """Return the best label of each answer."""
    return [
        Prediction(truth, answer.labels[0].label, answer.labels[0].confidence)
        if answer is not None
        else Prediction(truth, None, 0.0)
        for truth, answer in answered
    ]


async def predict(
    engine: Engine, rows: Sequence[tuple[str, str]], categories: tuple[Category, ...]
) -> list[Prediction]:
    """Return the best label of each (text, label) row."""
    return predictions(await answer_rows(engine, rows, categories))
