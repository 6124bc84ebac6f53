"""What of a recording is heard by the speech model: windows of speech, without what is between.

Frames are hundredths of a second. Speech is taken with a little around it, joined over short gaps,
cut where it is longer than the model hears at a time, and packed into windows. Of more than
`MAX_WINDOWS` windows, evenly spread ones are heard, the first among them: a bound on the work, at
about half an hour of speech, which is as much as is read of a long text.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from app.engines.audio.mel import Floats
from app.engines.audio.sounds import FRAMES, SPEECH

#: Frames of a window at most.
WINDOW = 28 * FRAMES
MAX_WINDOWS = 64

_AROUND = 20
_GAP = 50
_LEAST = 20
# A span too long is cut where speech is least likely in its last part.
_CUT_WITHIN = 5 * FRAMES

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
    windows = list(_packed(_cut(_spans(speech), speech)))
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
            low = at + WINDOW - _CUT_WITHIN
            cut = low + int(np.argmin(speech[low : at + WINDOW]))
            yield at, cut
            at = cut
        yield at, end


def _packed(spans: Iterable[Span]) -> Iterator[Window]:
    held: list[Span] = []
    length = 0
    for start, end in spans:
        if held and length + end - start > WINDOW:
            yield Window(tuple(held))
            held, length = [], 0
        held.append((start, end))
        length += end - start
    if held:
        yield Window(tuple(held))
