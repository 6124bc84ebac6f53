"""Sound of every format comes out as one channel of 16,000 samples a second, in chunks."""

from pathlib import Path

import numpy as np
import pytest

from app.engines.errors import UnreadableMedia
from app.media.decoder import Decoder
from tests.media.samples import media, save_sound, save_video, scene, tone


@pytest.mark.parametrize(
    ("name", "codec", "form"),
    [
        ("a.wav", "pcm_s16le", (8_000, "mono")),
        ("a.mp3", "libmp3lame", (44_100, "stereo")),
        ("a.flac", "flac", (48_000, "stereo")),
        ("a.ogg", "libopus", (48_000, "mono")),
        ("a.m4a", "aac", (44_100, "stereo")),
        ("a.aac", "aac", (22_050, "mono")),
    ],
)
def test_every_format_is_decoded(
    decoder: Decoder, tmp_path: Path, name: str, codec: str, form: tuple[int, str]
) -> None:
    rate, layout = form
    path = save_sound(tmp_path / name, tone(3, rate), codec=codec, rate=rate, layout=layout)
    with decoder.sound(media(path)) as chunks:
        samples = np.concatenate(list(chunks))
    assert len(samples) / 16_000 == pytest.approx(3, abs=0.15)
    spectrum = np.abs(np.fft.rfft(samples[8_000:40_000]))
    assert np.argmax(spectrum) / 2 == pytest.approx(440, abs=2)


def test_sound_comes_in_chunks(decoder: Decoder, tmp_path: Path) -> None:
    path = save_sound(tmp_path / "a.wav", tone(65, 8_000), codec="pcm_s16le", rate=8_000)
    with decoder.sound(media(path)) as chunks:
        lengths = [len(chunk) for chunk in chunks]
    assert lengths[:2] == [480_000, 480_000]
    assert sum(lengths) / 16_000 == pytest.approx(65, abs=0.01)


def test_the_rest_need_not_be_read(decoder: Decoder, tmp_path: Path) -> None:
    path = save_sound(tmp_path / "a.wav", tone(65, 8_000), codec="pcm_s16le", rate=8_000)
    for _ in range(2):
        with decoder.sound(media(path)) as chunks:
            assert len(next(chunks)) == 480_000


def test_a_video_has_its_sound(decoder: Decoder, tmp_path: Path) -> None:
    path = save_video(tmp_path / "a.mp4", [(scene(1), 2)], samples=tone(2))
    with decoder.sound(media(path)) as chunks:
        assert sum(len(chunk) for chunk in chunks) / 16_000 == pytest.approx(2, abs=0.15)


def test_a_video_without_sound_says_so(decoder: Decoder, tmp_path: Path) -> None:
    path = save_video(tmp_path / "a.mp4", [(scene(1), 1)])
    with (
        pytest.raises(UnreadableMedia, match="no sound"),
        decoder.sound(media(path)) as chunks,
    ):
        next(chunks)
