"""Alive and ready, as orchestrators ask."""

import sqlite3
from collections.abc import Callable

import httpx
import pytest

from tests.conftest import Server, Site, running


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_they_are_cheap_to_ask_and_never_cached(server: Server, path: str) -> None:
    answer = httpx.get(server.base_url + path)
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    head = httpx.head(server.base_url + path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["Content-Length"] == answer.headers["Content-Length"]
    assert httpx.post(server.base_url + path).status_code == 405


def test_a_server_says_what_it_lacks(make_site: Callable[..., Site]) -> None:
    site = make_site()
    with running(site) as server:
        ready = httpx.get(f"{server.base_url}/readyz").json()
        assert ready == {"status": "ready", "database": "ok", "broker": "ok", "model": "ok"}
        with sqlite3.connect(site.data_dir / "classifaily.db") as database:
            database.execute("DROP TABLE accounts")
        answer = httpx.get(f"{server.base_url}/readyz")
        assert answer.status_code == 503
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.json() == {**ready, "status": "unavailable", "database": "unreachable"}
        assert httpx.get(f"{server.base_url}/healthz").json() == {"status": "ok"}
