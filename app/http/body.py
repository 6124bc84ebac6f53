"""Reading a request's body without ever holding more than the limit."""

from starlette.requests import Request

from app.domain.errors import InvalidRequest, PayloadTooLarge


async def read_body(request: Request, *, limit: int) -> bytes:
    """Return the whole body.

    Raises:
        PayloadTooLarge: It is, or says it is, longer than `limit` bytes; the rest is not read.
        InvalidRequest: Content-Length is not a number.
    """
    declared = request.headers.get("content-length")
    if declared is not None:
        if not declared.isascii() or not declared.isdigit():
            raise InvalidRequest((), "Content-Length must be a number of bytes.")
        if int(declared) > limit:
            raise PayloadTooLarge(limit)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise PayloadTooLarge(limit)
    return bytes(body)
