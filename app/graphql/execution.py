"""From a request's text to its answer: parsed, measured and validated once, run each time.

Strawberry builds the schema; graphql-core runs it here directly, because Strawberry's own path
parses and validates every request anew.
"""

import inspect
from collections import OrderedDict
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, cast

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    GraphQLError,
    OperationDefinitionNode,
    OperationType,
    execute,
    parse,
    subscribe,
    validate,
)

from app.graphql.context import Context
from app.graphql.limits import check_length, parse_within_limits
from app.graphql.schema import SCHEMA

_CACHED_DOCUMENTS = 1_000
# A longer text is parsed each time: the cache must not grow by what one caller sends.
_LONGEST_CACHED = 20_000
_PUBLIC = frozenset({"__schema", "__type", "__typename"})
# GraphiQL's introspection has some 300; who has no key gets no more work done than that needs.
_MAX_PUBLIC_TOKENS = 1_000


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document that may run, or why it may not."""

    document: DocumentNode | None
    errors: tuple[GraphQLError, ...] = ()


class Documents:
    """The cache of prepared documents: least recently used ones go first."""

    def __init__(self) -> None:
        self._prepared: OrderedDict[str, Prepared] = OrderedDict()

    def prepare(self, text: str) -> Prepared:
        """Parse, measure and validate a document."""
        prepared = self._prepared.get(text)
        if prepared is not None:
            self._prepared.move_to_end(text)
            return prepared
        prepared = _prepare(text)
        if len(text) <= _LONGEST_CACHED:
            self._prepared[text] = prepared
            if len(self._prepared) > _CACHED_DOCUMENTS:
                self._prepared.popitem(last=False)
        return prepared


def _prepare(text: str) -> Prepared:
    try:
        document = parse_within_limits(text)
    except GraphQLError as error:
        return Prepared(None, (error,))
    except RecursionError:
        return Prepared(None, (GraphQLError("The document is nested too deeply."),))
    # A suggestion would tell what fields there are to somebody who guesses.
    errors = validate(SCHEMA._schema, document, hide_suggestions=True)
    return Prepared(None if errors else document, tuple(errors))


def choose(document: DocumentNode, operation_name: str | None) -> OperationType | GraphQLError:
    """Return the kind of the operation that is to run."""
    chosen = _choose(document, operation_name)
    return chosen if isinstance(chosen, GraphQLError) else chosen.operation


def mutations(document: DocumentNode, operation_name: str | None) -> list[str]:
    """Return the names of the mutations that are to run; a fragment's are not looked into."""
    chosen = _choose(document, operation_name)
    if isinstance(chosen, GraphQLError) or chosen.operation is not OperationType.MUTATION:
        return []
    return [
        node.name.value if isinstance(node, FieldNode) else ""
        for node in chosen.selection_set.selections
    ]


def _choose(
    document: DocumentNode, operation_name: str | None
) -> OperationDefinitionNode | GraphQLError:
    operations = _operations(document)
    if operation_name is None and len(operations) > 1:
        return GraphQLError("Must provide operationName: the document has several operations.")
    for operation in operations:
        name = operation.name.value if operation.name else None
        if operation_name is None or name == operation_name:
            return operation
    return GraphQLError(f"Unknown operation named '{(operation_name or '')[:100]}'.")


def is_public(text: str) -> bool:
    """Tell whether a document's operations read only the schema, which is no secret."""
    try:
        check_length(text)
        document = parse(text, max_tokens=_MAX_PUBLIC_TOKENS)
    except GraphQLError:
        return False
    return all(
        isinstance(node, FieldNode) and node.name.value in _PUBLIC
        for operation in _operations(document)
        for node in operation.selection_set.selections
    )


def _operations(document: DocumentNode) -> list[OperationDefinitionNode]:
    return [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]


async def run(
    document: DocumentNode,
    context: Context,
    *,
    variables: dict[str, Any] | None,
    operation_name: str | None,
) -> ExecutionResult:
    """Execute an operation."""
    result = execute(
        SCHEMA._schema,
        document,
        context_value=context,
        variable_values=variables,
        operation_name=operation_name,
        hide_suggestions=True,
    )
    if inspect.isawaitable(result):
        return await result
    return result


async def stream(
    document: DocumentNode,
    context: Context,
    *,
    variables: dict[str, Any] | None,
    operation_name: str | None,
) -> AsyncGenerator[ExecutionResult, None]:
    """Execute a subscription: yield a result for each of its events."""
    source = subscribe(
        SCHEMA._schema,
        document,
        context_value=context,
        variable_values=variables,
        operation_name=operation_name,
        hide_suggestions=True,
    )
    if inspect.isawaitable(source):
        source = await source
    if isinstance(source, ExecutionResult):
        yield source
        return
    # graphql-core makes a generator, and types it as less.
    async with aclosing(cast("AsyncGenerator[ExecutionResult, None]", source)) as results:
        async for result in results:
            yield result
