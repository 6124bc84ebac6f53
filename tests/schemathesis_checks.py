"""What Schemathesis holds an answer of GraphQL to."""

import schemathesis

FORESEEN = {"GRAPHQL_VALIDATION_FAILED", "INVALID_REQUEST", "QUERY_TOO_COMPLEX"}


@schemathesis.check
def graphql_refusals_are_documented(
    _context: schemathesis.CheckContext,
    response: schemathesis.Response,
    case: schemathesis.Case,
) -> None:
    """A refused operation says why, and none is refused through a fault of the server's."""
    if case.operation.schema.specification.name != "GraphQL":
        return
    answer = response.json()
    assert response.status_code == 200, answer
    codes = {error["extensions"]["code"] for error in answer.get("errors", [])}
    assert codes <= FORESEEN, answer
    assert codes or answer["data"] is not None, answer


@schemathesis.serializer("text/csv", "application/jsonl")
def as_text(_context: schemathesis.SerializationContext, value: object) -> bytes:
    """Send lines as they are."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")
