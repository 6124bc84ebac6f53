"""An engine that is watched: how long its model takes, how it fails, what it reads."""

import time
from collections.abc import Sequence

from app.engines.contract import ConfidenceSource, Engine, InputType, Outcome, Task
from app.engines.errors import EngineError
from app.observability import metrics
from app.observability.tracing import span


class WatchedEngine:
    """Hands every task to `engine`, one model, and counts. `name` is what the settings call it."""

    def __init__(self, engine: Engine, *, name: str) -> None:
        self._engine = engine
        self._name = name

    @property
    def input_types(self) -> frozenset[InputType]:
        """The kinds of content it can judge."""
        return self._engine.input_types

    @property
    def is_loaded(self) -> bool:
        """Whether an answer needs no loading first."""
        return self._engine.is_loaded

    @property
    def confidence_source(self) -> ConfidenceSource | None:
        """Where the confidence of a single label comes from."""
        return self._engine.confidence_source

    def load(self) -> None:
        """Do what a first answer would wait for. Blocking; twice is once."""
        self._engine.load()

    def close(self) -> None:
        """Let go of what it holds."""
        self._engine.close()

    async def identity(self, task: Task) -> str:
        """Return all that the answer depends on beside the task."""
        return await self._engine.identity(task)

    async def most_cost(self, task: Task) -> int | None:
        """Return what a task costs at most."""
        return await self._engine.most_cost(task)

    async def classify(self, task: Task) -> Outcome:
        """Answer one task."""
        started = time.perf_counter()
        with span("model", model=self._name, inputs=1):
            try:
                outcome = await self._engine.classify(task)
            except Exception:
                metrics.model_failed(self._name)
                raise
        seconds = time.perf_counter() - started
        metrics.model_answered(self._name, inputs="one", seconds=seconds)
        _count(task, outcome)
        return outcome

    async def classify_many(self, tasks: Sequence[Task]) -> list[Outcome | EngineError]:
        """Answer tasks in their order; one that fails has its error in its place."""
        started = time.perf_counter()
        with span("model", model=self._name, inputs=len(tasks)):
            try:
                answers = await self._engine.classify_many(tasks)
            except Exception:
                for _ in tasks:
                    metrics.model_failed(self._name)
                raise
        metrics.model_answered(self._name, inputs="many", seconds=time.perf_counter() - started)
        for task, answer in zip(tasks, answers, strict=True):
            if isinstance(answer, Outcome):
                _count(task, answer)
            else:
                metrics.model_failed(self._name)
        return answers


def _count(task: Task, outcome: Outcome) -> None:
    metrics.classified(
        mode=task.mode.value,
        confidence_source=outcome.confidence_source.value,
        input_type=task.input_type.value,
        tokens=outcome.tokens,
    )
