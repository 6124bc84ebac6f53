"""How pages and assets go over the wire."""

import re
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from app.domain.errors import ErrorCode
from app.web import pages

PAGES = ["/", "/docs", "/graphql"]


@pytest.fixture
def client() -> httpx.AsyncClient:
    app = Starlette(routes=[*pages.routes(), Route("/graphql", pages.graphiql_page)])
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


@pytest.mark.parametrize("path", PAGES)
async def test_page_is_locked_to_this_server(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = dict(
        part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; ")
    )
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == "'self'"
    assert policy["connect-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert not re.search(r"https?:|\*|unsafe-eval", answer.headers["Content-Security-Policy"])
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("path", PAGES)
async def test_page_is_asked_for_each_time_and_sent_once(
    client: httpx.AsyncClient, path: str
) -> None:
    first = await client.get(path)
    assert first.headers["Cache-Control"] == "no-cache"

    again = await client.get(path, headers={"If-None-Match": f'"x", {first.headers["ETag"]}'})

    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["ETag"] == first.headers["ETag"]
    assert (await client.head(path)).headers["ETag"] == first.headers["ETag"]


@pytest.mark.parametrize("path", PAGES)
async def test_page_names_only_assets_that_exist(client: httpx.AsyncClient, path: str) -> None:
    html = (await client.get(path)).text
    named = re.findall(r'(?:src|href)="(/assets/[^"]+)"', html)

    assert len(named) >= 3
    assert "%" not in html
    for address in named:
        assert (await client.get(address)).status_code == 200


async def test_asset_is_kept_for_good(client: httpx.AsyncClient) -> None:
    [script, *_] = re.findall(r'src="(/assets/[^"]+\.js)"', (await client.get("/")).text)

    packed = await client.get(script)
    plain = await client.get(script, headers={"Accept-Encoding": "identity"})

    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert packed.content == plain.content
    for answer in (packed, plain):
        assert answer.headers["Content-Type"].startswith("text/javascript")
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    "name",
    [
        "missing.js",
        "..%2Fdashboard.html",
        "%2e%2e",
        "..%2f..%2fpages.py",
        "a%00.js",
        "%ff.js",
        "x" * 300,
    ],
)
async def test_nothing_but_assets_comes_from_the_folder(
    client: httpx.AsyncClient, name: str
) -> None:
    assert (await client.get(f"/assets/{name}")).status_code == 404


async def test_reference_lists_every_error(client: httpx.AsyncClient) -> None:
    html = (await client.get("/docs")).text

    assert 'id="errors"' in html
    for code in ErrorCode:
        assert f'<tr id="error-{code.value}"><td>{code.status}</td>' in html


def test_errors_are_escaped() -> None:
    assert "<td>a &lt;b&gt; &amp; c</td>" in pages.render_errors([(400, "x", "a <b> & c")])


async def test_missing_build_is_explained(
    client: httpx.AsyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "BUILT", tmp_path)

    for path in PAGES:
        answer = await client.get(path)
        assert answer.status_code == 503
        assert "make pages" in answer.text
    assert (await client.get("/assets/x.js")).status_code == 404
