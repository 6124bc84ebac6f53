"""Request rate and latency of REST and GraphQL against two baselines of the same run.

    python -m benchmarks

The baselines: the same model called in a plain loop in one process, and a bare Starlette route that
calls it with no keys, quota or storage. With the embedded model, and with a model that costs
nothing, which shows the product's own overhead. Everything on loopback, a few seconds each.
"""

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from app.engines.contract import Category, Task
from app.engines.embedded import EmbeddedEngine
from benchmarks.apps import FREE_MODEL, FreeEngine
from benchmarks.load import Measured, load

SECONDS = 5.0
CLIENTS = (1, 16)
TEXT = "How do I change the address on my account, please?"
NAMES = ["billing", "technical", "account", "general"]
REST = json.dumps({"input": TEXT, "categories": NAMES}).encode()
MUTATION = (
    "mutation($input: ClassifyInput!) { classify(input: $input) "
    "{ job { id status result { label confidence } } errors { code message } } }"
)
GRAPHQL = json.dumps(
    {
        "query": MUTATION,
        "variables": {"input": {"input": TEXT, "categories": [{"name": n} for n in NAMES]}},
    }
).encode()


def main() -> None:
    """Measure and print."""
    with TemporaryDirectory() as scratch:
        environment = {**os.environ, "CLASSIFAILY_DATA_DIR": scratch}
        prepare = EmbeddedEngine(Path(scratch) / "models")
        prepare.load()
        prepare.close()
        command(environment, "migrate")
        account = command(environment, "account", "create", "--name", "b", "--plan", "enterprise")
        key = command(environment, "key", "create", "--account", account)
        for title, free in (("embedded model", ""), ("a model that costs nothing", "1")):
            print(f"\n## {title}\n")
            measure({**environment, FREE_MODEL: free}, key, Path(scratch))


def measure(environment: dict[str, str], key: str, data_dir: Path) -> None:
    """Print the table of one engine."""
    plain = asyncio.run(loop_rate(environment[FREE_MODEL], data_dir))
    print(f"plain loop, one task after the other: {plain:,.0f}/s\n")
    print("| clients | what | requests/s | of the bare route | p50 ms | p99 ms |")
    print("| --- | --- | --- | --- | --- | --- |")
    authorised = {"Authorization": f"Bearer {key}"}
    with (
        serving("benchmarks.apps:bare", environment) as bare,
        serving("benchmarks.apps:product", environment) as product,
    ):
        for clients in CLIENTS:
            targets = (
                ("bare route", bare, "/classify", REST, {}),
                ("REST", product, "/api/v1/classify", REST, authorised),
                ("GraphQL", product, "/graphql", GRAPHQL, authorised),
            )
            baseline: Measured | None = None
            for name, port, path, body, headers in targets:
                asyncio.run(load(port, path, body, headers=headers, clients=clients, seconds=1))
                measured = asyncio.run(
                    load(port, path, body, headers=headers, clients=clients, seconds=SECONDS)
                )
                baseline = baseline or measured
                print(
                    f"| {clients} | {name} | {measured.rate:,.0f} "
                    f"| {measured.rate / baseline.rate:.2f} "
                    f"| {measured.p50:.2f} | {measured.p99:.2f} |"
                )


async def loop_rate(free: str, data_dir: Path) -> float:
    """Return the tasks per second of the engine called in a plain loop."""
    engine = FreeEngine() if free else EmbeddedEngine(data_dir / "models")
    task = Task(TEXT, categories=tuple(map(Category, NAMES)))
    for _ in range(20):
        await engine.classify(task)
    count, started = 0, time.perf_counter()
    while time.perf_counter() - started < SECONDS:
        await engine.classify(task)
        count += 1
    rate = count / (time.perf_counter() - started)
    engine.close()
    return rate


def command(environment: dict[str, str], *words: str) -> str:
    """Run the product's command line and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "app", *words],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@contextmanager
def serving(application: str, environment: dict[str, str]) -> Iterator[int]:
    """Serve an application in a process of its own and yield its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    process = subprocess.Popen(
        [
            sys.executable, "-m", "uvicorn", "--factory", application, "--port", str(port),
            "--no-access-log", "--log-level", "error",
        ],
        env=environment,
    )  # fmt: skip
    try:
        wait_until_ready(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=30)


def wait_until_ready(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until the server answers.

    Raises:
        RuntimeError: It ended, or took too long.
    """
    for _ in range(600):
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1).close()
        except urllib.error.URLError:
            if process.poll() is not None:
                break
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the server did not start")


if __name__ == "__main__":
    main()
