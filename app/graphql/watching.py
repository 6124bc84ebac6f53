"""How each root field of an operation ended, for the metrics: by the schema's names, no aliases."""

from collections.abc import Iterator

from graphql import (
    DocumentNode,
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from app.observability import metrics

#: Stands for the fields of a document that was not valid.
INVALID = "(invalid)"


def count_fields(
    document: DocumentNode, operation_name: str | None, result: ExecutionResult
) -> None:
    """Count the root fields of the operation that ran."""
    failed = {error.path[0] for error in result.errors or () if error.path}
    nothing_ran = result.data is None and not failed
    for key, field in _root_fields(document, operation_name):
        if nothing_ran or key in failed:
            outcome = "failed"
        else:
            outcome = "refused" if _is_refused((result.data or {}).get(key)) else "ok"
        metrics.graphql_field_ended(field, outcome)


def count_invalid() -> None:
    """Count an operation that was not valid, so that nothing of it ran."""
    metrics.graphql_field_ended(INVALID, "refused")


def _is_refused(payload: object) -> bool:
    return isinstance(payload, dict) and bool(payload.get("errors"))


def _root_fields(document: DocumentNode, operation_name: str | None) -> Iterator[tuple[str, str]]:
    """Yield the response key and the schema's name of each field at the top."""
    fragments = {
        node.name.value: node.selection_set
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode) and (
            operation_name is None or (node.name and node.name.value == operation_name)
        ):
            yield from dict(_fields(node.selection_set, fragments, set())).items()


def _fields(
    selection: SelectionSetNode, fragments: dict[str, SelectionSetNode], seen: set[str]
) -> Iterator[tuple[str, str]]:
    for node in selection.selections:
        if isinstance(node, FieldNode):
            yield (node.alias or node.name).value, node.name.value
        elif isinstance(node, InlineFragmentNode):
            yield from _fields(node.selection_set, fragments, seen)
        elif isinstance(node, FragmentSpreadNode) and node.name.value not in seen:
            seen.add(node.name.value)
            yield from _fields(fragments[node.name.value], fragments, seen)
