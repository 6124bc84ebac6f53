"""Whatever is sent, the answer is a documented one."""

import json
import string
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.domain.errors import ErrorCode
from tests.conftest import Tenant

CODES = {code.value for code in ErrorCode}
FIELDS = [
    "input", "type", "categories", "schema", "mode", "top_n", "threshold", "explain", "async",
    "store", "allow_none", "min_margin", "items", "id", "name", "description", "state", "questions",
    "instructions", "criteria",
]  # fmt: skip
POSTS = ["/api/v1/classify", "/api/v1/batch", "/api/v1/schemas", "/api/v1/systemone"]

leaves = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20) | st.sampled_from(["text", "single", "multi", "top_n", "a", "b"])
)  # fmt: skip
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)
bodies = st.dictionaries(st.sampled_from(FIELDS), values, max_size=6)
relaxed = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def check(response: Any) -> None:
    assert response.status_code < 500, response.text
    if response.status_code >= 400:
        error = response.json()["error"]
        assert error["code"] in CODES
        assert error["message"]
        assert "Traceback" not in response.text


@pytest.mark.parametrize("path", POSTS)
def test_any_json_gets_a_documented_answer(tenant: Tenant, path: str) -> None:
    @relaxed
    @given(body=bodies | values)
    def post(body: Any) -> None:
        raw = json.dumps(body).encode("utf-8", "surrogatepass")
        headers = {"Content-Type": "application/json"}
        check(tenant.client.post(path, content=raw, headers=headers))

    post()


@pytest.mark.parametrize("path", POSTS)
def test_any_bytes_get_a_documented_answer(tenant: Tenant, path: str) -> None:
    @relaxed
    @given(raw=st.binary(max_size=200))
    def post(raw: bytes) -> None:
        headers = {"Content-Type": "application/json"}
        check(tenant.client.post(path, content=raw, headers=headers))

    post()


def test_any_text_is_classified_or_refused(tenant: Tenant) -> None:
    @relaxed
    @given(text=st.text(max_size=200))
    def post(text: str) -> None:
        raw = json.dumps({"input": text, "categories": ["a", "b"], "explain": True}).encode()
        headers = {"Content-Type": "application/json"}
        response = tenant.client.post("/api/v1/classify", content=raw, headers=headers)
        check(response)
        if response.status_code == 200:
            assert 0 <= response.json()["result"]["confidence"] <= 1
        else:
            assert response.json()["error"]["field"] == "input"

    post()


def test_any_query_gets_a_documented_answer(tenant: Tenant) -> None:
    names = st.sampled_from(["id", "limit", "offset", "status", "input_type", "month"])
    printable = st.text(string.printable, max_size=30) | st.text(max_size=10)

    @relaxed
    @given(
        path=st.sampled_from(["/api/v1/jobs", "/api/v1/usage", "/api/v1/schemas"]),
        params=st.dictionaries(names, printable, max_size=3),
    )
    def get(path: str, params: dict[str, str]) -> None:
        safe = {k: v.encode("utf-8", "replace").decode() for k, v in params.items()}
        check(tenant.client.get(path, params=safe))

    get()
