"""`classifaily worker`: background work in processes of its own, for the Redis broker."""

import asyncio
import logging
import multiprocessing
import os
import signal
import sys
from contextlib import AbstractContextManager, nullcontext
from multiprocessing.context import SpawnProcess
from typing import NoReturn

import click

from app.cli.errors import errors_told
from app.cli.ports import check_port_is_free
from app.lifeline import end_with_parent
from app.logs import configure_logging
from app.observability.exposition import serving_metrics, shared_between_processes
from app.observability.tracing import closing, open_tracing
from app.runtime import open_services
from app.settings import PREFIX, Settings, load_settings
from app.storage.database import wait_until_reachable
from app.workers.background import THREADS


@click.command()
@click.option("--processes", type=click.IntRange(min=1), default=1, show_default=True)
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    default=THREADS,
    show_default=True,
    help="Threads that take messages from the broker, in each process.",
)
def worker(processes: int, threads: int) -> None:
    """Run jobs and deliveries that wait, until told to stop by SIGTERM or SIGINT."""
    settings = load_settings()
    if settings.broker_is_embedded:
        raise click.ClickException(
            f"{PREFIX}BROKER_URL is {settings.broker_url}: `serve` does the background work "
            "itself. Workers need redis://…"
        )
    if processes == 1:
        with _metrics(settings):
            _run(settings, threads)
    with shared_between_processes(settings.data_dir, "worker"), _metrics(settings):
        ended = _supervise(settings, processes, threads)
    sys.exit(ended)


def _run(settings: Settings, threads: int) -> NoReturn:
    with errors_told():
        asyncio.run(_work(settings, threads))
    # The engine's threads may go on for seconds with what was handed back, and Python would wait
    # for them. Everything that had to be written has been.
    logging.shutdown()
    os._exit(0)


def _metrics(settings: Settings) -> AbstractContextManager[None]:
    port = settings.worker_metrics_port
    if not port:
        return nullcontext()
    check_port_is_free(settings.host, port, f"{PREFIX}WORKER_METRICS_PORT")
    return serving_metrics(port, host=settings.host)


async def _work(settings: Settings, threads: int) -> None:
    configure_logging(settings)
    end_with_parent()
    await wait_until_reachable(settings.database)
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told.set)
    tracing = open_tracing()
    async with (
        closing(tracing),
        open_services(settings, works=True, threads=threads, tracing=tracing),
    ):
        click.echo("The worker is ready.", err=True)
        await told.wait()


def _supervise(settings: Settings, count: int, threads: int) -> int:
    """Run `count` workers, start those anew that die, and end them all when told to."""
    told: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _frame: told.append(number))
    children = [_start(settings, threads) for _ in range(count)]
    while not told:
        # A signal ends the pause.
        signal.sigtimedwait([], 1)
        for place, child in enumerate(children):
            if child.exitcode is not None and not told:
                click.echo(f"A worker ended with {child.exitcode}: another starts.", err=True)
                children[place] = _start(settings, threads)
    for child in children:
        child.terminate()
    for child in children:
        child.join()
    return max(abs(child.exitcode or 0) for child in children)


def _start(settings: Settings, threads: int) -> SpawnProcess:
    child = multiprocessing.get_context("spawn").Process(target=_run, args=(settings, threads))
    child.start()
    return child
