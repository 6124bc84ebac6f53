"""What is compressed and what is not, as it comes over the socket."""

import asyncio
import gzip
import json
import re
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from app.http.compression import MINIMUM_BYTES, Compression
from tests.conftest import Server, Tenant
from tests.servers import free_port


def ask(
    base_url: str, path: str, *, method: str = "GET", body: bytes = b"", **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """Send one request as it stands and return the answer as it came: nothing is decoded."""
    host, port = base_url.removeprefix("http://").split(":")
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(body)}", "", ""]
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall("\r\n".join(lines).encode() + body)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, rest = answer.partition(b"\r\n\r\n")
    first, *fields = head.decode("latin-1").split("\r\n")
    received = dict(field.lower().split(": ", 1) for field in fields)
    return int(first.split()[1]), received, rest


def test_a_large_answer_is_compressed(server: Server) -> None:
    _, plain, body = ask(server.base_url, "/api/v1/openapi.json")
    status, packed, squeezed = ask(server.base_url, "/api/v1/openapi.json", Accept_Encoding="gzip")
    assert status == 200
    assert packed["content-encoding"] == "gzip"
    assert "content-encoding" not in plain
    assert "Accept-Encoding" in packed["vary"].title()
    assert "Accept-Encoding" in plain["vary"].title()
    assert int(packed["content-length"]) == len(squeezed) < len(body) / 3
    assert gzip.decompress(squeezed) == body


def test_a_small_answer_is_left_alone(server: Server, tenant: Tenant) -> None:
    asked = json.dumps({"input": "hello", "categories": ["a", "b"]}).encode()
    status, headers, body = ask(
        server.base_url,
        "/api/v1/classify",
        method="POST",
        body=asked,
        Authorization=f"Bearer {tenant.key}",
        Content_Type="application/json",
        Accept_Encoding="gzip, deflate, br, zstd",
    )
    assert status == 200
    assert "content-encoding" not in headers
    assert json.loads(body)["status"] == "completed"


@pytest.mark.parametrize(
    "accepted", ["", "identity", "br", "gzip;q=0", "gzip; q=0.000, br", "br, gzip;q=0"]
)
def test_who_does_not_take_gzip_gets_none(server: Server, accepted: str) -> None:
    for path in ("/api/v1/openapi.json", asset_of(server)):
        _, headers, body = ask(server.base_url, path, Accept_Encoding=accepted)
        assert "content-encoding" not in headers
        assert len(body) == int(headers["content-length"])


@pytest.mark.parametrize("accepted", ["gzip;q=0.5", "br;q=0, gzip", "x, gzip"])
def test_who_takes_gzip_among_others_gets_it(server: Server, accepted: str) -> None:
    _, headers, _ = ask(server.base_url, "/api/v1/openapi.json", Accept_Encoding=accepted)
    assert headers["content-encoding"] == "gzip"


def test_head_has_the_headers_of_get(server: Server) -> None:
    for path in ("/api/v1/openapi.json", "/docs", asset_of(server)):
        _, got, _ = ask(server.base_url, path, Accept_Encoding="gzip")
        status, headers, body = ask(server.base_url, path, method="HEAD", Accept_Encoding="gzip")
        assert (status, body) == (200, b"")
        for name in ("content-encoding", "content-length", "content-type", "vary"):
            assert headers[name] == got[name], (path, name)


def test_errors_are_compressed_by_the_same_rules(server: Server, tenant: Tenant) -> None:
    document = json.dumps({"query": "{" + " ".join(f"no{n}" for n in range(20)) + "}"}).encode()
    _, headers, body = ask(
        server.base_url,
        "/graphql",
        method="POST",
        body=document,
        Authorization=f"Bearer {tenant.key}",
        Content_Type="application/json",
        Accept_Encoding="gzip",
    )
    assert headers["content-encoding"] == "gzip"
    assert len(json.loads(gzip.decompress(body))["errors"]) == 20


def test_an_asset_is_sent_as_it_was_compressed_at_build(server: Server) -> None:
    path = asset_of(server)
    _, plain, body = ask(server.base_url, path)
    _, packed, squeezed = ask(server.base_url, path, Accept_Encoding="gzip")
    assert packed["content-encoding"] == "gzip"
    assert gzip.decompress(squeezed) == body
    # Level 9, where what is compressed on the way is level 4.
    assert squeezed[8] == 2
    assert "accept-encoding" in packed["vary"].lower()
    assert "accept-encoding" in plain["vary"].lower()


def asset_of(server: Server) -> str:
    _, _, page = ask(server.base_url, "/")
    found = re.search(rb'src="(/assets/[^"]+\.js)"', page)
    assert found, page
    return found[1].decode()


@contextmanager
def served(app: Starlette) -> Iterator[str]:
    """Serve an application from a thread."""
    config = uvicorn.Config(app, port=free_port(), log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive()
        yield f"http://127.0.0.1:{config.port}"
    finally:
        server.should_exit = True
        thread.join()


@pytest.mark.parametrize("media_type", ["text/event-stream", "multipart/mixed; boundary=x"])
def test_a_stream_of_events_comes_as_it_is_made(media_type: str) -> None:
    gone_on = threading.Event()

    async def events(_request: Request) -> Response:
        async def each() -> AsyncIterator[bytes]:
            yield b"data: " + b"x" * 5_000 + b"\n\n"
            # The second comes only after the first was read: a buffer would never end.
            while not gone_on.is_set():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            yield b"data: second\n\n"

        return StreamingResponse(each(), media_type=media_type)

    app = Starlette(routes=[Route("/events", events)], middleware=[Middleware(Compression)])
    with served(app) as base_url:
        port = int(base_url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(
                b"GET /events HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n"
                b"Connection: close\r\n\r\n"
            )
            received = b""
            while received.count(b"x") < 5_000:
                received += connection.recv(65536)
            assert b"content-encoding" not in received.lower()
            gone_on.set()
            received += b"".join(iter(lambda: connection.recv(65536), b""))
        assert b"data: second" in received


@pytest.mark.parametrize(
    ("size", "is_compressed"), [(MINIMUM_BYTES - 1, False), (MINIMUM_BYTES, True)]
)
def test_the_limit(size: int, is_compressed: bool) -> None:
    async def answer(_request: Request) -> Response:
        return Response(b"a" * size)

    app = Starlette(routes=[Route("/", answer)], middleware=[Middleware(Compression)])
    with served(app) as base_url:
        _, headers, _ = ask(base_url, "/", Accept_Encoding="gzip")
    assert ("content-encoding" in headers) is is_compressed
