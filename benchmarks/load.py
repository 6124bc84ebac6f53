"""A load on one address over kept connections: bare sockets, so that the client costs little."""

import asyncio
import statistics
import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measured:
    """Requests per second, and the times of single requests in milliseconds."""

    rate: float
    p50: float
    p99: float


async def load(
    port: int, path: str, body: bytes, *, headers: dict[str, str], clients: int, seconds: float
) -> Measured:
    """Send the same request over `clients` connections for `seconds`, as fast as they answer.

    Raises:
        RuntimeError: An answer was no success.
    """
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    lines += [f"Content-Length: {len(body)}", "", ""]
    request = "\r\n".join(lines).encode() + body
    times: list[float] = []
    end = time.perf_counter() + seconds

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (started := time.perf_counter()) < end:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            if b" 200 " not in head.split(b"\r\n", 1)[0]:
                raise RuntimeError(head.decode())
            length = head.lower().split(b"content-length: ", 1)[1].split(b"\r\n", 1)[0]
            answer = await reader.readexactly(int(length))
            if b'"errors":[{' in answer:
                raise RuntimeError(answer.decode())
            times.append(time.perf_counter() - started)
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    elapsed = time.perf_counter() - started
    quantiles = statistics.quantiles(times, n=100)
    return Measured(len(times) / elapsed, quantiles[49] * 1000, quantiles[98] * 1000)
