"""GraphQL over Server-Sent Events, with a connection for each operation.

The protocol is graphql-sse's "distinct connections mode"
(https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md): each response is a `next` event,
and `complete` follows the last. A stream that ends without it broke off: subscribe again.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

import msgspec
from starlette.types import Receive, Scope, Send

from app.domain.errors import Unauthorized
from app.graphql.errors import transport_error
from app.graphql.operations import Response
from app.http.waiting import disconnected, first_of

MEDIA_TYPE = "text/event-stream"
# Proxies cut a silent connection off, some after half a minute.
KEEP_ALIVE_S = 15
_KEEP_ALIVE = b":\n\n"
# Browsers drop an event without any data line.
_COMPLETE = b"event: complete\ndata:\n\n"
_HEADERS = {
    "content-type": f"{MEDIA_TYPE}; charset=utf-8",
    "cache-control": "no-cache",
    # Nginx would otherwise collect events before it passes them on.
    "x-accel-buffering": "no",
}


class EventStream:
    """An ASGI app that streams the responses to one operation."""

    def __init__(
        self,
        responses: AsyncGenerator[Response, None],
        *,
        docs: str,
        headers: Mapping[str, str],
        stopping: asyncio.Event,
    ) -> None:
        self._responses = responses
        self._docs = docs
        self._headers = {**_HEADERS, **headers}
        self._stopping = stopping

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Stream until the operation, the client's interest or the process ends."""
        headers = [(name.encode(), value.encode()) for name, value in self._headers.items()]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await first_of(
            self._write(send), _keep_alive(send), disconnected(receive), self._stopping.wait()
        )
        await _send(send, b"", more=False)

    async def _write(self, send: Send) -> None:
        async with aclosing(self._responses):
            try:
                async for response in self._responses:
                    await _send(send, _next(response))
            except Unauthorized as error:
                await _send(send, _next(transport_error(error, docs=self._docs)))
        await _send(send, _COMPLETE)


async def _keep_alive(send: Send) -> None:
    while True:
        await asyncio.sleep(KEEP_ALIVE_S)
        await _send(send, _KEEP_ALIVE)


async def _send(send: Send, body: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": body, "more_body": more})


def _next(response: Response) -> bytes:
    # JSON has no line breaks of its own, so an event is one line of data.
    return b"event: next\ndata: %b\n\n" % msgspec.json.encode(response)
