"""Images, decoded by Pillow. Runs in a child."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from PIL import (
    AvifImagePlugin,
    GifImagePlugin,
    Image,
    ImageOps,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)

from app.media.formats import IMAGES
from app.media.limits import (
    MAX_IMAGE_FRAMES,
    MAX_PIXELS,
    MAX_WALKED_FRAMES,
    MAX_WALKED_PIXELS,
    Bounds,
)
from app.media.refusal import Refused

#: Imported here so that none is looked for once no file can be opened.
PLUGINS = (
    AvifImagePlugin,
    GifImagePlugin,
    JpegImagePlugin,
    MpoImagePlugin,
    PngImagePlugin,
    WebPImagePlugin,
)
_ANIMATED = {"GIF", "WEBP", "PNG", "AVIF"}
_DEEP = {"I", "I;16", "I;16B", "I;16L", "I;16N"}
_WHITE = (255, 255, 255)

# The size is held against our own limit, before anything is decoded.
Image.MAX_IMAGE_PIXELS = None
# Otherwise it would look for its plugins when the first image is opened.
Image.preinit()
AvifImagePlugin.DEFAULT_MAX_THREADS = 1


@dataclass(frozen=True, slots=True)
class Pixels:
    """A frame as it is handed on: `data` holds red, green and blue of each pixel, row by row."""

    width: int
    height: int
    data: bytes


def decode(file: BinaryIO, mime: str, bounds: Bounds) -> tuple[list[Pixels], dict[str, object]]:
    """Decode an image, upright, over white, scaled down to bounds.

    Returns its frames, and its `width` and `height` as stored.

    Raises:
        Refused: It is of no known format, too large, or damaged.
    """
    name = IMAGES.get(mime)
    if name is None:
        raise Refused(f"images of type {mime} can't be read: send {_known()}")
    try:
        with Image.open(file, formats=[name]) as image:
            width, height = image.size
            if width * height > MAX_PIXELS:
                raise Refused(
                    f"the image has {width} × {height} pixels: at most "
                    f"{MAX_PIXELS // 1_000_000} million are allowed"
                )
            frames = [_pixels(frame) for frame in _frames(image, bounds)]
            return frames, {"width": width, "height": height}
    except MemoryError:
        raise Refused("the image takes too much memory to decode") from None
    except Refused:
        raise
    except Exception:  # noqa: BLE001 - damaged files make decoders raise anything
        raise Refused("the image is damaged, or not of the format that it begins as") from None


def _frames(image: Image.Image, bounds: Bounds) -> Iterator[Image.Image]:
    """Return the image upright, or evenly spread frames of an animation."""
    size = bounds.fit(image.width, image.height)
    if image.format not in _ANIMATED or not getattr(image, "is_animated", False):
        # A large JPEG is decoded at a half, a quarter or an eighth of its size.
        image.draft("RGB", size)
        yield _upright(_small(image, size))
        return
    kept: list[Image.Image] = []
    stride = 1
    walk = min(MAX_WALKED_FRAMES, max(MAX_WALKED_PIXELS // (image.width * image.height), 1))
    for index in range(walk):
        try:
            image.seek(index)
            image.load()
        except EOFError:
            break
        if index % stride == 0:
            kept.append(_small(image, size))
        if len(kept) > 2 * MAX_IMAGE_FRAMES:
            kept, stride = kept[::2], stride * 2
    for place in range(min(len(kept), MAX_IMAGE_FRAMES)):
        yield kept[place * len(kept) // MAX_IMAGE_FRAMES if len(kept) > MAX_IMAGE_FRAMES else place]


def _small(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Return a copy as RGB, scaled down."""
    small = _opaque(image).resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
    # Not kept by every conversion, and the orientation is in it.
    small.info["exif"] = image.info.get("exif", b"")
    return small


def _opaque(image: Image.Image) -> Image.Image:
    """Return an image as RGB, what is transparent in it over white."""
    if image.mode in _DEEP:
        return image.point(lambda value: value * (1 / 256)).convert("L").convert("RGB")
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        ground = Image.new("RGB", layer.size, _WHITE)
        ground.paste(layer, mask=layer.getchannel("A"))
        return ground
    return image.convert("RGB")


def _upright(image: Image.Image) -> Image.Image:
    # A damaged note on the orientation spoils no picture.
    with contextlib.suppress(Exception):
        ImageOps.exif_transpose(image, in_place=True)
    return image


def _pixels(image: Image.Image) -> Pixels:
    return Pixels(image.width, image.height, image.tobytes())


def _known() -> str:
    names = sorted({"WebP" if name == "WEBP" else name for name in IMAGES.values()})
    return f"{', '.join(names[:-1])} or {names[-1]}"
