"""A web server on loopback that has files, and misbehaves where the path says so."""

import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from types import TracebackType
from typing import Self

_places = count()


class Origin:
    """Runs in threads of its own. `asked` counts requests by path."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.asked: Counter[str] = Counter()
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()
        self._files: dict[str, tuple[bytes, str]] = {}
        handler = type("Handler", (_Handler,), {"origin": self})
        self._server = _Listener((host, 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        port: int = self._server.server_address[1]
        return port

    @property
    def connections(self) -> int:
        """How many connections were made."""
        return self._server.connections

    def url(self, path: str) -> str:
        """Return the URL of a path.

        `/status/<n>` answers so, `/hang` never, `/endless` without end, `/large/<bytes>` says so
        in its header, `/to/<url>` redirects.
        """
        return f"http://127.0.0.1:{self.port}{path}"

    def keep(self, content: bytes, content_type: str = "text/plain", *, kind: str = "file") -> str:
        """Keep a file and return its URL, which nobody else has; `kind` may be `slow`."""
        path = f"/{kind}/{next(_places)}"
        self._files[path] = (content, content_type)
        return self.url(path)

    def asked_for(self, url: str) -> int:
        """Return how often a URL was asked for."""
        return self.asked[url.removeprefix(self.url(""))]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def file(self, path: str) -> tuple[bytes, str]:
        """Return what is kept at a path, and the type that is said of it."""
        return self._files[path]

    @contextmanager
    def counted(self, path: str) -> Iterator[None]:
        """Count a request for the length of a block."""
        with self._lock:
            self.asked[path] += 1
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            yield
        finally:
            with self._lock:
                self._at_once -= 1


class _Listener(ThreadingHTTPServer):
    connections = 0

    def get_request(self) -> tuple[socket.socket, object]:
        """Count a connection."""
        self.connections += 1
        return super().get_request()


class _Handler(BaseHTTPRequestHandler):
    """Answers by the path."""

    origin: Origin

    def do_GET(self) -> None:
        """Answer."""
        with self.origin.counted(self.path), suppress(ConnectionError):
            kind, _, rest = self.path[1:].partition("/")
            answer = getattr(self, f"_{kind}", None)
            if answer is None:
                raise AssertionError(self.path)
            answer(rest)

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _file(self, _rest: str) -> None:
        content, content_type = self.origin.file(self.path)
        self._send(200, content, Content_Type=content_type)

    def _slow(self, rest: str) -> None:
        time.sleep(0.2)
        self._file(rest)

    def _status(self, rest: str) -> None:
        self._send(int(rest), b"no")

    def _to(self, rest: str) -> None:
        self._send(302, b"", Location=rest)

    def _hang(self, _rest: str) -> None:
        time.sleep(30)

    def _large(self, rest: str) -> None:
        self.send_response(200)
        self.send_header("Content-Length", rest)
        self.end_headers()
        self.wfile.write(b"x")

    def _endless(self, _rest: str) -> None:
        self.send_response(200)
        self.end_headers()
        while True:
            self.wfile.write(b"\x89PNG\r\n\x1a\n" * 10_000)

    def _send(self, status: int, content: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
