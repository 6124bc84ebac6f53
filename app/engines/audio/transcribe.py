"""From a recording to its transcript, or to what else there is to hear.

The recording is decoded twice, in chunks: once to find speech, once to hear it. So its length does
not show in memory.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np

from app.engines.audio.mel import RATE, Floats
from app.engines.audio.sounds import FRAMES, SoundModel, Sounds
from app.engines.audio.whisper import TOGETHER, Heard, Languages, Whisper
from app.engines.audio.windows import Window, speech_windows
from app.engines.contract import Media
from app.engines.errors import EngineError
from app.engines.text.windows import sentences
from app.media.decoder import Decoder, Samples

# Whisper's own thresholds for taking what it wrote for silence.
_SILENT = 0.6
_UNSURE = -1.0
_SAMPLES = RATE // FRAMES


class NoLongerWanted(EngineError):
    """Nobody waits for the answer any more."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A sentence, and about when it begins, in seconds."""

    seconds: float
    text: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said, in pieces with their times in seconds.

    `log_probability` is the speech model's own, the mean over what it wrote. Shares are of the
    whole time. `is_whole` says whether all speech was heard.
    """

    pieces: tuple[Piece, ...]
    log_probability: float
    speech: float
    singing: float
    music: float
    silence: float
    is_whole: bool

    @property
    def text(self) -> str:
        """All of it."""
        return " ".join(piece.text for piece in self.pieces)


class Transcriber:
    """Makes transcripts. Blocking; safe to share between threads."""

    def __init__(self, decoder: Decoder, sounds: SoundModel, whisper: Whisper) -> None:
        self._decoder = decoder
        self._sounds = sounds
        self._whisper = whisper

    def transcribe(self, media: Media, wanted: Callable[[], bool]) -> Transcript:
        """Transcribe a recording, or the sound of a video.

        Raises:
            UnreadableMedia: It can't be decoded, or has no sound.
            NoLongerWanted: `wanted` says so.
        """
        sounds = self._listen(media, wanted)
        windows, is_whole = speech_windows(sounds.speech)
        pieces: list[Piece] = []
        weights, scores = [0.0], [0.0]
        for window, heard in self._hear(media, windows, wanted):
            if heard.silence > _SILENT and heard.log_probability < _UNSURE:
                continue
            pieces += _pieces(window, heard.text)
            weights.append(float(len(heard.text)))
            scores.append(heard.log_probability)
        return Transcript(
            pieces=tuple(pieces),
            log_probability=float(np.average(scores, weights=weights)) if sum(weights) else 0.0,
            speech=sum(end - start for w in windows for start, end in w.spans) / len(sounds.speech),
            singing=sounds.singing,
            music=sounds.music,
            silence=sounds.silence,
            is_whole=is_whole,
        )

    def _listen(self, media: Media, wanted: Callable[[], bool]) -> Sounds:
        """Tell the sounds of all of it."""
        found: list[Sounds] = []
        with self._decoder.sound(media) as chunks:
            for chunk in chunks:
                _check(wanted)
                found.append(self._sounds.listen(chunk))
        lengths = [len(sounds.speech) for sounds in found]
        return Sounds(
            np.concatenate([sounds.speech for sounds in found]),
            float(np.average([sounds.singing for sounds in found], weights=lengths)),
            float(np.average([sounds.music for sounds in found], weights=lengths)),
            float(np.average([sounds.silence for sounds in found], weights=lengths)),
        )

    def _hear(
        self, media: Media, windows: list[Window], wanted: Callable[[], bool]
    ) -> Iterator[tuple[Window, Heard]]:
        if not windows:
            return
        languages = Languages()
        samples = self._samples(media, windows)
        while some := list(islice(samples, TOGETHER)):
            _check(wanted)
            heard = self._whisper.hear([piece for _, piece in some], languages)
            yield from zip((window for window, _ in some), heard, strict=True)

    def _samples(self, media: Media, windows: list[Window]) -> Iterator[tuple[Window, Floats]]:
        """Return the samples of each window, holding no more than a few chunks."""
        with self._decoder.sound(media) as chunks:
            held = np.zeros(0, np.int16)
            begins = 0
            for window in windows:
                parts: list[Samples] = []
                for start, end in window.spans:
                    first, last = start * _SAMPLES, end * _SAMPLES
                    while begins + len(held) < last and (chunk := next(chunks, None)) is not None:
                        kept = held[max(first - begins, 0) :]
                        begins += len(held) - len(kept)
                        held = np.concatenate([kept, chunk])
                    parts.append(held[max(first - begins, 0) : last - begins])
                yield window, np.asarray(np.concatenate(parts) / 32768, np.float32)


def _pieces(window: Window, text: str) -> Iterator[Piece]:
    """Cut a window's text into sentences; each begins at its share of the text."""
    length = sum(end - start for start, end in window.spans) / FRAMES
    at = 0
    for sentence in sentences(text):
        at = text.index(sentence, at)
        if any(map(str.isalnum, sentence)):
            yield Piece(window.seconds_at(at / len(text) * length), sentence)
        at += len(sentence)


def _check(wanted: Callable[[], bool]) -> None:
    if not wanted():
        raise NoLongerWanted
