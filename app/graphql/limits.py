"""How large an operation may be, measured before it is validated or run.

Each fragment is measured once, whatever how often it is spread, so the measuring is linear in the
document although what the document stands for may be exponential: sizes are multiplied, not walked.
A fragment that spreads itself counts as nothing here; validation refuses it.

Validation compares every two fields of one response name with each other, whatever fragment they
stand in. So names and spreads may not be repeated without end, though the answer would be small.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    Token,
    TokenKind,
    parse,
)

# Characters, not tokens: the lexer reads them one by one. Long inputs belong into variables.
MAX_LENGTH = 200_000
MAX_TOKENS = 4_000
MAX_DEPTH = 20
MAX_ALIASES = 50
MAX_ROOT_FIELDS = 20
MAX_COMPLEXITY = 20_000
MAX_DIRECTIVES = 50
# No number that the schema takes has more; Python reads no integer of thousands.
MAX_DIGITS = 400
# In the whole document: how often one response name is selected, and fragments are spread.
MAX_REPEATS = 60
MAX_SPREADS = 60

# How many entries a list is taken to have where the operation does not say.
_LIST_SIZES = {
    "jobs": 20,
    "schemas": 20,
    "apiKeys": 20,
    "webhooks": 10,
    "deliveries": 20,
    "plans": 4,
    "models": 10,
    "results": 100,
    "answers": 20,
    "probabilities": 20,
    "byDay": 31,
}
_LARGEST_PAGE = 100
# Introspection reads the schema in memory: its depth counts, its size does not.
_INTROSPECTION = frozenset({"__schema", "__type", "__typename"})


@dataclass(frozen=True, slots=True)
class _Size:
    depth: int = 0
    complexity: int = 0
    aliases: int = 0
    directives: int = 0

    def beside(self, other: "_Size") -> "_Size":
        return _Size(
            max(self.depth, other.depth),
            self.complexity + other.complexity,
            self.aliases + other.aliases,
            self.directives + other.directives,
        )


class _Measure:
    def __init__(self, fragments: Mapping[str, FragmentDefinitionNode]) -> None:
        self._fragments = fragments
        self._known: dict[str, _Size] = {}

    def selection(self, selection_set: SelectionSetNode | None, level: int) -> _Size:
        total = _Size()
        if selection_set is None:
            return total
        # The parser does not bound nesting; Python's stack does.
        if level > MAX_DEPTH * 2:
            raise _exceeded("depth", MAX_DEPTH, f"more than {MAX_DEPTH}")
        for node in selection_set.selections:
            size = self._node(node, level)
            total = total.beside(size)
            total = total.beside(_Size(directives=len(node.directives or ())))
        return total

    def _node(self, node: object, level: int) -> _Size:
        match node:
            case FieldNode():
                return self._field(node, level)
            case InlineFragmentNode():
                return self.selection(node.selection_set, level + 1)
            case FragmentSpreadNode():
                return self._fragment(node.name.value, level)
            case _:
                return _Size()

    def _field(self, node: FieldNode, level: int) -> _Size:
        inner = self.selection(node.selection_set, level + 1)
        introspects = node.name.value in _INTROSPECTION
        return _Size(
            depth=inner.depth + 1,
            complexity=0 if introspects else 1 + _multiplier(node) * inner.complexity,
            aliases=inner.aliases + (node.alias is not None),
            directives=inner.directives,
        )

    def _fragment(self, name: str, level: int) -> _Size:
        if name not in self._known:
            self._known[name] = _Size()
            fragment = self._fragments.get(name)
            if fragment is not None:
                self._known[name] = self.selection(fragment.selection_set, level + 1)
        return self._known[name]


def parse_within_limits(text: str) -> DocumentNode:
    """Parse a document, and refuse one that is too long or has an operation that is too large.

    Raises:
        GraphQLError: It can't be parsed, or goes beyond a limit, as below.
    """
    check_length(text)
    try:
        document = parse(text, max_tokens=MAX_TOKENS, no_location=False)
    except GraphQLError as error:
        if "Parsing aborted" in error.message:
            raise _exceeded("number of tokens", MAX_TOKENS, f"more than {MAX_TOKENS}") from None
        raise
    check_limits(document)
    return document


def check_length(text: str) -> None:
    """Refuse a document that is too long to be parsed.

    Raises:
        GraphQLError: It says the limit and the value. `extensions.code` is QUERY_TOO_COMPLEX.
    """
    if len(text) > MAX_LENGTH:
        raise _exceeded("length in characters", MAX_LENGTH, str(len(text)))


def check_limits(document: DocumentNode) -> None:
    """Refuse a document with an operation that is too large.

    Raises:
        GraphQLError: It says which limit, and the value. `extensions.code` is QUERY_TOO_COMPLEX.
    """
    _check_repetition(document)
    _check_numbers(document)
    fragments = {
        node.name.value: node
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    measure = _Measure(fragments)
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode):
            _check(node, measure)


def _check_repetition(document: DocumentNode) -> None:
    names: Counter[str] = Counter()
    spreads = 0
    for node in _selections(document):
        if isinstance(node, FieldNode):
            names[(node.alias or node.name).value] += 1
        elif isinstance(node, FragmentSpreadNode):
            spreads += 1
    if spreads > MAX_SPREADS:
        raise _exceeded("number of fragment spreads", MAX_SPREADS, str(spreads))
    for name, times in names.most_common(1):
        if times > MAX_REPEATS:
            raise _exceeded(f"number of selections of '{name[:40]}'", MAX_REPEATS, str(times))


def _check_numbers(document: DocumentNode) -> None:
    token: Token | None = document.loc.start_token if document.loc else None
    while token is not None:
        if token.kind in {TokenKind.INT, TokenKind.FLOAT} and len(token.value or "") > MAX_DIGITS:
            raise _exceeded("longest number in digits", MAX_DIGITS, str(len(token.value or "")))
        token = token.next


def _selections(document: DocumentNode) -> Iterator[SelectionNode]:
    """Yield each field, spread and inline fragment as written, once."""
    pending: list[SelectionSetNode] = [
        node.selection_set
        for node in document.definitions
        if isinstance(node, OperationDefinitionNode | FragmentDefinitionNode)
    ]
    while pending:
        for node in pending.pop().selections:
            yield node
            inner = getattr(node, "selection_set", None)
            if inner is not None:
                pending.append(inner)


def _check(operation: OperationDefinitionNode, measure: _Measure) -> None:
    size = measure.selection(operation.selection_set, 1)
    for name, limit, value in (
        ("depth", MAX_DEPTH, size.depth),
        ("number of aliases", MAX_ALIASES, size.aliases),
        ("number of directives", MAX_DIRECTIVES, size.directives),
        ("number of root fields", MAX_ROOT_FIELDS, len(operation.selection_set.selections)),
        ("complexity", MAX_COMPLEXITY, size.complexity),
    ):
        if value > limit:
            raise _exceeded(name, limit, str(value) if value < 10**9 else "over a billion")


def _exceeded(name: str, limit: int, value: str) -> GraphQLError:
    return GraphQLError(
        f"The operation's {name} is {value}; the limit is {limit}.",
        extensions={"code": "QUERY_TOO_COMPLEX"},
    )


def _multiplier(node: FieldNode) -> int:
    for argument in node.arguments or ():
        if argument.name.value in {"first", "last"}:
            if isinstance(argument.value, IntValueNode) and len(argument.value.value) <= 4:
                return max(int(argument.value.value), 1)
            return _LARGEST_PAGE
    return _LIST_SIZES.get(node.name.value, 1)
