"""Several models as one: the first that works answers.

Each task asks the models in their order. One whose circuit is open is passed over. What is no fault
of the model (content it can't read or won't judge, an answer that can't be used) moves the task on
without counting against it: otherwise one caller's content could close a model to all callers.
What no model could ever do is said so, and is no outage.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from app.engines.circuit import Circuit
from app.engines.contract import ConfidenceSource, Engine, InputType, Outcome, Task
from app.engines.errors import (
    EngineBusy,
    EngineError,
    ModelUnavailable,
    Unfit,
    UnreadableMedia,
    UnsupportedInput,
)
from app.engines.side_by_side import all_of
from app.engines.spending import NOTHING, Spent

logger = logging.getLogger(__name__)

#: Tasks of one batch that are under way at a time, so that a request beside it is not kept waiting.
BATCH_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Link:
    """A model of the chain."""

    name: str
    engine: Engine
    circuit: Circuit = field(default_factory=Circuit)


class ChainEngine:
    """Asks its models in turn. `links` must not be empty."""

    def __init__(self, links: Sequence[Link]) -> None:
        self.links = tuple(links)

    @property
    def input_types(self) -> frozenset[InputType]:
        """What any of the models can judge."""
        return frozenset().union(*(link.engine.input_types for link in self.links))

    @property
    def is_loaded(self) -> bool:
        """Whether no model needs loading first."""
        return all(link.engine.is_loaded for link in self.links)

    @property
    def confidence_source(self) -> ConfidenceSource | None:
        """Where that of the first model comes from."""
        return self.links[0].engine.confidence_source

    def load(self) -> None:
        """Load every model. Blocking.

        Raises:
            UnknownModel: There is none of that name.
            ModelUnavailable: The embedded model can't be loaded.
        """
        for link in self.links:
            link.engine.load()

    def close(self) -> None:
        """Close every model."""
        for link in self.links:
            link.engine.close()

    async def identity(self, task: Task) -> str:
        """Return those of all models: their order is what the first depends on."""
        return ", ".join([await link.engine.identity(task) for link in self.links])

    async def most_cost(self, task: Task) -> int | None:
        """Return what a task costs when every model is asked in vain but the last.

        None when a price is not known.
        """
        able = [link for link in self.links if task.input_type in link.engine.input_types]
        costs = [await link.engine.most_cost(task) for link in able]
        known = [cost for cost in costs if cost is not None]
        return sum(known) if len(known) == len(costs) else None

    async def classify(self, task: Task) -> Outcome:
        """Answer one task.

        Raises:
            UnsupportedInput: None of the models takes this kind of content.
            UnreadableMedia: One could not read the content, and no other answered.
            Unfit: The task asks for more than any of the models can ever give.
            EngineBusy: One had too much to do, and no other answered.
            ModelUnavailable: No model could; says when the first may again.
        """
        able = [link for link in self.links if task.input_type in link.engine.input_types]
        if not able:
            raise UnsupportedInput(f"no model takes {task.input_type.value}")
        failures: list[EngineError] = []
        spent = NOTHING
        for link in able:
            try:
                answer = await _try(link, task)
            except (UnreadableMedia, Unfit, EngineBusy) as error:
                failures.append(error)
                spent += error.spent
            else:
                if isinstance(answer, Outcome):
                    fell_back = answer.fell_back or link is not able[0]
                    return replace(answer.after(spent), fell_back=fell_back)
                spent += answer
        failure = _reason(failures, able)
        failure.spent = spent
        raise failure

    async def classify_many(self, tasks: Sequence[Task]) -> list[Outcome | EngineError]:
        """Answer tasks in their order; one that fails has its error in its place."""
        places = asyncio.Semaphore(BATCH_AT_ONCE)

        async def answer(task: Task) -> Outcome | EngineError:
            async with places:
                try:
                    return await self.classify(task)
                except EngineError as error:
                    return error

        return await all_of(answer(task) for task in tasks)


def _reason(failures: Sequence[EngineError], able: Sequence[Link]) -> EngineError:
    """Return, of why no model answered, what says most of the task: else the models were away."""
    by_kind = {type(failure): failure for failure in failures}
    if UnreadableMedia in by_kind:
        return by_kind[UnreadableMedia]
    if len(failures) == len(able) and set(by_kind) == {Unfit}:
        return by_kind[Unfit]
    if EngineBusy in by_kind:
        return by_kind[EngineBusy]
    waits = [link.circuit.opens_in for link in able]
    return ModelUnavailable("no model could answer", retry_after=min(waits) or None)


async def _try(link: Link, task: Task) -> Outcome | Spent:
    """Return the model's answer, or what was spent in vain when the next one is to be asked.

    Raises:
        UnreadableMedia: This model can't read the content; the next one may.
        Unfit: This model could never do what the task asks for; the next one may.
        EngineBusy: This model has too much to do; the next one may not.
    """
    ticket = link.circuit.admit()
    if ticket is None:
        return NOTHING
    try:
        outcome = await link.engine.classify(task)
    except ModelUnavailable as error:
        link.circuit.failed(ticket, retry_after=error.retry_after, lasting=error.lasting)
        logger.warning("model %s: %s", link.name, error)
        return error.spent
    except (UnreadableMedia, Unfit):
        link.circuit.told_nothing(ticket)
        raise
    except EngineBusy as error:
        link.circuit.told_nothing(ticket)
        logger.warning("model %s: %s", link.name, error)
        raise
    except EngineError as error:
        link.circuit.told_nothing(ticket)
        logger.warning("model %s: %s", link.name, error)
        return error.spent
    except BaseException:
        # A cancelled task, or a bug: a half-open circuit must not wait for it for ever.
        link.circuit.told_nothing(ticket)
        raise
    else:
        link.circuit.succeeded(ticket)
        return outcome
