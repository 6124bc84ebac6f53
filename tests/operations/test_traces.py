"""Traces, sent to a collector that speaks OTLP over HTTP."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import httpx
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.conftest import ROOT, Server, Site, running
from tests.operations.collector import Collector, attributes

CANARY = "canary7f3a"
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    started = Collector()
    yield started
    started.close()


@pytest.fixture(scope="module")
def traced(make_site: Callable[..., Site], collector: Collector) -> Iterator[tuple[Server, str]]:
    """A server that sends its traces to the collector every 0.1 s."""
    site = make_site(log_format="json")
    site.environment.update(
        OTEL_EXPORTER_OTLP_ENDPOINT=collector.url, OTEL_BSP_SCHEDULE_DELAY="100"
    )
    with running(site) as started:
        yield started, site.create_key(site.create_account())


def test_a_request_is_a_trace_below_its_callers(
    traced: tuple[Server, str], collector: Collector
) -> None:
    server, key = traced
    headers = {"traceparent": TRACEPARENT, "X-Request-Id": "traced-1"}
    with server.client(key) as client:
        asked = {"input": CANARY, "categories": [CANARY, "b"]}
        response = client.post(f"/api/v1/classify?q={CANARY}", json=asked, headers=headers)
    job_id = response.json()["id"]
    spans = collector.trace(TRACE, spans=6)
    root = spans["POST /api/v1/classify"]
    assert root.parent_span_id.hex() == PARENT
    assert root.kind == Span.SPAN_KIND_SERVER
    assert attributes(root) == {
        "http.request.method": "POST",
        "http.route": "/api/v1/classify",
        "http.response.status_code": 200,
        "classifaily.request_id": "traced-1",
    }
    verb = spans["classify"]
    assert verb.parent_span_id == root.span_id
    assert spans["storage find_key"].parent_span_id == root.span_id
    assert spans["storage start_jobs"].parent_span_id == verb.span_id
    assert spans["storage finish_jobs"].parent_span_id == verb.span_id
    model = spans["model"]
    assert model.parent_span_id == verb.span_id
    assert attributes(model) == {
        "model": "embedded",
        "inputs": 1,
        "classifaily.request_id": "traced-1",
        "classifaily.job_id": int(job_id),
    }
    assert root.start_time_unix_nano <= model.start_time_unix_nano < model.end_time_unix_nano
    assert model.end_time_unix_nano <= root.end_time_unix_nano
    (resource,) = {
        request.resource_spans[0].resource.SerializeToString() for request in collector.requests()
    }
    assert b"service.name" in resource
    assert b"classifaily" in resource
    # The log line leads to the trace.
    assert f'"request_id":"traced-1","trace_id":"{TRACE}"' in server.output


def test_graphql_is_traced(traced: tuple[Server, str], collector: Collector) -> None:
    server, key = traced
    trace_id = "1" * 32
    with server.client(key) as client:
        client.post(
            "/graphql",
            json={"query": "{plans {plan}}"},
            headers={"traceparent": f"00-{trace_id}-{PARENT}-01"},
        )
    spans = collector.trace(trace_id, spans=3)
    assert attributes(spans["graphql"])["operation"] == "query"
    assert spans["graphql"].parent_span_id == spans["POST /graphql"].span_id


def test_what_the_caller_does_not_sample_is_not_sent(
    traced: tuple[Server, str], collector: Collector
) -> None:
    server, key = traced
    with server.client(key) as client:
        client.get("/api/v1/usage", headers={"traceparent": f"00-{'2' * 32}-{PARENT}-00"})
        client.get("/api/v1/usage", headers={"traceparent": f"00-{'3' * 32}-{PARENT}-01"})
    collector.trace("3" * 32, spans=3)
    assert "2" * 32 not in {span.trace_id.hex() for span in collector.spans()}


def test_a_bad_traceparent_starts_a_new_trace(
    traced: tuple[Server, str], collector: Collector
) -> None:
    server, key = traced
    with server.client(key) as client:
        response = client.get("/api/v1/plans", headers={"traceparent": f"00-{CANARY}"})
    assert response.status_code == 200
    deadline = time.monotonic() + 20
    while "GET /api/v1/plans" not in {span.name for span in collector.spans()}:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_failure_is_marked_without_what_it_says(
    traced: tuple[Server, str], collector: Collector
) -> None:
    server, key = traced
    with server.client(key) as client:
        client.post(
            "/api/v1/classify",
            json={"input": CANARY, "mode": CANARY},
            headers={"traceparent": f"00-{'4' * 32}-{PARENT}-01"},
        )
    verb = collector.trace("4" * 32, spans=3)["classify"]
    assert attributes(verb)["error.type"] == "InvalidRequest"
    assert not verb.events
    assert all(CANARY.encode() not in body for body in collector.bodies)
    assert all(key.encode() not in body for body in collector.bodies)


def test_the_last_spans_are_sent_at_the_end(
    make_site: Callable[..., Site], collector: Collector
) -> None:
    site = make_site()
    # Longer than the test: only the end can send them.
    site.environment.update(
        OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f"{collector.url}/v1/traces",
        OTEL_BSP_SCHEDULE_DELAY="600000",
    )
    with running(site) as server:
        header = {"traceparent": f"00-{'5' * 32}-{PARENT}-01"}
        assert httpx.get(f"{server.base_url}/nope", headers=header).status_code == 404
    collector.trace("5" * 32, spans=1)


def test_a_collector_that_is_down_stops_nothing(make_site: Callable[..., Site]) -> None:
    site = make_site()
    site.environment.update(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9")
    with running(site) as server:
        assert httpx.get(f"{server.base_url}/readyz").status_code == 200
        ended = time.monotonic()
    # Its retries would go on for seven seconds.
    assert time.monotonic() - ended < 6
    assert server.process.poll() in {0, -15}


def test_without_a_collector_nothing_is_imported() -> None:
    program = (
        "import sys, app.server; from app.settings import Settings; "
        "app.server.create_app(Settings()); "
        "parts = ('opentelemetry.sdk.trace', 'opentelemetry.exporter', 'opentelemetry.proto'); "
        "print([name for name in sys.modules if name.startswith(parts)])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"PATH": "/usr/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "[]\n", done.stderr
