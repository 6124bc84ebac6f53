"""The formats that are decoded, by the type that a file's first bytes gave it.

Each file is opened as its one format. So none is taken for a playlist or another format that names
further files, and the decoders of rarer formats are never reached.
"""

#: Type to Pillow's name. HEIC is left out: its decoder comes with 22 MB of an encoder (GPL).
IMAGES = {
    "image/png": "PNG",
    "image/apng": "PNG",
    "image/jpeg": "JPEG",
    "image/webp": "WEBP",
    "image/gif": "GIF",
    "image/avif": "AVIF",
}

#: Type to FFmpeg's demuxer; audio/ and video/ are told apart by what is in the file.
CONTAINERS = {
    "aac": "aac",
    "ac3": "ac3",
    "aiff": "aiff",
    "amr": "amr",
    "flac": "flac",
    "mp3": "mp3",
    "mpeg": "mp3",
    "mp4": "mov",
    "m4a": "mov",
    "3gpp": "mov",
    "quicktime": "mov",
    "matroska": "matroska",
    "webm": "matroska",
    "ogg": "ogg",
    "opus": "ogg",
    "wav": "wav",
    "wave": "wav",
    "avi": "avi",
    "msvideo": "avi",
    "flv": "flv",
    "mp2t": "mpegts",
    "ms-wma": "asf",
    "ms-wmv": "asf",
    "ms-asf": "asf",
}


def image_format(mime: str) -> str | None:
    """Return Pillow's name of an image's type, None for one that is not decoded."""
    return IMAGES.get(mime)


def container_format(mime: str) -> str | None:
    """Return FFmpeg's demuxer for a type of sound or video, None for one that is not decoded."""
    kind, _, name = mime.partition("/")
    if kind == "application":
        return "ogg" if name == "ogg" else None
    if mime == "video/mpeg":
        return "mpeg"
    return CONTAINERS.get(name.removeprefix("x-")) if kind in {"audio", "video"} else None
