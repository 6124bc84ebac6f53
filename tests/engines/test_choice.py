"""Models that tasks name: made once, when first asked for; what is not allowed is as not named."""

from collections.abc import Sequence
from dataclasses import replace

from app.engines.chain import Link
from app.engines.choice import ChoosingEngine
from app.engines.contract import ConfidenceSource, InputType, Label, Outcome, Task
from app.engines.errors import EngineError, ModelUnavailable

TASK = Task("x")


class Model:
    """Answers with its name, or fails."""

    def __init__(self, name: str, *kinds: InputType) -> None:
        self.name = name
        self.kinds = frozenset(kinds or (InputType.TEXT,))
        self.is_loaded = False
        self.fails = False
        self.asked: list[int] = []

    @property
    def input_types(self) -> frozenset[InputType]:
        return self.kinds if self.is_loaded else frozenset({InputType.TEXT})

    @property
    def confidence_source(self) -> ConfidenceSource:
        return ConfidenceSource.MEASURED

    def load(self) -> None:
        self.is_loaded = True

    def close(self) -> None:
        self.is_loaded = False

    async def identity(self, _task: Task) -> str:
        return self.name

    async def most_cost(self, _task: Task) -> int:
        return len(self.name)

    async def classify(self, _task: Task) -> Outcome:
        if self.fails:
            raise ModelUnavailable("down")
        return Outcome((Label("a", 0.9),), 1, ConfidenceSource.MEASURED, self.name)

    async def classify_many(self, tasks: Sequence[Task]) -> list[Outcome | EngineError]:
        self.asked.append(len(tasks))
        return [await self.classify(task) for task in tasks]


class World:
    """A standard model, and three that may be chosen."""

    def __init__(self) -> None:
        self.standard = Model("standard")
        self.models = {
            "one": Model("one"),
            "two": Model("two", InputType.TEXT, InputType.IMAGE),
            "three": Model("three"),
        }
        self.made: list[str] = []
        self.engine = ChoosingEngine(self.standard, allowed=["one", "two"], make=self.make)

    def make(self, name: str) -> Link:
        self.made.append(name)
        return Link(name, self.models[name])

    async def judged_by(self, model: str | None, kind: InputType = InputType.TEXT) -> str:
        outcome = await self.engine.classify(replace(TASK, model=model, input_type=kind))
        return outcome.model


async def test_a_model_is_made_when_it_is_first_asked_for() -> None:
    world = World()
    assert await world.judged_by(None) == "standard"
    assert world.made == []
    assert await world.judged_by("two") == "two"
    assert await world.judged_by("two,one") == "two"
    assert world.made == ["two", "one"]
    world.engine.close()
    assert not world.models["one"].is_loaded


async def test_what_is_not_allowed_any_more_is_judged_by_the_standard() -> None:
    world = World()
    for model in ("three", "one,three", "", "nonsense"):
        assert await world.judged_by(model) == "standard"
    assert world.made == []


async def test_several_are_asked_in_turn_with_one_circuit_each() -> None:
    world = World()
    world.models["one"].fails = True
    for _ in range(5):
        assert await world.judged_by("one,two") == "two"
    world.models["one"].fails = False
    # Its circuit has opened, whoever asks.
    assert await world.judged_by("one,two") == "two"


async def test_content_that_none_of_them_takes_is_for_the_standard() -> None:
    world = World()
    assert await world.judged_by("two", InputType.IMAGE) == "two"
    assert await world.judged_by("one", InputType.IMAGE) == "standard"


async def test_what_it_costs_and_is_called_is_of_the_chosen() -> None:
    world = World()
    two = replace(TASK, model="two,one")
    assert await world.engine.most_cost(two) == 6
    assert await world.engine.identity(two) == "two, one"
    assert await world.engine.most_cost(TASK) == len("standard")


async def test_tasks_of_one_choice_go_together_and_come_back_in_their_order() -> None:
    world = World()
    wanted = [None, "one", None, "two", "one", "three"]
    answers = await world.engine.classify_many([replace(TASK, model=each) for each in wanted])
    models = [answer.model if isinstance(answer, Outcome) else None for answer in answers]
    assert models == ["standard", "one", "standard", "two", "one", "standard"]
    assert world.standard.asked == [3]
