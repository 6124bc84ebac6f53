"""GraphQL over WebSocket: the protocol graphql-transport-ws, by its specification
(https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md).

Strawberry's handler of the protocol parses and validates by itself; here operations go the same way
as over HTTP, within the same limits.

The key comes in the payload of `connection_init`, else in the handshake's Authorization header. It
is checked again with each operation, and while subscriptions run: a revoked key closes the socket.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from contextlib import aclosing
from typing import NoReturn

import msgspec
from graphql import OperationType
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from app.domain.accounts.account import Caller
from app.domain.errors import Error, ServerError, Unauthorized
from app.domain.keys.authenticate import authenticate, bearer_token, recheck
from app.domain.services import Services
from app.graphql import operations
from app.graphql.context import Context
from app.graphql.errors import transport_error
from app.graphql.operations import Desk, Operation, Ready
from app.graphql.socket_messages import (
    DUPLICATE,
    GOING_AWAY,
    INIT_TIMEOUT,
    INVALID_MESSAGE,
    NO_SUCH_PROTOCOL,
    PROTOCOL,
    TOO_MANY_INITS,
    UNAUTHORIZED,
    Closed,
    Complete,
    ConnectionInit,
    Message,
    Ping,
    Subscribe,
    parse_message,
)
from app.http.waiting import first_of

logger = logging.getLogger(__name__)

INIT_TIMEOUT_S = 5
# At one time on one socket.
MAX_OPERATIONS = 100
# A `connection_init` is a few hundred bytes: more is not parsed of who has sent no key.
MAX_PUBLIC_LENGTH = 64 * 1024


class Sockets:
    """An ASGI app for WebSockets."""

    def __init__(self, services: Callable[[], Services], desk: Desk) -> None:
        self._services = services
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket for as long as it is open."""
        socket = WebSocket(scope, receive, send)
        # Whoever left before the end needs no goodbye.
        with contextlib.suppress(WebSocketDisconnect):
            if PROTOCOL not in scope["subprotocols"]:
                await socket.accept()
                await socket.close(NO_SUCH_PROTOCOL, "Subprotocol not acceptable")
                return
            await socket.accept(PROTOCOL)
            await _Connection(socket, self._services(), self._desk).serve()


