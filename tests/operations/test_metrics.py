"""`/metrics`: what is counted, that labels are few, and that any process answers for all."""

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from app.observability import exposition, metrics
from tests.conftest import ROOT, Server, Site, running
from tests.operations.scraping import Samples, scrape, value
from tests.servers import free_port, wait_until


@pytest.fixture(scope="module")
def counted(make_site: Callable[..., Site]) -> Iterator[Server]:
    """A server whose counts nobody else moves."""
    with running(make_site()) as started:
        yield started


def test_requests_are_counted_by_route_template(counted: Server) -> None:
    key = counted.site.create_key(counted.site.create_account())
    before = scrape(counted.base_url)
    with counted.client(key) as client:
        for job_id in range(5):
            assert client.get(f"/v1/jobs/{10**8 + job_id}").status_code == 404
    after = scrape(counted.base_url)
    labels = {"face": "rest", "route": "/v1/jobs/{id}", "method": "GET"}
    counter, histogram = "classifaily_http_requests_total", "classifaily_http_request_seconds"
    assert value(after, counter, **labels, status="404") == 5 + value(before, counter, **labels)
    assert value(after, f"{histogram}_count", **labels) == 5
    assert 0 < value(after, f"{histogram}_sum", **labels) < 5
    # The scrape itself.
    assert value(after, "classifaily_http_requests_in_flight") == 1


def test_what_a_client_makes_up_is_no_label(counted: Server) -> None:
    before = scrape(counted.base_url)
    for number in range(30):
        for path in (f"/no/{number}", f"/api/v1/no-{number}", f"/assets/{number}.js"):
            httpx.request("PROPFIND", counted.base_url + path)
            httpx.get(counted.base_url + path)
    new = set(scrape(counted.base_url)) - set(before)
    assert {dict(labels)["route"] for _, labels in new} == {"(none)", "/assets/{name}"}
    assert {dict(labels)["method"] for _, labels in new} == {"GET", "OTHER"}


def test_classifications_are_counted(counted: Server) -> None:
    free = counted.site.create_key(counted.site.create_account("free"))
    before = scrape(counted.base_url)
    with counted.client(free) as client:
        statuses = [client.post("/api/v1/classify", json={"input": "hi"}) for _ in range(101)]
        assert statuses[-1].status_code == 429
        asked = {"query": 'mutation {classify(input: {input: "hi"}) {errors {code}}}'}
        assert client.post("/graphql", json=asked).json()["data"]["classify"]["errors"]
    after = scrape(counted.base_url)

    def grown(name: str, **labels: str) -> float:
        return value(after, name, **labels) - value(before, name, **labels)

    assert grown("classifaily_quota_refusals_total") == 2
    source = {"mode": "single", "confidence_source": "calibrated"}
    assert grown("classifaily_classifications_total", **source) == 100
    assert grown("classifaily_tokens_total", input_type="text") == sum(
        response.json()["meta"]["tokens"] for response in statuses[:100]
    )
    model = {"model": "embedded", "inputs": "one"}
    assert grown("classifaily_model_seconds_count", **model) == 100
    assert grown("classifaily_model_failures_total") == 0
    refused = {"field": "classify", "outcome": "refused"}
    assert grown("classifaily_graphql_operations_total", **refused) == 1


def test_a_batch_is_one_call_of_the_model(counted: Server) -> None:
    key = counted.site.create_key(counted.site.create_account())
    before = scrape(counted.base_url)
    items = [{"input": f"text {number}"} for number in range(7)]
    with counted.client(key) as client:
        assert client.post("/api/v1/batch", json={"items": items}).status_code == 200
    after = scrape(counted.base_url)
    name = "classifaily_model_seconds_count"
    assert value(after, name, inputs="many") - value(before, name, inputs="many") == 1
    name = "classifaily_classifications_total"
    assert value(after, name) - value(before, name) == 7


def test_graphql_is_counted_by_root_field(counted: Server) -> None:
    key = counted.site.create_key(counted.site.create_account())
    documents = [
        "{a: plans {plan} b: plans {plan} ...More} "
        "fragment More on Query {apiKeys {id} ... on Query {c: plans {plan}}}",
        "query One {plans {plan}} query Two {apiKeys {id}}",
        "{nothing}",
        "{",
    ]  # fmt: skip
    before = scrape(counted.base_url)
    with counted.client(key) as client:
        for document in documents:
            sent = {"query": document, "operationName": "Two" if "Two" in document else None}
            client.post("/graphql", json=sent)
    after = scrape(counted.base_url)

    def grown(**labels: str) -> float:
        name = "classifaily_graphql_operations_total"
        return value(after, name, **labels) - value(before, name, **labels)

    assert grown(field="plans", outcome="ok") == 3
    assert grown(field="apiKeys", outcome="ok") == 2
    assert grown(field="(invalid)", outcome="refused") == 2
    assert grown() == 7


