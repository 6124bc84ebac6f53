"""Files made to break decoders: a hundred and more, the same ones each time."""

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from tests.media.samples import save_sound, save_video, scene, tone


@dataclass(frozen=True, slots=True)
class Hostile:
    """A file by its first bytes' type, and what is wrong with it."""

    name: str
    mime: str
    data: bytes


def hostile_files(scratch: Path, *, thorough: bool) -> Iterator[Hostile]:
    """Make them; good files to spoil are written to `scratch`.

    Not `thorough`, a sixth of those spoilt at random, and none that take a second or more.
    """
    for number, file in enumerate(_spoilt(scratch)):
        if thorough or number % 6 == 0:
            yield file
    yield from _strangers()
    yield from _image_bombs()
    yield from _sound_bombs(scratch)
    yield from _video_bombs(scratch)
    if thorough:
        yield from _slow(scratch)


def _good(scratch: Path) -> dict[str, bytes]:
    images = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "image/avif": "avif"}
    for suffix in images.values():
        scene(1).save(scratch / f"a.{suffix}")
    frames = [scene(seed, 64, 36) for seed in range(6)]
    frames[0].save(scratch / "a.gif", save_all=True, append_images=frames[1:])
    sounds = {"wav": "pcm_s16le", "mp3": "libmp3lame", "flac": "flac", "ogg": "libopus"}
    for suffix, codec in sounds.items():
        save_sound(scratch / f"a.{suffix}", tone(3), codec=codec)
    save_sound(scratch / "a.m4a", tone(3), codec="aac")
    scenes = [(scene(seed, 128, 72), 1.0) for seed in range(3)]
    save_video(scratch / "a.mp4", scenes, samples=tone(3))
    save_video(scratch / "a.webm", scenes, codec="libvpx")
    mimes = {
        **images,
        "image/gif": "gif",
        "audio/wav": "wav",
        "audio/mpeg": "mp3",
        "audio/flac": "flac",
        "audio/ogg": "ogg",
        "audio/mp4": "m4a",
        "video/mp4": "mp4",
        "video/webm": "webm",
    }
    return {mime: (scratch / f"a.{suffix}").read_bytes() for mime, suffix in mimes.items()}


def _spoilt(scratch: Path) -> Iterator[Hostile]:
    for mime, data in _good(scratch).items():
        for share in (0.1, 0.5, 0.95):
            yield Hostile(f"cut at {share:.0%}", mime, data[: int(len(data) * share)])
        yield Hostile("first bytes only", mime, data[:32])
        for seed in range(2):
            chance = random.Random(f"{mime}{seed}")
            flipped = bytearray(data)
            for _ in range(max(len(data) // 200, 5)):
                flipped[chance.randrange(12, len(data))] ^= 1 << chance.randrange(8)
            yield Hostile(f"bits flipped, {seed}", mime, bytes(flipped))


def _strangers() -> Iterator[Hostile]:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a", bytes(10_000_000))
    strangers = {
        "a ZIP": archive.getvalue(),
        "an SVG": b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
        "a page": b"<!doctype html><script>alert(1)</script>",
        "a playlist": b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
        "a list of files": b"ffconcat version 1.0\nfile /etc/passwd\n",
        "a manifest": b'<?xml version="1.0"?><MPD><BaseURL>http://127.0.0.1/</BaseURL></MPD>',
        "nothing": b"",
        "noise": random.Random(0).randbytes(100_000),
    }
    for name, data in strangers.items():
        for mime in ("image/png", "audio/mpeg", "video/mp4"):
            yield Hostile(name, mime, data)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(width: int, height: int, *chunks: bytes, pixels: bytes | None = None) -> bytes:
    header = _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    body = zlib.compress(bytes(1000) if pixels is None else pixels)
    end = _chunk(b"IDAT", body) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(chunks) + end


def _image_bombs() -> Iterator[Hostile]:
    packed = zlib.compress(bytes(100_000_000), 1)
    yield Hostile("50,000 pixels square", "image/png", _png(50_000, 50_000))
    yield Hostile("2³¹ pixels wide", "image/png", _png(2**31 - 1, 1))
    yield Hostile("no pixels wide", "image/png", _png(0, 10))
    yield Hostile(
        "a text that unpacks", "image/png", _png(9, 9, _chunk(b"zTXt", b"a\0\0" + packed))
    )
    yield Hostile(
        "a profile that unpacks", "image/png", _png(9, 9, _chunk(b"iCCP", b"a\0\0" + packed))
    )
    endless = _chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0))
    yield Hostile("2³¹ frames", "image/png", _png(9, 9, endless))
    jpeg = io.BytesIO()
    scene(1).save(jpeg, "JPEG", progressive=True)
    data = bytearray(jpeg.getvalue())
    at = data.index(b"\xff\xc2")
    data[at + 5 : at + 9] = struct.pack(">HH", 65_500, 65_500)
    yield Hostile("65,500 pixels square", "image/jpeg", bytes(data))
    frame = b"\x21\xf9\x04\0\0\0\0\0\x2c" + bytes(4) + struct.pack("<HHB", 1, 1, 0)
    frame += b"\x02\x02\x44\x01\0"
    palette = b"\x80\0\0\0\0\0\xff\xff\xff"
    screen = b"GIF89a" + struct.pack("<HH", 9, 9) + palette
    yield Hostile("20,000 frames", "image/gif", screen + frame * 20_000 + b";")
    screen = b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + palette
    yield Hostile("65,535 pixels square", "image/gif", screen + frame + b";")
    webp = io.BytesIO()
    Image.new("RGB", (99, 99)).save(webp, "WEBP", lossless=True)
    data = bytearray(webp.getvalue())
    at = data.index(b"VP8L") + 9
    data[at : at + 4] = struct.pack("<I", 16_382 | 16_382 << 14)
    yield Hostile("16,383 pixels square", "image/webp", bytes(data))
    avif = io.BytesIO()
    scene(1).save(avif, "AVIF")
    data = bytearray(avif.getvalue())
    at = data.index(b"ispe")
    data[at + 8 : at + 16] = struct.pack(">II", 60_000, 60_000)
    yield Hostile("60,000 pixels square", "image/avif", bytes(data))


