"""A decision model as an engine.

It answers with probabilities and with nothing else, so there is nothing to be asked again in other
words: what is no answer fails the task, and the next model is asked. `explain` is not for it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from app.engines.contract import ConfidenceSource, InputType, Outcome, Task
from app.engines.decisions.answers import read_answers
from app.engines.decisions.questions import MAX_QUESTIONS, Asking, check, generic, questions_of
from app.engines.errors import EngineError, UnknownModel, UnsupportedInput, UnusableAnswer
from app.engines.litellm_provider import DECISIONS, library, register_decisions
from app.engines.remote.answer import Judgement, NoAnswer
from app.engines.remote.call import Address, CallFailed, call
from app.engines.remote.capabilities import UNKNOWN_CONTEXT, room_of
from app.engines.remote.fitting import LONG_TEXT, fit
from app.engines.remote.limits import FRAME_TOKENS
from app.engines.remote.outcome import outcome_of
from app.engines.remote.price import cost_of
from app.engines.remote.prompt import list_categories, takes_none
from app.engines.remote.retry import with_retries
from app.engines.remote.temperature import Temperatures
from app.engines.remote.turns import Turns, answer_each, turn
from app.engines.spending import NOTHING, Bill, Spent


@dataclass(frozen=True, slots=True)
class _Read:
    """What one request brought: probabilities by label, and what it took."""

    chances: dict[str | None, float]
    spent: Spent


def is_decision_model(name: str) -> bool:
    """Tell whether a model of this name is asked as a decision model."""
    return name.startswith(f"{DECISIONS}/")


class DecisionEngine:
    """One model of a server that speaks System One.

    `turns` bounds the tasks under way at a time, and may be shared with other models. `context` is
    the model's in tokens. `temperatures` were fitted on labelled data, by the source of the
    confidence.
    """

    input_types = frozenset({InputType.TEXT})

    def __init__(
        self,
        address: Address,
        *,
        turns: Turns,
        context: int | None = None,
        temperatures: Temperatures | None = None,
    ) -> None:
        self._address = address
        self._turns = turns
        self._room = room_of(context or UNKNOWN_CONTEXT)
        self._temperatures = temperatures or {}
        self._loaded = False

    @property
    def is_loaded(self) -> bool:
        """Whether the provider is known to LiteLLM."""
        return self._loaded

    @property
    def confidence_source(self) -> ConfidenceSource:
        """Where its probabilities come from: they are measured, or fitted to labelled data."""
        fitted = ConfidenceSource.MEASURED in self._temperatures
        return ConfidenceSource.CALIBRATED if fitted else ConfidenceSource.MEASURED

    def load(self) -> None:
        """Make the provider known to LiteLLM. Blocking; asks no server.

        Raises:
            UnknownModel: There is no address to ask at.
        """
        if not register_decisions(self._address.api_base):
            raise UnknownModel(
                f"'{self._address.model}' needs the address of a server: "
                "CLASSIFAILY_MODEL_API_BASE, or SYSTEMONE_API_BASE beside other providers"
            )
        self._loaded = True

    def close(self) -> None:
        """Do nothing: connections belong to the loop, see `litellm_provider.close_connections`."""

    async def identity(self, task: Task) -> str:
        """Return the model, where it is asked, and its temperatures."""
        fitted = sorted(self._temperatures.items())
        return f"{self._address.model} {self._address.api_base} {self._room} {fitted}"

    async def most_cost(self, task: Task) -> int | None:
        """Return what the questions of a task cost at most, in nano-dollars; None if not known.

        A token is at least a byte. An answer has a probability for each category.
        """
        asked = list_categories(task.categories or (), lettered=False, with_none=takes_none(task))
        size, lots = len(asked.encode()), -(-(len(task.categories or ()) + 1) // MAX_QUESTIONS)
        return cost_of(
            self._address.model,
            prompt_tokens=(len(task.content.encode()) + size + FRAME_TOKENS) * lots,
            completion_tokens=size + FRAME_TOKENS * lots,
            price=self._address.price,
        )

    async def classify(self, task: Task) -> Outcome:
        """Answer one task.

        Raises:
            UnsupportedInput: The input is not text.
            Unfit: The categories are too many or too long, or an explanation is wanted.
            UnusableAnswer: The model's answer can't be used.
            EngineBusy: The task's turn did not come in time.
            UnknownModel: There is no address to ask at.
            ModelUnavailable: The server does not answer.
        """
        if task.input_type not in self.input_types:
            raise UnsupportedInput(f"the model can't judge {task.input_type.value}")
        task = generic(task)
        check(task)
        if not self._loaded:
            await asyncio.to_thread(self.load)
        async with turn(self._turns, task, timeout_s=self._address.timeout_s) as deadline:
            return await self._answer(task, deadline=deadline)

    async def classify_many(self, tasks: Sequence[Task]) -> list[Outcome | EngineError]:
        """Answer tasks in their order; one that fails has its error in its place."""
        return await answer_each(self.classify, tasks)

    async def _answer(self, task: Task, *, deadline: float) -> Outcome:
        fitting = partial(fit, task, lettered=False, room=self._room, count=self._count)
        fitted = await asyncio.to_thread(fitting) if len(task.content) > LONG_TEXT else fitting()
        asked = questions_of(task, fitted)
        lots = [asked[at : at + MAX_QUESTIONS] for at in range(0, len(asked), MAX_QUESTIONS)]
        asking = (self._ask(lot, fitted.content, task.bill, deadline=deadline) for lot in lots)
        # All are waited for, so that none is under way when the task has ended.
        ends = await asyncio.gather(*asking, return_exceptions=True)
        read: dict[str | None, float] = {}
        spent = NOTHING
        failures: list[BaseException] = []
        for end in ends:
            if isinstance(end, BaseException):
                failures.append(end)
                spent += end.spent if isinstance(end, EngineError) else NOTHING
            else:
                read |= end.chances
                spent += end.spent
        if failures:
            if isinstance(failures[0], EngineError):
                failures[0].spent = spent
            raise failures[0]
        return outcome_of(
            task,
            _judgement(task, read),
            temperatures=self._temperatures,
            spent=spent,
            model=self._address.model,
            truncated=fitted.truncated,
        )

    async def _ask(
        self, lot: Sequence[Asking], content: str, bill: Bill | None, *, deadline: float
    ) -> _Read:
        messages = [{"role": "user", "content": content}]
        options = {"questions": {asking.name: asking.question for asking in lot}}
        try:
            reply = await with_retries(
                lambda within: call(
                    self._address, messages, within=within, options=options, bill=bill
                ),
                deadline=deadline,
            )
        except CallFailed as failure:
            raise failure.as_engine_error() from failure
        try:
            return _Read(read_answers(reply.text, lot), reply.spent)
        except NoAnswer as problem:
            unusable = UnusableAnswer(f"its answer can't be used: {problem}")
            unusable.spent = reply.spent
            raise unusable from None

    def _count(self, text: str) -> int:
        return len(library().encode(model=self._address.model, text=text))


def _judgement(task: Task, read: dict[str | None, float]) -> Judgement:
    labels: list[str | None] = [category.name for category in task.categories or ()]
    if takes_none(task):
        labels.append(None)
    # Of the one option that there is, nothing is asked: it is certain.
    chances = tuple(read.get(label, 1.0) for label in labels)
    return Judgement(tuple(labels), chances, {}, ConfidenceSource.MEASURED)
