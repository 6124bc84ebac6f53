"""Promises made by a server, and whether they were kept."""

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import httpx

from app.storage.location import Location
from tests.databases import query

CATEGORIES = ["billing", "sports", "cooking"]
BODY = {"input": "I was charged twice this month.", "categories": CATEGORIES, "async": True}


@dataclass
class Submitter:
    """Submits jobs to whichever server answers, and notes each 202."""

    urls: list[str]
    key: str
    wanted: int
    pause_s: float = 0.0
    promised: list[int] = field(default_factory=list)
    refused: Counter[int] = field(default_factory=Counter)

    def run(self) -> None:
        """Submit until `wanted` jobs were promised."""
        headers = {"Authorization": f"Bearer {self.key}"}
        with httpx.Client(headers=headers, timeout=30) as client:
            while len(self.promised) < self.wanted:
                url = random.choice(self.urls)
                try:
                    answer = client.post(f"{url}/v1/classify", json=BODY)
                except httpx.TransportError:
                    time.sleep(0.05)
                    continue
                if answer.status_code == 202:
                    self.promised.append(int(answer.json()["id"]))
                    time.sleep(self.pause_s)
                else:
                    self.refused[answer.status_code] += 1
                    time.sleep(0.05)


def in_background(submitter: Submitter) -> threading.Thread:
    """Submit in a thread of its own."""
    thread = threading.Thread(target=submitter.run, daemon=True)
    thread.start()
    return thread


def statuses(database: Location) -> Counter[str]:
    """Count all jobs by status."""
    rows = query(database, "SELECT status, COUNT(*) FROM jobs GROUP BY status")
    return Counter({status: int(count) for status, count in rows})


def open_jobs(database: Location) -> int:
    """Count the jobs that have not ended."""
    found = statuses(database)
    return found["pending"] + found["processing"]


def check_kept(database: Location, promised: list[int]) -> None:
    """Hold the database to what was promised: all of it done, each billed once, told once."""
    done = {row[0] for row in query(database, "SELECT id FROM jobs WHERE status = 'completed'")}
    assert set(promised) <= done
    assert len(set(promised)) == len(promised)
    # A job whose 202 was lost on the way has been done too; nothing else was billed.
    ((used,),) = query(database, "SELECT COALESCE(SUM(used), 0) FROM usage_months")
    ((requests,),) = query(database, "SELECT COALESCE(SUM(requests), 0) FROM usage_days")
    assert int(used) == int(requests) == len(done)
    assert query(database, "SELECT COUNT(*) FROM job_inputs") == [(0,)]
    assert query(database, "SELECT COUNT(*) FROM jobs WHERE lease_id IS NOT NULL") == [(0,)]
