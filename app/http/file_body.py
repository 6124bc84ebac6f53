"""From a request's body to a file: the body itself, or a part of a form."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from python_multipart.multipart import parse_options_header
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from app.domain.errors import InvalidRequest
from app.domain.files.file import FileFormat

CSV_TYPE = "text/csv"
JSONL_TYPE = "application/jsonl"
FORM_TYPE = "multipart/form-data"
_FORMATS = {
    CSV_TYPE: FileFormat.CSV,
    JSONL_TYPE: FileFormat.JSONL,
    "application/x-ndjson": FileFormat.JSONL,
    "application/ndjson": FileFormat.JSONL,
}
_ENDINGS = {
    ".csv": FileFormat.CSV,
    ".jsonl": FileFormat.JSONL,
    ".ndjson": FileFormat.JSONL,
}
# More than there are options.
_MAX_FIELDS = 50
_CHARSETS = {b"", b"utf-8", b"utf8", b"us-ascii"}


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file as sent, and the other fields of the form that it came in."""

    content: bytes
    format: FileFormat
    fields: dict[str, str] = field(default_factory=dict)


class _InMemory(MultiPartParser):
    # The body is in memory already, within its limit; content is not to touch the disk.
    spool_max_size = 2**62


async def read_file(request: Request, body: bytes) -> SentFile:
    """Return the file that a body is or holds.

    Raises:
        InvalidRequest: Its kind is not told, or the form lacks it or can't be read.
    """
    content_type, options = parse_options_header(request.headers.get("content-type"))
    media_type = content_type.decode("latin-1").lower()
    if media_type == FORM_TYPE:
        return await _from_form(request, body)
    if media_type not in _FORMATS:
        raise InvalidRequest(("Content-Type",), f"must be {CSV_TYPE}, {JSONL_TYPE} or {FORM_TYPE}")
    if options.get(b"charset", b"").lower() not in _CHARSETS:
        raise InvalidRequest(("Content-Type",), "must have no charset but utf-8")
    return SentFile(body, _FORMATS[media_type])


async def _from_form(request: Request, body: bytes) -> SentFile:
    async def stream() -> AsyncGenerator[bytes, None]:
        yield body

    parser = _InMemory(
        request.headers,
        stream(),
        max_files=1,
        max_fields=_MAX_FIELDS,
        max_part_size=len(body),
    )
    try:
        form = await parser.parse()
    except (MultiPartException, KeyError) as error:
        reason = error.message if isinstance(error, MultiPartException) else "no boundary"
        raise InvalidRequest((), f"Request body is no form that can be read: {reason}") from None
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise InvalidRequest(("file",), "is required, as a part of the form with a file name")
    fields = {name: value for name, value in form.items() if isinstance(value, str)}
    return SentFile(await file.read(), _format_of(file), fields)


def _format_of(file: UploadFile) -> FileFormat:
    name = (file.filename or "").lower()
    for ending, known in _ENDINGS.items():
        if name.endswith(ending):
            return known
    media_type = (file.content_type or "").partition(";")[0].strip().lower()
    if media_type in _FORMATS:
        return _FORMATS[media_type]
    raise InvalidRequest(("file",), f"must have a name that ends in {', '.join(_ENDINGS)}")
