"""What a file is, by its first bytes. What its source calls it is never believed.

The table holds what is accepted and nothing else, so whatever is not in it is refused: playlists,
which would make a decoder open further addresses, and markup (SVG, HTML) among the rest.

Sources: PNG https://www.w3.org/TR/png-3/#5PNG-file-signature; JPEG ITU-T T.81, B.1.1.3; GIF89a
§17; RIFF https://developers.google.com/speed/webp/docs/riff_container; ISO base media ISO/IEC
14496-12, 4.3, with the brands of https://mp4ra.org/registered-types/brands; EBML RFC 8794, 11.2;
Ogg RFC 3533, 6; FLAC RFC 9639, 8; MPEG audio ISO/IEC 11172-3, 2.4.2.3; ADTS ISO/IEC 13818-7, 6.2;
AMR RFC 4867, 5; AIFF AIFF-C draft 1991; transport and program streams ISO/IEC 13818-1, 2.4.3.2 and
2.5.3.3.
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from app.engines.contract import InputType

#: As many of a file's first bytes tell what it is.
HEAD_BYTES = 4096

IMAGE_TYPES = MappingProxyType(
    {
        "image/png": "PNG",
        "image/jpeg": "JPEG",
        "image/webp": "WebP",
        "image/gif": "GIF",
        "image/avif": "AVIF",
        "image/heic": "HEIC",
    }
)
_AUDIO_ONLY = MappingProxyType(
    {
        "audio/wav": "WAV",
        "audio/mpeg": "MP3",
        "audio/flac": "FLAC",
        "audio/aac": "AAC",
        "audio/aiff": "AIFF",
        "audio/amr": "AMR",
    }
)
# These may hold sound, pictures or both: only decoding tells.
_CONTAINERS = MappingProxyType(
    {
        "audio/mp4": "M4A",
        "audio/ogg": "OGG",
        "video/ogg": "OGV",
        "video/mp4": "MP4",
        "video/quicktime": "MOV",
        "video/webm": "WebM",
        "video/x-matroska": "MKV",
        "video/x-msvideo": "AVI",
        "video/mp2t": "MPEG-TS",
        "video/mpeg": "MPEG",
    }
)
#: What is accepted for a type of input: the names of formats by their media types.
ACCEPTED: Mapping[InputType, Mapping[str, str]] = MappingProxyType(
    {
        InputType.IMAGE: IMAGE_TYPES,
        InputType.AUDIO: MappingProxyType({**_AUDIO_ONLY, **_CONTAINERS}),
        InputType.VIDEO: _CONTAINERS,
    }
)

_AVIF = frozenset({b"avif", b"avis"})
_HEIC = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"})
# Brands of image files that leave it to the compatible brands to say by what codec.
_SOME_IMAGE = frozenset({b"mif1", b"msf1", b"miaf"})
_M4A = frozenset({b"M4A ", b"M4B ", b"M4P ", b"F4A ", b"F4B "})
# QuickTime's files of before it had brands begin with one of these.
_QUICKTIME_ATOMS = frozenset({b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})
_PACKET = 188
_TIMED_PACKET = 192
_MARKUP = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*(?:<[!?a-zA-Z]|#EXTM3U)")

_FIRST: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"fLaC", "audio/flac"),
    (b"ID3", "audio/mpeg"),
    (b"#!AMR\n", "audio/amr"),
    (b"#!AMR-WB\n", "audio/amr"),
    (b"\x00\x00\x01\xba", "video/mpeg"),
    (b"\x00\x00\x01\xb3", "video/mpeg"),
)
_RIFF = MappingProxyType({b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"})


def mime_of(head: bytes) -> str | None:
    """Return the media type of a file that begins with `head`; None when it is not accepted."""
    for signature, mime in _FIRST:
        if head.startswith(signature):
            return mime
    found = (reader(head) for reader in _READERS)
    return next((mime for mime in found if mime is not None), None)


def is_markup(head: bytes) -> bool:
    """Tell whether a file seems to be a web page, an SVG or a playlist, to say so."""
    return _MARKUP.match(head) is not None


def _riff(head: bytes) -> str | None:
    if head[:4] == b"FORM" and head[8:12] in {b"AIFF", b"AIFC"}:
        return "audio/aiff"
    if head[:4] in {b"RIFF", b"RF64"}:
        return _RIFF.get(head[8:12])
    return None


def _iso(head: bytes) -> str | None:
    if head[4:8] in _QUICKTIME_ATOMS:
        return "video/quicktime"
    if head[4:8] != b"ftyp":
        return None
    size = int.from_bytes(head[:4])
    major = head[8:12]
    brands = {major, *(head[at : at + 4] for at in range(16, min(size, len(head)), 4))}
    if major in _AVIF | _HEIC | _SOME_IMAGE:
        if brands & _AVIF:
            return "image/avif"
        return "image/heic" if brands & _HEIC else None
    if major == b"qt  ":
        return "video/quicktime"
    return "audio/mp4" if major in _M4A else "video/mp4"


def _ebml(head: bytes) -> str | None:
    if not head.startswith(b"\x1a\x45\xdf\xa3"):
        return None
    # The element DocType: an identifier, a length of one byte, the text.
    at = head.find(b"\x42\x82", 4, 256)
    if at < 0 or len(head) < at + 3:
        return None
    doctype = head[at + 3 : at + 3 + (head[at + 2] & 0x7F)]
    return {b"webm": "video/webm", b"matroska": "video/x-matroska"}.get(doctype)


def _ogg(head: bytes) -> str | None:
    if not head.startswith(b"OggS\x00"):
        return None
    # Each stream's first page comes before any other; those of pictures name themselves so.
    return "video/ogg" if b"\x80theora" in head[:512] else "audio/ogg"


def _frames(head: bytes) -> str | None:
    if len(head) < 4 or head[0] != 0xFF:
        return None
    if head[1] & 0xF6 == 0xF0 and head[2] >> 2 & 0xF < 13:
        return "audio/aac"
    # Sync, a version, layer III or II; neither a forbidden bit rate nor a forbidden sample rate.
    is_mpeg = head[1] & 0xE0 == 0xE0 and head[1] >> 3 & 3 != 1 and head[1] >> 1 & 3 in {1, 2}
    if is_mpeg and head[2] >> 4 not in {0, 15} and head[2] >> 2 & 3 != 3:
        return "audio/mpeg"
    return None


def _transport_stream(head: bytes) -> str | None:
    for start, step in ((0, _PACKET), (4, _TIMED_PACKET)):
        syncs = head[start : start + 3 * step : step]
        if syncs == b"GGG":
            return "video/mp2t"
    return None


_READERS: tuple[Callable[[bytes], str | None], ...] = (
    _riff, _iso, _ebml, _ogg, _frames, _transport_stream,
)  # fmt: skip
