"""What nothing else caught: the caller hears of a fault in the documented shape, and no more."""

import logging
from collections.abc import Callable

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

logger = logging.getLogger(__name__)


class Faults:
    """ASGI middleware: answers with `render()` when the application raised before it answered.

    Starlette's own handler stands outside of every middleware, so that its answer has no request
    id, and raises on, so that the server drops the connection.
    """

    def __init__(self, app: ASGIApp, *, render: Callable[[], Response]) -> None:
        self.app = app
        self._render = render

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def send_noting_start(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, send_noting_start)
        except Exception:
            if started:
                raise
            logger.exception("request %s failed", scope["state"]["request_id"])
            await self._render()(scope, receive, send)
