"""Pieces of a recording that are written down together stay in their order, with their times."""

from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from app.engines.audio import whisper
from app.engines.audio.judge import AudioJudge
from app.engines.audio.whisper import said_once
from app.engines.contract import InputType, Media
from app.engines.judges import Judges
from app.media.decoder import Decoder
from tests.media.samples import RATE, save_sound

COMPLAINT = Media(Path(__file__).with_name("complaint.ogg"), "audio/ogg")
PAUSE = np.zeros(6 * RATE, np.int16)


@pytest.mark.parametrize("sure", [-9.0, 0.0], ids=["the first guess does", "all are guessed again"])
def test_a_long_recording_is_written_down_in_order(
    prepared_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sure: float
) -> None:
    monkeypatch.setattr(whisper, "_SURE", sure)
    with closing(Decoder()) as decoder, decoder.sound(COMPLAINT) as chunks:
        complaint = np.concatenate(list(chunks))
    every = (len(complaint) + len(PAUSE)) / RATE
    path = save_sound(
        tmp_path / "a.wav", np.tile(np.concatenate([complaint, PAUSE]), 3), codec="pcm_s16le"
    )
    with closing(Judges(prepared_models)) as judges:
        judge = judges.of(InputType.AUDIO)
        assert isinstance(judge, AudioJudge)
        transcript = judge.perceive(Media(path, "audio/wav")).transcript
    begins = [piece.seconds for piece in transcript.pieces]
    assert begins == sorted(begins)
    charged = [piece.seconds for piece in transcript.pieces if "credit card" in piece.text]
    assert np.allclose(np.diff(charged), every, atol=3.0)
    assert len(charged) == 3
    assert transcript.is_whole


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Why am I charged twice? Why am I charged twice?", "Why am I charged twice?"),
        ("Cancel alarm Cancel alarm, cancel alarm.", "Cancel alarm"),
        ("It is very very good, and that that is new.", None),
        ("Press one. Press two. Press one.", None),
        ("", None),
    ],
)
def test_words_that_only_repeat_are_left_out(written: str, said: str | None) -> None:
    assert said_once(written) == (written if said is None else said)
