"""A video comes out as a few frames that show each of its scenes, with their times."""

from pathlib import Path

import numpy as np
import pytest

from app.engines.errors import UnreadableMedia
from app.media.decoder import Decoder, Footage
from tests.media.samples import media, save_sound, save_video, scene, tone

SCENES = [(scene(seed), 2.0) for seed in range(5)]


def scenes_in(footage: Footage) -> dict[int, float]:
    """The scenes that were found, each with its first time."""
    found: dict[int, float] = {}
    for moment in footage.moments:
        differences = [
            np.abs(moment.frame.astype(int) - np.asarray(picture).astype(int)).mean()
            for picture, _ in SCENES
        ]
        found.setdefault(int(np.argmin(differences)), moment.seconds)
    return found


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("a.mp4", "libx264"),
        ("a.mov", "libx264"),
        ("a.webm", "libvpx-vp9"),
        ("a.mkv", "libx264"),
        ("a.avi", "mpeg4"),
        ("a.ts", "mpeg2video"),
    ],
)
def test_every_format_shows_its_scenes(
    decoder: Decoder, tmp_path: Path, name: str, codec: str
) -> None:
    footage = decoder.video(media(save_video(tmp_path / name, SCENES, codec=codec)))
    found = scenes_in(footage)
    assert sorted(found) == [0, 1, 2, 3, 4]
    for number, seconds in found.items():
        assert 2 * number - 0.2 <= seconds <= 2 * number + 2
    assert footage.seconds == pytest.approx(10, abs=0.5)
    assert not footage.has_sound


def test_many_key_frames_are_capped(decoder: Decoder, tmp_path: Path) -> None:
    scenes = [(scene(seed, 96, 64), 0.5) for seed in range(120)]
    footage = decoder.video(media(save_video(tmp_path / "a.mp4", scenes, gop=5)))
    assert 12 <= len(footage.moments) <= 16
    assert footage.moments[0].seconds < 5
    assert footage.moments[-1].seconds > 50


def test_a_still_picture_is_one_frame(decoder: Decoder, tmp_path: Path) -> None:
    path = save_video(tmp_path / "a.mp4", [(scene(1), 5)], samples=tone(5))
    footage = decoder.video(media(path))
    assert len(footage.moments) == 1
    assert footage.has_sound


def test_sound_alone_is_no_video(decoder: Decoder, tmp_path: Path) -> None:
    path = save_sound(tmp_path / "a.m4a", tone(1), codec="aac")
    with pytest.raises(UnreadableMedia, match="no pictures"):
        decoder.video(media(path))
