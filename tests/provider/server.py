"""A provider on loopback that speaks the OpenAI wire and the System One wire over real HTTP, and
misbehaves on command.

    with Provider() as provider:
        provider.always("weak", behaviours.status(500))
        provider.once("flaky", behaviours.hang, behaviours.cut)

A model behaves as it was told for the next requests, then as it always does, which is well unless
told otherwise. Every request is kept in `requests`. By itself, for benchmarks:

    python -m tests.provider.server --latency-ms 500
"""

import asyncio
import contextlib
import json
import re
import sys
import threading
from collections import defaultdict, deque
from types import TracebackType
from typing import Self

from tests.provider.behaviours import Behaviour, Exchange, encode, good, slow
from tests.provider.completions import Json

_ADDRESS = re.compile(rb"^POST /v1/(?:chat/completions|systemone) ")
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


class Provider:
    """A provider in a thread of its own."""

    def __init__(self, default: Behaviour = good) -> None:
        self.requests: list[Json] = []
        self.headers: list[bytes] = []
        self.most_at_once = 0
        self._at_once = 0
        self._default = default
        self._always: dict[str, Behaviour] = {}
        self._next: dict[str, deque[Behaviour]] = defaultdict(deque)
        self._started = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._server: asyncio.Server | None = None
        self._port = 0

    @property
    def base_url(self) -> str:
        """The `api_base` of this provider."""
        return f"http://127.0.0.1:{self._port}/v1"

    def always(self, model: str, behaviour: Behaviour) -> None:
        """Make a model behave so from now on."""
        self._always[model] = behaviour

    def once(self, model: str, *behaviours: Behaviour) -> None:
        """Make a model behave so for the next requests, one each."""
        self._next[model].extend(behaviours)

    def forget(self, model: str) -> None:
        """Let a model behave well again."""
        self._always.pop(model, None)
        self._next[model].clear()

    def asked(self, model: str) -> list[Json]:
        """Return the requests to a model so far."""
        return [request for request in self.requests if request["model"] == model]

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.wait(10)
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self.listen())
        self._started.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self._end())
        self._loop.close()

    async def listen(self) -> int:
        """Listen on a free port and return it."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1024)
        self._port = self._server.sockets[0].getsockname()[1]
        return self._port

    async def _end(self) -> None:
        if self._server is not None:
            self._server.close()
        # A connection that comes in at the end has a task that takes it, then one that serves it.
        while ending := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in ending:
                task.cancel()
            await asyncio.gather(*ending, return_exceptions=True)
            # Aborted connections are closed in the loop's next rounds.
            for _ in range(3):
                await asyncio.sleep(0)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(
            asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError
        ):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = _LENGTH.search(head)
                body = await reader.readexactly(int(length[1]) if length else 0)
                await self._answer(head, body, writer)
        writer.transport.abort()

    async def _answer(self, head: bytes, body: bytes, writer: asyncio.StreamWriter) -> None:
        if _ADDRESS.search(head.split(b"\r\n", 1)[0]) is None:
            writer.write(encode({"error": {"message": "not found"}}, status=404, headers={}))
            return
        request = json.loads(body)
        self.requests.append(request)
        self.headers.append(head)
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            await self._behaviour(request["model"])(Exchange(request, writer))
        finally:
            self._at_once -= 1

    def _behaviour(self, model: str) -> Behaviour:
        if self._next[model]:
            return self._next[model].popleft()
        return self._always.get(model, self._default)


async def _main(latency_ms: float) -> None:
    provider = Provider(slow(latency_ms / 1000) if latency_ms else good)
    sys.stdout.write(f"{await provider.listen()}\n")
    sys.stdout.flush()
    while True:
        # A load of minutes must not fill the memory.
        await asyncio.sleep(1)
        provider.requests.clear()
        provider.headers.clear()


if __name__ == "__main__":
    asyncio.run(_main(float(sys.argv[sys.argv.index("--latency-ms") + 1])))
