"""What labels and what outcome come of probabilities."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engines.contract import Mode, OutcomeKind, Task
from app.engines.selection import Selection, decide, select

MATCHED, NONE, UNSURE = OutcomeKind.MATCHED, OutcomeKind.NONE_OF_THE_ABOVE, OutcomeKind.UNSURE


def task(mode: Mode = Mode.SINGLE, threshold: float = 0.0, **options: object) -> Task:
    return replace(Task("x", mode=mode, threshold=threshold), **options)  # type: ignore[arg-type]


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=12),
    st.sampled_from(list(Mode)),
    st.integers(1, 10),
    st.floats(0, 1),
)
def test_without_options_it_is_the_plain_selection(
    probabilities: list[float], mode: Mode, top_n: int, threshold: float
) -> None:
    decided = decide(probabilities, task(mode, threshold, top_n=top_n))
    assert list(decided.entries) == select(
        probabilities, mode=mode, top_n=top_n, threshold=threshold
    )
    assert decided.outcome is None


@pytest.mark.parametrize(
    ("probabilities", "none", "options", "expected"),
    [
        ([0.2, 0.5], 0.3, {}, Selection(((1, 0.5),), MATCHED)),
        ([0.2, 0.3], 0.5, {}, Selection(((None, 0.5),), NONE)),
        # As likely as a category, none stands behind it.
        ([0.2, 0.4], 0.4, {}, Selection(((1, 0.4),), MATCHED)),
        ([0.2, 0.5], 0.3, {"min_margin": 0.2}, Selection(((1, 0.5),), MATCHED)),
        ([0.2, 0.5], 0.3, {"min_margin": 0.2001}, Selection(((1, 0.5),), UNSURE)),
        ([0.2, 0.3], 0.5, {"min_margin": 0.3}, Selection(((None, 0.5),), UNSURE)),
        # Nothing that was found is as sure as the threshold asks.
        ([0.2, 0.5], 0.3, {"threshold": 0.6}, Selection((), UNSURE)),
        ([0.2, 0.3], 0.5, {"threshold": 0.6}, Selection((), UNSURE)),
        ([0.2, 0.3], 0.5, {"threshold": 0.5}, Selection(((None, 0.5),), NONE)),
    ],
)  # fmt: skip
def test_single(
    probabilities: list[float], none: float, options: dict[str, float], expected: Selection
) -> None:
    assert decide(probabilities, task(allow_none=True, **options), none=none) == expected


def test_a_margin_needs_no_none() -> None:
    assert decide([0.6, 0.4], task(min_margin=0.2)) == Selection(((0, 0.6),), MATCHED)
    assert decide([0.6, 0.4], task(min_margin=0.21)) == Selection(((0, 0.6),), UNSURE)
    # Nothing competes with the only one.
    assert decide([1.0], task(min_margin=1.0)) == Selection(((0, 1.0),), MATCHED)


def test_top_n_ranks_none_with_the_rest() -> None:
    asked = task(Mode.TOP_N, top_n=2, allow_none=True)
    assert decide([0.1, 0.5], asked, none=0.4) == Selection(((1, 0.5), (None, 0.4)), MATCHED)
    assert decide([0.1, 0.2], asked, none=0.7) == Selection(((None, 0.7), (1, 0.2)), NONE)
    # The margin is of the whole distribution, of which one entry is shown.
    one = replace(asked, top_n=1, min_margin=0.2)
    assert decide([0.1, 0.5], one, none=0.4) == Selection(((1, 0.5),), UNSURE)


@pytest.mark.parametrize(
    ("probabilities", "options", "kept", "outcome"),
    [
        # At the default threshold, which draws no line, an even chance is one.
        ([0.9, 0.2], {"allow_none": True}, 2, MATCHED),
        ([0.4, 0.2], {"allow_none": True}, 2, NONE),
        ([0.4, 0.2], {"min_margin": 0.05}, 2, MATCHED),
        ([0.4, 0.2], {"min_margin": 0.2}, 2, UNSURE),
        ([0.4, 0.2], {"min_margin": 0.2, "allow_none": True}, 2, UNSURE),
        # A threshold is a line of its own.
        ([0.4, 0.2], {"allow_none": True, "threshold": 0.3}, 1, MATCHED),
        ([0.4, 0.2], {"allow_none": True, "threshold": 0.45}, 0, NONE),
        ([0.7, 0.2], {"allow_none": True, "threshold": 0.8}, 0, UNSURE),
        ([0.4, 0.2], {"min_margin": 0.0, "threshold": 0.8}, 0, UNSURE),
        ([0.9, 0.75], {"min_margin": 0.1, "threshold": 0.8}, 1, UNSURE),
        ([0.9, 0.7], {"min_margin": 0.1, "threshold": 0.8}, 1, MATCHED),
    ],
)  # fmt: skip
def test_multi(
    probabilities: list[float], options: dict[str, float], kept: int, outcome: OutcomeKind
) -> None:
    decided = decide(probabilities, task(Mode.MULTI, **options))
    assert (len(decided.entries), decided.outcome) == (kept, outcome)
    assert all(index is not None for index, _ in decided.entries)
