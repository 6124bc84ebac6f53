"""Every field and parameter refuses what is wrong, by name, and leaves no trace."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from msgspec import inspect

from app.rest.operation import Operation
from app.rest.router import ADDRESSES
from tests.conftest import Tenant
from tests.rest.bad_values import (
    BAD_PARAMETERS,
    LEAST,
    NOT_JSON,
    OUT_OF_RULES,
    At,
    Place,
    Raw,
    members,
    places,
    plain,
)

JSON = {"Content-Type": "application/json"}
Send = Callable[[bytes], httpx.Response]


def operations(*, with_body: bool) -> Iterator[tuple[str, str, Operation]]:
    """Yield each operation once, at the last of its addresses: the one with its id in the path."""
    found = {
        (method, operation.name): (method, path, operation)
        for path, methods in ADDRESSES.items()
        for method, operation in methods.items()
    }
    yield from (entry for entry in found.values() if bool(entry[2].body) == with_body)


NO_VALUES = [
    b"NaN", b"Infinity", b"-Infinity", b"-", b"01", b"+1", b".5", b"1.", b"0x1", b"'x'", b"x",
    b'"\n"', b'"\\x41"', b"[1,]", b"undefined", b"",
]  # fmt: skip
BODIES = [(method, path, operation.body) for method, path, operation in operations(with_body=True)]
FIELDS = [
    pytest.param(method, path, place, id=f"{method} {path} {place.name}")
    for method, path, shape in BODIES
    for place in places(shape)
]
PARAMETERS = [
    pytest.param(method, path, parameter.name, id=f"{method} {path} {parameter.name}")
    for path, methods in ADDRESSES.items()
    for method, operation in methods.items()
    for parameter in operation.query
]
MAY_LACK = {path for _, path, operation in operations(with_body=True) if operation.may_lack_body}


class Untouched:
    """A tenant with one job and one schema, that must stay as it is."""

    def __init__(self, tenant: Tenant) -> None:
        self.client = tenant.client
        made = self.client.post("/v1/schemas", json={"name": "S", "categories": ["a", "b"]}).json()
        self.schema_id = made["id"]
        answer = self.client.post("/v1/classify", json={"input": "x", "schema": self.schema_id})
        assert answer.status_code == 200
        self.before = self.look()

    def look(self) -> list[Any]:
        """Return all that the account has."""
        parts = ("usage", "jobs", "schemas", "account")
        return [self.client.get(f"/v1/{name}").json() for name in parts]

    def send(self, method: str, path: str, body: bytes) -> httpx.Response:
        """Send a body that is to be refused, and see that the quota is as it was."""
        url = "/api/v1" + path.format(id=self.schema_id)
        response = self.client.request(method, url, content=body, headers=JSON)
        assert response.headers["X-RateLimit-Remaining"] == "99999", body[:300]
        return response


@pytest.fixture(scope="module")
def account(make_tenant: Callable[..., Tenant]) -> Untouched:
    return Untouched(make_tenant("pro"))


@pytest.fixture
def untouched(account: Untouched) -> Iterator[Untouched]:
    """The account, which is looked at afterwards."""
    yield account
    assert account.look() == account.before


def encode(value: Any) -> bytes:
    """Write JSON, with `Raw` parts as they are."""
    raws: list[str] = []

    def mark(part: Any) -> str:
        raws.append(part.text)
        return f"@raw{len(raws) - 1}@"

    text = json.dumps(value, default=mark)
    for number, raw in enumerate(raws):
        text = text.replace(f'"@raw{number}@"', raw)
    return text.encode()


def refused(response: httpx.Response, code: str = "invalid_request") -> dict[str, Any]:
    assert (response.status_code, response.json()["error"]["code"]) == (400, code), response.text
    error: dict[str, Any] = response.json()["error"]
    assert "Traceback" not in error["message"]
    return error


@pytest.mark.contract(
    "error.invalid_request", "transport.field", "transport.nan", "transport.text_limit",
    "transport.refused", "classify.more.categories", "batch.more.duplicate_ids",
)  # fmt: skip
@pytest.mark.parametrize(("method", "path", "place"), FIELDS)
def test_a_field(untouched: Untouched, method: str, path: str, place: Place) -> None:
    for name, value in place.bad_values():
        body = encode(place.body(value))
        error = refused(untouched.send(method, path, body))
        assert error.get("field") == name, body[:300]
        assert error["message"].startswith(f"{name}: "), body[:300]
    if place.required:
        error = refused(untouched.send(method, path, encode(place.body())))
        assert (error["field"], error["message"]) == (place.name, f"{place.name}: is required")
    for text in NOT_JSON:
        refused(untouched.send(method, path, encode(place.body(Raw(text)))), "invalid_json")


@pytest.mark.contract(
    "error.invalid_json", "transport.content_type", "transport.object", "transport.nan"
)
@pytest.mark.parametrize(("method", "path"), [(method, path) for method, path, _ in BODIES])
@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "invalid_json"),
        (b" ", "invalid_json"),
        (b"{", "invalid_json"),
        (b"{} {}", "invalid_json"),
        (b"{}\x00", "invalid_json"),
        (b'\xef\xbb\xbf{"input": "x"}', "invalid_json"),
        (b"\xff\xfe{\x00}\x00", "invalid_json"),
        (b'{"input": "\xc3\x28"}', "invalid_json"),
        (b'{"input": "\xed\xa0\x80"}', "invalid_json"),
        (b'{"other": "\xff"}', "invalid_json"),
        (b'{"other": ' + b'{"a":' * 60_000 + b"1" + b"}" * 60_001, "invalid_json"),
        (b'{"input": "x",}', "invalid_json"),
        (b'{"input": "x" "type": "text"}', "invalid_json"),
        (b"{'input': 'x'}", "invalid_json"),
        *((b'{"other": %b}' % text, "invalid_json") for text in NO_VALUES),
        (b'{"input": "x" /* why */}', "invalid_json"),
        (b"[" * 100_000, "invalid_json"),
        (b'{"other": ' + b"[" * 60_000 + b"]" * 60_000 + b"}", "invalid_json"),
        (b"[]", "invalid_request"),
        (b"null", "invalid_request"),
        (b"true", "invalid_request"),
        (b'"text"', "invalid_request"),
        (b"-0", "invalid_request"),
        (b"9" * 5_000, "invalid_request"),
        (b'[{"input": "x"}]', "invalid_request"),
        # A name that can't be written can't be told either.
        (b'{"\\ud800": 1}', "invalid_request"),
        (b'{"\\ud800": {"\\udfff": "\\ud800"}}', "invalid_request"),
    ],
)
def test_a_body(untouched: Untouched, method: str, path: str, raw: bytes, code: str) -> None:
    response = untouched.send(method, path, raw)
    if not raw and path in MAY_LACK:
        assert response.json()["error"]["code"] == "webhook_not_found"
        return
    assert "field" not in refused(response, code)


def test_a_name_that_can_not_be_written_is_told_by_what_holds_it(untouched: Untouched) -> None:
    raw = b'{"input": "x", "categories": ["a", {"name": "b", "\\ud800": 1}]}'
    assert refused(untouched.send("POST", "/classify", raw))["field"] == "categories[1]"


@pytest.mark.contract("transport.field")
@pytest.mark.parametrize(("method", "path", "name"), PARAMETERS)
def test_a_parameter(untouched: Untouched, method: str, path: str, name: str) -> None:
    operation = ADDRESSES[path][method]
    body, headers = b"", JSON
    if operation.body is not None:
        body = encode(LEAST[operation.body])
    elif operation.consumes:
        body, headers = b"input\nx\n", {"Content-Type": "text/csv"}
    known = f"batch_{0:024}" if path.startswith("/batch") else "1"
    for bad in BAD_PARAMETERS[name]:
        part = bad if isinstance(bad, At) else At("", bad)
        value, field = part.value, name + part.suffix
        written = quote(value, safe="")
        if "{id}" in path and name == "id":
            if not value:
                continue
            address = path.format(id=written)
        else:
            address = f"{path.format(id=known)}?id={known}&{name}={written}"
        url = f"/v1{address}"
        error = refused(untouched.client.request(method, url, content=body, headers=headers))
        assert error["field"] == field, value
        assert error["message"].startswith(f"{field}: "), value


def test_what_is_no_text_in_a_parameter(untouched: Untouched) -> None:
    for written in ("%ff", "%ed%a0%80", "%c3%28"):
        for address in (f"/v1/jobs?status={written}", f"/v1/jobs/{written}"):
            refused(untouched.client.get(address))


@pytest.mark.parametrize("key", [b"", b"a b", b"x" * 256, "é".encode()])
@pytest.mark.parametrize("path", ["/classify", "/batch", "/schemas"])
def test_a_bad_idempotency_key(untouched: Untouched, path: str, key: bytes) -> None:
    (shape,) = (shape for method, address, shape in BODIES if (method, address) == ("POST", path))
    response = untouched.client.post(
        f"/v1{path}", json=LEAST[shape], headers={"Idempotency-Key": key}
    )
    assert refused(response)["field"] == "Idempotency-Key"


def test_no_field_is_left_out() -> None:
    shapes = {place.shape for _, _, shape in BODIES for place in places(shape)}
    assert set(OUT_OF_RULES) == set(LEAST) == shapes
    for shape in shapes:
        info = inspect.type_info(shape)
        assert isinstance(info, inspect.StructType)
        assert list(OUT_OF_RULES[shape]) == [field.encode_name for field in info.fields]
    asked = {p.name for methods in ADDRESSES.values() for o in methods.values() for p in o.query}
    assert set(BAD_PARAMETERS) == asked
    assert members(plain(inspect.type_info(int))) == [inspect.IntType()]
