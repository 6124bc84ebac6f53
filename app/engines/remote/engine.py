"""A provider's model as an engine.

A task is asked in the best manner that the model has. If what comes back is no answer, the model is
asked once more: in the next manner when a letter had no usable log-probabilities, else in the same
one with a word on what was wrong. If that brings no answer either, the task fails. All calls of a
task, their retries and the wait for its turn share one budget of time.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from app.engines.contract import ConfidenceSource, InputType, Outcome, Task, Truncated
from app.engines.errors import EngineError, UnsupportedInput, UnusableAnswer
from app.engines.remote.answer import Judgement, NoAnswer, read_letter, read_object
from app.engines.remote.call import Address, CallFailed, Message, Reply, call
from app.engines.remote.capabilities import Capabilities, Manners, find, with_key
from app.engines.remote.examples import Examples, examples_of
from app.engines.remote.fitting import LONG_TEXT, Fitted, fit
from app.engines.remote.limits import ANSWERS, most_tokens
from app.engines.remote.media import BASIS, Part, handed_on, part_of
from app.engines.remote.options import options_for
from app.engines.remote.outcome import outcome_of
from app.engines.remote.price import cost_of
from app.engines.remote.prompt import Manner, write
from app.engines.remote.retry import with_retries
from app.engines.remote.temperature import Temperatures
from app.engines.remote.turns import Turns, answer_each, turn
from app.engines.spending import NOTHING, Spent


class RemoteEngine:
    """One model of a provider.

    `turns` bounds the tasks under way at a time, and may be shared with other models. `context` is
    the model's in tokens, where it is not the one that LiteLLM knows. `temperatures` were fitted on
    labelled data, by the source of the confidence. `believed` are the kinds of content that the
    operator says it takes, beside those that LiteLLM knows of.
    """

    def __init__(
        self,
        address: Address,
        *,
        turns: Turns,
        context: int | None = None,
        temperatures: Temperatures | None = None,
        believed: frozenset[InputType] = frozenset(),
    ) -> None:
        self._address = address
        self._temperatures = temperatures or {}
        self._turns = turns
        self._context = context
        self._believed = believed
        self._capabilities: Capabilities | None = None
        self._manners = Manners(())

    @property
    def input_types(self) -> frozenset[InputType]:
        """The kinds of content it can judge; before it is loaded, those that it surely can."""
        if self._capabilities is None:
            return self._believed | {InputType.TEXT}
        possible = handed_on(self._capabilities.provider)
        return (self._believed | self._capabilities.input_types) & possible

    @property
    def is_loaded(self) -> bool:
        """Whether it is known what the model can do."""
        return self._capabilities is not None

    @property
    def confidence_source(self) -> ConfidenceSource | None:
        """Where the confidence comes from when the model is asked in its best manner."""
        if self._capabilities is None:
            return None
        lettered = self._capabilities.manners[0] is Manner.LETTER
        source = ConfidenceSource.MEASURED if lettered else ConfidenceSource.SELF_REPORTED
        return ConfidenceSource.CALIBRATED if source in self._temperatures else source

    def load(self) -> None:
        """Find out what the model can do, from LiteLLM's tables. Blocking; asks no provider.

        Raises:
            UnknownModel: LiteLLM knows no provider for the name.
        """
        capabilities = find(self._address.model, context=self._context)
        # Its tokenizer takes a quarter of a second to read: not off the first request's time.
        capabilities.count("")
        self._address = with_key(self._address)
        self._manners = Manners(capabilities.manners)
        self._capabilities = capabilities

    def close(self) -> None:
        """Do nothing: connections belong to the loop, see `litellm_provider.close_connections`."""

    async def identity(self, task: Task) -> str:
        """Return the model, where it is asked, and its temperatures."""
        fitted = sorted(self._temperatures.items())
        return f"{self._address.model} {self._address.api_base} {self._context} {fitted}"

    async def most_cost(self, task: Task) -> int | None:
        """Return what the calls of a task cost at most, in nano-dollars; None if not known."""
        if self._capabilities is None:
            await asyncio.to_thread(self.load)
        prompt, answer = most_tokens(task, self._known)
        cost = cost_of(
            self._address.model,
            prompt_tokens=prompt,
            completion_tokens=answer,
            price=self._address.price,
        )
        return None if cost is None else cost * ANSWERS

    async def classify(self, task: Task) -> Outcome:
        """Answer one task.

        Raises:
            UnsupportedInput: The model does not take this kind of input.
            UnreadableMedia: What it is about can't reach the provider.
            Unfit: The categories don't fit into the context.
            UnusableAnswer: The model's answers can't be used.
            EngineBusy: The task's turn did not come in time.
            UnknownModel: LiteLLM knows no provider for the name.
            ModelUnavailable: The provider does not answer.
        """
        if self._capabilities is None:
            await asyncio.to_thread(self.load)
        if task.input_type not in self.input_types:
            raise UnsupportedInput(f"the model can't judge {task.input_type.value}")
        async with turn(self._turns, task, timeout_s=self._address.timeout_s) as deadline:
            meter = _Meter()
            try:
                return await self._answer(task, meter, deadline=deadline)
            except EngineError as error:
                error.spent += meter.spent
                raise

    @property
    def _known(self) -> Capabilities:
        assert self._capabilities is not None  # noqa: S101 - whoever asks has loaded it
        return self._capabilities

    async def classify_many(self, tasks: Sequence[Task]) -> list[Outcome | EngineError]:
        """Answer tasks in their order; one that fails has its error in its place."""
        return await answer_each(self.classify, tasks)

    async def _answer(self, task: Task, meter: "_Meter", *, deadline: float) -> Outcome:
        manners = self._manners.for_task(task)
        manner = manners.pop(0)
        complaint: str | None = None
        asked_again = False
        part = await self._part(task)
        examples = await self._examples(task)
        while True:
            fitted = await self._fit(task, manner, examples)
            content = fitted.content if part is None else part
            messages = write(
                task,
                manner,
                fitted.categories,
                content,
                examples=examples.shown,
                complaint=complaint,
            )
            try:
                reply = await self._call(messages, manner, task, deadline=deadline)
            except CallFailed as failure:
                if not manners or not self._manners.refused(manner, failure.refusal):
                    raise failure.as_engine_error() from failure
                manner = manners.pop(0)
                continue
            meter.spent += reply.spent
            try:
                judgement = self._read(reply, manner, task)
            except NoAnswer as problem:
                if asked_again:
                    raise UnusableAnswer(f"its answer can't be used: {problem}") from None
                asked_again = True
                if manner is Manner.LETTER:
                    manner = manners.pop(0)
                else:
                    complaint = str(problem)
                continue
            return outcome_of(
                task,
                judgement,
                temperatures=self._temperatures,
                spent=meter.spent,
                model=self._address.model,
                truncated=fitted.truncated,
                basis=BASIS[task.input_type],
            )

    async def _part(self, task: Task) -> Part | None:
        if task.media is None:
            return None
        provider = self._known.provider
        reading = partial(part_of, task.media, task.input_type, provider=provider)
        return await asyncio.to_thread(reading)

    async def _examples(self, task: Task) -> Examples:
        if not any(category.media for category in task.categories or ()):
            return Examples()
        room, provider = self._known.room, self._known.provider
        return await asyncio.to_thread(partial(examples_of, task, room=room, provider=provider))

    async def _fit(self, task: Task, manner: Manner, examples: Examples) -> Fitted:
        if task.media is not None:
            # Where it was found is not for the model, and takes no room.
            task = replace(task, content="")
        fitting = partial(
            fit,
            task,
            lettered=manner is Manner.LETTER,
            room=self._known.room - examples.tokens,
            count=self._known.count,
        )
        long = len(task.content) > LONG_TEXT
        fitted = await asyncio.to_thread(fitting) if long else fitting()
        if examples.is_whole or Truncated.CATEGORIES in fitted.truncated:
            return fitted
        return replace(fitted, truncated=(*fitted.truncated, Truncated.CATEGORIES))

    async def _call(
        self, messages: list[Message], manner: Manner, task: Task, *, deadline: float
    ) -> Reply:
        options = options_for(
            manner,
            task,
            longest=self._known.longest_answer,
            bounded=self._known.takes_bounds,
        )
        return await with_retries(
            lambda within: call(
                self._address, messages, within=within, options=options, bill=task.bill
            ),
            deadline=deadline,
        )

    def _read(self, reply: Reply, manner: Manner, task: Task) -> Judgement:
        if manner is not Manner.LETTER:
            return read_object(reply, task)
        try:
            judgement = read_letter(reply, task)
        except NoAnswer:
            self._manners.letter_read(usable=False)
            raise
        self._manners.letter_read(usable=True)
        return judgement


@dataclass(slots=True)
class _Meter:
    """What a task has taken so far."""

    spent: Spent = NOTHING
