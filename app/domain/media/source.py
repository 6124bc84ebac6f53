"""What an input of type image, audio or video may be: an http or https URL, or a data URI.

These rules need no network. They hold before anything is counted.
"""

from app.domain.errors import FieldPath, InvalidRequest, MediaUnavailable
from app.domain.media.data_uri import (
    NoDataUri,
    TooMuchData,
    check_data_uri,
    is_data_uri,
    megabytes,
)
from app.engines.contract import InputType
from app.outbound.errors import Refused
from app.outbound.target import parse_url

NAMES = {InputType.IMAGE: "an image", InputType.AUDIO: "audio", InputType.VIDEO: "a video"}


def check_source(path: FieldPath, content: str, input_type: InputType, *, limit: int) -> None:
    """Hold an input to the form of a URL or of a data URI of at most `limit` bytes.

    Raises:
        InvalidRequest: It is neither, or is malformed.
        MediaUnavailable: It is a data URI that is too large.
    """
    if is_data_uri(content):
        try:
            check_data_uri(content, input_type, limit=limit)
        except NoDataUri as error:
            raise InvalidRequest(path, str(error)) from None
        except TooMuchData:
            raise MediaUnavailable(path, too_large(input_type, limit), lasting=True) from None
        return
    try:
        parse_url(content)
    except Refused as error:
        raise InvalidRequest(
            path, f"must be a public http or https URL or a base64 data URI. {error}"
        ) from None


def too_large(input_type: InputType, limit: int) -> str:
    """Say that something has more than `limit` bytes, after the field's name."""
    return f"is larger than {megabytes(limit)}, the limit for {NAMES[input_type]}"


def is_url(text: str) -> bool:
    """Tell whether a text says that it is an http or https URL."""
    return text[:8].lower().startswith(("http://", "https://"))
