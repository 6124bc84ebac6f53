"""The plan tables of the reference, cell by cell: what each plan may do, and no more."""

import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.conftest import Tenant
from tests.graphql.asking import ask

PLANS = ("free", "starter", "pro", "enterprise")
CREATE_KEY = 'mutation{createApiKey(input:{name:"k"}){errors{code feature requiredPlan}}}'


def cells(*rows: str, values: tuple[Any, ...]) -> Any:
    """Parametrize over the plans, a cell a case, each the proof of its own rows."""
    return pytest.mark.parametrize(
        ("plan", "value"),
        [
            pytest.param(
                plan, value, marks=pytest.mark.contract(*(f"{row}.{plan}" for row in rows)), id=plan
            )
            for plan, value in zip(PLANS, values, strict=True)
            if value != "elsewhere"
        ],
    )


class Mover:
    """One tenant that moves from plan to plan."""

    def __init__(self, tenant: Tenant) -> None:
        self.tenant = tenant
        self.plan = "free"

    def on(self, plan: str) -> httpx.Client:
        """Move to a plan and return the client."""
        if plan != self.plan:
            command = self.tenant.site.command
            command("account", "set-plan", str(self.tenant.account_id), plan)
            self.plan = plan
        return self.tenant.client


@pytest.fixture(scope="module")
def mover(make_tenant: Callable[..., Tenant]) -> Mover:
    return Mover(make_tenant("free"))


def restriction(response: httpx.Response) -> tuple[str, str]:
    error = response.json()["error"]
    assert (response.status_code, error["code"]) == (403, "plan_restriction"), error
    return error["feature"], error["required_plan"]


def classify(client: httpx.Client, **body: Any) -> httpx.Response:
    return client.post("/v1/classify", json={"input": "hello", **body})


@cells("plan.requests", "limits.requests", values=(100, 10_000, 100_000, None))
def test_requests_a_month(mover: Mover, plan: str, value: int | None) -> None:
    usage = mover.on(plan).get("/v1/usage")
    assert usage.json()["limits"]["requests"] == value
    shown = usage.headers.get("X-RateLimit-Limit")
    assert shown == (None if value is None else str(value))


@cells("plan.text", values=(True,) * 4)
def test_text(mover: Mover, plan: str, *, value: bool) -> None:
    assert (classify(mover.on(plan)).status_code == 200) is value


@pytest.mark.parametrize(
    ("kind", "plan", "required"),
    [
        pytest.param(
            kind, plan, required, marks=pytest.mark.contract(f"plan.{kind}.{plan}"),
            id=f"{kind}-{plan}",
        )
        for kind, plan, required in (
            ("image", "free", "starter"), ("audio", "free", "pro"), ("audio", "starter", "pro"),
            ("video", "free", "pro"), ("video", "starter", "pro"),
        )
    ],
)  # fmt: skip
def test_media_that_the_plan_lacks(mover: Mover, kind: str, plan: str, required: str) -> None:
    client = mover.on(plan)
    url = "https://example.com/file"
    assert restriction(classify(client, input=url, type=kind)) == ("media", required)
    item = {"items": [{"input": url, "type": kind}]}
    assert restriction(client.post("/v1/batch", json=item)) == ("media", required)


@cells("plan.categories", values=(False, True, True, True))
def test_categories_of_ones_own(mover: Mover, plan: str, *, value: bool) -> None:
    answer = classify(mover.on(plan), categories=["a", "b"])
    if value:
        assert answer.json()["result"]["label"] in {"a", "b"}
    else:
        assert restriction(answer) == ("categories", "starter")


@cells("plan.explain", values=(True,) * 4)
def test_explanations(mover: Mover, plan: str, *, value: bool) -> None:
    answer = classify(mover.on(plan), input="The sunset over the lake.", explain=True)
    assert ("explanation" in answer.json()["result"]) is value


@cells("plan.async", values=(True,) * 4)
def test_async_jobs(mover: Mover, plan: str, *, value: bool) -> None:
    promise = classify(mover.on(plan), **{"async": True})
    assert (promise.status_code == 202) is value


@cells("plan.batch", "limits.batch", values=(1, 50, 500, 500))
def test_batch_size(mover: Mover, plan: str, value: int) -> None:
    client = mover.on(plan)
    assert client.get("/v1/usage").json()["limits"]["batch_size"] == value
    for count in (value, value + 1):
        body = {"items": [{"input": "x"}] * count, "dry_run": True}
        answer = client.post("/v1/batch", json=body)
        if count == value:
            assert answer.json()["requests"] == value
        else:
            assert restriction(answer)[0] == "batch_size"


@cells("plan.schemas", values=(0, 10, None, None))
def test_saved_schemas(mover: Mover, plan: str, value: int | None) -> None:
    client = mover.on(plan)
    body = {"name": "S", "categories": ["a"]}
    held = client.get("/v1/schemas").json()["total"]
    assert client.get("/v1/usage").json()["limits"]["schemas"] == value
    # One more than Starter's, where there is no bound.
    room = 11 if value is None else value - held
    for _ in range(room):
        assert client.post("/v1/schemas", json=body).status_code == 201
    if value is not None:
        refused = restriction(client.post("/v1/schemas", json=body))
        assert refused == ("schemas", "starter" if value == 0 else "pro")


@cells("plan.keys", values=(1, 3, 10, None))
def test_api_keys(mover: Mover, plan: str, value: int | None) -> None:
    client = mover.on(plan)
    held = len(ask(client, "{apiKeys{id}}")["apiKeys"])
    room = 11 if value is None else value - held
    for _ in range(room):
        assert ask(client, CREATE_KEY)["createApiKey"]["errors"] == []
    if value is not None:
        (error,) = ask(client, CREATE_KEY)["createApiKey"]["errors"]
        assert (error["code"], error["feature"]) == ("PLAN_RESTRICTION", "api_keys")


@pytest.mark.contract("more.jobs.history")
@cells("plan.history", values=(7, 30, 365, None))
def test_job_history(mover: Mover, plan: str, value: int | None) -> None:
    client = mover.on(plan)
    job = classify(client).json()["id"]
    for days, seen in (((value or 10_000) - 1, True), ((value or 10_000) + 1, value is None)):
        grow_old(mover.tenant, int(job), days)
        total = client.get("/v1/jobs").json()["total"]
        one = client.get(f"/v1/jobs/{job}")
        assert (one.status_code == 200) is seen
        assert (job in [each["id"] for each in client.get("/v1/jobs").json()["jobs"]]) is seen
        assert seen or one.json()["error"]["code"] == "job_not_found"
        assert total >= int(seen)


def grow_old(tenant: Tenant, job: int, days: int) -> None:
    """Let a job have been accepted so many days ago."""
    database = sqlite3.connect(tenant.site.data_dir / "classifaily.db", timeout=10)
    with database:
        (stored,) = database.execute("SELECT created_at FROM jobs WHERE id = ?", (job,)).fetchone()
        moment = datetime.now().astimezone(datetime.fromisoformat(stored).tzinfo)
        moved = (moment - timedelta(days=days)).isoformat(sep=stored[10], timespec="microseconds")
        database.execute("UPDATE jobs SET created_at = ? WHERE id = ?", (moved, job))
    database.close()
