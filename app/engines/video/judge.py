"""Judging videos: by frames that show what there is to see, and by what is said."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import numpy as np

from app.engines.audio.judge import AudioJudge, Heard, Listened, clock
from app.engines.contract import (
    Basis,
    Category,
    ConfidenceSource,
    Label,
    Media,
    Mode,
    Outcome,
    Task,
    Truncated,
)
from app.engines.errors import UnreadableMedia
from app.engines.selection import decide
from app.engines.text.encoder import Floats
from app.engines.text.taxonomy import TAXONOMY
from app.engines.video.fusion import (
    both,
    both_in_multi,
    of_frames,
    of_frames_in_multi,
    speech_weight,
)
from app.engines.wanted import Wanted, always
from app.media.decoder import Decoder, Footage, Pixels

Sight = TypeVar("Sight")


class FrameJudge(Protocol[Sight]):
    """What judges single frames. `Sight` is a picture as it was seen."""

    @property
    def model(self) -> str:
        """What to call it."""
        ...

    def see(self, frames: Sequence[Pixels]) -> Sight:
        """Look at the frames of one picture."""
        ...

    def frame_probabilities(
        self, frames: Sequence[Sight], categories: tuple[Category, ...] | None, mode: Mode
    ) -> tuple[Floats, Floats]:
        """Return probabilities (frames, categories), and of none of them (frames,)."""
        ...


@dataclass(frozen=True, slots=True)
class Watched(Generic[Sight]):
    """A video as it was seen and heard, whatever is asked about it: a sight for each moment.

    `listened` is None where nothing is said.
    """

    footage: Footage
    sights: tuple[Sight, ...]
    listened: Listened | None


@dataclass(frozen=True, slots=True)
class _Seen:
    """A video as it was judged: `by_frame` is (frames, categories); `heard` where there is speech.

    `speech` is how much what is said counts, 0 to 1.
    """

    footage: Footage
    categories: tuple[Category, ...]
    by_frame: Floats
    none: float
    heard: Heard | None
    speech: float


class VideoJudge(Generic[Sight]):
    """Answers tasks about videos. Blocking; safe to share between threads."""

    def __init__(self, frames: FrameJudge[Sight], audio: AudioJudge, decoder: Decoder) -> None:
        self._frames = frames
        self._audio = audio
        self._decoder = decoder
        self.model = f"{frames.model}+whisper-base"

    def perceive(self, media: Media, *, wanted: Wanted = always) -> Watched[Sight]:
        """Look at a video and hear it.

        Raises:
            UnreadableMedia: It can't be decoded.
        """
        footage = self._decoder.video(media)
        sights = tuple(self._frames.see([moment.frame]) for moment in footage.moments)
        listened = self._listen(media, wanted) if footage.has_sound else None
        return Watched(footage, sights, listened)

    def judge(self, task: Task, watched: Watched[Sight]) -> Outcome:
        """Answer one task about what was seen and heard."""
        seen = self._weigh(task, watched)
        probabilities, none = _fused(seen, task)
        selection = decide(probabilities.tolist(), task, none=none)
        return Outcome(
            labels=tuple(
                Label(
                    None if index is None else seen.categories[index].name,
                    confidence,
                    self._explain(seen, index) if task.explain else None,
                )
                for index, confidence in selection.entries
            ),
            tokens=seen.heard.tokens if seen.heard else 0,
            confidence_source=ConfidenceSource.CALIBRATED,
            model=self.model,
            outcome=selection.outcome,
            truncated=(Truncated.INPUT,) if seen.heard and not seen.heard.is_whole else (),
            basis=(Basis.FRAMES, Basis.TRANSCRIPT) if seen.heard else (Basis.FRAMES,),
        )

    def _listen(self, media: Media, wanted: Wanted) -> Listened | None:
        try:
            listened = self._audio.perceive(media, wanted=wanted)
        except UnreadableMedia:
            # A sound track that can't be decoded spoils no picture.
            return None
        return listened if listened.transcript.pieces else None

    def _weigh(self, task: Task, watched: Watched[Sight]) -> _Seen:
        categories = TAXONOMY if task.categories is None else task.categories
        by_frame, none = self._frames.frame_probabilities(watched.sights, categories, task.mode)
        listened = watched.listened
        heard = None if listened is None else self._audio.hear(task, listened)
        weight = speech_weight(heard.transcript.text) if heard else 0.0
        return _Seen(watched.footage, categories, by_frame, float(none.mean()), heard, weight)

    def _explain(self, seen: _Seen, index: int | None) -> str:
        if index is None:
            return "Neither what is shown nor what is said fits a category."
        place = int(seen.by_frame[:, index].argmax())
        at = clock(seen.footage.moments[place].seconds)
        shown = f"Shown most clearly at {at} ({seen.by_frame[place, index]:.2f})."
        if seen.heard is None:
            return f"{shown} Nothing is said in it."
        said = f"Said: {self._audio.explain(seen.heard, index)}"
        speaks = seen.speech * seen.heard.probabilities[index]
        return f"{said} {shown}" if speaks > seen.by_frame[place, index] else f"{shown} {said}"


def _fused(seen: _Seen, task: Task) -> tuple[Floats, float | None]:
    speech = seen.heard
    if task.mode is Mode.MULTI:
        shown = of_frames_in_multi(seen.by_frame)
        if speech is None:
            return shown, None
        return both_in_multi(shown, speech.probabilities, seen.speech), None
    shown = of_frames(seen.by_frame)
    if not task.allow_none:
        fused = shown if speech is None else both(shown, speech.probabilities, seen.speech)
        return fused, None
    shown = np.append((1 - seen.none) * shown, np.float32(seen.none))
    if speech is None or speech.none is None:
        fused = shown
    else:
        said = np.append(speech.probabilities, np.float32(speech.none))
        fused = both(shown, said, seen.speech)
    return fused[:-1], float(fused[-1])
