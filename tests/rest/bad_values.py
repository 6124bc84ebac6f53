"""What is wrong for each field of a body and each parameter of a query.

The wrong types follow from a field's kind; what else is out of its rules stands here by field, so
that a field added to a shape has no place until it is thought of here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from msgspec import inspect

from app.rest.shapes import (
    AccountChangeBody,
    BatchBody,
    BatchItemBody,
    CategoryBody,
    CategorySetBody,
    ClassifyBody,
    SchemaBody,
    SchemaChangeBody,
)
from app.rest.systemone_shapes import SystemOneBody
from app.rest.webhook_shapes import (
    RedeliverBody,
    RotateBody,
    TestBody,
    WebhookBody,
    WebhookChangeBody,
)


@dataclass(frozen=True)
class Raw:
    """JSON text that `json.dumps` would not write."""

    text: str


@dataclass(frozen=True)
class At:
    """A value of which only a part is wrong: the error names `suffix` of the field."""

    suffix: str
    value: Any


HUGE = Raw("9" * 5_000)
INFINITE = Raw("1e999")
ZERO_WIDTH = "\u200b\u2060\ufeff\u00ad"
BLANK = ["", " \n\t", "\u00a0\u3000", ZERO_WIDTH]
# No text that is kept may hold these: no database stores them all.
UNSTORABLE = ["a\x00b", Raw('"\\ud800"'), Raw('"a\\udfff\\ud83db"')]
MODEL = ["", "nonsense", "embedded"]
WRONG_TYPES: dict[type, list[Any]] = {
    inspect.StrType: [5, -0.0, True, [], {}, ["x"], {"x": "x"}, HUGE, INFINITE],
    inspect.IntType: ["1", "", 1.5, Raw("3.0"), Raw("1e2"), Raw("-0.0"), True, [], {}, 10**30,
                      HUGE, INFINITE],
    inspect.FloatType: ["0.5", "", True, [], {}, HUGE, INFINITE, Raw("-1e999")],
    inspect.BoolType: ["yes", "true", "", 1, 0, Raw("-0"), 1.5, [], {}, HUGE, INFINITE],
    inspect.EnumType: ["", "smell", "TEXT", "single ", "sıngle", "a\x00", 1, 1.5, True, [], {},
                       HUGE, INFINITE, Raw('"\\ud800"')],
    inspect.DateTimeType: ["", "x", 5, 1.5, True, [], {}, HUGE, INFINITE],
    inspect.ListType: ["x", "", 5, True, {}, {"0": "a"}, HUGE, INFINITE],
    inspect.DictType: ["x", "", 5, True, [], ["a"], HUGE, INFINITE],
    inspect.AnyType: [],
}  # fmt: skip
# What no parser of JSON takes, wherever it stands. Nesting is no value of any field.
NOT_JSON = ["NaN", "-Infinity", "01", "'x'", "[" * 20_000 + "]" * 20_000]

_CATEGORIES = [
    [],
    [f"c{number}" for number in range(1_001)],
    At("[1]", ["a", 7]),
    At("[1]", ["a", None]),
    At("[1]", ["a", ["b"]]),
    At("[1]", ["a", True]),
    At("[1]", ["a", Raw("1e999")]),
    At("[1]", ["a", "a"]),
    At("[1]", ["a", " a "]),
    At("[1]", ["a", {"name": "a"}]),
    At("[1]", ["\u00e9", "e\u0301"]),
    At("[2]", ["a", "\u212b", "A\u030a"]),
    *(At("[1].name", ["a", name]) for name in (*BLANK, "n" * 201, "b\x00")),
    At("[1]", ["a", Raw('"\\ud800"')]),
    At("[1].name", ["a", {}]),
]
_SCHEMA = [10**18, -(10**18), 2**63, 2**64 - 1]
_TOP_N = [0, -1, 11, Raw("-0"), 2**63, 2**64 - 1]
_THRESHOLD = [-0.1, -1e-300, 1.0001, 2, -1, 1e308]
_MODE_OF_SCHEMA = ["top_n"]
_URL = [
    *BLANK, "example.com", "http://example.com", "https://localhost", "https://10.0.0.1",
    "https://example.com:22", "https://u@example.com", f"https://example.com/{'x' * 2_000}",
]  # fmt: skip
_EVENTS = [[], At("[1]", ["*", "job.started"]), At("[0]", ["webhook.test"]), At("[0]", [1])]
_SECRET = ["", " ", "s" * 257]

_NOUL = {"type": "noul", "instructions": "Is it?"}


def _asked(suffix: str, **wrong: Any) -> At:
    """A question named q that is wrong at `suffix`; what is None is left out."""
    merged = {"type": "choice", "instructions": "Which?", "criteria": {"a": None}, **wrong}
    question = {name: value for name, value in merged.items() if value is not None}
    return At(f".q{suffix}", {"first": _NOUL, "q": question})


_NO_WORDS = [5, 0.5, True]
_QUESTIONS = [
    {},
    {f"q{number}": _NOUL for number in range(129)},
    *({name: _NOUL} for name in (*BLANK, "q" * 201, "a\x00")),
    *(At(".q", {"q": value}) for value in ("x", 5, None, True, [])),
    *(_asked(".type", type=kind) for kind in (None, "", "box", "CHOICE", 5, ["noul"], {})),
    *(_asked(".instructions", instructions=words) for words in (*_NO_WORDS, "x" * 10_001, "\x00")),
    *(_asked(".criteria", criteria=value) for value in (None, "x", 5, True, ["a"], {})),
    _asked(".criteria", criteria={f"o{number}": None for number in range(256)}),
    *(_asked(".criteria", criteria={name: None}) for name in (*BLANK, "o" * 201, "a\x00")),
    _asked(".criteria. a", criteria={"a": None, " a": None}),
    *(_asked(".criteria.a", criteria={"a": words}) for words in (*_NO_WORDS, "x" * 10_001, "\x00")),
    *(_asked(".criteria", type="score", criteria=value) for value in (None, "x", {}, {"0": "a"})),
    *(_asked(".criteria", type="score", criteria=["a"] * count) for count in (0, 1, 11)),
    *(_asked(".criteria[1]", type="score", criteria=["a", level])
      for level in (None, 5, *BLANK, "x" * 10_001, "\x00")),
    *(_asked(".criteria", type="noul", criteria=value) for value in ("x", 5, ["a"])),
    *(_asked(".criteria.true", type="noul", criteria={"true": words}) for words in _NO_WORDS),
    _asked(".instructions", type="noul", instructions=None, criteria=None),
    _asked(".instructions", type="noul", instructions=" ", criteria={"true": "", "other": "x"}),
    At(".q.instructions", {"q": {**_NOUL, "instructions": Raw('"\\ud800"')}}),
    At("", {"q": {**_NOUL, "instructions": Raw("1e999")}}),
]  # fmt: skip
_NOT_EMPTY = ["x", ["x"], {"x": "y"}, 5, True]

# By shape and field. A field whose type has no further rule stands with none.
OUT_OF_RULES: dict[type, dict[str, list[Any]]] = {
    ClassifyBody: {
        "input": [*BLANK, "x" * 1_000_001],
        "type": [],
        "categories": _CATEGORIES,
        "schema": _SCHEMA,
        "mode": [],
        "top_n": _TOP_N,
        "threshold": _THRESHOLD,
        "explain": [],
        "allow_none": [],
        "min_margin": _THRESHOLD,
        "async": [],
        "store": [],
        "dry_run": [],
        "schemas": [
            [],
            list(range(1, 22)),
            At("[1]", [7, "8"]),
            At("[1]", [7, None]),
            At("[1]", [7, 8.5]),
            At("[1]", [7, 7]),
            *(At("[1]", [7, schema]) for schema in _SCHEMA),
        ],
        "category_sets": [
            [],
            [["a"]] * 21,
            At("[1]", [["a"], "b"]),
            At("[1]", [["a"], 5]),
            At("[1]", [["a"], None]),
            At("[1].categories", [["a"], []]),
            At("[1].categories[1]", [["a"], ["b", "b"]]),
            At("[1].name", [{"name": "n", "categories": ["a"]}] * 2),
        ],
    },
    CategorySetBody: {"categories": _CATEGORIES, "name": [*BLANK, "n" * 201]},
    BatchBody: {
        "items": [
            [],
            At("[0]", ["x"]),
            At("[0]", [None]),
            At("[0]", [[]]),
            At("[1]", [{"input": "x"}, 1]),
            At("[1].id", [{"input": "x", "id": "q"}, {"input": "x", "id": "q"}]),
            At("[1].id", [{"input": "x", "id": "1"}, {"input": "x"}]),
        ],
        "type": [],
        "categories": _CATEGORIES,
        "schema": _SCHEMA,
        "mode": [],
        "top_n": _TOP_N,
        "threshold": _THRESHOLD,
        "explain": [],
        "allow_none": [],
        "min_margin": _THRESHOLD,
        "async": [],
        "store": [],
        "dry_run": [],
    },
    BatchItemBody: {
        "input": [*BLANK, "x" * 1_000_001],
        "id": [*BLANK, "x" * 201],
        "type": [],
        "categories": _CATEGORIES,
        "schema": _SCHEMA,
    },
    CategoryBody: {
        "name": [*BLANK, "n" * 201],
        "description": ["d" * 2_001],
        "examples": [
            ["e"] * 101,
            At("[1]", ["e", 2]),
            At("[1]", ["e", None]),
            *(At("[0]", [blank]) for blank in BLANK),
            At("[0]", ["a\x00"]),
            At("[0]", [Raw('"\\udc00"')]),
            At("[0]", ["e" * 10_001]),
        ],
    },
    SystemOneBody: {
        "state": [*BLANK, "x" * 1_000_001, *_NO_WORDS, *UNSTORABLE, ["x" * 1_000_000]],
        "questions": _QUESTIONS,
        "model": ["m" * 201],
        "store": [],
        **dict.fromkeys(["images", "files", "assets", "audio", "videos"], _NOT_EMPTY),
    },
    SchemaBody: {
        "name": [*BLANK, "n" * 201],
        "categories": _CATEGORIES,
        "description": ["d" * 2_001],
        "type": [],
        "mode": _MODE_OF_SCHEMA,
        "model": MODEL,
    },
    AccountChangeBody: {
        "name": [*BLANK, "n" * 201],
        "retain_inputs": [],
        "cache_ttl": [-1, 604_801],
        "default_model": MODEL,
    },
    SchemaChangeBody: {
        "name": [*BLANK, "n" * 201],
        "categories": _CATEGORIES,
        "description": ["d" * 2_001],
        "type": [],
        "mode": _MODE_OF_SCHEMA,
        "model": MODEL,
    },
    WebhookBody: {"url": _URL, "events": _EVENTS, "secret": _SECRET},
    WebhookChangeBody: {"url": _URL, "events": _EVENTS, "active": []},
    RotateBody: {"secret": _SECRET},
    TestBody: {"event": ["*"]},
    RedeliverBody: {
        "delivery": ["d" * 41],
        "since": ["yesterday", "2026-01-01", "2026-01-01T00:00:00", "2026-13-01T00:00:00Z"],
        "failed_only": [],
    },
}
# The least that each shape takes.
LEAST: dict[type, dict[str, Any]] = {
    ClassifyBody: {"input": "x"},
    BatchBody: {"items": [{"input": "x"}]},
    BatchItemBody: {"input": "x"},
    CategoryBody: {"name": "ok"},
    SystemOneBody: {"state": "x", "questions": {"q": _NOUL}},
    SchemaBody: {"name": "S", "categories": ["a"]},
    SchemaChangeBody: {},
    AccountChangeBody: {},
    CategorySetBody: {"categories": ["a"]},
    WebhookBody: {"url": "https://example.com/hook"},
    WebhookChangeBody: {},
    RotateBody: {},
    TestBody: {},
    RedeliverBody: {},
}

# What stands beside a shape in a list.
NEIGHBOURS: dict[type, dict[str, Any]] = {
    BatchItemBody: {"input": "first"},
    CategoryBody: {"name": "first"},
    CategorySetBody: {"categories": ["first"]},
}

NO_INTEGER = ["", "x", "1.0", "1e1", " 5", "5 ", "--1", "+", "0x1", "٣", "\x00", "9" * 19, "1,2"]
# By parameter. `id` in the query and `{id}` in the path are the same.
_NO_BOOLEAN = ["yes", "2", "maybe", "[]"]
_NO_SHARE = ["x", "-0.1", "1.01", "nan", "inf", "1e999", "0,5", "[]"]
BAD_PARAMETERS: dict[str, list[str | At]] = {
    "id": [*NO_INTEGER, "batch_", "batch_" + "g" * 24, "batch_" + "a" * 33, "BATCH_" + "a" * 24],
    "limit": [*NO_INTEGER, "0", "-1", "101", "9" * 18],
    "offset": [*NO_INTEGER, "-1", str(10**9 + 1)],
    "wait": [*NO_INTEGER, "-1", "61"],
    "partial": ["", "yes", "TRUE", "2", "\x00"],
    "status": ["", "done", "COMPLETED", "completed ", "\x00", "x" * 5_000],
    "input_type": ["", "smell", "TEXT", "any", "text,image"],
    # The options of a file, of which an empty one counts as left out.
    "type": ["smell", "TEXT", "any"],
    "categories": [
        At("[1]", "a,a"), At("[1].name", "a,,b"), At("[0].name", "n" * 201), "[", "[]",
        At("[0]", "[1]"), At("[0].name", "[{}]"),
    ],
    "schema": ["x", "1.5", "9" * 19, "9" * 5_000],
    "mode": ["best", "SINGLE"],
    "top_n": ["x", "1.5", "0", "11", "-1", "9" * 19],
    "threshold": _NO_SHARE,
    "min_margin": _NO_SHARE,
    "explain": _NO_BOOLEAN,
    "allow_none": _NO_BOOLEAN,
    "store": _NO_BOOLEAN,
    "dry_run": _NO_BOOLEAN,
    "month": ["", "2025", "2025-00", "2025-13", "2025-1", "25-01", "0000-01", "9999-12",
              "2025-01-01", "2025-01\n", " 2025-01", "٢٠٢٥-01", "2025/01", "x" * 5_000],
}  # fmt: skip


@dataclass(frozen=True)
class Place:
    """A field of a body: what holds its shape, outermost first, as (shape, name of the list)."""

    shape: type
    field: str
    kind: inspect.Type
    required: bool
    holders: tuple[tuple[type, str], ...]

    @property
    def name(self) -> str:
        """The field as errors name it: it stands second in each list that leads to it."""
        return ".".join([*(f"{name}[1]" for _, name in self.holders), self.field])

    def bad_values(self) -> Iterator[tuple[str, Any]]:
        """Yield what the field refuses, each with the name that the error has."""
        values = [*WRONG_TYPES[type(self.kind)], *OUT_OF_RULES[self.shape][self.field]]
        if isinstance(self.kind, inspect.StrType):
            values += UNSTORABLE
        if self.required:
            values.append(None)
        for value in values:
            if isinstance(value, At):
                yield self.name + value.suffix, value.value
            else:
                yield self.name, value

    def body(self, *value: Any) -> dict[str, Any]:
        """Put a value, or none, into the least body that has a place for it."""
        inner = {name: given for name, given in LEAST[self.shape].items() if name != self.field}
        if value:
            inner[self.field] = value[0]
        shape = self.shape
        for holder, name in reversed(self.holders):
            inner = {**LEAST[holder], name: [NEIGHBOURS[shape], inner]}
            shape = holder
        return inner


def places(shape: type, holders: tuple[tuple[type, str], ...] = ()) -> Iterator[Place]:
    """Yield every field of a shape and of what it holds."""
    info = inspect.type_info(shape)
    assert isinstance(info, inspect.StructType)
    for field in info.fields:
        kind = plain(field.type)
        yield Place(shape, field.encode_name, kind, field.required, holders)
        if isinstance(kind, inspect.ListType):
            for member in members(kind.item_type):
                if isinstance(member, inspect.StructType):
                    yield from places(member.cls, (*holders, (shape, field.encode_name)))


def plain(kind: inspect.Type) -> inspect.Type:
    """Return the one type that is left without null, unset and annotations."""
    (only,) = (m for m in members(kind) if not isinstance(m, inspect.NoneType))
    return only


def members(kind: inspect.Type) -> list[inspect.Type]:
    """Return the types of a union, without annotations."""
    if isinstance(kind, inspect.Metadata):
        return members(kind.type)
    if isinstance(kind, inspect.UnionType):
        return [member for each in kind.types for member in members(each)]
    return [kind]
