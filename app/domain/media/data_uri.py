"""Data URIs (RFC 2397) that carry base64, read as browsers do.

White space in the data and lacking padding are let pass, percent-encoding is undone: "forgiving
base64 decode", https://infra.spec.whatwg.org/#forgiving-base64-decode. The type that the URI names
is not believed.
"""

import base64
import re
from urllib.parse import unquote_to_bytes

from app.engines.contract import InputType

_HEAD = re.compile(r"data:([^,]*),", re.IGNORECASE)
_MAX_HEAD_LENGTH = 1_000
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_SPACE = b" \t\n\f\r"


class NoDataUri(Exception):
    """It is none that can be read. The message says why, for the caller, after the field's name."""


class TooMuchData(Exception):
    """It holds more than it may."""


def is_data_uri(text: str) -> bool:
    """Tell whether a text says that it is a data URI."""
    return text[:5].lower() == "data:"


def check_data_uri(text: str, input_type: InputType, *, limit: int) -> None:
    """Hold a data URI to its form and to so many bytes of content.

    Raises:
        NoDataUri: It is none.
        TooMuchData: It is too large.
    """
    data = _data_in(text, input_type)
    if len(data) * 3 // 4 > limit:
        raise TooMuchData
    if data.translate(None, _ALPHABET):
        raise NoDataUri("must be valid base64, but holds other characters than base64 has")
    if len(data) % 4 == 1:
        raise NoDataUri("must be valid base64, but ends in the middle of a byte")
    if not data:
        raise NoDataUri("must hold something, but there is nothing after the comma")


def decode_data_uri(text: str, input_type: InputType) -> bytes:
    """Return the content of a data URI that has been checked."""
    data = _data_in(text, input_type)
    return base64.b64decode(data + b"=" * (-len(data) % 4))


def megabytes(size: int) -> str:
    """Write a number of bytes for people."""
    if size < 1_000_000:
        return f"{size:,} bytes"
    return f"{size / 1_000_000:.1f}".removesuffix(".0") + " MB"


def _data_in(text: str, input_type: InputType) -> bytes:
    """Return the base64 alone, without white space and padding."""
    head = _HEAD.match(text, 0, _MAX_HEAD_LENGTH)
    parameters = head[1].split(";") if head else []
    if head is None or parameters[-1].strip().lower() != "base64":
        raise NoDataUri(f"must be a base64 data URI, such as data:{_EXAMPLES[input_type]};base64,…")
    try:
        data = text[head.end() :].encode("ascii")
    except UnicodeEncodeError:
        raise NoDataUri(
            "must be valid base64, but holds other characters than base64 has"
        ) from None
    if b"%" in data:
        data = unquote_to_bytes(data)
    data = data.translate(None, _SPACE)
    padding = 0
    while len(data) % 4 == 0 and padding < 2 and data.endswith(b"=", 0, len(data) - padding):
        padding += 1
    return data[: len(data) - padding]


_EXAMPLES = {
    InputType.TEXT: "text/plain",
    InputType.IMAGE: "image/png",
    InputType.AUDIO: "audio/wav",
    InputType.VIDEO: "video/mp4",
}