def _sound_bombs(scratch: Path) -> Iterator[Hostile]:
    wav = (scratch / "a.wav").read_bytes()
    for name, at, form, value in (
        ("65,535 channels", 22, "<H", 65_535),
        ("no channels", 22, "<H", 0),
        ("4 GHz", 24, "<I", 2**32 - 1),
        ("1 Hz", 24, "<I", 1),
        ("no rate", 24, "<I", 0),
        ("a format that nobody knows", 20, "<H", 0x7777),
    ):
        data = bytearray(wav)
        struct.pack_into(form, data, at, value)
        yield Hostile(name, "audio/wav", bytes(data))
    slow = bytearray(wav[:44]) + bytes(600_000)
    struct.pack_into("<I", slow, 24, 10)
    yield Hostile("eight hours", "audio/wav", bytes(slow))
    yield Hostile("a list in a list", "audio/wav", wav[:12] + b"LIST\xff\xff\xff\xffINFO" * 50_000)
    tag = b"ID3\x04\0\0\x7f\x7f\x7f\x7f"
    yield Hostile("a tag of 256 MB", "audio/mpeg", tag + bytes(1000))
    yield Hostile("a million empty frames", "audio/mpeg", b"\xff\xfb\x10\xc4" * 1_000_000)
    flac = (scratch / "a.flac").read_bytes()
    yield Hostile("a picture of 16 MB", "audio/flac", flac[:42] + b"\x06\xff\xff\xff" + bytes(1000))
    ogg = bytearray((scratch / "a.ogg").read_bytes())
    at = ogg.rindex(b"OggS")
    struct.pack_into("<q", ogg, at + 6, 2**62)
    yield Hostile("a time of ages", "audio/ogg", bytes(ogg))


def _video_bombs(scratch: Path) -> Iterator[Hostile]:
    mp4 = (scratch / "a.mp4").read_bytes()

    def patched(box: bytes, offset: int, form: str, value: int) -> bytes:
        data = bytearray(mp4)
        struct.pack_into(form, data, data.index(box) + 4 + offset, value)
        return bytes(data)

    yield Hostile("a negative length", "video/mp4", patched(b"mvhd", 16, ">i", -1))
    yield Hostile("no time scale", "video/mp4", patched(b"mdhd", 12, ">I", 0))
    yield Hostile("ages long", "video/mp4", patched(b"mvhd", 12, ">I", 1))
    yield Hostile("2³² samples", "video/mp4", patched(b"stsz", 8, ">I", 2**32 - 1))
    yield Hostile("2³² chunks", "video/mp4", patched(b"stco", 4, ">I", 2**32 - 1))
    yield Hostile("negative times", "video/mp4", patched(b"stts", 12, ">i", -(2**31)))
    yield Hostile("65,535 pixels square", "video/mp4", patched(b"avc1", 24, ">I", 0xFFFFFFFF))
    other = b"url \0\0\0\0file:///etc/passwd\0"
    reference = struct.pack(">I", len(other) + 4) + other
    yield Hostile(
        "its pictures elsewhere", "video/mp4", mp4.replace(b"\0\0\0\x0curl \0\0\0\x01", reference)
    )
    nested = b""
    for _ in range(2000):
        nested = struct.pack(">I", len(nested) + 8) + b"moov" + nested
    yield Hostile("2,000 boxes in one another", "video/mp4", mp4[:32] + nested)
    ebml = b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm"
    yield Hostile("elements in elements", "video/webm", ebml + b"\x18\x53\x80\x67\x01" * 20_000)


def _slow(scratch: Path) -> Iterator[Hostile]:
    yield Hostile(
        "49 million pixels of nothing", "image/png", _png(7000, 7000, pixels=bytes(147_007_000))
    )
    webp = io.BytesIO()
    Image.new("RGB", (7000, 7000)).save(webp, "WEBP", lossless=True)
    yield Hostile("49 million pixels of nothing", "image/webp", webp.getvalue())
    jpeg = io.BytesIO()
    scene(1).save(jpeg, "JPEG", progressive=True)
    scans = jpeg.getvalue()
    scan = scans[scans.rindex(b"\xff\xda") : -2]
    yield Hostile("10,000 scans", "image/jpeg", scans[:-2] + scan * 10_000 + b"\xff\xd9")
    frame = b"\x21\xf9\x04\0\0\0\0\0\x2c" + bytes(4) + struct.pack("<HHB", 1, 1, 0)
    screen = b"GIF89a" + struct.pack("<HH", 2000, 2000) + b"\x80\0\0\0\0\0\xff\xff\xff"
    frames = (frame + b"\x02\x02\x44\x01\0") * 200_000
    yield Hostile("200,000 large frames", "image/gif", screen + frames + b";")
    large = scratch / "large.mp4"
    save_video(large, [(Image.fromarray(np.zeros((2160, 3840, 3), np.uint8)), 3.0)], gop=1)
    yield Hostile("a key frame of 8 million pixels each time", "video/mp4", large.read_bytes())
