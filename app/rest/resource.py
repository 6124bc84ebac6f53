"""One REST address: its methods, who is asking, and errors in the documented shape.

The order is the contract's: method, authentication, subscription, then whatever the method's
handler does.
"""

import logging
from collections.abc import Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from app.domain.accounts.account import require_active_subscription
from app.domain.errors import (
    BudgetExceeded,
    Error,
    MethodNotAllowed,
    ModelUnavailable,
    RateLimitExceeded,
    ServerError,
    Unauthorized,
)
from app.domain.idempotency import Claim, Receipt, Replay, claim, keep, release
from app.domain.keys.authenticate import authenticate, bearer_token
from app.domain.services import Services
from app.http.rate_headers import rate_limit_headers
from app.observability.tracing import span
from app.rest.call import Call, encode
from app.rest.operation import Operation
from app.rest.rendering import render_error
from app.rest.reply import Reply, Stream

logger = logging.getLogger(__name__)


class Resource:
    """An ASGI app for one address."""

    def __init__(
        self, services: Callable[[], Services], operations: Mapping[str, Operation]
    ) -> None:
        self._services = services
        self._operations = dict(operations)
        if "GET" in self._operations:
            self._operations["HEAD"] = self._operations["GET"]
        self._allowed = (*self._operations, "OPTIONS")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        response = await self._answer(Request(scope, receive))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        services = self._services()
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"Allow": ", ".join(self._allowed)})
        call: Call | None = None
        try:
            operation = self._operations.get(request.method)
            if operation is None:
                raise MethodNotAllowed(request.method, self._allowed)
            token = bearer_token(request.headers.get("authorization"))
            caller = await authenticate(services, token)
            request.state.account_id = caller.account.id
            call = Call(request, services, caller, caller.used)
            require_active_subscription(caller.account)
            with span(operation.name):
                response = await _perform(operation, call)
        except Error as error:
            response = error_response(error, services)
            if call is not None and isinstance(error, RateLimitExceeded):
                # Others may have used some since this request came in.
                call.used = error.used
        except Exception:
            logger.exception("the request failed")
            response = error_response(ServerError(), services)
        if call is not None:
            response.headers.update(rate_limit_headers(call.caller, call.used))
        return response


async def _perform(operation: Operation, call: Call) -> Response:
    key = call.request.headers.get("idempotency-key")
    if key is None or call.request.method != "POST":
        return _respond(await operation.handler(call))
    url = f"{_address(call.request)}?{call.request.url.query}".encode()
    asked = b"POST %b\n%b" % (url, await call.identity())
    held = await claim(call.services, call.account.id, key, request=asked)
    if isinstance(held, Replay):
        response = _json(held.body, status=held.status)
        response.headers["Idempotent-Replayed"] = "true"
        return response
    call.claim = held
    try:
        reply = await operation.handler(call)
        response = _respond(reply)
        if isinstance(reply, Stream) or not reply.kept:
            await release(call.services, held)
        elif not call.receipted:
            await keep(call.services, _receipt(call.services, held, reply, bytes(response.body)))
    except BaseException:
        await release(call.services, held)
        raise
    return response


def _address(request: Request) -> str:
    """Return the address without its prefix: the same resource answers under two."""
    path: str = request.scope["path"]
    return path.removeprefix(request.scope["root_path"])


def _receipt(services: Services, held: Claim, reply: Reply, body: bytes) -> Receipt:
    if reply.secret:
        return held.sealed_receipt(services.seal, status=reply.status, body=body)
    return held.receipt(status=reply.status, body=body)


def error_response(error: Error, services: Services) -> Response:
    """Render an error."""
    docs = f"{services.settings.base_url}/docs#errors"
    response = _json(encode(render_error(error, docs=docs)), status=error.status)
    match error:
        case MethodNotAllowed():
            response.headers["Allow"] = ", ".join(error.allowed)
        case RateLimitExceeded() | BudgetExceeded():
            response.headers["Retry-After"] = str(error.retry_after())
        case ModelUnavailable():
            response.headers["Retry-After"] = str(error.retry_after)
        case Unauthorized():
            response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _respond(reply: Reply | Stream) -> Response:
    if isinstance(reply, Stream):
        return StreamingResponse(reply.chunks, media_type=reply.media_type)
    if reply.body is None:
        return Response(status_code=204, headers=dict(reply.headers))
    response = _json(encode(reply.body), status=reply.status)
    response.headers.update(reply.headers)
    return response


def _json(body: bytes, *, status: int) -> Response:
    return Response(body, status_code=status, media_type="application/json")
