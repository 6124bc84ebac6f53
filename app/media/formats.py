"""The formats that are decoded, by the type that a file's first bytes gave it.

Each file is opened as its one format. So none is taken for a playlist or another format that names
further files, and the decoders of rarer formats are never reached.
"""

#: Type to Pillow's name. HEIC is left out: its decoder comes with 22 MB of an encoder (GPL).
IMAGES = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/webp": "WEBP",
    "image/gif": "GIF",
    "image/avif": "AVIF",
}

#: Type to FFmpeg's demuxer; whether there are sound and pictures in it only decoding tells.
CONTAINERS = {
    "audio/aac": "aac",
    "audio/aiff": "aiff",
    "audio/amr": "amr",
    "audio/flac": "flac",
    "audio/mp4": "mov",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "audio/wav": "wav",
    "video/mp2t": "mpegts",
    "video/mp4": "mov",
    "video/mpeg": "mpeg",
    "video/ogg": "ogg",
    "video/quicktime": "mov",
    "video/webm": "matroska",
    "video/x-matroska": "matroska",
    "video/x-msvideo": "avi",
}
