"""Judging recordings: by what is said in them, or else by what kind of sound there is."""

from dataclasses import dataclass, replace

from app.engines.audio.transcribe import Transcriber, Transcript
from app.engines.audio.trust import temper
from app.engines.contract import (
    Basis,
    ConfidenceSource,
    InputType,
    Label,
    Media,
    Outcome,
    Task,
    Truncated,
)
from app.engines.selection import decide
from app.engines.text.encoder import Floats
from app.engines.text.explain import most_telling
from app.engines.text.judge import TextJudge, Weighed
from app.engines.text.vectors import SharedVectors
from app.engines.wanted import Wanted, always

_QUOTE = 160
_SUNG, _PLAYED, _SILENT = 0.2, 0.3, 0.95
_NOISE = "Noise, sounds without speech or music."


@dataclass(frozen=True, slots=True)
class Listened:
    """A recording as it was heard, whatever is asked about it. `vectors` are of what is said."""

    transcript: Transcript
    vectors: SharedVectors


@dataclass(frozen=True, slots=True)
class Heard:
    """What a recording speaks for: `probabilities` (categories,) and `none` as the text judge's.

    `weighed` is what the text judge made of the transcript, or of the kind of sound.
    """

    listened: Listened
    weighed: Weighed
    probabilities: Floats
    none: float | None
    basis: Basis

    @property
    def transcript(self) -> Transcript:
        """What is said."""
        return self.listened.transcript

    @property
    def tokens(self) -> int:
        """Tokens of speech that were read."""
        return self.weighed.tokens if self.basis is Basis.TRANSCRIPT else 0

    @property
    def is_whole(self) -> bool:
        """Whether all that was said was heard and read."""
        return self.transcript.is_whole and self.weighed.is_whole


class AudioJudge:
    """Answers tasks about recordings. Blocking; safe to share between threads."""

    def __init__(self, text: TextJudge, transcriber: Transcriber) -> None:
        self.text = text
        self._transcriber = transcriber
        self.model = f"{text.model}+whisper-base"

    def perceive(self, media: Media, *, wanted: Wanted = always) -> Listened:
        """Hear a recording, or the sound of a video.

        Raises:
            UnreadableMedia: It can't be decoded, or there is no sound.
        """
        return Listened(self._transcriber.transcribe(media, wanted), self.text.share())

    def judge(self, task: Task, listened: Listened) -> Outcome:
        """Answer one task about what was heard."""
        heard = self.hear(task, listened)
        selection = decide(heard.probabilities.tolist(), task, none=heard.none)
        return Outcome(
            labels=tuple(
                Label(
                    None if index is None else heard.weighed.categories[index].name,
                    confidence,
                    self.explain(heard, index) if task.explain else None,
                )
                for index, confidence in selection.entries
            ),
            tokens=heard.tokens,
            confidence_source=ConfidenceSource.CALIBRATED,
            model=self.model,
            outcome=selection.outcome,
            truncated=() if heard.is_whole else (Truncated.INPUT,),
            basis=(heard.basis,),
        )

    def hear(self, task: Task, listened: Listened) -> Heard:
        """Return what it speaks for."""
        transcript = listened.transcript
        is_said = bool(transcript.pieces)
        content = transcript.text if is_said else described(transcript)
        text = replace(task, content=content, input_type=InputType.TEXT, media=None)
        weighed = self.text.weigh(text, listened.vectors)
        probabilities, none = temper(
            weighed, task.mode, transcript.log_probability if is_said else None
        )
        basis = Basis.TRANSCRIPT if is_said else Basis.SOUND
        return Heard(listened, weighed, probabilities, none, basis)

    def explain(self, heard: Heard, index: int | None) -> str:
        """Quote what decided for a category, with its time."""
        if heard.basis is Basis.SOUND:
            return (
                "No speech was found: judged by the kind of sound alone, "
                f"“{described(heard.transcript)}” That says little."
            )
        pieces = heard.transcript.pieces
        if index is None:
            return f"Nothing that is said fits a category. It begins: {_quoted(pieces[0].text)}."
        said = [piece.text for piece in pieces]
        place = most_telling(heard.listened.vectors, heard.weighed.evidence, index, said)
        piece = pieces[place]
        return f"At {clock(piece.seconds)}: {_quoted(piece.text)}."


def described(transcript: Transcript) -> str:
    """Say in words what kind of sound there is."""
    # What fills a fair part of the time; singing first, because it is mostly sung over music.
    if transcript.singing >= _SUNG:
        return "Singing, a song."
    if transcript.music >= _PLAYED:
        return "Music."
    return "Silence, no sound." if transcript.silence >= _SILENT else _NOISE


def clock(seconds: float) -> str:
    """Write a time as minutes and seconds, with hours where there are any."""
    whole = int(seconds)
    minutes, rest = divmod(whole, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def _quoted(text: str) -> str:
    flat = " ".join(text.split())
    return f"“{flat if len(flat) <= _QUOTE else flat[: _QUOTE - 1].rstrip() + '…'}”"
