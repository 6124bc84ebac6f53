"""`GET /plans`: the plan tables of the reference."""

from collections.abc import Callable

import httpx
import pytest

from tests.conftest import Server, Tenant

# The reference's tables, turned: a plan a line.
NAMES = (
    "plan", "requests", "batch_size", "batch_files", "input_types", "custom_categories", "schemas",
    "api_keys",
    "webhooks", "history_days", "explain", "async_jobs",
)  # fmt: skip
ALL = ["text", "image", "audio", "video"]
TABLE = [
    ("free", 100, 1, False, ["text"], False, 0, 1, 0, 7, True, True),
    ("starter", 10_000, 50, True, ["text", "image"], True, 10, 3, 0, 30, True, True),
    ("pro", 100_000, 500, True, ALL, True, None, 10, 10, 365, True, True),
    ("enterprise", None, 500, True, ALL, True, None, None, None, None, True, True),
]


@pytest.mark.contract("more.plans")
def test_every_plan_with_each_row_of_the_tables(make_tenant: Callable[..., Tenant]) -> None:
    response = make_tenant("free").client.get("/api/v1/plans")
    assert response.status_code == 200
    expected = [dict(zip(NAMES, row, strict=True)) for row in TABLE]
    assert response.json() == {"plans": expected}


def test_it_counts_nothing(make_tenant: Callable[..., Tenant]) -> None:
    response = make_tenant("free").client.get("/v1/plans/")
    assert response.headers["X-RateLimit-Remaining"] == "100"


def test_it_needs_a_key_and_get(server: Server, tenant: Tenant) -> None:
    assert httpx.get(f"{server.base_url}/api/v1/plans").status_code == 401
    refused = tenant.client.post("/api/v1/plans", json={})
    assert (refused.status_code, refused.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
