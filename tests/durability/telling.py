"""Endpoints that are told of what was promised, and whether they were."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

import httpx

from tests.conftest import Site
from tests.databases import query
from tests.webhooks.receiver import Receiver


def reaching(site: Site) -> Site:
    """Let a site reach loopback."""
    allowed = {"CLASSIFAILY_ALLOW_PRIVATE_HOSTS": "127.0.0.1"}
    return replace(site, environment={**site.environment, **allowed})


def register(address: str, key: str, url: str) -> str:
    """Register an endpoint and return its secret."""
    headers = {"Authorization": f"Bearer {key}"}
    made = httpx.post(f"{address}/v1/webhooks", json={"url": url}, headers=headers, timeout=30)
    assert made.status_code == 201, made.text
    return str(made.json()["secret"])


def undelivered(site: Site) -> int:
    """Count the deliveries that have not arrived."""
    rows = query(site.database, "SELECT COUNT(*) FROM deliveries WHERE status <> 'delivered'")
    return int(rows[0][0])


def check_told(receiver: Receiver, path: str, promised: Iterable[int]) -> None:
    """Hold what came to an endpoint to what was promised: each told, under one id."""
    ids = defaultdict(set)
    for told in receiver.received(path):
        ids[int(told.event["id"])].add(told.delivery_id)
    assert set(promised) <= set(ids)
    assert {len(each) for each in ids.values()} == {1}
