"""First bytes of files of every kind that is accepted, and of many that are not."""

import base64

_REST = b"\0" * 64


def _ftyp(major: bytes, *compatible: bytes) -> bytes:
    body = major + b"\0\0\2\0" + b"".join(compatible)
    return (len(body) + 8).to_bytes(4) + b"ftyp" + body


def _ebml(doctype: bytes) -> bytes:
    inner = b"\x42\x86\x81\x01\x42\xf7\x81\x01\x42\x82" + bytes([0x80 | len(doctype)]) + doctype
    return b"\x1a\x45\xdf\xa3" + bytes([0x80 | len(inner)]) + inner


def _ogg(first: bytes) -> bytes:
    return b"OggS\0\2" + b"\0" * 20 + b"\1" + bytes([len(first)]) + first


PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\2\0\0\0"
IMAGES = {
    "image/png": [PNG],
    "image/jpeg": [b"\xff\xd8\xff\xe0\0\x10JFIF\0", b"\xff\xd8\xff\xe1..Exif", b"\xff\xd8\xff\xdb"],
    "image/webp": [b"RIFF\x24\0\0\0WEBPVP8 ", b"RIFF\x24\0\0\0WEBPVP8X"],
    "image/gif": [b"GIF89a\1\0\1\0", b"GIF87a\1\0\1\0"],
    "image/avif": [_ftyp(b"avif", b"mif1"), _ftyp(b"avis"), _ftyp(b"mif1", b"avif", b"miaf")],
    "image/heic": [_ftyp(b"heic", b"mif1"), _ftyp(b"heix"), _ftyp(b"mif1", b"heic")],
}
SOUNDS = {
    "audio/wav": [b"RIFF\x24\0\0\0WAVEfmt ", b"RF64\xff\xff\xff\xffWAVEds64"],
    "audio/mpeg": [
        b"ID3\4\0\0\0\0\0\0",
        b"\xff\xfb\x90\x64",
        b"\xff\xf3\x40\xc0",
        b"\xff\xfa\x50\0",
    ],
    "audio/flac": [b"fLaC\0\0\0\x22"],
    "audio/aac": [b"\xff\xf1\x50\x80\2\x1f\xfc", b"\xff\xf9\x50\x80\2\x1f\xfc"],
    "audio/aiff": [b"FORM\0\0\0\x40AIFFCOMM", b"FORM\0\0\0\x40AIFCFVER"],
    "audio/amr": [b"#!AMR\n\x3c", b"#!AMR-WB\n\x3c"],
}
CONTAINERS = {
    "audio/mp4": [_ftyp(b"M4A ", b"mp42", b"isom"), _ftyp(b"M4B ")],
    "audio/ogg": [_ogg(b"\1vorbis"), _ogg(b"OpusHead")],
    "video/ogg": [_ogg(b"\x80theora")],
    "video/mp4": [_ftyp(b"isom", b"iso2", b"mp41"), _ftyp(b"mp42"), _ftyp(b"dash"), _ftyp(b"3gp4"),
                  _ftyp(b"M4V ")],
    "video/quicktime": [_ftyp(b"qt  "), b"\0\0\x10\0moov\0\0\0\x6cmvhd",
                        b"\0\0\0\x08wide\0\0\1\0mdat"],
    "video/webm": [_ebml(b"webm")],
    "video/x-matroska": [_ebml(b"matroska")],
    "video/x-msvideo": [b"RIFF\x24\0\0\0AVI LIST"],
    "video/mp2t": [(b"G\x40\0\x10" + b"\xff" * 184) * 3,
                   (b"\0\0\0\0G\x40\0\x10" + b"\xff" * 184) * 3],
    "video/mpeg": [b"\0\0\1\xba\x44\0\4\0", b"\0\0\1\xb3\x14\0"],
}  # fmt: skip
OTHERS = {
    "nothing": b"",
    "one byte": b"\xff",
    "text": b"hello there, this is a text",
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"></svg>',
    "svg with a prolog": b'\xef\xbb\xbf<?xml version="1.0"?>\n<svg/>',
    "html": b"\n<!DOCTYPE html><html></html>",
    "hls": b"#EXTM3U\n#EXT-X-VERSION:3\nhttp://127.0.0.1/segment.ts\n",
    "dash": b'<?xml version="1.0"?><MPD></MPD>',
    "concat": b"ffconcat version 1.0\nfile /etc/passwd\n",
    "pls": b"[playlist]\nFile1=http://127.0.0.1/\n",
    "asx": b"<asx version='3.0'></asx>",
    "pdf": b"%PDF-1.7\n",
    "zip": b"PK\3\4\x14\0",
    "gzip": b"\x1f\x8b\x08\0",
    "executable": b"\x7fELF\2\1\1\0",
    "bmp": b"BM\x36\0\0\0\0\0\0\0\x36\0\0\0",
    "tiff": b"II*\0\x08\0\0\0",
    "ico": b"\0\0\1\0\1\0\x10\x10",
    "psd": b"8BPS\0\1",
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0",
    "midi": b"MThd\0\0\0\6",
    "flv": b"FLV\1\5\0\0\0\x09",
    "asf": b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9\0\xaa\0\x62\xce\x6c",
    "riff of another kind": b"RIFF\x24\0\0\0ACONanih",
    "iso of an unknown image": _ftyp(b"mif1", b"jpeg"),
    "ebml of another kind": _ebml(b"other"),
    "mpeg with a forbidden bit rate": b"\xff\xfb\xf0\x64",
    "mpeg with a forbidden sample rate": b"\xff\xfb\x9c\x64",
    "mpeg of a reserved version": b"\xff\xeb\x90\x64",
    "utf-16 text": b"\xff\xfeh\0e\0l\0l\0o\0",
    "one packet alone": b"G\x40\0\x10" + b"\xff" * 184,
}


def some(mime: str, *, about: str = "", size: int = 0) -> bytes:
    """Return a file of a type, as far as its first bytes tell, that speaks of something."""
    kinds = {**IMAGES, **SOUNDS, **CONTAINERS}
    return (kinds[mime][0] + _REST + about.encode()).ljust(size, b"\0")


def data_uri(content: bytes, mime: str = "application/octet-stream") -> str:
    """Return the data URI of a content."""
    return f"data:{mime};base64,{base64.b64encode(content).decode()}"
