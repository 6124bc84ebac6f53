"""Every input field and argument refuses what is wrong, by name, and leaves no trace."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    build_schema,
    get_named_type,
    get_nullable_type,
    is_required_input_field,
)

from app.graphql.sdl import export_schema
from tests.conftest import Tenant
from tests.graphql.asking import ask, post

SCHEMA = build_schema(export_schema())
ZERO_WIDTH = "\u200b\u2060"
BLANK = ["", " \n\t", ZERO_WIDTH]
WRONG_TYPES: dict[str, list[Any]] = {
    "String": [5, 1.5, True, [], {}, ["x"]],
    "ID": [1.5, True, [], {}],
    "Int": ["1", "", 1.5, True, [], {}, 2**31, -(2**31) - 1, 10**15],
    "Float": ["0.5", "", True, [], {}],
    "Boolean": ["yes", "", 1, 0, 1.5, [], {}],
    "DateTime": ["", "x", "2026-03-15", "2026-03-15T10:30:00", "2026-13-01T00:00:00Z",
                 "2026-03-15T10:30:00+99:00", 5, 1.5, True, [], {}],
    "Enum": ["", "smell", "text", "Text", 1, 1.5, True, [], {}],
    "List": ["x", "", 5, True, [None]],
}  # fmt: skip


@dataclass(frozen=True)
class At:
    """A value of which only a part is wrong: the error names it by `steps` beyond the field."""

    steps: tuple[str, ...]
    value: Any


def _named(*names: str) -> list[dict[str, str]]:
    return [{"name": name} for name in names]


TEXT = ["a\x00b"]
CATEGORIES = [
    [],
    _named(*(f"c{number}" for number in range(1_001))),
    At(("1",), _named("a", "a")),
    At(("1",), _named("\u00e9", "e\u0301")),
    *(At(("1", "name"), _named("a", name)) for name in (*BLANK, "n" * 201, "b\x00")),
]
TOP_N = [0, -1, 11, 2**31 - 1]
THRESHOLD = [-0.1, 1.0001, 2, 1e308]
MODEL = ["", "nonsense", "embedded"]
NAME = [*BLANK, "n" * 201, *TEXT]
URL = ["", "nonsense", "http://example.com/hook", "https://127.0.0.1/hook", "ftp://example.com/"]
SECRET = ["", " \n\t", "s" * 257, "a\x00b"]
# What is wrong beyond the type, by input type and field.
OUT_OF_RULES: dict[str, dict[str, list[Any]]] = {
    "ClassifyInput": {
        "input": [*BLANK, *TEXT, "x" * 1_000_001], "type": [], "categories": CATEGORIES,
        "schemaId": [], "mode": [], "topN": TOP_N, "threshold": THRESHOLD, "explain": [],
        "allowNone": [], "minMargin": THRESHOLD,
        "async": [], "store": [], "dryRun": [],
        "schemaIds": [[], [str(number) for number in range(1, 22)], At(("1",), ["7", "7"])],
        "categorySets": [
            [],
            [{"categories": _named("a")}] * 21,
            At(("1", "name"), [{"name": "n", "categories": _named("a")}] * 2),
        ],
    },
    "CategorySetInput": {"categories": CATEGORIES, "name": NAME},
    "CreateBatchFileInput": {
        "content": ["", "\n \n", "nonsense", '{"input": ""}'], "format": [], "type": [],
        "categories": CATEGORIES, "schemaId": [], "mode": [], "topN": TOP_N,
        "threshold": THRESHOLD, "explain": [], "allowNone": [], "minMargin": THRESHOLD,
        "store": [], "dryRun": [],
    },
    "CreateWebhookInput": {"url": URL, "events": [[]], "secret": SECRET},
    "UpdateWebhookInput": {"id": [], "url": URL, "events": [[]], "active": []},
    "DeleteWebhookInput": {"id": []},
    "RotateWebhookSecretInput": {"id": [], "secret": SECRET},
    "TestWebhookInput": {"id": [], "event": []},
    "RedeliverWebhookInput": {"id": [], "deliveryId": [], "since": [], "failedOnly": []},
    "CancelJobInput": {"id": []},
    "RetryJobInput": {"id": []},
    "CancelBatchInput": {"id": []},
    "RetryBatchInput": {"id": []},
    "UpdateAccountInput": {
        "name": NAME, "retainInputs": [], "cacheTtl": [-1, 604_801], "defaultModel": MODEL,
    },
    "ClassifyBatchInput": {
        "items": [
            [],
            At(("1", "id"), [{"input": "x", "id": "q"}, {"input": "x", "id": "q"}]),
            At(("1", "id"), [{"input": "x", "id": "1"}, {"input": "x"}]),
        ],
        "type": [], "categories": CATEGORIES, "schemaId": [], "mode": [], "topN": TOP_N,
        "threshold": THRESHOLD, "explain": [], "allowNone": [], "minMargin": THRESHOLD,
        "async": [], "store": [], "dryRun": [],
    },
    "BatchItemInput": {
        "input": [*BLANK, *TEXT, "x" * 1_000_001], "id": [*BLANK, *TEXT, "x" * 201], "type": [],
        "categories": CATEGORIES, "schemaId": [],
    },
    "CategoryInput": {
        "name": NAME, "description": ["d" * 2_001, *TEXT],
        "examples": [
            ["e"] * 101, At(("0",), [""]), At(("1",), ["e", ZERO_WIDTH]), At(("0",), ["a\x00"]),
            At(("0",), ["e" * 10_001]),
        ],
    },
    "CreateSchemaInput": {
        "name": NAME, "categories": CATEGORIES, "description": ["d" * 2_001, *TEXT], "type": [],
        "mode": ["TOP_N"], "model": MODEL,
    },
    "UpdateSchemaInput": {
        "id": [], "name": NAME, "categories": CATEGORIES, "description": ["d" * 2_001, *TEXT],
        "type": [], "mode": ["TOP_N"], "model": MODEL,
    },
    "DeleteSchemaInput": {"id": []},
    "DecideInput": {
        "state": [*BLANK, *TEXT, "x" * 1_000_001],
        "questions": [
            [],
            [{"name": f"q{n}", "kind": "NOUL", "instructions": "x"} for n in range(129)],
            At(("1", "name"), [{"name": "q", "kind": "NOUL", "instructions": "x"}] * 2),
        ],
        "store": [],
    },
    # What each kind takes of these is in test_decide.
    "QuestionInput": {
        "name": NAME, "kind": [], "instructions": ["x" * 10_001, *TEXT], "options": [[]],
        "levels": [["low", "high"]], "whenTrue": ["x"], "whenFalse": ["x"],
    },
    "OptionInput": {"name": NAME, "description": ["x" * 10_001, *TEXT]},
    "CreateApiKeyInput": {"name": NAME},
    "RenameApiKeyInput": {"id": [], "name": NAME},
    "RevokeApiKeyInput": {"id": []},
    "JobFilter": {"status": [], "inputType": [], "createdAfter": [], "createdBefore": []},
}  # fmt: skip
# The least that each input type takes.
LEAST: dict[str, dict[str, Any]] = {
    "ClassifyInput": {"input": "x"},
    "ClassifyBatchInput": {"items": [{"input": "x"}]},
    "BatchItemInput": {"input": "x"},
    "CategoryInput": {"name": "ok"},
    "CategorySetInput": {"categories": [{"name": "ok"}]},
    "UpdateAccountInput": {},
    "CreateBatchFileInput": {"content": '{"input": "x"}', "format": "JSONL"},
    "CreateWebhookInput": {"url": "https://example.com/hook"},
    "UpdateWebhookInput": {"id": "999999"},
    "DeleteWebhookInput": {"id": "999999"},
    "RotateWebhookSecretInput": {"id": "999999"},
    "TestWebhookInput": {"id": "999999"},
    "RedeliverWebhookInput": {"id": "999999", "since": "2026-01-01T00:00:00Z"},
    "CancelJobInput": {"id": "999999"},
    "RetryJobInput": {"id": "999999"},
    "CancelBatchInput": {"id": "batch_0"},
    "RetryBatchInput": {"id": "batch_0"},
    "CreateSchemaInput": {"name": "S", "categories": [{"name": "a"}]},
    "UpdateSchemaInput": {"id": "1"},
    "DeleteSchemaInput": {"id": "999999"},
    "DecideInput": {
        "state": "x", "questions": [{"name": "q", "kind": "NOUL", "instructions": "x"}],
    },
    "QuestionInput": {"name": "q", "kind": "CHOICE", "options": [{"name": "ok"}]},
    "OptionInput": {"name": "ok"},
    "CreateApiKeyInput": {"name": "K"},
    "RenameApiKeyInput": {"id": "999999", "name": "K"},
    "RevokeApiKeyInput": {"id": "999999"},
    "JobFilter": {},
}  # fmt: skip
NEIGHBOURS: dict[str, dict[str, Any]] = {
    "CategoryInput": {"name": "first"},
    "BatchItemInput": {"input": "first"},
    "CategorySetInput": {"categories": [{"name": "first"}]},
    "QuestionInput": {"name": "first", "kind": "NOUL", "instructions": "x"},
    "OptionInput": {"name": "first"},
}
# By argument of a query that takes no input type.
ARGUMENTS: dict[str, list[Any]] = {
    "first": [-1, 101],
    "last": [-1, 101],
    "after": ["", "zz", "é", "azo=", "k:1", "a" * 5_000, "azotMQ"],
    "before": ["", "zz", "é", "azo=", "k:1", "a" * 5_000, "azotMQ"],
    "month": ["", "2025", "2025-13", "2025-1", "0000-01", "2025-01\n", "٢٠٢٥-01"],
    "id": [],
}


@dataclass(frozen=True)
class Place:
    """An input field: what holds its type, outermost first, as (type, name of the list)."""

    kind: str
    field: str
    shown: GraphQLInputField
    holders: tuple[tuple[str, str], ...] = ()

    @property
    def steps(self) -> tuple[str, ...]:
        """The way to the field: it stands second in each list that leads to it."""
        return (*(step for _, name in self.holders for step in (name, "1")), self.field)

    @property
    def name(self) -> str:
        """The way as the executor writes it."""
        return "".join(f"[{s}]" if s.isdigit() else f".{s}" for s in self.steps)

    def given(self, *value: Any) -> dict[str, Any]:
        """Put a value, or none, into the least input that has a place for it."""
        inner = {name: it for name, it in LEAST[self.kind].items() if name != self.field}
        if value:
            inner[self.field] = value[0]
        kind = self.kind
        for holder, name in reversed(self.holders):
            inner = {**LEAST[holder], name: [NEIGHBOURS[kind], inner]}
            kind = holder
        return inner


def places(name: str, holders: tuple[tuple[str, str], ...] = ()) -> Iterator[Place]:
    kind = SCHEMA.type_map[name]
    assert isinstance(kind, GraphQLInputObjectType)
    for field, shown in kind.fields.items():
        yield Place(name, field, shown, holders)
        inner = get_named_type(shown.type)
        if isinstance(inner, GraphQLInputObjectType):
            yield from places(inner.name, (*holders, (name, field)))


def wrong_types(shown: GraphQLInputField | GraphQLArgument) -> list[Any]:
    kind = get_nullable_type(shown.type)
    if isinstance(kind, GraphQLList):
        # One value where a list is due stands for a list of one.
        of_one = {"String": [5, True, [None]], "ID": [1.5, True, {}, [None]]}
        return of_one.get(get_named_type(kind).name, WRONG_TYPES["List"])
    if isinstance(kind, GraphQLEnumType):
        return WRONG_TYPES["Enum"]
    return WRONG_TYPES[get_named_type(kind).name]


def _mutations() -> Iterator[tuple[str, str]]:
    assert SCHEMA.mutation_type is not None
    for name, field in SCHEMA.mutation_type.fields.items():
        yield name, get_named_type(field.args["input"].type).name


def _arguments() -> Iterator[tuple[str, str, GraphQLArgument]]:
    assert SCHEMA.query_type is not None
    for name, field in SCHEMA.query_type.fields.items():
        yield from ((name, argument, shown) for argument, shown in field.args.items())


FIELDS = [
    pytest.param(mutation, kind, place, id=f"{mutation}{place.name}")
    for mutation, kind in _mutations()
    for place in places(kind)
]


@pytest.fixture(scope="module")
def account(make_tenant: Callable[..., Tenant]) -> Tenant:
    tenant = make_tenant()
    ask(tenant.client, 'mutation{classify(input:{input:"x"}){job{id}}}')
    return tenant


@pytest.fixture
def client(account: Tenant) -> Iterator[Any]:
    """A client of an account that must stay as it is."""
    state = (
        "{jobs{nodes{id}} schemas{totalCount} apiKeys{id name revokedAt} usage{usage{requests}}}"
    )
    before = ask(account.client, state)
    yield account.client
    assert ask(account.client, state) == before


def refused_type(client: Any, query: str, kind: str, value: Any, name: str) -> None:
    body = post(client, f"{query.replace('$TYPE', kind)}", v=value).json()
    (error,) = body["errors"]
    assert "data" not in body
    assert error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"
    assert name in error["message"], (value, error["message"])
    assert "Did you mean" not in error["message"]


@pytest.mark.contract("transport.field", "transport.refused")
@pytest.mark.parametrize(("mutation", "kind", "place"), FIELDS)
def test_a_field(client: Any, mutation: str, kind: str, place: Place) -> None:
    query = f"mutation($v:$TYPE!){{{mutation}(input:$v){{errors{{code field message}}}}}}"
    wrong = [*wrong_types(place.shown)]
    required = isinstance(place.shown.type, GraphQLNonNull)
    for value in [*wrong, None] if required else wrong:
        refused_type(client, query, kind, place.given(value), place.name)
    if is_required_input_field(place.shown):
        refused_type(client, query, kind, place.given(), f"'{place.field}'")
    for value in OUT_OF_RULES[place.kind][place.field]:
        part = value if isinstance(value, At) else At((), value)
        done = ask(client, query.replace("$TYPE", kind), v=place.given(part.value))
        (error,) = done[mutation]["errors"]
        assert error["code"] == "INVALID_REQUEST"
        assert error["field"] == ["input", *place.steps, *part.steps], str(part.value)[:200]
        assert error["message"].startswith(".".join((*place.steps, *part.steps)) + ": ")


@pytest.mark.parametrize(
    ("query", "argument", "shown"), [pytest.param(*a, id=f"{a[0]}({a[1]})") for a in _arguments()]
)
def test_an_argument(client: Any, query: str, argument: str, shown: GraphQLArgument) -> None:
    operation = f"query($v:$TYPE){{{query}({argument}:$v){{__typename}}}}"
    if argument == "filter":
        for place in places("JobFilter"):
            for value in wrong_types(place.shown):
                refused_type(client, operation, "JobFilter", {place.field: value}, place.name)
        return
    for value in wrong_types(shown):
        refused_type(client, operation, str(shown.type), value, "$v")
    for value in ARGUMENTS[argument]:
        (error,) = post(client, operation.replace("$TYPE", str(shown.type)), v=value).json()[
            "errors"
        ]
        assert error["extensions"]["code"] == "INVALID_REQUEST"
        assert error["extensions"]["field"] == argument
        assert error["message"].startswith(f"{argument}: "), value


@pytest.mark.parametrize("value", ["", "x", "-1", "0", "1.0", "9" * 18, "9" * 5_000, "٣", "a\x00"])
def test_what_can_not_be_an_id_is_not_found(client: Any, value: str) -> None:
    for mutation, kind, field, code in (
        ("classify", "ClassifyInput", "schemaId", "SCHEMA_NOT_FOUND"),
        ("classifyBatch", "ClassifyBatchInput", "schemaId", "SCHEMA_NOT_FOUND"),
        ("updateSchema", "UpdateSchemaInput", "id", "SCHEMA_NOT_FOUND"),
        ("deleteSchema", "DeleteSchemaInput", "id", "SCHEMA_NOT_FOUND"),
        ("renameApiKey", "RenameApiKeyInput", "id", "KEY_NOT_FOUND"),
        ("revokeApiKey", "RevokeApiKeyInput", "id", "KEY_NOT_FOUND"),
        ("createBatchFile", "CreateBatchFileInput", "schemaId", "SCHEMA_NOT_FOUND"),
        ("updateWebhook", "UpdateWebhookInput", "id", "WEBHOOK_NOT_FOUND"),
        ("deleteWebhook", "DeleteWebhookInput", "id", "WEBHOOK_NOT_FOUND"),
        ("rotateWebhookSecret", "RotateWebhookSecretInput", "id", "WEBHOOK_NOT_FOUND"),
        ("testWebhook", "TestWebhookInput", "id", "WEBHOOK_NOT_FOUND"),
        ("redeliverWebhook", "RedeliverWebhookInput", "id", "WEBHOOK_NOT_FOUND"),
        ("cancelJob", "CancelJobInput", "id", "JOB_NOT_FOUND"),
        ("retryJob", "RetryJobInput", "id", "JOB_NOT_FOUND"),
        ("cancelBatch", "CancelBatchInput", "id", "JOB_NOT_FOUND"),
        ("retryBatch", "RetryBatchInput", "id", "JOB_NOT_FOUND"),
    ):
        query = f"mutation($v:{kind}!){{{mutation}(input:$v){{errors{{code}}}}}}"
        done = ask(client, query, v={**LEAST[kind], field: value})
        assert done[mutation]["errors"] == [{"code": code}], mutation
    for query in ("job", "batch", "schema"):
        assert ask(client, f"query($v:ID!){{{query}(id:$v){{__typename}}}}", v=value) == {
            query: None
        }


@pytest.mark.parametrize(
    "given",
    [
        "topN:" + "9" * 5_000,
        "topN:1.0",
        "threshold:" + "9" * 5_000,
        "threshold:1e" + "9" * 5_000,
        "schemaId:" + "9" * 5_000,
        "threshold:NaN",
        'mode:"SINGLE"',
        'input:"y"',
        'input:"\\ud800"',
        "categories:" + "[" * 30 + "]" * 30,
        "categories:[{name:5}]",
        "explain:1",
        "other:1",
    ],
)
def test_a_literal(client: Any, given: str) -> None:
    query = f'mutation{{classify(input:{{input:"x",{given}}}){{errors{{code}}}}}}'
    body = post(client, query).json()
    (error,) = body["errors"]
    assert "data" not in body
    assert error["extensions"]["code"] in {"GRAPHQL_VALIDATION_FAILED", "QUERY_TOO_COMPLEX"}
    assert "sys." not in error["message"]


def test_infinity_is_out_of_range(client: Any) -> None:
    query = 'mutation{classify(input:{input:"x",threshold:1e999}){errors{code field}}}'
    (error,) = ask(client, query)["classify"]["errors"]
    assert (error["code"], error["field"]) == ("INVALID_REQUEST", ["input", "threshold"])


def test_no_field_is_left_out() -> None:
    inputs = {
        name: list(kind.fields)
        for name, kind in SCHEMA.type_map.items()
        if isinstance(kind, GraphQLInputObjectType)
    }
    assert {name: list(fields) for name, fields in OUT_OF_RULES.items()} == inputs
    assert set(LEAST) == set(inputs)
    assert {argument for _, argument, _ in _arguments()} == {*ARGUMENTS, "filter"}
