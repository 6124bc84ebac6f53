"""Models that tasks name themselves, beside those that judge the others.

A model is made when it is first asked for, and shared by all choices that name it: there is one
circuit for it, whoever asks. A task whose models are unknown here, or none of which takes its kind
of content, is judged like one that names none.
"""

import asyncio
from collections.abc import Callable, Sequence

from app.engines.chain import ChainEngine, Link
from app.engines.contract import ConfidenceSource, Engine, InputType, Outcome, Task
from app.engines.errors import EngineError
from app.engines.side_by_side import all_of


class ChoosingEngine:
    """Hands tasks to the models that they name, else to `standard`.

    `allowed` are the models that may be named, `make` makes one of them.
    """

    def __init__(
        self, standard: Engine, *, allowed: Sequence[str], make: Callable[[str], Link]
    ) -> None:
        self.standard = standard
        self._allowed = tuple(allowed)
        self._make = make
        self._links: dict[str, Link] = {}

    @property
    def input_types(self) -> frozenset[InputType]:
        """What can be judged for a task that names no models."""
        return self.standard.input_types

    @property
    def is_loaded(self) -> bool:
        """Whether tasks that name no models need no loading first."""
        return self.standard.is_loaded

    @property
    def confidence_source(self) -> ConfidenceSource | None:
        """Where it comes from for a task that names no models."""
        return self.standard.confidence_source

    async def allowed(self) -> list[Link]:
        """Return the models that may be named, in the operator's order."""
        links = [self._link(name) for name in self._allowed]
        await _load(links)
        return links

    def load(self) -> None:
        """Load what judges tasks that name no models. Blocking; twice is once."""
        self.standard.load()

    def close(self) -> None:
        """Close every model."""
        self.standard.close()
        for link in self._links.values():
            link.engine.close()

    async def identity(self, task: Task) -> str:
        """Return all that the answer depends on beside the task."""
        return await (await self._engine_of(task)).identity(task)

    async def most_cost(self, task: Task) -> int | None:
        """Return what a task costs at most."""
        return await (await self._engine_of(task)).most_cost(task)

    async def classify(self, task: Task) -> Outcome:
        """Answer one task."""
        return await (await self._engine_of(task)).classify(task)

    async def classify_many(self, tasks: Sequence[Task]) -> list[Outcome | EngineError]:
        """Answer tasks in their order; those with the same models are answered together."""
        groups: dict[int, tuple[Engine, list[int]]] = {}
        known: dict[tuple[str | None, InputType], Engine] = {}
        for place, task in enumerate(tasks):
            which = (task.model, task.input_type)
            if which not in known:
                known[which] = await self._engine_of(task)
            engine = known[which]
            groups.setdefault(id(engine), (engine, []))[1].append(place)
        answers: dict[int, Outcome | EngineError] = {}

        async def ask(engine: Engine, places: Sequence[int]) -> None:
            judged = await engine.classify_many([tasks[place] for place in places])
            answers.update(zip(places, judged, strict=True))

        await all_of(ask(engine, places) for engine, places in groups.values())
        return [answers[place] for place in range(len(tasks))]

    async def _engine_of(self, task: Task) -> Engine:
        if task.model is None:
            return self.standard
        names = task.model.split(",")
        if not set(names) <= set(self._allowed):
            return self.standard
        links = [self._link(name) for name in names]
        await _load(links)
        chain = ChainEngine(links)
        return chain if task.input_type in chain.input_types else self.standard

    def _link(self, name: str) -> Link:
        if name not in self._links:
            self._links[name] = self._make(name)
        return self._links[name]


async def _load(links: Sequence[Link]) -> None:
    """Load what is not loaded yet: what it can judge is known then."""
    for link in links:
        if not link.engine.is_loaded:
            await asyncio.to_thread(link.engine.load)
