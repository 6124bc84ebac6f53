"""What the logs tell, and what they never tell."""

import json
import logging
import sqlite3
from collections.abc import Callable, Iterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from app.http.arrival import Arrival
from app.logs import configure_logging
from app.observability.context import working_on
from app.rest.router import ADDRESSES
from app.settings import load_settings
from tests.conftest import Server, Site, running
from tests.servers import wait_until

CANARY = "canary7f3a"


@pytest.fixture(scope="module")
def watched(make_site: Callable[..., Site]) -> Iterator[tuple[Server, str]]:
    """A server that logs everything it would ever log, for machines."""
    site = make_site(log_level="debug", log_format="json")
    with running(site) as started:
        yield started, site.create_key(site.create_account())


def lines_of(server: Server) -> list[dict]:
    return [json.loads(line) for line in server.output.splitlines() if line.startswith("{")]


def access_line(server: Server, request_id: str) -> dict:
    """Wait for the access line of a request: it is written after the answer has gone."""

    def found() -> list[dict]:
        lines = [line for line in lines_of(server) if line["logger"] == "app.access"]
        return [line for line in lines if line["request_id"] == request_id]

    wait_until(lambda: bool(found()))
    (line,) = found()
    return line


def test_a_request_is_one_line(watched: tuple[Server, str]) -> None:
    server, key = watched
    with server.client(key) as client:
        response = client.get("/api/v1/jobs/?limit=7", headers={"X-Request-Id": "one-line"})
    assert response.status_code == 200
    line = access_line(server, "one-line")
    assert [each for each in lines_of(server) if each.get("request_id") == "one-line"] == [line]
    assert line["level"] == "info"
    assert (line["method"], line["route"], line["status"]) == ("GET", "/api/v1/jobs", 200)
    assert isinstance(line["ms"], int)
    assert isinstance(line["account_id"], int)
    assert line["time"].endswith("Z")
    assert "limit" not in json.dumps(line)


def test_probes_are_no_news(make_site: Callable[..., Site]) -> None:
    with running(make_site(log_format="json")) as server:
        for path in ("/healthz", "/readyz", "/metrics", "/nope"):
            httpx.get(server.base_url + path, headers={"X-Request-Id": path})
        access_line(server, "/nope")
        routes = [line["route"] for line in lines_of(server) if "route" in line]
    assert routes == ["(none)"]


def everything_with_the_canary(client: httpx.Client) -> list[httpx.Response]:
    """Send the canary wherever a caller can put something, well formed or not."""
    category = {"name": CANARY, "description": CANARY, "examples": [CANARY]}
    bodies: list[object] = [
        {"input": CANARY},
        {"input": CANARY, "categories": [category, "other"], "explain": True},
        {"input": CANARY, "type": CANARY},
        {"input": CANARY, "mode": CANARY, "threshold": CANARY, CANARY: CANARY},
        {"input": [CANARY]},
        {"input": CANARY, "schema": CANARY},
        {"items": [{"id": CANARY, "input": CANARY}], "categories": ["a", CANARY]},
        {"items": [{"id": CANARY, "input": CANARY, "type": CANARY}]},
        {"name": CANARY, "description": CANARY, "categories": [category]},
        {"name": CANARY, "categories": [{"name": CANARY, "examples": [CANARY, 1]}]},
        [CANARY],
    ]
    raw = [json.dumps(body).encode() for body in bodies]
    raw += [
        CANARY.encode(),
        b'{"input": "' + CANARY.encode(),
        b'{"input": "\\ud800' + CANARY.encode() + b'"}',
    ]
    headers = {
        "Content-Type": "application/json",
        "User-Agent": CANARY,
        "Idempotency-Key": CANARY,
        "X-Request-Id": f"<{CANARY}>",
        "Cookie": f"a={CANARY}",
    }
    responses = []
    for address in ADDRESSES:
        path = "/api/v1" + address.replace("{id}", CANARY)
        for method in ("GET", "HEAD", "DELETE", "OPTIONS", "TRACE"):
            url = f"{path}?id={CANARY}&status={CANARY}&month={CANARY}&limit={CANARY}"
            responses.append(client.request(method, url, headers=headers))
        for method in ("POST", "PUT", "PATCH"):
            responses += [
                client.request(
                    method,
                    path,
                    content=body,
                    headers=headers | {"Idempotency-Key": f"{CANARY}{n}"},
                )
                for n, body in enumerate(raw)
            ]
    mutation = "mutation($i: ClassifyInput!) {canary7f3a: classify(input: $i) {job {id}}}"
    documents = [
        {"query": mutation,
         "variables": {"i": {"input": CANARY, "categories": [{"name": CANARY}, {"name": "b"}]}}},
        {"query": "{canary7f3a}"},
        {"query": f'{{canary7f3a: job(id: "{CANARY}") {{id}}}}'},
        {"query": "query canary7f3a {__typename}", "operationName": CANARY},
        {"query": "{", "variables": CANARY},
        {"query": CANARY},
    ]  # fmt: skip
    responses += [client.post("/graphql", json=document, headers=headers) for document in documents]
    responses.append(client.get("/graphql", params={"query": f"{{{CANARY}}}"}, headers=headers))
    for path in ("/", "/docs", "/healthz", "/readyz", "/metrics", "/assets/", "/nope/"):
        responses.append(client.get(f"{path}{CANARY}", headers=headers))
        responses.append(client.get(f"{path}?q={CANARY}", headers=headers))
    return responses


