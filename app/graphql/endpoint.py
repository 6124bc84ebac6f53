"""GraphQL over HTTP (https://graphql.github.io/graphql-over-http/draft/), SSE and WebSocket.

POST with a JSON body runs operations, several in an array; GET runs queries. Who accepts
`text/event-stream` gets a stream, which is how HTTP carries subscriptions. A browser that opens the
address gets GraphiQL. Who sends no key may read the schema and nothing else. No cookie is read:
only the Authorization header authenticates, so a foreign page can send nothing in a user's name.
"""

import logging
from collections.abc import AsyncGenerator, Callable
from typing import Any

import msgspec
from graphql import OperationType
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from app.domain.accounts.account import Caller
from app.domain.errors import (
    Error,
    InvalidJson,
    InvalidRequest,
    MethodNotAllowed,
    ServerError,
    Unauthorized,
)
from app.domain.keys.authenticate import authenticate, bearer_token
from app.domain.services import Services
from app.graphql import operations
from app.graphql.context import Context
from app.graphql.errors import transport_error
from app.graphql.event_stream import MEDIA_TYPE, EventStream
from app.graphql.execution import is_public
from app.graphql.operations import Desk, Operation, Ready
from app.graphql.socket import Sockets
from app.http.body import read_body
from app.http.json_body import parse_json
from app.http.rate_headers import rate_limit_headers

logger = logging.getLogger(__name__)

MAX_OPERATIONS = 10
# An introspection query is a few kilobytes: more is not read of who sends no key.
MAX_PUBLIC_BYTES = 64 * 1024
_MODERN = "application/graphql-response+json"
_METHODS = ("GET", "HEAD", "POST", "OPTIONS")


def graphql_routes(
    services: Callable[[], Services], page: Callable[[Request], Response]
) -> list[BaseRoute]:
    """Return the endpoint; `page` shows GraphiQL."""
    desk = Desk()
    endpoint, sockets = _Endpoint(services, desk, page), Sockets(services, desk)
    return [Route("/graphql", endpoint), WebSocketRoute("/graphql", sockets)]


class _Endpoint:
    def __init__(
        self,
        services: Callable[[], Services],
        desk: Desk,
        page: Callable[[Request], Response],
    ) -> None:
        self._services = services
        self._desk = desk
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        response = await self._answer(Request(scope, receive))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> ASGIApp:
        if _wants_page(request):
            return self._page(request)
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"Allow": ", ".join(_METHODS)})
        exchange = _Exchange(request, self._services(), self._desk)
        try:
            return await exchange.perform()
        except Error as error:
            status, body = error.status, transport_error(error, docs=exchange.docs)
        except Exception:
            logger.exception("request %s failed", request.state.request_id)
            status, body = 500, transport_error(ServerError(), docs=exchange.docs)
        return exchange.respond(status, body)


def _wants_page(request: Request) -> bool:
    accepts = request.headers.get("accept", "")
    return (
        request.method in {"GET", "HEAD"}
        and "text/html" in accepts
        and "query" not in request.query_params
    )


