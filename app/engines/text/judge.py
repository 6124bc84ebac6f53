"""Judging one text: scores, probabilities, labels, and what drove them."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.engines.contract import Category, ConfidenceSource, Label, Mode, Outcome, Task, Truncated
from app.engines.selection import decide
from app.engines.text.belonging import distances, none_probability
from app.engines.text.cache import HeadCache
from app.engines.text.calibration import Calibration, Constants, distribution, independent
from app.engines.text.encoder import Floats
from app.engines.text.explain import Evidence, explain
from app.engines.text.generic import load_generic
from app.engines.text.heads import Head, build_head
from app.engines.text.questions import reading_of
from app.engines.text.taxonomy import TAXONOMY
from app.engines.text.vectors import SharedVectors, TextVectors, normalised
from app.engines.text.windows import read

# How much more a window counts that speaks clearly for something: a cosine of this much more
# between its best category and the average one makes it weigh e times as much.
_CLARITY = np.float32(0.05)


@dataclass(frozen=True, slots=True)
class _Scored:
    """`vector` (d,) stands for the whole text; `scores` is (categories,)."""

    vector: Floats
    scores: Floats
    tokens: int
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a text speaks for: `probabilities` is (categories,).

    They and `none`, where the task allows it, sum to 1; in `multi` each stands by itself, and there
    is no `none`.
    """

    evidence: Evidence
    none: float | None
    tokens: int
    is_whole: bool

    @property
    def categories(self) -> tuple[Category, ...]:
        """The categories, in the order of the probabilities."""
        return self.evidence.categories

    @property
    def probabilities(self) -> Floats:
        """The probability of each category."""
        return self.evidence.probabilities


class TextJudge:
    """Scores texts against categories. Blocking; safe to share between threads."""

    def __init__(self, vectors: TextVectors, calibration: Calibration, prepared_dir: Path) -> None:
        self.vectors = vectors
        self._calibration = calibration
        self._heads: HeadCache[Head] = HeadCache()
        self._generic = load_generic(vectors, prepared_dir)
        self.model = f"embedded/{vectors.name}"

    def share(self) -> SharedVectors:
        """Return what several tasks on the same text are to be judged with."""
        return SharedVectors(self.vectors)

    def judge(self, task: Task, shared: SharedVectors | None = None) -> Outcome:
        """Answer one task."""
        weighed = self.weigh(task, shared)
        selection = decide(weighed.probabilities.tolist(), task, none=weighed.none)
        chosen = selection.entries
        explanations: list[str] | list[None] = [None] * len(chosen)
        if task.explain and chosen:
            vectors = shared or self.vectors
            explanations = explain(vectors, weighed.evidence, [index for index, _ in chosen])
        return Outcome(
            labels=tuple(
                Label(
                    None if index is None else weighed.categories[index].name,
                    confidence,
                    explanation,
                )
                for (index, confidence), explanation in zip(chosen, explanations, strict=True)
            ),
            tokens=weighed.tokens,
            confidence_source=ConfidenceSource.CALIBRATED,
            model=self.model,
            outcome=selection.outcome,
            truncated=() if weighed.is_whole else (Truncated.INPUT,),
        )

    def weigh(self, task: Task, shared: SharedVectors | None = None) -> Weighed:
        """Return the probability of each category for the task's content, taken as text."""
        categories = TAXONOMY if task.categories is None else task.categories
        reading = reading_of(task)
        head = self.head(reading.categories)
        scored = self._score(task.content, head, shared or self.vectors)
        probabilities = self._probabilities(reading.mode, reading.categories, head, scored)
        if reading.is_one_side:
            probabilities = np.array([probabilities[0], 1 - probabilities[0]], np.float32)
        none: float | None = None
        if task.allow_none and task.mode is not Mode.MULTI:
            none = self._none_probability(head, scored)
            probabilities = (1 - none) * probabilities
        evidence = Evidence(
            text=task.content,
            vector=scored.vector,
            scores=scored.scores,
            probabilities=probabilities,
            categories=categories,
            head=head,
        )
        return Weighed(evidence, none, scored.tokens, scored.is_whole)

    def head(self, categories: tuple[Category, ...]) -> Head:
        """Return the weight vectors of categories, from the cache when they are there."""
        if categories is TAXONOMY:
            return self._generic.head
        return self._heads.get(
            categories, lambda: build_head(self.vectors, categories, self._generic.strangers)
        )

    def _score(self, text: str, head: Head, vectors: TextVectors | SharedVectors) -> _Scored:
        reading = read(self.vectors.primary, text)
        windows = vectors.encode(reading.windows)
        if len(windows) == 1:
            return _Scored(windows[0], head.weights @ windows[0], reading.tokens, True)
        by_window = windows @ head.weights.T
        clarity = by_window.max(axis=1) - by_window.mean(axis=1)
        weights = np.array(reading.weights, np.float32) * np.exp(clarity / _CLARITY)
        vector = normalised((weights / weights.sum()) @ windows)
        return _Scored(vector, head.weights @ vector, reading.tokens, reading.is_whole)

    def _probabilities(
        self, mode: Mode, categories: tuple[Category, ...], head: Head, scored: _Scored
    ) -> Floats:
        constants = self._constants(head, examples=head.exemplified)
        if mode is not Mode.MULTI:
            return distribution(scored.scores, constants)
        # A generic label that is also one of the caller's is no rival to itself.
        own = {category.name.casefold() for category in categories}
        rivals = [index for index, name in enumerate(self._generic.names) if name not in own]
        return independent(scored.scores, self._generic.bank[rivals] @ scored.vector, constants)

    def _none_probability(self, head: Head, scored: _Scored) -> float:
        nearest = head.example_vectors @ scored.vector
        far = distances(
            head.levels,
            best=float(scored.scores.max()),
            nearest=float(nearest.max(initial=-1.0)),
        )
        return none_probability(far, self._constants(head, examples=head.levels.taught).none)

    def _constants(self, head: Head, *, examples: float) -> Constants:
        return self._calibration.for_shares(described=head.described, examples=examples)