def test_nothing_tells_of_a_tenant_or_of_content(counted: Server) -> None:
    account = counted.site.create_account()
    key = counted.site.create_key(account)
    with counted.client(key) as client:
        client.post("/api/v1/classify", json={"input": "canary7f3a", "categories": ["canary7f3a"]})
        client.get("/api/v1/jobs?id=canary7f3a")
    text = httpx.get(f"{counted.base_url}/metrics").text
    assert "canary7f3a" not in text
    assert key not in text
    labels = set(re.findall(r'(\w+)="', text))
    assert labels <= {
        "face", "route", "method", "status", "le", "field", "outcome", "mode", "confidence_source",
        "input_type", "model", "inputs", "version", "python", "implementation", "major", "minor",
        "patchlevel", "generation", "pid", "by", "queue",
    }  # fmt: skip


def test_every_metric_is_documented(counted: Server) -> None:
    text = httpx.get(f"{counted.base_url}/metrics").text
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    kinds = dict(re.findall(r"# TYPE (classifaily_\w+) (\w+)", text))
    assert len(kinds) >= 10
    for name, kind in kinds.items():
        if not name.endswith("_created"):
            assert f"`{name}`" in page, f"{name} ({kind})"


def test_both_text_formats_are_served(counted: Server) -> None:
    url = f"{counted.base_url}/metrics"
    plain = httpx.get(url)
    assert plain.headers["Content-Type"].startswith("text/plain; version=")
    assert plain.headers["Cache-Control"] == "no-store"
    modern = httpx.get(url, headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert modern.headers["Content-Type"].startswith("application/openmetrics-text")
    assert modern.text.endswith("# EOF\n")
    head = httpx.head(url)
    assert (head.status_code, head.content) == (200, b"")
    assert httpx.post(url).status_code == 405


def test_any_of_several_processes_answers_for_all(make_site: Callable[..., Site]) -> None:
    site = make_site()
    with running(site, "--workers", "2") as server:
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda _: httpx.get(f"{server.base_url}/nope"), range(200)))
        labels = {"route": "(none)", "status": "404"}
        counter = "classifaily_http_requests_total"
        # An answer is counted after it has gone, which another process can be quick enough to miss.
        wait_until(lambda: value(scrape(server.base_url), counter, **labels) == 200)
        seen = [scrape(server.base_url) for _ in range(6)]
        assert {value(each, counter, **labels) for each in seen} == {200}
        assert value(seen[0], "classifaily_build_info") == 1
        resident = [
            dict(labels)["pid"]
            for name, labels in seen[0]
            if name == "process_resident_memory_bytes"
        ]
        assert len(set(resident)) == 2
        # What a dead process has counted stays counted, and its successor joins.
        os.kill(int(resident[0]), signal.SIGKILL)
        after = _scrape_when(server, lambda samples: _pids(samples) - set(resident) != set())
        assert resident[0] not in _pids(after)
        assert value(after, counter, **labels) == 200
        assert value(after, "classifaily_http_requests_in_flight") == 1
    assert [each.name for each in (site.data_dir / "metrics").iterdir()] == ["alive.lock"]


def _pids(samples: Samples) -> set[str]:
    return {dict(labels)["pid"] for name, labels in samples if name == "process_cpu_seconds_total"}


def _scrape_when(server: Server, condition: Callable[[Samples], bool]) -> Samples:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            samples = scrape(server.base_url)
        except httpx.TransportError:
            samples = {}
        if samples and condition(samples):
            return samples
        time.sleep(0.2)
    raise AssertionError("it did not come to pass in time")


def test_the_folder_of_a_killed_parent_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
    base = tmp_path / "metrics"
    abandoned = base / "serve-dead"
    abandoned.mkdir(parents=True)
    (abandoned / "counter_1.db").touch()
    with exposition.shared_between_processes(tmp_path, "serve"):
        assert not abandoned.exists()
        (mine,) = (each for each in base.iterdir() if each.is_dir())
        assert os.environ["PROMETHEUS_MULTIPROC_DIR"] == str(mine)
        # Another command on the same data folder leaves it alone.
        with exposition.shared_between_processes(tmp_path, "worker"):
            assert mine.exists()
            assert len([each for each in base.iterdir() if each.is_dir()]) == 2
        assert mine.exists()
    assert "PROMETHEUS_MULTIPROC_DIR" not in os.environ


def test_a_worker_serves_its_metrics_on_a_port_of_its_own() -> None:
    port = free_port()
    metrics.process_started()
    with exposition.serving_metrics(port, host="127.0.0.1"):
        response = httpx.get(f"http://127.0.0.1:{port}/metrics")
        assert "classifaily_build_info" in response.text
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/metrics")
