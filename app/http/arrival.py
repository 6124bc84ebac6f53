"""The outermost layer: gives a request its id, watches it, and answers when all else has failed."""

import logging
import os
import re
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.http.routes import label_of
from app.observability import context, metrics
from app.observability.tracing import Tracing, describe_request

logger = logging.getLogger(__name__)
access = logging.getLogger("app.access")

# What a caller may choose as an id: short, printable, harmless in a log line.
_SANE_ID = re.compile(rb"[A-Za-z0-9._:+/=-]{1,128}")
# Nginx's word for a client that has gone before it was answered.
_CLIENT_GONE = 499


class Arrival:
    """ASGI middleware: `scope["state"]` gets `started` (perf_counter seconds) and `request_id`.

    Whoever identifies the caller notes `account_id` there, for the log. `fault` makes the answer to
    a request that nobody could answer.
    """

    def __init__(
        self, app: ASGIApp, *, fault: Callable[[], Response], tracing: Tracing | None
    ) -> None:
        self.app = app
        self._fault = fault
        self._tracing = tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["started"] = time.perf_counter()
        request_id = _chosen_id(scope) or os.urandom(16).hex()
        state["request_id"] = request_id
        # Nothing resets it: the server gives each request a task, and so a context, of its own.
        context.request_id.set(request_id)
        status = _CLIENT_GONE

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        metrics.request_started()
        with self._span(scope) as span:
            try:
                await self.app(scope, receive, send_with_id)
            except Exception:
                logger.exception("the request failed")
                if status == _CLIENT_GONE:
                    await self._fault()(scope, receive, send_with_id)
            finally:
                _note_end(scope, status, span)

    def _span(self, scope: Scope) -> AbstractContextManager[Any]:
        if self._tracing is None:
            return nullcontext()
        return self._tracing.request(scope["method"], scope["headers"])


def _note_end(scope: Scope, status: int, span: Any) -> None:
    state = scope["state"]
    seconds = time.perf_counter() - state["started"]
    label = label_of(scope)
    method = label.method
    metrics.request_ended(
        face=label.face, route=label.route, method=method, status=status, seconds=seconds
    )
    if span is not None:
        describe_request(span, method=method, route=label.route, status=status)
    # Probes come every few seconds and say nothing as long as they succeed.
    level = logging.DEBUG if label.is_probe and status < 400 else logging.INFO
    if not access.isEnabledFor(level):
        return
    ms = round(seconds * 1000)
    # Made here and not by `access.log`, which would look for the calling line each time.
    record = logging.LogRecord(
        access.name,
        level,
        __file__,
        0,
        "%s %s %d %d ms",
        (method, label.route, status, ms),
        None,
    )
    fields = {"method": method, "route": label.route, "status": status, "ms": ms}
    if "account_id" in state:
        fields["account_id"] = state["account_id"]
    record.fields = fields
    access.handle(record)


def _chosen_id(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _SANE_ID.fullmatch(value):
            return str(value, "ascii")
    return None