class _Exchange:
    """One HTTP request, which may hold several operations."""

    def __init__(self, request: Request, services: Services, desk: Desk) -> None:
        self._request = request
        self._services = services
        self._desk = desk
        self._caller: Caller | None = None
        self._unauthorized: Unauthorized | None = None
        self._used = 0
        self.docs = f"{services.settings.base_url}/docs#errors"
        self._accepts = request.headers.get("accept", "")
        self._modern = _MODERN in self._accepts

    async def perform(self) -> ASGIApp:
        """Read the operations, run them, return the response."""
        if self._request.method not in _METHODS:
            raise MethodNotAllowed(self._request.method, _METHODS)
        await self._identify()
        try:
            if self._request.method in {"GET", "HEAD"}:
                return await self._answer_one(_from_query(self._request), only_reads=True)
            sent = await self._read()
            if isinstance(sent, Operation):
                return await self._answer_one(sent, only_reads=False)
            return self.respond(200, [await self._answer_of_several(each) for each in sent])
        except Error:
            # Who may not come in is not told what else is wrong.
            if self._unauthorized is not None:
                raise self._unauthorized from None
            raise

    async def _identify(self) -> None:
        token = bearer_token(self._request.headers.get("authorization"))
        try:
            self._caller = await authenticate(self._services, token)
        except Unauthorized as error:
            # GraphiQL reads the schema while a key is still being typed.
            self._unauthorized = error
        else:
            self._used = self._caller.used

    async def _read(self) -> Operation | list[Operation]:
        limit = self._services.settings.max_body_bytes
        if self._unauthorized is not None:
            limit = min(limit, MAX_PUBLIC_BYTES)
        # mypy has no type for the type of a union.
        one_or_several: Any = Operation | list[Operation]
        sent: Operation | list[Operation] = parse_json(
            await read_body(self._request, limit=limit),
            content_type=self._request.headers.get("content-type"),
            shape=one_or_several,
        )
        if isinstance(sent, list) and not 1 <= len(sent) <= MAX_OPERATIONS:
            raise InvalidRequest(
                (), f"A batch may hold 1 to {MAX_OPERATIONS} operations, got {len(sent)}."
            )
        return sent

    async def _answer_one(self, operation: Operation, *, only_reads: bool) -> ASGIApp:
        ready = self._admit(operation)
        kind = ready.kind if isinstance(ready, Ready) else None
        if only_reads and kind is OperationType.MUTATION:
            raise MethodNotAllowed(self._request.method, ("POST",))
        if self._wants_events(kind):
            return self._stream(ready)
        body = await self._run(ready)
        refused = "data" not in body and body is not operations.NOT_PERSISTED
        return self.respond(400 if refused and self._modern else 200, body)

    async def _answer_of_several(self, operation: Operation) -> operations.Response:
        return await self._run(self._admit(operation))

    def _admit(self, operation: Operation) -> Ready | operations.Response:
        query = self._desk.text_of(operation, keep=self._caller is not None)
        if query is None:
            return operations.NOT_PERSISTED
        if self._unauthorized is not None and not is_public(query):
            raise self._unauthorized
        return self._desk.prepare(query, operation, docs=self.docs)

    def _wants_events(self, kind: OperationType | None) -> bool:
        # Some clients accept events beside JSON whatever they ask for: those are for subscriptions.
        takes_json = "json" in self._accepts or "*/*" in self._accepts
        if MEDIA_TYPE not in self._accepts or self._request.method == "HEAD":
            return False
        return kind is OperationType.SUBSCRIPTION or not takes_json

    def _stream(self, ready: Ready | operations.Response) -> ASGIApp:
        responses = (
            operations.respond(ready, self._context()) if isinstance(ready, Ready) else _one(ready)
        )
        return EventStream(
            responses,
            docs=self.docs,
            headers=self._rate_headers(),
            stopping=self._services.stopping,
        )

    async def _run(self, ready: Ready | operations.Response) -> operations.Response:
        if not isinstance(ready, Ready):
            return ready
        if ready.kind is OperationType.SUBSCRIPTION:
            return operations.needs_a_stream(docs=self.docs)
        context = self._context()
        response = await operations.respond_once(ready, context)
        self._used = max(self._used, context.used)
        return response

    def _context(self) -> Context:
        started = float(self._request.state.started)
        return Context(self._services, self._caller, started=started)

    def respond(self, status: int, body: Any) -> Response:
        """Render a response."""
        response = Response(
            msgspec.json.encode(body),
            status_code=status,
            media_type=f"{_MODERN}; charset=utf-8" if self._modern else "application/json",
        )
        if status == 405:
            response.headers["Allow"] = ", ".join(_METHODS)
        if status == 401:
            response.headers["WWW-Authenticate"] = "Bearer"
        response.headers.update(self._rate_headers())
        return response

    def _rate_headers(self) -> dict[str, str]:
        return {} if self._caller is None else rate_limit_headers(self._caller, self._used)


async def _one(response: operations.Response) -> AsyncGenerator[operations.Response, None]:
    yield response


def _from_query(request: Request) -> Operation:
    parameters = request.query_params
    return Operation(
        query=parameters.get("query"),
        variables=_json_parameter("variables", parameters.get("variables")),
        operation_name=parameters.get("operationName"),
        extensions=_json_parameter("extensions", parameters.get("extensions")),
    )


def _json_parameter(name: str, text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    try:
        return msgspec.json.decode(text.encode(), type=dict[str, Any] | None)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise InvalidJson(f"{name} must be a JSON object.") from None
