"""A client generated from the served document works, as a user would generate and use it."""

import contextlib
import importlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import httpx
import pytest

from tests.conftest import Server, Tenant

PACKAGE = "classifaily_client"
# The generator knows no lines: to it they are bytes.
CONFIG = """
post_hooks: []
content_type_overrides:
  text/csv: application/octet-stream
  application/jsonl: application/octet-stream
  application/x-ndjson: application/octet-stream
"""


@pytest.fixture(scope="module")
def package(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The name under which the generated package can be imported."""
    folder = tmp_path_factory.mktemp("client")
    (folder / "openapi.json").write_bytes(
        httpx.get(f"{server.base_url}/api/v1/openapi.json").content
    )
    (folder / "config.yml").write_text(CONFIG, encoding="utf-8")
    done = subprocess.run(
        [
            sys.executable, "-m", "openapi_python_client", "generate",
            "--path", "openapi.json", "--config", "config.yml", "--meta", "none",
            "--output-path", PACKAGE, "--fail-on-warning",
        ],
        cwd=folder, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    sys.path.insert(0, str(folder))
    yield PACKAGE
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.split(".")[0] == PACKAGE]:
        del sys.modules[name]


class Api:
    """The generated operations of one tenant, and the generated models."""

    def __init__(self, package: str, server: Server, tenant: Tenant) -> None:
        self._package = package
        client = importlib.import_module(package).AuthenticatedClient
        self.client = client(base_url=f"{server.base_url}/api/v1", token=tenant.key)
        self.models: Any = importlib.import_module(f"{package}.models")

    def close(self) -> None:
        """Close the connections."""
        self.client.get_httpx_client().close()

    def operation(self, name: str) -> ModuleType:
        """Return the module of an operation: "jobs.get_jobs"."""
        return importlib.import_module(f"{self._package}.api.{name}")

    def call(self, name: str, *path: Any, **given: Any) -> Any:
        """Call an operation and return its parsed answer."""
        return self.operation(name).sync(*path, client=self.client, **given)


@pytest.fixture(scope="module")
def api(package: str, server: Server, make_tenant: Callable[..., Tenant]) -> Iterator[Api]:
    with contextlib.closing(Api(package, server, make_tenant("starter"))) as opened:
        yield opened


TOPICS = ["finance", "gardening", "sports"]
COSTS = "Our server costs doubled again this quarter."


@pytest.mark.contract("more.openapi")
def test_the_three_modes(api: Api) -> None:
    models = api.models
    body = models.ClassifyBody(input_=COSTS, categories=TOPICS, explain=True)
    single = api.call("classify.classify", body=body)
    assert isinstance(single, models.ClassifyReply)
    assert isinstance(single.result, models.LabelReply)
    assert (single.result.label, single.status) == ("finance", models.JobStatus.COMPLETED)
    assert 0.4 < single.result.confidence <= 1
    assert len(single.result.explanation) > 20
    assert single.meta.mode is models.Mode.SINGLE
    assert abs((datetime.now(UTC) - single.created_at).total_seconds()) < 60
    for mode in (models.Mode.MULTI, models.Mode.TOP_N):
        body = models.ClassifyBody(input_=COSTS, categories=TOPICS, mode=mode, top_n=2)
        answer = api.call("classify.classify", body=body)
        assert isinstance(answer.result, models.LabelsReply)
        assert answer.result.labels[0].label == "finance"
        assert answer.meta.mode is mode
    body = models.ClassifyBody(input_=COSTS, categories=TOPICS, threshold=1.0)
    nothing = api.call("classify.classify", body=body).result
    assert (nothing.label, nothing.confidence) == (None, None)


def test_typed_questions_have_typed_answers(api: Api) -> None:
    criteria = {"finance": "Costs and prices", "gardening": None}
    questions = {
        "topic": {"type": "choice", "criteria": criteria},
        "money": {"type": "noul", "instructions": "Is it about money?"},
        "size": {"type": "score", "criteria": ["Plants", "Costs and prices"]},
    }
    body = api.models.SystemOneBody.from_dict({"state": COSTS, "questions": questions})
    reply = api.call("systemone.decide", body=body)
    assert isinstance(reply, api.models.SystemOneReply)
    topic, money, size = (reply.answers[name] for name in questions)
    assert isinstance(topic, api.models.ChoiceAnswerReply)
    assert (topic.choice, set(topic.probabilities.to_dict())) == ("finance", set(criteria))
    assert isinstance(money, api.models.NoulAnswerReply)
    assert isinstance(size, api.models.ScoreAnswerReply)
    assert size.score > 0.5


def test_a_dry_run_has_a_shape_of_its_own(api: Api) -> None:
    body = api.models.ClassifyBody(input_="x", dry_run=True)
    planned = api.call("classify.classify", body=body)
    assert isinstance(planned, api.models.DryRunReply)
    assert planned.categories is None


@pytest.mark.contract("more.openapi")
def test_a_batch(api: Api) -> None:
    models = api.models
    items = [
        models.BatchItemBody(input_=COSTS, id="a"),
        models.BatchItemBody(input_="The roses need water.", categories=["garden", "law"]),
    ]
    body = models.BatchBody(items=items, categories=TOPICS)
    batch = api.call("batch.classify_batch", body=body)
    assert isinstance(batch, models.BatchReply)
    assert [(entry.id, entry.result.label) for entry in batch.results] == [
        ("a", "finance"), ("1", "garden"),
    ]  # fmt: skip
    assert (batch.meta.total, batch.meta.completed, batch.meta.failed) == (2, 2, 0)
    for read in (
        api.call("jobs.get_jobs", id=batch.id),
        api.call("jobs.get_jobs_by_id", batch.id),
    ):
        assert read == batch


@pytest.mark.contract("more.openapi")
def test_the_life_of_a_schema(api: Api) -> None:
    models = api.models
    rich = models.CategoryBody(name="billing", description="Payments", examples=["Charged twice"])
    body = models.SchemaBody(
        name="Tickets", categories=[rich, "other"], mode=models.SchemaMode.MULTI
    )
    made = api.call("schemas.create_schema", body=body)
    assert isinstance(made, models.SchemaReply)
    assert made.categories[0] == models.CategoryReply(
        name="billing", description="Payments", examples=["Charged twice"]
    )
    assert (made.type_, made.mode) == (models.SchemaType.ANY, models.Mode.MULTI)
    changed = api.call(
        "schemas.change_schema_by_id", made.id, body=models.SchemaChangeBody(description="Note")
    )
    assert (changed.description, changed.name) == ("Note", "Tickets")
    replaced = api.call(
        "schemas.replace_schema",
        id=made.id,
        body=models.SchemaBody(name="Short", categories=["a", "b"]),
    )
    assert (replaced.categories, replaced.description) == (["a", "b"], None)
    used = models.ClassifyBody(input_="x", schema=made.id)
    assert api.call("classify.classify", body=used).result.label in {"a", "b"}
    page = api.call("schemas.get_schemas", limit=5)
    assert isinstance(page, models.SchemaListReply)
    assert [(schema.id, schema.total_uses) for schema in page.schemas] == [(made.id, 1)]
    assert api.call("schemas.get_schemas_by_id", made.id).name == "Short"
    gone = api.operation("schemas.delete_schema_by_id")
    assert gone.sync_detailed(made.id, client=api.client).status_code == 204
    lost = api.call("schemas.get_schemas", id=made.id)
    assert isinstance(lost, models.ErrorReply)
    assert lost.error.code == "schema_not_found"


@pytest.mark.contract("more.openapi")
def test_jobs_usage_and_plans(api: Api) -> None:
    models = api.models
    answer = api.call("classify.classify", body=models.ClassifyBody(input_=COSTS))
    job = api.call("jobs.get_jobs_by_id", answer.id)
    assert isinstance(job, models.JobReply)
    assert job.result == answer.result
    assert (job.input_preview, job.categories, job.schema_id) == (COSTS, None, None)
    assert job.completed_at >= job.created_at
    page = api.call(
        "jobs.get_jobs",
        limit=1,
        status=models.JobStatus.COMPLETED,
        input_type=models.InputType.TEXT,
    )
    assert isinstance(page, models.JobListReply)
    assert [each.id for each in page.jobs] == [answer.id]
    usage = api.call("usage.get_usage")
    assert (usage.plan, usage.limits.requests) == (models.Plan.STARTER, 10_000)
    assert usage.usage.by_type.text == usage.usage.requests == 10_000 - usage.usage.remaining
    assert usage.limits.resets_at.tzinfo is not None
    plans = api.call("plans.get_plans").plans
    assert [plan.plan.value for plan in plans] == ["free", "starter", "pro", "enterprise"]
    assert plans[-1].requests is None


def test_errors_have_their_members(api: Api) -> None:
    models = api.models
    classify = api.operation("classify.classify")
    bad = classify.sync_detailed(client=api.client, body=models.ClassifyBody(input_=""))
    assert bad.status_code == 400
    assert (bad.parsed.error.code, bad.parsed.error.field) == ("invalid_request", "input")
    assert bad.headers["X-Request-Id"]
    clip = models.ClassifyBody(input_="https://example.com/a.mp4", type_=models.InputType.VIDEO)
    refused = classify.sync(client=api.client, body=clip).error
    assert (refused.feature, refused.required_plan) == ("media", models.Plan.PRO)
    stranger = importlib.import_module(PACKAGE).AuthenticatedClient(
        base_url=str(api.client._base_url), token="cai_live_" + "0" * 40
    )
    with stranger:
        unknown = api.operation("usage.get_usage").sync(client=stranger)
    assert unknown.error.code == "unauthorized"


def test_an_idempotency_key_is_a_parameter(api: Api) -> None:
    classify = api.operation("classify.classify")
    body = api.models.ClassifyBody(input_=COSTS)
    first, again = (
        classify.sync_detailed(client=api.client, body=body, idempotency_key="k") for _ in range(2)
    )
    assert first.parsed == again.parsed
    assert again.headers["Idempotent-Replayed"] == "true"
