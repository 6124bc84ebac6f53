"""None of the categories: a probability among the others, and honest about what came closest."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engines.contract import Category, Mode, Outcome, OutcomeKind, Task
from app.engines.embedded import EmbeddedEngine
from app.engines.text.belonging import Distances, Levels, distances, levels_of, none_probability
from app.engines.text.calibration import PAIR, SINGLE, Calibration
from app.engines.text.taxonomy import TAXONOMY

NAMED = tuple(map(Category, ("sports", "finance", "cooking")))
DESCRIBED = (
    Category("billing", "Payments, refunds, invoices, subscription charges"),
    Category("technical", "Bugs, errors, performance problems of the app"),
)
TAUGHT = (
    Category("billing", "Payments", ("my refund is late", "I was charged twice")),
    Category("technical", "Bugs and errors", ("getting a 500 error", "login is broken")),
)
MATCHING = [
    (NAMED, "The striker scored twice in the final.", "sports"),
    (NAMED, "Simmer the onions in butter.", "cooking"),
    (DESCRIBED, "I want my money back for last month's invoice.", "billing"),
    (TAUGHT, "my refund has not arrived", "billing"),
    (TAUGHT, "the app shows an error 500", "technical"),
    (None, "The striker scored twice in the final.", "sports"),
    (None, "Simmer the onions in butter.", "food"),
]
FAR = [
    (NAMED, "The committee met on Tuesday."),
    (DESCRIBED, "A volcano on the island erupted overnight."),
    (TAUGHT, "Simmer the onions in butter."),
    (TAUGHT, "The weather is nice today."),
    (None, "asdf qwer zxcv"),
    (None, "lorem ipsum dolor"),
]
Categories = tuple[Category, ...] | None


async def ask(
    engine: EmbeddedEngine, text: str, categories: Categories, mode: Mode = Mode.SINGLE
) -> Outcome:
    task = Task(text, categories=categories, mode=mode, top_n=1000, allow_none=True, explain=True)
    return await engine.classify(task)


@pytest.mark.parametrize(("categories", "text", "label"), MATCHING)
async def test_a_text_that_belongs_gets_its_category(
    engine: EmbeddedEngine, categories: Categories, text: str, label: str
) -> None:
    outcome = await ask(engine, text, categories)
    assert (outcome.labels[0].label, outcome.outcome) == (label, OutcomeKind.MATCHED)


@pytest.mark.parametrize(("categories", "text"), FAR)
async def test_a_far_text_belongs_to_none(
    engine: EmbeddedEngine, categories: Categories, text: str
) -> None:
    outcome = await ask(engine, text, categories)
    (entry,) = outcome.labels
    assert entry.label is None
    assert outcome.outcome is OutcomeKind.NONE_OF_THE_ABOVE
    explanation = entry.explanation or ""
    names = [category.name for category in categories or TAXONOMY]
    assert any(f"“{name}” came closest" in explanation for name in names)
    assert "It scores" in explanation


@pytest.mark.parametrize("categories", [NAMED, DESCRIBED, TAUGHT, None, (Category("sports"),)])
@pytest.mark.parametrize("text", ["The striker scored twice.", "my refund is late", "", "🙂"])
async def test_none_is_one_of_a_distribution(
    engine: EmbeddedEngine, categories: Categories, text: str
) -> None:
    with_none = (await ask(engine, text, categories, Mode.TOP_N)).labels
    assert sum(label.confidence for label in with_none) == pytest.approx(1, abs=0.003)
    assert [label.label for label in with_none].count(None) == 1
    confidences = [label.confidence for label in with_none]
    assert confidences == sorted(confidences, reverse=True)


async def test_without_it_the_answer_is_as_before_and_with_it_in_proportion(
    engine: EmbeddedEngine,
) -> None:
    task = Task("I was charged twice", categories=TAUGHT, mode=Mode.TOP_N, top_n=10)
    plain = await engine.classify(task)
    assert plain.outcome is None
    allowed = (await engine.classify(replace(task, allow_none=True))).labels
    none = next(label.confidence for label in allowed if label.label is None)
    rest = {label.label: label.confidence for label in allowed if label.label is not None}
    assert len(plain.labels) == len(rest) == 2
    for label in plain.labels:
        assert rest[label.label] == pytest.approx(label.confidence * (1 - none), abs=0.0002)


async def test_a_margin_alone_changes_no_label(engine: EmbeddedEngine) -> None:
    task = Task("I was charged twice", categories=NAMED, mode=Mode.TOP_N)
    plain = await engine.classify(task)
    wide = await engine.classify(replace(task, min_margin=1.0))
    none_asked = await engine.classify(replace(task, min_margin=0.0))
    assert wide.labels == none_asked.labels == plain.labels
    assert (wide.outcome, none_asked.outcome) == (OutcomeKind.UNSURE, OutcomeKind.MATCHED)


async def test_multi_says_when_no_category_holds(engine: EmbeddedEngine) -> None:
    about = await ask(engine, "The striker scored twice in the final.", NAMED, Mode.MULTI)
    other = await ask(engine, "A volcano erupted overnight.", NAMED, Mode.MULTI)
    assert about.outcome is OutcomeKind.MATCHED
    assert other.outcome is OutcomeKind.NONE_OF_THE_ABOVE
    assert {label.label for label in other.labels} == {"sports", "finance", "cooking"}


async def test_what_came_closest_is_said_with_its_distance(engine: EmbeddedEngine) -> None:
    task = Task("Simmer the onions.", categories=TAUGHT, allow_none=True, explain=True)
    explanation = (await engine.classify(task)).labels[0].explanation or ""
    assert "came closest" in explanation
    assert "the categories' own examples score about" in explanation
    named = replace(task, content="The committee met.", categories=NAMED)
    explanation = (await engine.classify(named)).labels[0].explanation or ""
    assert "texts about other things score" in explanation


async def test_examples_that_repeat_each_other_do_not_shut_others_out(
    engine: EmbeddedEngine,
) -> None:
    repeated = (
        Category("billing", None, ("my refund is late",) * 5),
        Category("technical", None, ("the app shows an error",) * 5),
    )
    outcome = await ask(engine, "when do I get my refund?", repeated)
    assert outcome.labels[0].label == "billing"


@pytest.mark.parametrize("calibration", [PAIR, SINGLE])
@given(
    best=st.floats(-1, 1),
    step=st.floats(0, 1),
    nearest=st.floats(-1, 1),
    taught=st.sampled_from([0.0, 0.3, 1.0]),
    described=st.sampled_from([0.0, 1.0]),
)
def test_the_nearer_the_less_likely_none(
    calibration: Calibration,
    *,
    best: float,
    step: float,
    nearest: float,
    taught: float,
    described: float,
) -> None:
    constants = calibration.for_shares(described=described, examples=taught)
    levels = Levels(strangers=0.1, spread=0.1, typical=0.4, nearest=0.4, taught=taught)

    def probability(best: float, nearest: float) -> float:
        return none_probability(distances(levels, best=best, nearest=nearest), constants.none)

    here = probability(best, nearest)
    assert 0 <= here <= 1
    assert probability(best + step, nearest) <= here
    assert probability(best, nearest + step) <= here


def test_levels_are_those_of_their_texts() -> None:
    axes = np.eye(4, dtype=np.float32)
    halves = np.array([[1, 1, 0, 0], [1, -1, 0, 0]], np.float32) / np.sqrt(np.float32(2))
    levels = levels_of(axes[:2], halves, axes[[0, 0, 1]], np.array([0, 0, 1]))
    assert levels.strangers == pytest.approx(0.7071, abs=0.001)
    assert levels.taught == 0.5
    # The two examples of the first category are the same text: bounded, not 1.
    assert levels.typical == levels.nearest == 0.75
    without = levels_of(axes[:2], halves, axes[:0], np.array([], np.int64))
    assert (without.typical, without.nearest, without.taught) == (0, 0, 0)
    assert distances(without, best=0.7071, nearest=-1.0) == Distances(
        pytest.approx(0, abs=0.01), 0.0, 0.0
    )
