"""A fault of ours: the documented error, a request id, and nothing of the inside."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.server import create_app
from app.settings import Settings
from tests.conftest import Site, running

SECRET = "my-inmost-thoughts"
MESSAGE = "Unexpected internal error. Retry with exponential backoff."


@pytest.mark.contract("error.server_error", "errors.fault", "kept.logs")
def test_it_says_nothing_of_the_inside(make_site: Callable[..., Site]) -> None:
    site = make_site()
    key = site.create_key(site.create_account("pro"))
    with running(site) as server, server.client(key) as client:
        assert client.post("/v1/classify", json={"input": SECRET}).status_code == 200
        break_tables(site)
        for answer in (
            client.get("/v1/jobs"),
            client.get("/v1/schemas/1"),
            client.post("/v1/classify", json={"input": SECRET}),
            client.post("/v1/batch", json={"items": [{"input": SECRET}]}),
            client.post("/v1/schemas", json={"name": SECRET, "categories": ["a"]}),
        ):
            assert answer.status_code == 500
            assert answer.json() == {
                "error": {
                    "code": "server_error",
                    "message": MESSAGE,
                    "docs": f"{server.base_url}/docs#errors",
                }
            }
            assert len(answer.headers["X-Request-Id"]) == 32
        # It counted nothing.
        assert client.get("/v1/usage").json()["usage"]["requests"] == 1
        shown = client.post("/graphql", json={"query": "{jobs{nodes{id}}}"}).json()
        assert shown["errors"][0]["extensions"]["code"] == "SERVER_ERROR"
        assert "elsewhere" not in str(shown)
    # The log has the fault, and nothing of what was sent.
    assert "Traceback" in server.output
    assert SECRET not in server.output
    assert key not in server.output


def break_tables(site: Site) -> None:
    """Take the tables of jobs and schemas away from a running server."""
    database = sqlite3.connect(site.data_dir / "classifaily.db", timeout=10)
    with database:
        database.execute("ALTER TABLE jobs RENAME TO elsewhere")
        database.execute("ALTER TABLE schemas RENAME TO nowhere")
    database.close()


async def test_what_no_route_catches_is_told_in_the_same_shape(tmp_path: Path) -> None:
    async def fail(_request: Request) -> Response:
        raise ZeroDivisionError("a secret")

    settings = Settings(data_dir=tmp_path)
    app = create_app(settings)
    app.state.services = SimpleNamespace(settings=settings)
    app.router.routes.append(Route("/broken", fail))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://server") as client:
        answer = await client.get("/broken")
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "server_error"
    assert "secret" not in answer.text
    assert len(answer.headers["X-Request-Id"]) == 32
