"""GraphQL over HTTP (https://graphql.github.io/graphql-over-http/draft/).

POST with a JSON body runs operations, several in an array; GET runs queries. A browser that opens
the address gets GraphiQL. Who sends no key may read the schema and nothing else. No cookie is read:
only the Authorization header authenticates, so a foreign page can send nothing in a user's name.
"""

import logging
from collections.abc import Callable
from typing import Any

import msgspec
from graphql import GraphQLError, OperationType
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

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
from app.graphql.context import Context
from app.graphql.errors import top_level, transport_error
from app.graphql.execution import Documents, choose, is_public, mutations, run
from app.graphql.idempotency import Deed, perform_once
from app.graphql.persisted import NOT_FOUND, PersistedDocuments, persisted_hash
from app.graphql.watching import count_fields, count_invalid
from app.http.body import read_body
from app.http.json_body import parse_json
from app.http.rate_headers import rate_limit_headers
from app.observability.tracing import span

logger = logging.getLogger(__name__)

MAX_OPERATIONS = 10
# An introspection query is a few kilobytes: more is not read of who sends no key.
MAX_PUBLIC_BYTES = 64 * 1024
_MODERN = "application/graphql-response+json"
_METHODS = ("GET", "HEAD", "POST", "OPTIONS")
_NOT_PERSISTED = {"message": "PersistedQueryNotFound", "extensions": {"code": NOT_FOUND}}


class Operation(msgspec.Struct):
    """One operation as sent."""

    query: str | None = None
    variables: dict[str, Any] | None = None
    operation_name: str | None = msgspec.field(default=None, name="operationName")
    extensions: dict[str, Any] | None = None


def graphql_routes(
    services: Callable[[], Services], page: Callable[[Request], Response]
) -> list[BaseRoute]:
    """Return the endpoint; `page` shows GraphiQL."""
    endpoint = _Endpoint(services, page)
    return [Route("/graphql", endpoint)]


