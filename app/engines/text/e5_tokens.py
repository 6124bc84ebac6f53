"""multilingual-e5-small's tokenizer: SentencePiece's Unigram model over XLM-R's 250,002 pieces.

Text is normalised code point by code point, runs of spaces become one, each word gets the mark
`▁` in front, and is cut into the pieces whose log probabilities have the greatest sum. No piece
holds the mark anywhere but at its start, so words are cut independently of each other, which
gives the same tokens as cutting the whole text and lets common words be remembered.

The pieces are found through a hash table of 4 MB, where a dict of strings takes 37 MB and the
`tokenizers` package 300 MB for the same vocabulary.
"""

import re
from array import array
from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise
from math import inf
from zlib import crc32

import numpy as np

from app.engines.text.e5_file import E5File, Pieces

MARK = "▁"
_LONGEST = 16  # characters of the longest piece
_UNKNOWN_PENALTY = 10.0  # SentencePiece: a character no piece covers costs this beyond the rarest
_SLOTS = 1 << 20  # a quarter of them taken: most strings that are no piece meet a free one
_SLOT_MASK = _SLOTS - 1
_REMEMBERED_WORDS = 16_384  # about 5 MB
_REMEMBERED_LENGTH = 32  # longer words hardly come back
_SPACES = re.compile(" {2,}")

#: Pieces of a word, and the offset in the word at which each ends.
Cut = tuple[tuple[int, ...], tuple[int, ...]]


class E5Tokenizer:
    """Cuts text into tokens. Safe to share between threads."""

    def __init__(self, file: E5File) -> None:
        self._pieces = _PieceIndex(file.pieces)
        self._unknown = file.pieces.unknown
        self._unknown_score = float(file.pieces.scores.min()) - _UNKNOWN_PENALTY
        # NUL and halves of surrogate pairs have no place in the vocabulary or in UTF-8.
        unspeakable = dict.fromkeys([0, *range(0xD800, 0xE000)], " ")
        self._normalisation = file.normalisation | unspeakable
        self._remembered = lru_cache(_REMEMBERED_WORDS)(self._cut)

    def tokens(self, text: str, limit: int) -> list[int]:
        """Return the first `limit` tokens of the text, as they follow another word."""
        normal = _SPACES.sub(" ", text.translate(self._normalisation))
        found: list[int] = []
        for word in normal.removeprefix(" ").split(" "):
            # No piece is longer, so what is cut off lies beyond the limit.
            found += self._cut_word(word[: _LONGEST * limit])[0]
            if len(found) >= limit:
                break
        return found[:limit]

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Return the characters of `text` each token covers, as (start, end).

        A token that stands for no character of the text, such as the mark before its first word,
        has an empty span.
        """
        normal, origin = self._normalised(text)
        found: list[tuple[int, int]] = []
        start = 0
        for word in normal.split(" "):
            ends = self._cut_word(word)[1]
            # The mark stands for the space before the word; there is none before the first.
            edges = [max(start - 1 + end, 0) for end in (0, *ends)]
            found += [
                (origin[a], origin[b - 1] + 1 if b > a else origin[a]) for a, b in pairwise(edges)
            ]
            start += len(word) + 1
        return found

    def _normalised(self, text: str) -> tuple[str, list[int]]:
        """Return the normalised text and, for each of its characters, the source's offset."""
        kept: list[str] = []
        origin: list[int] = []
        last = " "
        for index, character in enumerate(text):
            for becomes in self._normalisation.get(ord(character), character):
                if not becomes == last == " ":
                    kept.append(becomes)
                    origin.append(index)
                last = becomes
        origin.append(len(text))
        return "".join(kept), origin

    def _cut_word(self, word: str) -> Cut:
        if len(word) <= _REMEMBERED_LENGTH:
            return self._remembered(word)
        return self._cut(word)

    def _cut(self, word: str) -> Cut:
        """Find the best pieces of one word: Viterbi's algorithm over its characters."""
        marked = MARK + word
        offsets = _byte_offsets(marked)
        data = marked.encode()
        length = len(marked)
        best = [0.0] + [-inf] * length
        piece_at = [self._unknown] * (length + 1)
        start_at = [0] * (length + 1)
        slots, find = self._pieces.slots, self._pieces.find
        for start in range(length):
            base = best[start]
            first = offsets[start]
            for end in range(start + 1, min(start + _LONGEST, length) + 1):
                candidate = data[first : offsets[end]]
                slot = crc32(candidate) & _SLOT_MASK
                if slots[slot] < 0:
                    continue
                found = find(candidate, slot)
                if found is not None and base + found[1] > best[end]:
                    best[end], piece_at[end], start_at[end] = base + found[1], found[0], start
            if base + self._unknown_score > best[start + 1]:
                best[start + 1] = base + self._unknown_score
                piece_at[start + 1], start_at[start + 1] = self._unknown, start
        ends = list(_walk_back(start_at))[::-1]
        return tuple(piece_at[end] for end in ends), tuple(ends)


class _PieceIndex:
    """From a piece's bytes to its number: a hash table with open addressing over CRC-32."""

    def __init__(self, pieces: Pieces) -> None:
        self._blob = pieces.blob
        # Memory views give plain numbers several times faster than arrays of numpy do.
        self._offsets = pieces.offsets.data
        self._scores = pieces.scores.data
        self._unknown = pieces.unknown
        #: The piece in each slot, or -1. A string whose own slot is free is not a piece.
        self.slots = _fill_slots(pieces)

    def find(self, data: bytes, slot: int) -> tuple[int, float] | None:
        """Return the piece's number and log probability. `slot` is the string's own."""
        while (piece := self.slots[slot]) >= 0:
            if self._blob[self._offsets[piece] : self._offsets[piece + 1]] == data:
                return None if piece == self._unknown else (piece, self._scores[piece])
            slot = (slot + 1) & _SLOT_MASK
        return None


def _fill_slots(pieces: Pieces) -> "array[int]":
    offsets = pieces.offsets.tolist()
    texts = map(pieces.blob.__getitem__, map(slice, offsets, offsets[1:]))
    wanted = np.fromiter(map(crc32, texts), np.int64, len(offsets) - 1) & _SLOT_MASK
    waiting = np.arange(len(wanted), dtype=np.int32)
    slots = np.full(_SLOTS, -1, np.int32)
    while waiting.size:
        # Of all that want a free slot one gets it; the others go on to the next.
        free = slots[wanted] < 0
        slots[wanted[free]] = waiting[free]
        left = slots[wanted] != waiting
        waiting, wanted = waiting[left], (wanted[left] + 1) & _SLOT_MASK
    return array("i", slots.tobytes())


def _byte_offsets(text: str) -> list[int]:
    """Return where each character begins in UTF-8, and where the last ends."""
    offsets = [0]
    for character in text:
        size = 1 + (character > "\x7f") + (character > "\u07ff") + (character > "\uffff")
        offsets.append(offsets[-1] + size)
    return offsets


def _walk_back(start_at: list[int]) -> Iterator[int]:
    """Yield the ends of the pieces of the best path, last first."""
    end = len(start_at) - 1
    while end > 0:
        yield end
        end = start_at[end]
