"""Compression of answers: gzip, by Starlette's middleware (docs/decisions/0007-gzip-only.md).

It leaves what is compressed already alone, and compresses what is large in a thread.
"""

import re

from starlette.datastructures import Headers
from starlette.middleware.gzip import GZipMiddleware, IdentityResponder
from starlette.types import ASGIApp, Receive, Scope, Send

# Below this an answer fits into one packet either way.
MINIMUM_BYTES = 1_024
# Higher levels take twice the time and more, for a few per cent of the size.
LEVEL = 4

# What is read as it comes. No other answer of ours is better left alone, and the original's long
# list is gone through for each request.
STREAMS = ("text/event-stream", "multipart/mixed")

_REFUSED = re.compile(r"gzip\s*;\s*q=0(?:\.0*)?\s*(?:,|$)", re.IGNORECASE)


def takes_gzip(accept_encoding: str) -> bool:
    """Tell whether a client that sent this header takes gzip (RFC 9110, 12.5.3)."""
    return "gzip" in accept_encoding and not _REFUSED.search(accept_encoding)


class Compression(GZipMiddleware):
    """ASGI middleware. Beyond the original, a client that refuses gzip (`q=0`) is heeded."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(
            app, minimum_size=MINIMUM_BYTES, compresslevel=LEVEL, exclude_content_types=STREAMS
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http":
            accepted = Headers(scope=scope).get("accept-encoding", "")
            if not takes_gzip(accepted):
                plain = IdentityResponder(
                    self.app, self.minimum_size, exclude_content_types=STREAMS
                )
                await plain(scope, receive, send)
                return
        await super().__call__(scope, receive, send)