class _Endpoint:
    def __init__(
        self, services: Callable[[], Services], page: Callable[[Request], Response]
    ) -> None:
        self._services = services
        self._page = page
        self._documents = Documents()
        self._persisted = PersistedDocuments()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        response = await self._answer(Request(scope, receive))
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        if _wants_page(request):
            return self._page(request)
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={"Allow": ", ".join(_METHODS)})
        services = self._services()
        exchange = _Exchange(request, services, self._documents, persisted=self._persisted)
        try:
            status, body = await exchange.perform()
        except Error as error:
            status, body = error.status, transport_error(error, docs=exchange.docs)
        except Exception:
            logger.exception("the request failed")
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

    def __init__(
        self,
        request: Request,
        services: Services,
        documents: Documents,
        *,
        persisted: PersistedDocuments,
    ) -> None:
        self._request = request
        self._services = services
        self._documents = documents
        self._persisted = persisted
        self._caller: Caller | None = None
        self._unauthorized: Unauthorized | None = None
        self._used = 0
        self._replayed = False
        self.docs = f"{services.settings.base_url}/docs#errors"
        self._modern = _MODERN in request.headers.get("accept", "")

    async def perform(self) -> tuple[int, Any]:
        """Read the operations, run them, return status and body."""
        if self._request.method not in _METHODS:
            raise MethodNotAllowed(self._request.method, _METHODS)
        await self._identify()
        try:
            if self._request.method in {"GET", "HEAD"}:
                operation = _from_query(self._request)
                return await self._run_one(operation, Deed(), only_queries=True)
            return await self._run_sent()
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
            self._request.state.account_id = self._caller.account.id

    async def _run_sent(self) -> tuple[int, Any]:
        limit = self._services.settings.max_body_bytes
        if self._unauthorized is not None:
            limit = min(limit, MAX_PUBLIC_BYTES)
        # mypy has no type for the type of a union.
        one_or_several: Any = Operation | list[Operation]
        raw = await read_body(self._request, limit=limit)
        sent: Operation | list[Operation] = parse_json(
            raw,
            content_type=self._request.headers.get("content-type"),
            shape=one_or_several,
        )
        if isinstance(sent, list) and not 1 <= len(sent) <= MAX_OPERATIONS:
            raise InvalidRequest(
                (), f"A batch may hold 1 to {MAX_OPERATIONS} operations, got {len(sent)}."
            )
        key = self._request.headers.get("idempotency-key")
        fields = [] if key is None else self._mutations(sent)
        if key is None or not fields or self._caller is None:
            return await self._run_all(sent, Deed())
        answer = await perform_once(
            self._services,
            self._caller.account.id,
            key,
            request=raw,
            fields=fields,
            run=lambda deed: self._run_all(sent, deed),
        )
        self._replayed = answer.replayed
        return answer.status, answer.body

    def _mutations(self, sent: Operation | list[Operation]) -> list[str]:
        fields: list[str] = []
        for operation in [sent] if isinstance(sent, Operation) else sent:
            query = self._document_of(operation)
            document = None if query is None else self._documents.prepare(query).document
            if document is not None:
                fields += mutations(document, operation.operation_name)
        return fields

    async def _run_all(self, sent: Operation | list[Operation], deed: Deed) -> tuple[int, Any]:
        if isinstance(sent, Operation):
            return await self._run_one(sent, deed, only_queries=False)
        return 200, [(await self._run_one(each, deed, only_queries=False))[1] for each in sent]

    def _document_of(self, operation: Operation) -> str | None:
        """Return what is to run; None when only the hash of an unknown document was sent."""
        digest = persisted_hash(operation.extensions)
        if digest is None:
            if operation.query is None:
                raise InvalidRequest(("query",), "is required")
        elif operation.query is None:
            return self._persisted.find(digest)
        elif self._caller is not None:
            self._persisted.keep(digest, operation.query)
        return operation.query

    async def _run_one(
        self, operation: Operation, deed: Deed, *, only_queries: bool
    ) -> tuple[int, Any]:
        query = self._document_of(operation)
        if query is None:
            return 200, {"errors": [_NOT_PERSISTED]}
        if self._unauthorized is not None and not is_public(query):
            raise self._unauthorized
        prepared = self._documents.prepare(query)
        if prepared.document is None:
            return self._refused(prepared.errors)
        kind = choose(prepared.document, operation.operation_name)
        if isinstance(kind, GraphQLError):
            return self._refused((kind,))
        if only_queries and kind is not OperationType.QUERY:
            raise MethodNotAllowed(self._request.method, ("POST",))
        context = Context(self._request, self._services, self._caller, deed)
        with span("graphql", operation=kind.value):
            result = await run(
                prepared.document,
                context,
                variables=operation.variables,
                operation_name=operation.operation_name,
            )
        count_fields(prepared.document, operation.operation_name, result)
        self._used = max(self._used, context.used)
        body: dict[str, Any] = {}
        if result.errors:
            body["errors"] = [top_level(error, docs=self.docs) for error in result.errors]
        if result.data is None and result.errors and result.errors[0].path is None:
            # Nothing ran: the variables were refused.
            return 400 if self._modern else 200, body
        body["data"] = result.data
        return 200, body

    def _refused(self, errors: tuple[GraphQLError, ...]) -> tuple[int, Any]:
        count_invalid()
        body = {"errors": [top_level(error, docs=self.docs) for error in errors]}
        return 400 if self._modern else 200, body

    def respond(self, status: int, body: Any) -> Response:
        """Render a response."""
        response = Response(
            body if isinstance(body, bytes) else msgspec.json.encode(body),
            status_code=status,
            media_type=f"{_MODERN}; charset=utf-8" if self._modern else "application/json",
        )
        if status == 405:
            response.headers["Allow"] = ", ".join(_METHODS)
        if status == 401:
            response.headers["WWW-Authenticate"] = "Bearer"
        if self._replayed:
            response.headers["Idempotent-Replayed"] = "true"
        if self._caller is not None:
            response.headers.update(rate_limit_headers(self._caller, self._used))
        return response


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
