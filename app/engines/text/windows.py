"""Long texts: read as windows over the whole text.

A text that one pass can read is one window. A longer one is cut at the ends of sentences where it
can be, into windows of up to `WINDOW` tokens; a sentence longer than that is cut where the window
is full. Of more than `MAX_WINDOWS` windows, evenly spread ones are read, the first and the last
among them: a bound on the work, at about 12,000 tokens.
"""

import re
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from app.engines.text.encoder import Encoder

WINDOW = 192
MAX_WINDOWS = 64

_SENTENCE_END = re.compile(r"(?<=[.!?。！？…])[\"'”’)\]]*\s+|\n\s*|(?<=[。！？])")


@dataclass(frozen=True, slots=True)
class Reading:
    """What is read of a text: windows with their numbers of tokens, and `tokens` in all.

    `is_whole` says whether that is the whole text.
    """

    windows: tuple[str, ...]
    weights: tuple[int, ...]
    tokens: int
    is_whole: bool = True


def read(encoder: Encoder, text: str) -> Reading:
    """Cut a text into what one pass each can read."""
    spans = encoder.spans(text)
    if len(spans) <= encoder.max_tokens:
        return Reading((text,), (max(len(spans), 1),), len(spans))
    cuts = _cuts(text, spans)
    pairs = list(pairwise(cuts))
    is_whole = len(pairs) <= MAX_WINDOWS
    if not is_whole:
        chosen = np.linspace(0, len(pairs) - 1, MAX_WINDOWS).round().astype(int)
        pairs = [pairs[index] for index in chosen]
    windows = tuple(text[spans[first][0] : spans[last - 1][1]] for first, last in pairs)
    weights = tuple(last - first for first, last in pairs)
    return Reading(windows, weights, sum(weights), is_whole)


def sentences(text: str) -> list[str]:
    """Return the sentences of a text, without empty ones."""
    return [piece.strip() for piece in _SENTENCE_END.split(text) if piece and piece.strip()]


def _cuts(text: str, spans: list[tuple[int, int]]) -> list[int]:
    """Return the token indices where windows begin, and the end."""
    starts = np.array([start for start, _ in spans])
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    # The first token of each sentence.
    breaks = np.unique(np.searchsorted(starts, ends))
    cuts = [0]
    while len(spans) - cuts[-1] > WINDOW:
        full = cuts[-1] + WINDOW
        fitting = int(np.searchsorted(breaks, full, side="right")) - 1
        at_sentence = int(breaks[fitting]) if fitting >= 0 else 0
        # A window less than half full would only add passes.
        cuts.append(at_sentence if at_sentence > cuts[-1] + WINDOW // 2 else full)
    return [*cuts, len(spans)]
