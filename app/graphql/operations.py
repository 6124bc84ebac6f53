"""What a client sends to be run, whatever it comes over, and the responses to it.

One response is `{"data", "errors"}` as the specification has it; a subscription has several. One
without `data` says that nothing ran, or that a subscription broke off.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import msgspec
from graphql import DocumentNode, ExecutionResult, GraphQLError, OperationType

from app.domain.errors import Error, ErrorCode, InvalidRequest, ServerError, Unauthorized
from app.graphql.context import Context
from app.graphql.errors import top_level, transport_error
from app.graphql.execution import Documents, choose, run, stream
from app.graphql.persisted import NOT_FOUND, PersistedDocuments, persisted_hash
from app.graphql.watching import count_fields, count_invalid
from app.observability.tracing import span

logger = logging.getLogger(__name__)

NOT_PERSISTED = {
    "errors": [{"message": "PersistedQueryNotFound", "extensions": {"code": NOT_FOUND}}]
}

Response = dict[str, Any]


class Operation(msgspec.Struct):
    """One operation as sent."""

    query: str | None = None
    variables: dict[str, Any] | None = None
    operation_name: str | None = msgspec.field(default=None, name="operationName")
    extensions: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Ready:
    """An operation that may run."""

    document: DocumentNode
    kind: OperationType
    operation: Operation


class Desk:
    """Takes operations. One per process: it keeps the documents that it has seen."""

    def __init__(self) -> None:
        self._documents = Documents()
        self._persisted = PersistedDocuments()

    def text_of(self, operation: Operation, *, keep: bool) -> str | None:
        """Return what is to run; None when only the hash of an unknown document was sent.

        A document that came with its hash is kept if its sender may fill the memory.

        Raises:
            InvalidRequest: There is no document, or the hash is another one's.
        """
        digest = persisted_hash(operation.extensions)
        if digest is None:
            if operation.query is None:
                raise InvalidRequest(("query",), "is required")
        elif operation.query is None:
            return self._persisted.find(digest)
        elif keep:
            self._persisted.keep(digest, operation.query)
        return operation.query

    def prepare(self, text: str, operation: Operation, *, docs: str) -> Ready | Response:
        """Parse, measure and validate a document; return the response when it may not run."""
        prepared = self._documents.prepare(text)
        if prepared.document is None:
            return _refused(*prepared.errors, docs=docs)
        kind = choose(prepared.document, operation.operation_name)
        if isinstance(kind, GraphQLError):
            return _refused(kind, docs=docs)
        return Ready(prepared.document, kind, operation)


def _refused(*errors: GraphQLError, docs: str) -> Response:
    count_invalid()
    return {"errors": [top_level(error, docs=docs) for error in errors]}


def needs_a_stream(*, docs: str) -> Response:
    """Return the response to a subscription that came over plain HTTP."""
    error = GraphQLError(
        "Subscriptions need WebSocket (graphql-transport-ws), or Accept: text/event-stream.",
        extensions={"code": ErrorCode.INVALID_REQUEST.value.upper()},
    )
    return _refused(error, docs=docs)


def too_many(limit: int, *, docs: str) -> Response:
    """Return the response to an operation beyond those that one socket may run at a time."""
    error = GraphQLError(
        f"This socket runs {limit} operations, the most that one may. Complete some first.",
        extensions={"code": "TOO_MANY_OPERATIONS"},
    )
    return _refused(error, docs=docs)


async def respond_once(ready: Ready, context: Context) -> Response:
    """Run a query or a mutation."""
    name = ready.operation.operation_name
    with span("graphql", operation=ready.kind.value):
        result = await run(
            ready.document, context, variables=ready.operation.variables, operation_name=name
        )
    count_fields(ready.document, name, result)
    return _shown(result, context)


async def respond(ready: Ready, context: Context) -> AsyncGenerator[Response, None]:
    """Run any operation, and yield its responses until it has ended.

    Raises:
        Unauthorized: The key was revoked while a subscription ran.
    """
    try:
        if ready.kind is OperationType.MUTATION:
            yield await _to_its_end(respond_once(ready, context))
            return
        if ready.kind is OperationType.QUERY:
            yield await respond_once(ready, context)
            return
        results = stream(
            ready.document,
            context,
            variables=ready.operation.variables,
            operation_name=ready.operation.operation_name,
        )
        async with aclosing(results):
            async for result in results:
                yield _shown(result, context)
    except Unauthorized:
        raise
    except Error as error:
        yield transport_error(error, docs=context.docs)
    except Exception:
        logger.exception("an operation failed")
        yield transport_error(ServerError(), docs=context.docs)


async def _to_its_end(mutation: Coroutine[Any, Any, Response]) -> Response:
    # Half a mutation helps nobody: it goes on when its sender has gone, as over plain HTTP.
    task = asyncio.create_task(mutation)
    try:
        return await asyncio.shield(task)
    finally:
        await asyncio.wait((task,))


def _shown(result: ExecutionResult, context: Context) -> Response:
    response: Response = {}
    if result.errors:
        response["errors"] = [top_level(error, docs=context.docs) for error in result.errors]
        if result.data is None and result.errors[0].path is None:
            # Nothing ran: the variables were refused.
            return response
    response["data"] = result.data
    return response
