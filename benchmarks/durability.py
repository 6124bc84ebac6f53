"""Promised jobs against kills, in earnest.

    python -m benchmarks.durability [jobs] [kills]

By default 10,000 jobs and 200 kills for the cluster (a web process, two workers, Redis and
PostgreSQL of its own) and for one process on SQLite. It ends with an error when a promise was
broken, a job billed twice, or an input left behind.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from tests.conftest import Site
from tests.durability.blows import endure_alone, endure_cluster
from tests.durability.promises import Submitter
from tests.servers import start_postgres, start_redis
from tests.webhooks.receiver import Receiver


def main() -> None:
    """Kill, check and print."""
    jobs = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    kills = int(sys.argv[2]) if len(sys.argv) > 2 else 200
    postgres, redis = start_postgres(), start_redis()
    try:
        cluster = _site(CLASSIFAILY_DATABASE_URL=postgres.url(), CLASSIFAILY_BROKER_URL=redis.url)
        cluster.command("migrate")
        _report(
            "cluster",
            lambda told: endure_cluster(cluster, postgres, redis, told, jobs=jobs, kills=kills),
        )
    finally:
        postgres.close()
        redis.close()
    alone = _site()
    _report("one process", lambda told: endure_alone(alone, told, jobs=jobs, kills=kills))


def _site(**variables: str) -> Site:
    folder = Path(tempfile.mkdtemp(prefix="classifaily-durability-"))
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("CLASSIFAILY_")}
    return Site({**inherited, "CLASSIFAILY_DATA_DIR": str(folder), **variables}, folder)


def _report(name: str, endure: Callable[[Receiver], Submitter]) -> None:
    began = time.monotonic()
    with closing(Receiver()) as told:
        submitter = endure(told)
    print(
        f"{name}: {len(submitter.promised):,} promises kept, each billed once and told, in "
        f"{time.monotonic() - began:.0f} s; refused meanwhile: {dict(submitter.refused)}"
    )


if __name__ == "__main__":
    main()
