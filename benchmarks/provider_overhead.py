"""What our layer adds to a provider's model, over a direct HTTP call to the same provider.

    python -m benchmarks.provider_overhead [--clients 200] [--latency-ms 200,1000] [--seconds 10]
                                           [--profile]

The provider is the one of the tests, in a process of its own: a lone client is answered as soon as
it can, many clients after a fixed time. Each sends its next task when the last one is answered.
Three ways to put the same task, in one process on one core, in turns: aiohttp posting the very body
that LiteLLM sends; LiteLLM's `acompletion`; and our engine, with prompt, circuit, retries,
validation, selection and cost. A core that is busy all the time bounds what many clients get: the
rate is then one by the processor time of a task, and the rest of their wait is for the processor.
"""

import argparse
import asyncio
import cProfile
import pstats
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import aiohttp
import uvloop

from app.engines.chain import ChainEngine, Link
from app.engines.contract import Category, Task
from app.engines.litellm_provider import close_connections, library
from app.engines.remote.call import Address
from app.engines.remote.engine import RemoteEngine
from app.engines.remote.options import options_for
from app.engines.remote.prompt import Manner, list_categories, write
from app.engines.remote.turns import Turns

MODEL = "gpt-4o-mini"
MANY = 200
TASK = Task(
    "How do I change the address on my account, please?",
    categories=tuple(map(Category, ("billing", "technical", "account", "general"))),
)
Call = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Measured:
    """Milliseconds of single tasks, and processor milliseconds of this process for each.

    `rate` is tasks a second, `errors` how many failed, `busy` how much of a core was used.
    """

    p50: float
    p99: float
    cpu: float
    rate: float
    errors: int
    busy: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--clients", type=int, default=MANY)
    parser.add_argument("--latency-ms", default="200,1000")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    if options.profile:
        with provider(0) as quick:
            uvloop.run(profile(quick, options.seconds))
        return
    print(
        "| latency ms | clients | way | tasks/s | errors | p50 ms | p99 ms | over direct, p50 ms "
        "| cpu ms a task | core busy |"
    )
    print("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |")
    for latency in (0.0, *map(float, options.latency_ms.split(","))):
        clients = options.clients if latency else 1
        with provider(latency) as api_base:
            uvloop.run(compare(api_base, latency=latency, clients=clients, seconds=options.seconds))


async def compare(api_base: str, *, latency: float, clients: int, seconds: float) -> None:
    """Print the rows of so many clients."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        direct = 0.0
        for name, call in ways(api_base, http).items():
            await asyncio.gather(*(call() for _ in range(max(clients, 50))))
            measured = await load(call, clients=clients, seconds=seconds)
            direct = direct or measured.p50
            print(
                f"| {latency:.0f} | {clients} | {name} | {measured.rate:,.0f} | {measured.errors} "
                f"| {measured.p50:.2f} | {measured.p99:.2f} | {measured.p50 - direct:.2f} "
                f"| {measured.cpu:.2f} | {measured.busy:.0%} |"
            )
    await close_connections()


def ways(api_base: str, http: aiohttp.ClientSession) -> dict[str, Call]:
    """Return the three ways to put the task."""
    litellm = library()
    shown = list_categories(TASK.categories or (), lettered=True)
    messages = write(TASK, Manner.LETTER, shown, TASK.content)
    parameters = options_for(Manner.LETTER, TASK, longest=100)
    address = Address(f"openai/{MODEL}", timeout_s=60, api_base=api_base, api_key="key")
    engine = ChainEngine([Link(MODEL, RemoteEngine(address, turns=Turns(MANY)))])
    engine.load()

    async def direct() -> object:
        body = {"model": MODEL, "messages": messages, **parameters}
        async with http.post(f"{api_base}/chat/completions", json=body) as answer:
            return (await answer.json())["choices"][0]["logprobs"]

    async def through_litellm() -> object:
        return await litellm.acompletion(
            model=address.model,
            messages=messages,
            api_base=api_base,
            api_key="key",
            max_retries=0,
            timeout=60,
            **parameters,
        )

    async def through_us() -> object:
        return await engine.classify(TASK)

    return {"aiohttp": direct, "LiteLLM": through_litellm, "our engine": through_us}


async def load(call: Call, *, clients: int, seconds: float) -> Measured:
    """Keep `clients` tasks under way for `seconds`."""
    times: list[float] = []
    errors: list[Exception] = []
    began, cpu = time.perf_counter(), time.process_time()
    end = began + seconds

    async def client(number: int) -> None:
        # Clients that start together would stay together, and queue for the processor.
        await asyncio.sleep(seconds * number / clients / 10)
        while (started := time.perf_counter()) < end:
            try:
                await call()
            except Exception as error:  # noqa: BLE001 - whatever it is, it is counted
                errors.append(error)
            times.append(time.perf_counter() - started)

    await asyncio.gather(*(client(number) for number in range(clients)))
    elapsed, used = time.perf_counter() - began, time.process_time() - cpu
    quantiles = statistics.quantiles(times, n=100)
    return Measured(
        p50=quantiles[49] * 1000,
        p99=quantiles[98] * 1000,
        cpu=used / len(times) * 1000,
        rate=len(times) / elapsed,
        errors=len(errors),
        busy=used / elapsed,
    )


async def profile(api_base: str, seconds: float) -> None:
    """Print where the time of our engine goes."""
    async with aiohttp.ClientSession() as http:
        call = ways(api_base, http)["our engine"]
        await asyncio.gather(*(call() for _ in range(50)))
        profiler = cProfile.Profile()
        profiler.enable()
        await load(call, clients=1, seconds=seconds)
        profiler.disable()
    pstats.Stats(profiler).sort_stats("cumtime").print_stats(60)
    await close_connections()


@contextmanager
def provider(latency_ms: float) -> Iterator[str]:
    """Run the tests' provider and yield its `api_base`."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.provider.server", "--latency-ms", str(latency_ms)],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}/v1"
    finally:
        process.kill()
        process.communicate()


if __name__ == "__main__":
    main()
