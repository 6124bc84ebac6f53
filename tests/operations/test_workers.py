"""Workers, as operators see them: their metrics, their logs, and traces that go on in them."""

import json
import sqlite3
from collections.abc import Callable, Iterator

import httpx
import pytest

from app.observability import metrics
from tests.conftest import Site
from tests.durability.cluster import Process, started, web
from tests.operations.collector import Collector, attributes
from tests.operations.scraping import scrape, value
from tests.servers import children_of, free_port, is_running, wait_until

TRACE, PARENT = "6" * 32, "b7ad6b7169203331"


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    opened = Collector()
    yield opened
    opened.close()


@pytest.fixture
def site(make_site: Callable[..., Site], redis_url: str, collector: Collector) -> Site:
    """A site whose web processes leave background work to workers."""
    made = make_site(broker_url=redis_url, log_format="json", worker_metrics_port=str(free_port()))
    made.environment.update(
        OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, OTEL_BSP_SCHEDULE_DELAY="100"
    )
    return made


def workers(site: Site, count: int) -> Process:
    return Process(site, ("worker", "--processes", str(count)), "worker")


def metrics_url(site: Site) -> str:
    return f"http://127.0.0.1:{site.environment['CLASSIFAILY_WORKER_METRICS_PORT']}"


def submit(server: Process, key: str, count: int, **headers: str) -> None:
    assert server.url is not None
    headers["Authorization"] = f"Bearer {key}"
    for _ in range(count):
        asked = {"input": "canary7f3a", "async": True}
        answer = httpx.post(f"{server.url}/api/v1/classify", json=asked, headers=headers)
        assert answer.status_code == 202, answer.text


def test_what_waits_is_seen_and_any_worker_answers_for_all(site: Site) -> None:
    key = site.create_key(site.create_account())
    server, behind = web(site), workers(site, 2)
    interactive = {"queue": "interactive"}
    with started(server):
        assert server.url is not None
        submit(server, key, 5)
        waiting = scrape(server.url)
        assert value(waiting, "classifaily_queue_depth", **interactive) == 5
        assert 0 < value(waiting, "classifaily_queue_oldest_seconds", **interactive) < 60
        assert value(waiting, "classifaily_queue_depth") == 5
        with started(behind):
            url = metrics_url(site)
            done = {"status": "completed"}
            wait_until(
                lambda: value(scrape(url), "classifaily_jobs_ended_total", **done) == 5,
                timeout_s=60,
            )
            samples = scrape(url)
            assert value(samples, "classifaily_jobs_started_total", by="worker") == 5
            assert value(samples, "classifaily_classifications_total") == 5
            assert value(samples, "classifaily_build_info") == 1
            pids = {dict(labels)["pid"] for name, labels in samples if name == "process_open_fds"}
            assert len(pids) == 2
            assert value(scrape(server.url), "classifaily_queue_depth") == 0


def test_a_job_of_a_dead_worker_is_counted_and_keeps_its_ids(
    site: Site, collector: Collector
) -> None:
    key = site.create_key(site.create_account())
    server, behind = web(site), workers(site, 1)
    with started(server):
        headers = {"traceparent": f"00-{TRACE}-{PARENT}-01", "X-Request-Id": "asked-for-it"}
        submit(server, key, 1, **headers)
        with sqlite3.connect(site.data_dir / "classifaily.db") as database:
            database.execute(
                "UPDATE jobs SET status = 'processing', attempts = 1, due_at = NULL, "
                "lease_id = 'dead', lease_expires_at = '2020-01-01 00:00:00+00:00'"
            )
        with started(behind):
            url = metrics_url(site)
            wait_until(
                lambda: value(scrape(url), "classifaily_jobs_ended_total") == 1, timeout_s=60
            )
            recovered = {"outcome": "requeued"}
            assert value(scrape(url), "classifaily_lease_recoveries_total", **recovered) == 1
            spans = collector.trace(TRACE, spans=6)
            attempt = spans["attempt"]
            assert attempt.parent_span_id == spans["classify"].span_id
            assert attributes(attempt) == {
                "jobs": 1,
                "classifaily.job_id": 1,
                "classifaily.request_id": "asked-for-it",
            }
            assert spans["model"].parent_span_id == attempt.span_id
    lines = [json.loads(line) for line in behind.output.splitlines() if line.startswith("{")]
    (line,) = (each for each in lines if each["logger"] == "app.domain.work.attempt")
    assert (line["request_id"], line["job_id"], line["trace_id"]) == ("asked-for-it", 1, TRACE)
    assert "canary7f3a" not in behind.output + server.output
    assert all(b"canary7f3a" not in body for body in collector.bodies)


def test_the_broker_is_part_of_readiness(make_site: Callable[..., Site], redis_url: str) -> None:
    server = web(make_site(broker_url="redis://127.0.0.1:9/0"))
    server.start()
    try:
        url = f"{server.url}/readyz"

        def answer() -> httpx.Response | None:
            try:
                return httpx.get(url)
            except httpx.TransportError:
                return None

        wait_until(lambda: answer() is not None, timeout_s=90)
        response = answer()
        assert response is not None
        assert response.status_code == 503
        ready = {"status": "unavailable", "database": "ok", "broker": "unreachable", "model": "ok"}
        assert response.json() == ready
    finally:
        server.kill()


def test_workers_end_with_the_process_that_keeps_them(site: Site) -> None:
    site.create_account()
    behind = workers(site, 2)
    with started(behind):
        wait_until(lambda: behind.output.count("The worker is ready.") == 2, timeout_s=60)
        kept = children_of(behind.pid)
        assert len(kept) >= 2
    wait_until(lambda: not any(map(is_running, kept)))


def test_processes_of_a_server_end_with_it(make_site: Callable[..., Site]) -> None:
    server = web(make_site(), "web", "--workers", "2")
    with started(server):
        kept = children_of(server.pid)
        assert len(kept) >= 2
    wait_until(lambda: not any(map(is_running, kept)))


def test_deliveries_are_counted() -> None:
    from prometheus_client import REGISTRY

    def sample(name: str, **labels: str) -> float:
        return REGISTRY.get_sample_value(name, labels) or 0

    before = sample("classifaily_deliveries_total", outcome="delivered")
    metrics.delivery_attempted("refused", seconds=0.2)
    metrics.delivery_attempted("delivered", seconds=0.1)
    metrics.delivery_ended("delivered", attempts=2)
    assert sample("classifaily_deliveries_total", outcome="delivered") == before + 1
    assert sample("classifaily_delivery_attempts_total", outcome="refused") >= 1
    assert sample("classifaily_attempts_per_delivery_bucket", le="2.0") >= 1
    assert sample("classifaily_delivery_seconds_count") >= 2
