"""A client of graphql-transport-ws, and one of graphql-sse, that show what goes over the wire."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from tests.conftest import Server

PROTOCOL = "graphql-transport-ws"
JOB = "subscription($id:ID!){job(id:$id){id status attempts result{label} error{code}}}"
BATCH = "subscription($id:ID!){batch(id:$id){id status meta{total completed failed}}}"
# Takes a good part of a second, or several: long enough to see it wait, run and end.
LONG_TEXT = "My tomato plants have yellow leaves, and the striker scored twice. " * 250
LONG = {"input": LONG_TEXT, "categories": ["gardening", "sports"], "async": True}
PATIENCE_S = 60


class Socket:
    """One WebSocket, message by message."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    def send(self, kind: str, **members: Any) -> None:
        """Send a message."""
        self.send_raw(json.dumps({"type": kind, **members}))

    def send_raw(self, data: str | bytes) -> None:
        """Send what may be no message, and may be refused before all of it was sent."""
        with suppress(ConnectionClosed):
            self._connection.send(data)

    def receive(self) -> dict[str, Any]:
        """Return the next message."""
        message: dict[str, Any] = json.loads(self._connection.recv(timeout=PATIENCE_S))
        return message

    def greet(self, **payload: str) -> None:
        """Open the connection within the socket."""
        self.send("connection_init", payload=payload)
        assert self.receive() == {"type": "connection_ack"}

    def subscribe(self, query: str, *, name: str = "1", **variables: Any) -> None:
        """Begin an operation."""
        self.send("subscribe", id=name, payload={"query": query, "variables": variables})

    def results(self, name: str = "1") -> Iterator[Any]:
        """Yield the data of an operation's results until it is complete."""
        while True:
            message = self.receive()
            assert message["id"] == name, message
            if message["type"] == "complete":
                return
            assert message["type"] == "next", message
            assert "errors" not in message["payload"], message
            yield message["payload"]["data"]

    def close(self) -> None:
        """Go away in order."""
        self._connection.close()

    def closing(self) -> tuple[int, str]:
        """Return with which code and reason the server closes, whatever it sends before.

        The code is 1006 when the connection broke before they came.
        """
        try:
            while True:
                self._connection.recv(timeout=PATIENCE_S)
        except ConnectionClosed as closed:
            return (1006, "") if closed.rcvd is None else (closed.rcvd.code, closed.rcvd.reason)


@contextmanager
def open_socket(
    server: Server,
    *,
    headers: dict[str, str] | None = None,
    protocols: tuple[str, ...] = (PROTOCOL,),
) -> Iterator[Socket]:
    """Open a WebSocket for the length of a block."""
    with connect(
        server.base_url.replace("http", "ws", 1) + "/graphql",
        subprotocols=list(protocols) or None,
        additional_headers=headers,
        max_size=None,
        ping_interval=None,
    ) as connection:
        yield Socket(connection)


@contextmanager
def greeted(server: Server, key: str) -> Iterator[Socket]:
    """Open a WebSocket and authenticate it."""
    with open_socket(server) as socket:
        socket.greet(Authorization=f"Bearer {key}")
        yield socket


def submit(client: httpx.Client, **body: Any) -> str:
    """Ask for a job without waiting, and return its id."""
    answer = client.post("/api/v1/classify", json={**LONG, **body})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def submit_batch(client: httpx.Client, *inputs: str) -> str:
    """Ask for a batch without waiting, and return its id."""
    body = {
        "items": [{"input": text} for text in inputs],
        "categories": ["gardening", "sports"],
        "async": True,
    }
    answer = client.post("/api/v1/batch", json=body)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


@contextmanager
def open_stream(
    client: httpx.Client, query: str, *, accept: str = "text/event-stream", **variables: Any
) -> Iterator[httpx.Response]:
    """Ask for a stream of events by POST for the length of a block."""
    with client.stream(
        "POST",
        "/graphql",
        json={"query": query, "variables": variables},
        headers={"Accept": accept},
    ) as response:
        yield response


def events(response: httpx.Response) -> Iterator[tuple[str, Any]]:
    """Yield the name and the data of each event until the stream ends."""
    name = ""
    for line in response.iter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data:"):
            data = line.removeprefix("data:").strip()
            yield name, json.loads(data) if data else None


def statuses(results: Iterator[Any], field: str = "job") -> list[str]:
    """Return the statuses of a job or a batch, one after the other."""
    return [data[field]["status"] for data in results]
