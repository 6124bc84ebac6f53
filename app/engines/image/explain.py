"""What drove an answer about an image, from the very scores that gave it.

The tags of the network that speak for the category, with their shares of what does; the example
picture that is most like the image, if examples have a say; the text that was read, if any; and how
far the next category is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.engines.image.fusion import Writing
from app.engines.image.heads import ImageHead
from app.engines.image.shape import Floats

_TAGS = 3
# A tag that brings less of the evidence is not worth a word.
_LEAST_SHARE = 0.1
# Tags hardly speak for a category that any picture would get half as much for.
_FAINT = 2.0
_QUOTE = 120


@dataclass(frozen=True, slots=True)
class Evidence:
    """A judged image: `features` (1280,) of length 1, `tags` (1000,).

    `probabilities` is (categories,).
    """

    features: Floats
    tags: Floats
    probabilities: Floats
    names: tuple[str, ...]
    tag_names: tuple[str, ...]
    head: ImageHead
    writing: Writing | None


def explain(evidence: Evidence, chosen: Sequence[int | None]) -> list[str]:
    """Return one explanation for each chosen category; None is none of them."""
    return [
        _explain_none(evidence) if index is None else _explain_one(evidence, index)
        for index in chosen
    ]


def _explain_none(evidence: Evidence) -> str:
    closest = int(np.argmax(evidence.probabilities))
    seen = ", ".join(
        f"{evidence.tag_names[tag]} ({evidence.tags[tag]:.2f})"
        for tag in np.argsort(-evidence.tags)[:_TAGS]
    )
    return (
        f"The image looks like {seen}. Of the categories, “{_quoted(evidence.names[closest])}” "
        f"came closest ({evidence.probabilities[closest]:.2f})."
    )


def _explain_one(evidence: Evidence, index: int) -> str:
    parts = [_tags(evidence, index), _example(evidence, index), _text(evidence)]
    parts.append(_rival(evidence, index))
    return " ".join(part for part in parts if part)


def _tags(evidence: Evidence, index: int) -> str:
    if evidence.head.weight == 1:
        return ""
    shares = evidence.tags * evidence.head.meaning.shares[index]
    total = float(shares.sum())
    name = _quoted(evidence.names[index])
    if total < _FAINT * float(evidence.head.meaning.shares[index].mean()):
        return f"No tag that the network knows speaks clearly for “{name}”."
    best = [tag for tag in np.argsort(-shares)[:_TAGS] if shares[tag] >= _LEAST_SHARE * total]
    if not best:
        return f"Many tags speak a little for “{name}”."
    listed = ", ".join(f"{evidence.tag_names[tag]} ({shares[tag] / total:.2f})" for tag in best)
    return f"Seen as {listed}."


def _example(evidence: Evidence, index: int) -> str:
    head = evidence.head
    own = np.flatnonzero(head.examples.owners == index)
    if not len(own) or head.weight == 0:
        return ""
    similarities = head.examples.features[own] @ evidence.features
    nearest = int(np.argmax(similarities))
    place = head.examples.places[own[nearest]] + 1
    return f"Most like example {place} of the category (similarity {similarities[nearest]:.2f})."


def _text(evidence: Evidence) -> str:
    writing = evidence.writing
    if writing is None:
        return ""
    return f"Text read, which counts {writing.share:.2f}: “{_quoted(writing.reading.text)}”."


def _rival(evidence: Evidence, index: int) -> str:
    if len(evidence.names) < 2:
        return ""
    others = evidence.probabilities.copy()
    others[index] = -np.inf
    rival = int(np.argmax(others))
    place = "Runner-up" if others[rival] <= evidence.probabilities[index] else "Ahead of it"
    return f"{place}: “{_quoted(evidence.names[rival])}” ({others[rival]:.2f})."


def _quoted(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= _QUOTE else flat[: _QUOTE - 1].rstrip() + "…"
