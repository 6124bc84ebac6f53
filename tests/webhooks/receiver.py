"""An endpoint on loopback that records what it is sent, and behaves as each path says."""

import threading
import time
from collections import defaultdict
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec

from tests.servers import wait_until


@dataclass(frozen=True)
class Received:
    """One request: header names in lower case, the body byte for byte."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float

    @property
    def event(self) -> dict[str, Any]:
        """The payload."""
        return msgspec.json.decode(self.body)

    @property
    def delivery_id(self) -> str:
        """The delivery's id."""
        return self.headers["x-classifaily-delivery"]


class Receiver:
    """Answers `/500/…` with 500 and so on; `/hang/…` never; anything else with 200.

    `then` changes what a path answers.
    """

    def __init__(self) -> None:
        self._received: defaultdict[str, list[Received]] = defaultdict(list)
        self._statuses: dict[str, int] = {}
        self.open_now: defaultdict[str, int] = defaultdict(int)
        self.most_open: defaultdict[str, int] = defaultdict(int)
        self._lock = threading.Lock()
        self._released = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def url(self, path: str) -> str:
        """Return the URL of a path."""
        return f"http://127.0.0.1:{self._server.server_port}{path}"

    def received(self, path: str) -> list[Received]:
        """Return what has come to a path."""
        with self._lock:
            return list(self._received[path])

    def wait(self, path: str, count: int = 1, *, timeout_s: float = 15) -> list[Received]:
        """Wait until so much has come to a path."""
        wait_until(lambda: len(self.received(path)) >= count, timeout_s=timeout_s)
        return self.received(path)

    def then(self, path: str, status: int) -> None:
        """Let a path answer so from now on."""
        self._statuses[path] = status

    def close(self) -> None:
        """End it, and whoever hangs."""
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def note(self, request: Received) -> int:
        """Keep a request, wait as its path says, and return the status to answer with."""
        kind = request.path.split("/")[1]
        with self._lock:
            self._received[request.path].append(request)
            self.open_now[request.path] += 1
            now_open = self.open_now[request.path]
            self.most_open[request.path] = max(self.most_open[request.path], now_open)
        if kind == "hang" and request.path not in self._statuses:
            self._released.wait(60)
        elif kind == "slow":
            time.sleep(0.3)
        with self._lock:
            self.open_now[request.path] -= 1
        default = int(kind) if kind.isdigit() else 200
        return self._statuses.get(request.path, default)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever hangs up has had enough."""


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            size = int(self.headers["Content-Length"])
            body = self.rfile.read(size)
            if len(body) < size:
                # Whoever sent it was killed meanwhile: no endpoint would have it.
                self.close_connection = True
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            status = receiver.note(Received(self.path, headers, body, time.time()))
            answer = b"noted \x00 " + b"x" * 5000
            self.send_response(status)
            if status == 302:
                self.send_header("Location", receiver.url("/followed"))
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_args: Any) -> None:
            """Say nothing."""

    return Handler
