"""The front-end sources: every operation fits the schema, every package is pinned."""

import json
import re
from pathlib import Path

import pytest
from graphql import (
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    parse,
    validate,
)
from graphql.execution.values import get_variable_values

from tests.web.stand_in import ROOT

WEB = ROOT / "web"
OPERATIONS = sorted((WEB / "src" / "operations").rglob("*.graphql"))


def _name(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


@pytest.mark.parametrize("path", OPERATIONS, ids=_name)
def test_operation_fits_the_schema(path: Path, schema: GraphQLSchema) -> None:
    assert validate(schema, parse(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "path", [path for path in OPERATIONS if path.with_suffix(".json").exists()], ids=_name
)
def test_starting_variables_fit_the_operation(path: Path, schema: GraphQLSchema) -> None:
    [operation] = parse(path.read_text(encoding="utf-8")).definitions
    assert isinstance(operation, OperationDefinitionNode)
    variables = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))

    problems = get_variable_values(schema, operation.variable_definitions or (), variables)

    assert not (
        isinstance(problems, list) and any(isinstance(each, GraphQLError) for each in problems)
    )


def test_packages_are_pinned() -> None:
    manifest = json.loads((WEB / "package.json").read_text(encoding="utf-8"))
    ranges = manifest["dependencies"] | manifest["devDependencies"]

    assert [name for name, version in ranges.items() if not re.fullmatch(r"[\d.]+", version)] == []


def test_lock_names_no_registry() -> None:
    lock = json.loads((WEB / "package-lock.json").read_text(encoding="utf-8"))

    for path, package in lock["packages"].items():
        assert "resolved" not in package, path
        assert path == "" or package["integrity"].startswith("sha512-"), path
