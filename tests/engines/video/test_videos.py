"""What is shown and what is said in a video decide together, with the moment they do."""

from collections import Counter
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.engines.audio.transcribe import Transcriber
from app.engines.contract import Basis, Category, InputType, Media, Mode, Task
from app.engines.embedded import EmbeddedEngine
from app.engines.errors import UnreadableMedia
from app.engines.image.judge import ImageJudge
from app.engines.video.fusion import both, both_in_multi, of_frames, of_frames_in_multi
from app.media.decoder import Decoder
from tests.engines.counting import counted
from tests.media.samples import save_sound, save_video, scene, tone

PICTURES = Path(__file__).parent.parent / "image" / "pictures"
SPEECH = Media(Path(__file__).parent.parent / "audio" / "complaint.ogg", "audio/ogg")
THINGS = (Category("cat"), Category("rocket launch"), Category("payment problem"))


def shown(name: str) -> Image.Image:
    """A photograph, as a frame."""
    return Image.open(PICTURES / name).convert("RGB").resize((320, 240))


def about(path: Path, *, explain: bool = False, mode: Mode = Mode.SINGLE) -> Task:
    """A task about a video."""
    media = Media(path, "video/mp4")
    return Task("", InputType.VIDEO, THINGS, mode=mode, explain=explain, media=media)


async def test_what_is_shown_decides(engine: EmbeddedEngine, tmp_path: Path) -> None:
    path = save_video(tmp_path / "a.mp4", [(scene(1, 320, 240), 3.0), (shown("cat.jpg"), 9.0)])
    outcome = await engine.classify(about(path, explain=True))
    (label,) = outcome.labels
    assert label.label == "cat"
    assert "at 00:0" in (label.explanation or "")
    assert outcome.basis == (Basis.FRAMES,)
    assert outcome.tokens == 0


async def test_what_is_said_decides_too(engine: EmbeddedEngine, tmp_path: Path) -> None:
    with closing(Decoder()) as decoder, decoder.sound(SPEECH) as chunks:
        samples = np.concatenate(list(chunks))
    path = save_video(tmp_path / "a.mp4", [(scene(1, 320, 240), 9.0)], samples=samples)
    outcome = await engine.classify(about(path, explain=True))
    (label,) = outcome.labels
    assert label.label == "payment problem"
    assert "You charged my credit card twice" in (label.explanation or "")
    assert outcome.basis == (Basis.FRAMES, Basis.TRANSCRIPT)
    assert outcome.tokens > 20


async def test_a_video_is_watched_and_heard_once_for_several_sets(
    engine: EmbeddedEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(Decoder()) as decoder, decoder.sound(SPEECH) as chunks:
        samples = np.concatenate(list(chunks))
    scenes = [(scene(1, 320, 240), 4.0), (shown("cat.jpg"), 5.0)]
    path = save_video(tmp_path / "a.mp4", scenes, samples=samples)
    task = about(path, explain=True)
    tasks = [task, replace(task, categories=(Category("animal"), Category("bank")))]
    alone = [await engine.classify(task) for task in tasks]
    calls: list[str] = []
    for part, name in ((Decoder, "video"), (ImageJudge, "see"), (Transcriber, "transcribe")):
        monkeypatch.setattr(part, name, counted(getattr(part, name), calls))
    assert await engine.classify_many(tasks) == alone
    assert Counter(calls) == {"video": 1, "see": len(scenes), "transcribe": 1}


async def test_sound_without_speech_is_no_evidence(engine: EmbeddedEngine, tmp_path: Path) -> None:
    path = save_video(tmp_path / "a.mp4", [(shown("rocket.jpg"), 3.0)], samples=tone(3))
    assert (await engine.classify(about(path))).basis == (Basis.FRAMES,)


async def test_a_recording_is_no_video(engine: EmbeddedEngine, tmp_path: Path) -> None:
    path = save_sound(tmp_path / "a.mp4", tone(1), codec="aac")
    with pytest.raises(UnreadableMedia, match="no pictures"):
        await engine.classify(about(path))


def test_clear_frames_count_more() -> None:
    by_frame = np.array([[0.98, 0.01, 0.01], [0.3, 0.4, 0.3]], np.float32)
    fused = of_frames(by_frame)
    assert fused.sum() == pytest.approx(1)
    assert fused[0] > by_frame.mean(axis=0)[0]


def test_speech_counts_by_how_much_there_is() -> None:
    frames = np.array([0.5, 0.3, 0.2], np.float32)
    speech = np.array([0.1, 0.1, 0.8], np.float32)
    assert np.array_equal(both(frames, speech, 0.0), frames)
    little, much = both(frames, speech, 0.2), both(frames, speech, 1.0)
    assert frames[2] < little[2] < much[2]
    assert much.argmax() == 2


def test_in_multi_shown_or_said_is_enough() -> None:
    by_frame = np.array([[0.9, 0.1]] + [[0.1, 0.1]] * 3, np.float32)
    frames = of_frames_in_multi(by_frame)
    assert frames == pytest.approx([0.9, 0.1])
    speech = np.array([0.0, 0.8], np.float32)
    assert both_in_multi(frames, speech, 1.0) == pytest.approx([0.9, 0.82])
