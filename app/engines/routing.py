"""One engine for each kind of content, as one."""

from collections.abc import Mapping, Sequence

from app.engines.contract import ConfidenceSource, Engine, InputType, Outcome, Task
from app.engines.errors import EngineError
from app.engines.side_by_side import all_of


class RoutedEngine:
    """Hands each task to the engine of its kind of content. Several kinds may share one."""

    def __init__(self, by_type: Mapping[InputType, Engine]) -> None:
        self._by_type = by_type
        # In a fixed order, each once.
        self.engines = list({id(engine): engine for engine in by_type.values()}.values())

    @property
    def input_types(self) -> frozenset[InputType]:
        """The kinds whose engine can judge them."""
        return frozenset(
            kind for kind, engine in self._by_type.items() if kind in engine.input_types
        )

    @property
    def is_loaded(self) -> bool:
        """Whether no engine needs loading first."""
        return all(engine.is_loaded for engine in self.engines)

    @property
    def confidence_source(self) -> ConfidenceSource | None:
        """Where that of texts comes from."""
        return self._by_type[InputType.TEXT].confidence_source

    def load(self) -> None:
        """Load every engine. Blocking; twice is once."""
        for engine in self.engines:
            engine.load()

    def close(self) -> None:
        """Close every engine."""
        for engine in self.engines:
            engine.close()

    async def identity(self, task: Task) -> str:
        """Return all that the answer depends on beside the task."""
        return await self._by_type[task.input_type].identity(task)

    async def most_cost(self, task: Task) -> int | None:
        """Return what a task costs at most."""
        return await self._by_type[task.input_type].most_cost(task)

    async def classify(self, task: Task) -> Outcome:
        """Answer one task."""
        return await self._by_type[task.input_type].classify(task)

    async def classify_many(self, tasks: Sequence[Task]) -> list[Outcome | EngineError]:
        """Answer tasks in their order; one that fails has its error in its place."""
        places = [
            [n for n, task in enumerate(tasks) if self._by_type[task.input_type] is engine]
            for engine in self.engines
        ]
        answers: dict[int, Outcome | EngineError] = {}

        async def ask(engine: Engine, own: Sequence[int]) -> None:
            judged = await engine.classify_many([tasks[place] for place in own])
            answers.update(zip(own, judged, strict=True))

        await all_of(
            ask(engine, own) for engine, own in zip(self.engines, places, strict=True) if own
        )
        return [answers[place] for place in range(len(tasks))]
