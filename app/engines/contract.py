"""What every engine is asked and what it answers.

An engine turns one piece of content plus categories into a probability per category. It knows
nothing of accounts, quotas, storage or the network faces.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from app.engines.errors import EngineError
from app.engines.spending import Bill, Spent


class InputType(StrEnum):
    """The kind of content."""

    TEXT = "text"
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"


class Mode(StrEnum):
    """How many labels an answer holds."""

    SINGLE = "single"
    MULTI = "multi"
    TOP_N = "top_n"


class OutcomeKind(StrEnum):
    """What an answer comes to, for callers that allow more than a label."""

    MATCHED = "matched"
    NONE_OF_THE_ABOVE = "none_of_the_above"
    UNSURE = "unsure"


class QuestionKind(StrEnum):
    """What kind of answer a question has."""

    CHOICE = "choice"
    SCORE = "score"
    NOUL = "noul"


class ConfidenceSource(StrEnum):
    """Where a confidence comes from."""

    CALIBRATED = "calibrated"
    MEASURED = "measured"
    SELF_REPORTED = "self_reported"


class Truncated(StrEnum):
    """What a model did not read whole, because its context is too small."""

    INPUT = "input"
    CATEGORIES = "categories"


class Flag(StrEnum):
    """What is worth knowing of the content beside its label."""

    INSTRUCTIONS = "instructions"


class Basis(StrEnum):
    """What in an image, a recording or a video an answer rests on."""

    PIXELS = "pixels"
    OCR = "ocr"
    TRANSCRIPT = "transcript"
    SOUND = "sound"
    FRAMES = "frames"


@dataclass(frozen=True, slots=True)
class Media:
    """An image, a recording or a video as it came, within its limit of bytes, not yet decoded.

    The file at `path` is there for as long as the task is worked on. `mime` is its type by its
    first bytes, whatever its source calls it.
    """

    path: Path
    mime: str


@dataclass(frozen=True, slots=True)
class Category:
    """One category as the caller gave it: a name, what it means, inputs that belong to it.

    `media` are those of the `examples` that were fetched, for a task about an image.
    """

    name: str
    description: str | None = None
    examples: tuple[str, ...] = ()
    media: tuple[Media, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about the content, where it is more than which category it belongs to.

    The task's categories are the answers: the options of a choice; the levels of a score, the
    lowest first, named "0", "1", … and told by their descriptions; "true" and "false" of a noul,
    the first of which the text holds for.
    """

    kind: QuestionKind
    text: str


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to classify. `categories` is None for the engine's own generic taxonomy.

    `content` is the text; of other types, the URL or data URI as the caller gave it, and `media` is
    what was found there.

    With `allow_none` the content may belong to none of the categories. `min_margin`, in [0, 1], is
    how far an answer has to be from the next one. `selection.decide` has the rules of both.

    `model` names the models to ask, in turn, separated by commas; None leaves it to the engine.
    `bill` is told what asking them takes. `patience_s` is how many seconds it may wait for its turn
    at a model before its time begins; None where somebody waits for the answer, and the time that a
    model has is for both.
    """

    content: str
    input_type: InputType = InputType.TEXT
    categories: tuple[Category, ...] | None = None
    mode: Mode = Mode.SINGLE
    top_n: int = 3
    threshold: float = 0.0
    explain: bool = False
    allow_none: bool = False
    min_margin: float | None = None
    media: Media | None = None
    question: Question | None = None
    model: str | None = None
    bill: Bill | None = field(default=None, compare=False)
    patience_s: float | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Label:
    """One label of an answer: None for none of the categories.

    `confidence` is in [0, 1], rounded to 4 places.
    """

    label: str | None
    confidence: float
    explanation: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """An engine's answer: what the mode and the threshold leave, best first (it may be empty).

    `tokens` is the real number of tokens: what the embedded model read of the content, what
    providers counted for all calls that the task took, `completion_tokens` of them written. `cost`
    is in nano-dollars; None when it is not known. `outcome` is None unless the task allows none of
    the categories or wants a margin. `truncated` is what the model got only in part, `basis` what
    of other content than text it rests on. With `fell_back` a model that was to answer first could
    not; with `cached` none was asked, for the very task had been answered before.
    """

    labels: tuple[Label, ...]
    tokens: int
    confidence_source: ConfidenceSource
    model: str
    outcome: OutcomeKind | None = None
    truncated: tuple[Truncated, ...] = ()
    basis: tuple[Basis, ...] = ()
    completion_tokens: int = 0
    cost: int | None = 0
    fell_back: bool = False
    cached: bool = False

    @property
    def spent(self) -> Spent:
        """What the task took in all."""
        return Spent(self.tokens, self.completion_tokens, self.cost)

    def after(self, spent: Spent) -> "Outcome":
        """Return the answer to a task that had taken so much already."""
        total = self.spent + spent
        return replace(
            self,
            tokens=total.tokens,
            completion_tokens=total.completion_tokens,
            cost=total.cost,
        )


class Engine(Protocol):
    """A model that classifies."""

    @property
    def input_types(self) -> frozenset[InputType]:
        """The kinds of content it can judge."""
        ...

    @property
    def is_loaded(self) -> bool:
        """Whether an answer needs no loading first."""
        ...

    @property
    def confidence_source(self) -> ConfidenceSource | None:
        """Where the confidence of a single label comes from, as a rule; None before it is loaded.

        Each answer says it of itself.
        """
        ...

    def load(self) -> None:
        """Do what a first answer would wait for. Blocking; twice is once."""
        ...

    def close(self) -> None:
        """Let go of what it holds."""
        ...

    async def identity(self, task: Task) -> str:
        """Return all that the answer depends on beside the task: models, what was fitted."""
        ...

    async def most_cost(self, task: Task) -> int | None:
        """Return what a task costs at most, in nano-dollars; None when that is not known."""
        ...

    async def classify(self, task: Task) -> Outcome:
        """Answer one task."""
        ...

    async def classify_many(self, tasks: Sequence[Task]) -> list[Outcome | EngineError]:
        """Answer tasks in their order; work they share (category vectors) is done once.

        A task that fails has its error in its place; the others are answered.
        """
        ...