class _Connection:
    """One socket, from the greeting to the close."""

    def __init__(self, socket: WebSocket, services: Services, desk: Desk) -> None:
        self._socket = socket
        self._services = services
        self._desk = desk
        self._docs = f"{services.settings.base_url}/docs#errors"
        self._caller: Caller | None = None
        self._greeted = asyncio.Event()
        self._key_revoked = asyncio.Event()
        # By the client's ids; those it has dropped may still be ending.
        self._running: dict[str, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._mutations: set[asyncio.Task[operations.Response]] = set()

    async def serve(self) -> None:
        """Exchange messages until one side has had enough."""
        try:
            try:
                await first_of(self._read(), self._guard(), self._stop())
            finally:
                await self._end_all()
        except Closed as closed:
            await self._socket.close(closed.code, closed.reason)
        finally:
            if self._mutations:
                await asyncio.wait(self._mutations)

    async def _guard(self) -> NoReturn:
        try:
            async with asyncio.timeout(INIT_TIMEOUT_S):
                await self._greeted.wait()
        except TimeoutError:
            raise Closed(INIT_TIMEOUT, "Connection initialisation timeout") from None
        await self._key_revoked.wait()
        raise Closed(UNAUTHORIZED, "Unauthorized: the API key was revoked")

    async def _stop(self) -> NoReturn:
        await self._services.stopping.wait()
        raise Closed(GOING_AWAY, "The server is stopping: connect again")

    async def _read(self) -> None:
        while True:
            received = await self._socket.receive()
            if received["type"] == "websocket.disconnect":
                return
            text = received.get("text")
            if text is None:
                raise Closed(INVALID_MESSAGE, "Invalid message: it must be text")
            if self._caller is None and len(text) > MAX_PUBLIC_LENGTH:
                raise Closed(INVALID_MESSAGE, "Invalid message: too long for a first one")
            await self._handle(parse_message(text))

    async def _handle(self, message: Message) -> None:
        match message:
            case ConnectionInit():
                await self._greet(message)
            case Ping():
                await self._send("pong", payload=message.payload)
            case Subscribe():
                await self._begin(message)
            case Complete():
                self._drop(message.id)

    async def _greet(self, init: ConnectionInit) -> None:
        if self._caller is not None:
            raise Closed(TOO_MANY_INITS, "Too many initialisation requests")
        header = init.authorization() or self._socket.headers.get("authorization")
        try:
            self._caller = await authenticate(self._services, bearer_token(header))
        except Unauthorized as error:
            raise Closed(UNAUTHORIZED, f"Unauthorized: {error.message}") from None
        self._greeted.set()
        await self._send("connection_ack")

    async def _begin(self, message: Subscribe) -> None:
        if self._caller is None:
            raise Closed(UNAUTHORIZED, "Unauthorized")
        if message.id in self._running:
            raise Closed(DUPLICATE, f"Subscriber for {message.id} already exists")
        if max(len(self._running), len(self._mutations)) >= MAX_OPERATIONS:
            refusal = operations.too_many(MAX_OPERATIONS, docs=self._docs)
            await self._send("error", id=message.id, payload=refusal["errors"])
            return
        task = asyncio.create_task(self._run(message, self._caller, time.perf_counter()))
        self._running[message.id] = task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _drop(self, operation_id: str) -> None:
        task = self._running.pop(operation_id, None)
        if task is not None:
            task.cancel()

    async def _end_all(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _run(self, message: Subscribe, caller: Caller, started: float) -> None:
        try:
            context = Context(
                self._services, await recheck(self._services, caller), started=started
            )
            refusal = await self._respond(message, context)
        except (Unauthorized, WebSocketDisconnect) as error:
            if isinstance(error, Unauthorized):
                self._key_revoked.set()
            return
        except Error as error:
            refusal = transport_error(error, docs=self._docs)
        except Exception:
            logger.exception("an operation failed")
            refusal = transport_error(ServerError(), docs=self._docs)
        finally:
            # The id is free before its end is told. It may have been dropped and taken again.
            if self._running.get(message.id) is asyncio.current_task():
                del self._running[message.id]
        with contextlib.suppress(WebSocketDisconnect):
            if refusal is None:
                await self._send("complete", id=message.id)
            else:
                await self._send("error", id=message.id, payload=refusal["errors"])

    async def _respond(self, message: Subscribe, context: Context) -> operations.Response | None:
        """Send the responses; return that which says why there are no more, if one does."""
        ready = self._admit(message.payload)
        if not isinstance(ready, Ready):
            return ready
        if ready.kind is OperationType.MUTATION:
            response = await self._mutate(ready, context)
            if "data" not in response:
                return response
            await self._send("next", id=message.id, payload=response)
            return None
        async with aclosing(operations.respond(ready, context)) as responses:
            async for response in responses:
                if "data" not in response:
                    return response
                await self._send("next", id=message.id, payload=response)
        return None

    def _admit(self, operation: Operation) -> Ready | operations.Response:
        text = self._desk.text_of(operation, keep=True)
        if text is None:
            return operations.NOT_PERSISTED
        return self._desk.prepare(text, operation, docs=self._docs)

    async def _mutate(self, ready: Ready, context: Context) -> operations.Response:
        # Half a mutation helps nobody: it goes on when its sender has gone, as over HTTP.
        mutation = asyncio.create_task(operations.respond_once(ready, context))
        self._mutations.add(mutation)
        mutation.add_done_callback(self._mutations.discard)
        return await asyncio.shield(mutation)

    async def _send(self, kind: str, **members: object) -> None:
        shown = {name: value for name, value in members.items() if value is not None}
        await self._socket.send_text(msgspec.json.encode({"type": kind, **shown}).decode())
