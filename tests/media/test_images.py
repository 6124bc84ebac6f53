"""Images of every format come out upright, opaque, and no larger than judges need."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.engines.contract import Media
from app.engines.errors import UnreadableMedia
from app.media.decoder import Decoder
from app.media.limits import Bounds
from tests.media.samples import media, scene


def mean_difference(frame: np.ndarray, picture: Image.Image) -> float:
    """How far two pictures of one size are apart, of 255."""
    return float(np.abs(frame.astype(int) - np.asarray(picture.convert("RGB")).astype(int)).mean())


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".gif", ".avif"])
def test_every_format_is_decoded(decoder: Decoder, tmp_path: Path, suffix: str) -> None:
    picture = scene(1)
    picture.save(tmp_path / f"a{suffix}")
    decoded = decoder.image(media(tmp_path / f"a{suffix}"))
    assert (decoded.width, decoded.height, len(decoded.frames)) == (320, 180, 1)
    assert decoded.frames[0].shape == (180, 320, 3)
    assert mean_difference(decoded.frames[0], picture) < 8


@pytest.mark.parametrize("mode", ["L", "LA", "P", "1", "RGBA", "CMYK", "I;16"])
def test_every_mode_becomes_rgb(decoder: Decoder, tmp_path: Path, mode: str) -> None:
    suffix = ".jpg" if mode == "CMYK" else ".png"
    if mode == "I;16":
        picture = Image.fromarray(np.asarray(scene(2).convert("L")).astype(np.uint16) * 257)
    else:
        picture = scene(2).convert(mode)
    picture.save(tmp_path / f"a{suffix}")
    frame = decoder.image(media(tmp_path / f"a{suffix}")).frames[0]
    shown = scene(2).convert("L") if mode == "I;16" else picture
    assert mean_difference(frame, shown) < 4


def test_what_is_transparent_is_white(decoder: Decoder, tmp_path: Path) -> None:
    picture = scene(3).convert("RGBA")
    picture.putalpha(0)
    picture.save(tmp_path / "a.png")
    assert decoder.image(media(tmp_path / "a.png")).frames[0].min() == 255


def test_a_photo_taken_sideways_is_upright(decoder: Decoder, tmp_path: Path) -> None:
    picture = scene(4)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: the top is on the right
    picture.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "a.jpg", exif=exif)
    frame = decoder.image(media(tmp_path / "a.jpg")).frames[0]
    assert frame.shape == (180, 320, 3)
    assert mean_difference(frame, picture) < 8


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_large_picture_is_scaled_down(decoder: Decoder, tmp_path: Path, suffix: str) -> None:
    scene(5, 4000, 3000).save(tmp_path / f"a{suffix}")
    decoded = decoder.image(media(tmp_path / f"a{suffix}"))
    assert (decoded.width, decoded.height) == (4000, 3000)
    assert decoded.frames[0].shape == (960, 1280, 3)
    assert mean_difference(decoded.frames[0], scene(5, 1280, 960)) < 4


@pytest.mark.parametrize(
    ("size", "wanted"),
    [
        ((4000, 3000), (640, 480)),
        ((3000, 4000), (480, 640)),
        ((300, 200), (300, 200)),
        ((3000, 1000), (780, 260)),
        ((8000, 1000), (1280, 160)),
        ((3000, 1), (1280, 1)),
    ],
)
def test_bounds_hold_for_both_sides(
    decoder: Decoder, tmp_path: Path, size: tuple[int, int], wanted: tuple[int, int]
) -> None:
    scene(5, *size).save(tmp_path / "a.jpg")
    decoded = decoder.image(media(tmp_path / "a.jpg"), Bounds(long=640, short=260))
    assert (decoded.width, decoded.height) == size
    width, height = wanted
    assert decoded.frames[0].shape == (height, width, 3)
    assert mean_difference(decoded.frames[0], scene(5, *size).resize(wanted)) < 4


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png"])
def test_frames_of_an_animation_are_spread(decoder: Decoder, tmp_path: Path, suffix: str) -> None:
    pictures = [scene(seed, 64, 36) for seed in range(20)]
    path = tmp_path / f"a{suffix}"
    pictures[0].save(path, save_all=True, append_images=pictures[1:], duration=40)
    frames = decoder.image(media(path)).frames
    assert len(frames) == 4
    found = [min(range(20), key=lambda at: mean_difference(f, pictures[at])) for f in frames]
    assert found[0] == 0
    assert found[-1] >= 12
    assert found == sorted(set(found))


def test_too_many_pixels_are_refused_unread(decoder: Decoder, tmp_path: Path) -> None:
    Image.new("1", (10_000, 6_000)).save(tmp_path / "a.png")
    with pytest.raises(UnreadableMedia, match="10000 × 6000 pixels: at most 50 million"):
        decoder.image(media(tmp_path / "a.png"))


@pytest.mark.parametrize("mime", ["image/heic", "image/svg+xml", "image/tiff", "text/html"])
def test_other_types_are_refused(decoder: Decoder, tmp_path: Path, mime: str) -> None:
    scene(6).save(tmp_path / "a.png")
    with pytest.raises(UnreadableMedia, match="send AVIF, GIF, JPEG, PNG or WebP"):
        decoder.image(Media(tmp_path / "a.png", mime))


def test_a_format_under_another_name_is_refused(decoder: Decoder, tmp_path: Path) -> None:
    scene(7).save(tmp_path / "a.gif")
    with pytest.raises(UnreadableMedia, match="not of the format"):
        decoder.image(Media(tmp_path / "a.gif", "image/png"))
