"""The served document: complete, and true to its own examples."""

from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema_rs
import pytest

from app.domain.errors import ErrorCode
from app.rest.openapi import openapi_document
from app.rest.router import ADDRESSES
from tests.conftest import Server

BASE = "http://127.0.0.1:8000"
DOCUMENT = openapi_document(ADDRESSES, base_url=BASE)
RATE_LIMIT = {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"}
ERRORS = {code.value for code in ErrorCode}


def _operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in DOCUMENT["paths"].items():
        yield from ((method.upper(), path, told) for method, told in methods.items())


def _examples() -> Iterator[Any]:
    for method, path, told in _operations():
        contents = [("request", told["requestBody"])] if "requestBody" in told else []
        contents += list(told["responses"].items())
        for which, part in contents:
            content = part.get("content", {}).get("application/json", {})
            for name, example in content.get("examples", {}).items():
                label = f"{method} {path} {which} {name}"
                yield pytest.param(content["schema"], example["value"], id=label)


def test_it_is_served_without_a_key(server: Server) -> None:
    for prefix in ("/api/v1", "/v1"):
        answer = httpx.get(f"{server.base_url}{prefix}/openapi.json")
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.json() == openapi_document(ADDRESSES, base_url=server.base_url)


@pytest.mark.parametrize(("schema", "value"), list(_examples()))
def test_an_example_is_as_its_schema_says(schema: dict[str, Any], value: Any) -> None:
    whole = {**schema, "components": DOCUMENT["components"]}
    validator = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
    assert [error.message for error in validator.iter_errors(value)] == []


def test_every_operation_that_takes_a_body_shows_one() -> None:
    for method, path, told in _operations():
        if "requestBody" in told:
            for content in told["requestBody"]["content"].values():
                assert content["examples"], (method, path)


def test_everything_is_described() -> None:
    silent = [
        f"{name}.{field}"
        for name, shape in DOCUMENT["components"]["schemas"].items()
        for field, told in shape.get("properties", {}).items()
        if not told.get("description")
    ]
    silent += [
        f"{method} {path} {told['name']}"
        for method, path, operation in _operations()
        for told in operation["parameters"]
        if not told.get("description")
    ]
    assert silent == []
    for name, shape in DOCUMENT["components"]["schemas"].items():
        assert shape["description"], name


def test_nullable_is_told() -> None:
    for name, shape in DOCUMENT["components"]["schemas"].items():
        if not name.endswith("Reply"):
            continue
        for field, told in shape["properties"].items():
            nullable = {"type": "null"} in told.get("anyOf", [])
            assert not nullable or "null" in told["description"].lower(), (name, field)


def test_a_result_is_one_label_or_several() -> None:
    one, several, null = (
        {"$ref": "#/components/schemas/LabelReply"},
        {"$ref": "#/components/schemas/LabelsReply"},
        {"type": "null"},
    )
    schemas = DOCUMENT["components"]["schemas"]
    for name in ("ClassifyReply", "JobReply"):
        assert schemas[name]["properties"]["result"]["anyOf"] == [one, several, null]
    assert schemas["BatchItemReply"]["properties"]["result"]["anyOf"] == [one, several]


def test_every_answer_has_its_headers() -> None:
    for method, path, told in _operations():
        for status, answer in told["responses"].items():
            headers = set(answer["headers"])
            expected = {"X-Request-Id"}
            expected |= {"WWW-Authenticate"} if status == "401" else RATE_LIMIT
            if status in {"429", "503"}:
                expected.add("Retry-After")
            if method == "POST" and status in {"200", "201", "202"}:
                expected.add("Idempotent-Replayed")
            assert headers == expected, (method, path, status)


def test_every_operation_tells_its_errors() -> None:
    for method, path, told in _operations():
        codes = {
            code
            for status, answer in told["responses"].items()
            if int(status) >= 400
            for code in answer["content"]["application/json"]["examples"]
        }
        assert {"unauthorized", "subscription_inactive", "invalid_request"} <= codes
        assert {"server_error"} <= codes <= ERRORS
        taken = told.get("requestBody", {}).get("content", {})
        assert ("invalid_json" in codes) == ("application/json" in taken), (method, path)
        assert ("idempotency_conflict" in codes) == (method == "POST")


def test_an_error_has_the_members_of_every_code() -> None:
    members = set(DOCUMENT["components"]["schemas"]["ErrorBody"]["properties"])
    assert members == {
        "code", "message", "docs", "field", "feature", "required_plan", "limit", "used",
        "resets_at", "retry_after",
    }  # fmt: skip
