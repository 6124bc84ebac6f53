"""What of a recording is heard by the speech model: windows of speech, without what is between.

Frames are hundredths of a second. Speech is taken with a little around it, joined over short gaps,
cut where it is longer than the model hears at a time, and packed into as few windows as that
needs, of about the same length: those that are heard together are filled up to the longest. Of
more than `MAX_WINDOWS` windows, evenly spread ones are heard, the first among them: a bound on the
work, at 20 to 30 minutes of speech, about as much as is read of a long text.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from app.engines.audio.mel import Floats
from app.engines.audio.sounds import FRAMES, SPEECH

#: Frames of a window at most. Whisper could hear twice as much, but takes longer over it than over
#: two halves (docs/models.md has the figures).
WINDOW = 14 * FRAMES
MAX_WINDOWS = 128

_AROUND = 20
_GAP = 50
_LEAST = 20
# A span too long is cut where speech is least likely, so far around even parts.
_CUT_WITHIN = 3 * FRAMES

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Window:
    """Spans of speech that are heard in one go, in frames from the start of the recording."""

    spans: tuple[Span, ...]

    def seconds_at(self, seconds: float) -> float:
        """Return when in the recording is what is heard at a time of the window."""
        left = round(seconds * FRAMES)
        for start, end in self.spans:
            if left < end - start:
                return (start + left) / FRAMES
            left -= end - start
        return self.spans[-1][1] / FRAMES


def speech_windows(speech: Floats) -> tuple[list[Window], bool]:
    """Return the windows to be heard, and whether they are all there are."""
    windows = _packed(list(_cut(_spans(speech), speech)))
    if len(windows) <= MAX_WINDOWS:
        return windows, True
    places = (place * len(windows) // MAX_WINDOWS for place in range(MAX_WINDOWS))
    return [windows[place] for place in places], False


def _spans(speech: Floats) -> list[Span]:
    """Return where there is speech, with a little around it."""
    is_speech = np.concatenate([[False], speech >= SPEECH, [False]])
    starts, ends = np.flatnonzero(np.diff(is_speech.astype(np.int8))).reshape(-1, 2).T
    spans: list[Span] = []
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        if spans and start - spans[-1][1] <= _GAP:
            spans[-1] = (spans[-1][0], end)
        else:
            spans.append((start, end))
    return [
        (max(start - _AROUND, 0), min(end + _AROUND, len(speech)))
        for start, end in spans
        if end - start >= _LEAST
    ]


def _cut(spans: Iterable[Span], speech: Floats) -> Iterator[Span]:
    for start, end in spans:
        at = start
        while end - at > WINDOW:
            rest = end - at
            parts = -(-rest // WINDOW)
            even = rest // parts
            # Not so early that what is left needs one more.
            low = at + max(even - _CUT_WITHIN, rest - (parts - 1) * WINDOW)
            high = at + min(even + _CUT_WITHIN, WINDOW)
            cut = low + int(np.argmin(speech[low : high + 1]))
            yield at, cut
            at = cut
        yield at, end


def _packed(spans: Sequence[Span]) -> list[Window]:
    windows = _filled(spans, WINDOW)
    # Shorter ones, by a second at a time, for as long as there need be no more of them.
    for most in range(WINDOW - FRAMES, 0, -FRAMES):
        shorter = _filled(spans, most)
        if len(shorter) > len(windows):
            break
        windows = shorter
    return windows


def _filled(spans: Sequence[Span], most: int) -> list[Window]:
    """Pack spans into windows of up to `most` frames; a longer span has one for itself."""
    packed: list[list[Span]] = []
    length = most
    for start, end in spans:
        if length + end - start > most:
            packed.append([])
            length = 0
        packed[-1].append((start, end))
        length += end - start
    return [Window(tuple(each)) for each in packed]
