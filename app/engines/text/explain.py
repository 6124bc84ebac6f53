"""What drove an answer, from the very scores that gave it.

Three facts: which description or example of the category is nearest to the text; which sentence of
a longer text speaks most for the category against its strongest rival; and how far that rival is.
For none of the categories: which came closest, and how far its score is from what texts score that
belong there, or that do not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from app.engines.contract import Category
from app.engines.text.encoder import Floats
from app.engines.text.heads import Head
from app.engines.text.vectors import SharedVectors, TextVectors
from app.engines.text.windows import sentences

#: Sentences weighed at most; of more, evenly spread ones are.
MAX_SENTENCES = 32
_QUOTE = 120

_Piece = TypeVar("_Piece")


@dataclass(frozen=True, slots=True)
class Evidence:
    """A judged text. `scores` and `probabilities` are (categories,), `vector` is (d,)."""

    text: str
    vector: Floats
    scores: Floats
    probabilities: Floats
    categories: tuple[Category, ...]
    head: Head


def explain(
    vectors: TextVectors | SharedVectors, evidence: Evidence, chosen: Sequence[int | None]
) -> list[str]:
    """Return one explanation for each chosen category; None is none of them."""
    pieces = _spread(sentences(evidence.text))
    wanted = len(pieces) > 1 and any(index is not None for index in chosen)
    scores = vectors.encode(pieces) @ evidence.head.weights.T if wanted else None
    return [
        _explain_none(evidence) if index is None else _explain_one(evidence, index, pieces, scores)
        for index in chosen
    ]


def most_telling(
    vectors: TextVectors | SharedVectors, evidence: Evidence, index: int, pieces: Sequence[str]
) -> int:
    """Return which of some sentences speaks most for a category against its strongest rival.

    Of many, evenly spread ones are weighed.
    """
    places = _spread(range(len(pieces)))
    scores = vectors.encode([pieces[place] for place in places]) @ evidence.head.weights.T
    return places[int(np.argmax(_against_rival(evidence, index, scores)))]


def _explain_none(evidence: Evidence) -> str:
    closest = int(np.argmax(evidence.scores))
    levels = evidence.head.levels
    usual = (
        f"the categories' own examples score about {levels.typical:.2f}"
        if levels.taught
        else f"texts about other things score {levels.strangers:.2f} on average, "
        f"give or take {levels.spread:.2f}"
    )
    return (
        f"Of the categories, “{_quoted(evidence.categories[closest].name)}” came closest "
        f"({evidence.probabilities[closest]:.2f}). {_nearest(evidence, closest)} "
        f"It scores {evidence.scores[closest]:.2f} in all; {usual}."
    )


def _explain_one(evidence: Evidence, index: int, pieces: list[str], scores: Floats | None) -> str:
    parts = [_nearest(evidence, index)]
    rival = _rival(evidence, index)
    if scores is not None:
        telling = pieces[int(np.argmax(_against_rival(evidence, index, scores)))]
        parts.append(f"The sentence that weighed most: “{_quoted(telling)}”.")
    if rival is not None:
        parts.append(_compared(evidence, index, rival))
    return " ".join(parts)


def _nearest(evidence: Evidence, index: int) -> str:
    head = evidence.head
    own = [at for at, anchor in enumerate(head.anchors) if anchor.category == index]
    if not own:
        name = evidence.categories[index].name
        return f"Matched by the name “{_quoted(name)}” (similarity {evidence.scores[index]:.2f})."
    similarities = head.anchor_vectors[own] @ evidence.vector
    best = int(np.argmax(similarities))
    anchor = head.anchors[own[best]]
    quoted = _quoted(
        evidence.categories[index].description or ""
        if anchor.kind == "description"
        else anchor.text
    )
    return f"Closest to the {anchor.kind} “{quoted}” (similarity {similarities[best]:.2f})."


def _rival(evidence: Evidence, index: int) -> int | None:
    if len(evidence.scores) < 2:
        return None
    others = evidence.scores.copy()
    others[index] = -np.inf
    return int(np.argmax(others))


def _against_rival(evidence: Evidence, index: int, scores: Floats) -> Floats:
    rival = _rival(evidence, index)
    return scores[:, index] - (0 if rival is None else scores[:, rival])


def _compared(evidence: Evidence, index: int, rival: int) -> str:
    name = _quoted(evidence.categories[rival].name)
    confidence = evidence.probabilities[rival]
    distance = float(evidence.scores[index] - evidence.scores[rival])
    if distance >= 0:
        return f"Runner-up: “{name}” ({confidence:.2f}), {distance:.3f} behind in similarity."
    return f"Ahead of it: “{name}” ({confidence:.2f}), by {-distance:.3f} in similarity."


def _spread(pieces: Sequence[_Piece]) -> list[_Piece]:
    if len(pieces) <= MAX_SENTENCES:
        return list(pieces)
    chosen = np.linspace(0, len(pieces) - 1, MAX_SENTENCES).round().astype(int)
    return [pieces[index] for index in chosen]


def _quoted(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _QUOTE else flat[: _QUOTE - 1].rstrip() + "…"