def test_nothing_of_the_content_is_logged(watched: tuple[Server, str]) -> None:
    server, key = watched
    with server.client(key) as client:
        statuses = {response.status_code for response in everything_with_the_canary(client)}
    with server.client(f"cai_live_{CANARY}") as stranger:
        statuses |= {response.status_code for response in everything_with_the_canary(stranger)}
        last = stranger.get("/healthz", headers={"X-Request-Id": "the-last"})
    assert {200, 400, 401, 404, 405} <= statuses | {last.status_code}
    access_line(server, "the-last")
    said = server.output
    assert len(said.splitlines()) > 300
    assert CANARY not in said
    assert key not in said


def test_nothing_of_the_content_is_logged_when_everything_fails(
    make_site: Callable[..., Site],
) -> None:
    site = make_site(log_level="debug", log_format="json")
    key = site.create_key(site.create_account())
    with running(site) as server, server.client(key) as client:
        with sqlite3.connect(site.data_dir / "classifaily.db") as database:
            for table in ("jobs", "schemas", "usage_months", "usage_days", "idempotency_keys"):
                database.execute(f"DROP TABLE IF EXISTS {table}")
        responses = everything_with_the_canary(client)
        failed = [response for response in responses if response.status_code == 500]
        assert len(failed) > 20
        # The sweep fails too, and belongs to no request.
        told = {line.get("request_id"): line for line in lines_of(server) if "exception" in line}
        for response in failed:
            line = told[response.headers["X-Request-Id"]]
            assert "OperationalError" in line["exception"]
        assert CANARY not in server.output
        assert key not in server.output


async def test_a_fault_is_answered_and_logged_under_the_request_id(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def broken(_request: Request) -> Response:
        raise ValueError(CANARY)

    configure_logging(load_settings(log_format="json"))
    app = Starlette(
        routes=[Route("/broken", broken)],
        middleware=[
            Middleware(Arrival, fault=lambda: PlainTextResponse("sorry", 500), tracing=None)
        ],
    )
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://local"
    ) as client:
        response = await client.get("/broken", headers={"X-Request-Id": "broken-1"})
    assert (response.status_code, response.text) == (500, "sorry")
    assert response.headers["X-Request-Id"] == "broken-1"
    fault, access = map(json.loads, capsys.readouterr().err.splitlines())
    assert fault["request_id"] == access["request_id"] == "broken-1"
    assert "ValueError" in fault["exception"]
    assert "test_logs.py" in fault["exception"]
    assert CANARY not in fault["exception"]
    assert access["status"] == 500


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_a_line_names_what_it_is_about(capsys: pytest.CaptureFixture[str], log_format: str) -> None:
    configure_logging(load_settings(log_format=log_format))
    with working_on(job=17, batch="batch_ab"):
        logging.getLogger("app.somewhere").warning("slow")
    logging.getLogger("app.somewhere").info("quick")
    first, second = capsys.readouterr().err.splitlines()
    if log_format == "json":
        line = json.loads(first)
        assert (line["job_id"], line["batch_id"]) == (17, "batch_ab")
        assert "job_id" not in json.loads(second)
    else:
        assert first.endswith("app.somewhere: slow  job_id=17 batch_id=batch_ab")
        assert second.endswith("INFO    app.somewhere: quick")


def test_an_exception_is_told_by_type_code_and_place(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(load_settings())
    try:
        try:
            sqlite3.connect(":memory:").execute(f"SELECT {CANARY}")
        except sqlite3.Error as error:
            raise ExceptionGroup(CANARY, [OSError(28, CANARY)]) from error
    except ExceptionGroup:
        logging.getLogger("app").exception("it failed")
    said = capsys.readouterr().err
    assert "ExceptionGroup" in said
    assert "OSError (28)" in said
    assert "sqlite3.OperationalError (SQLITE_ERROR)" in said
    assert "in test_an_exception_is_told_by_type_code_and_place" in said
    assert CANARY not in said


def test_other_libraries_are_heard_when_they_warn(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(load_settings(log_level="debug"))
    chatty = logging.getLogger("aiosqlite")
    chatty.setLevel(logging.DEBUG)
    chatty.debug("executing INSERT %s", CANARY)
    logging.getLogger("LiteLLM").error("prompt %s", CANARY)
    logging.getLogger("asyncio").error("Task exception was never retrieved\nfuture: %s", CANARY)
    said = capsys.readouterr().err
    assert said.endswith("ERROR   asyncio: Task exception was never retrieved\n")
    assert CANARY not in said


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    own, chatty = logging.getLogger("app"), logging.getLogger("aiosqlite")
    before = root.handlers[:], root.level, own.level, chatty.level
    yield
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    own.setLevel(before[2])
    chatty.setLevel(before[3])
