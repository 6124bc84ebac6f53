"""The schema as a manual: everything is described, and the committed file is the code's."""

from collections.abc import Iterator
from pathlib import Path

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLObjectType,
    build_schema,
)

from app.domain.errors import ErrorCode
from app.graphql.sdl import export_schema

COMMITTED = Path(__file__).parents[2] / "schema.graphql"
SCHEMA = build_schema(export_schema())


def test_committed_file_is_what_the_code_says() -> None:
    assert COMMITTED.read_text(encoding="utf-8") == export_schema()


def _described() -> Iterator[tuple[str, str | None]]:
    for name, kind in SCHEMA.type_map.items():
        if name.startswith("__"):
            continue
        yield name, kind.description
        if isinstance(kind, GraphQLEnumType):
            for value, shown in kind.values.items():
                yield f"{name}.{value}", shown.description
        if isinstance(kind, GraphQLObjectType | GraphQLInputObjectType):
            for field_name, field in kind.fields.items():
                yield f"{name}.{field_name}", field.description
                for argument, given in getattr(field, "args", {}).items():
                    yield f"{name}.{field_name}({argument})", given.description


def test_everything_is_described() -> None:
    assert [name for name, description in _described() if not description] == []


def test_nullable_results_say_what_null_means() -> None:
    silent = []
    for name, kind in SCHEMA.type_map.items():
        if name.startswith("__") or not isinstance(kind, GraphQLObjectType):
            continue
        for field_name, field in kind.fields.items():
            nullable = not str(field.type).endswith("!")
            if nullable and "null" not in (field.description or "").lower():
                silent.append(f"{name}.{field_name}")
    assert silent == []


def test_error_codes_are_rests_in_upper_case() -> None:
    shown = SCHEMA.type_map["ErrorCode"]
    assert isinstance(shown, GraphQLEnumType)
    assert set(shown.values) == {code.value.upper() for code in ErrorCode}


def test_mutations_take_one_input_and_return_errors() -> None:
    assert SCHEMA.mutation_type is not None
    for field in SCHEMA.mutation_type.fields.values():
        assert list(field.args) == ["input"]
        payload = SCHEMA.type_map[str(field.type).rstrip("!")]
        assert isinstance(payload, GraphQLObjectType)
        assert str(payload.fields["errors"].type) == "[UserError!]!"
