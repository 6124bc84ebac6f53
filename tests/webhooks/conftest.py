"""A server that may reach loopback, an endpoint there, and tenants with webhooks."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx
import pytest

from app.domain.accounts.manage import create_account
from app.domain.keys.manage import create_key
from app.domain.plans import Plan
from app.storage.database import open_orm
from tests.conftest import Server, Site, running
from tests.databases import query
from tests.servers import in_own_loop, wait_until
from tests.webhooks.receiver import Receiver

_paths = count()


@dataclass(frozen=True)
class Owner:
    """An account of the server that may reach loopback, and the endpoint there."""

    site: Site
    account_id: int
    client: httpx.Client
    receiver: Receiver

    def register(self, kind: str = "ok", **body: Any) -> dict[str, Any]:
        """Register a path of its own; `kind` is how it behaves. `path` is added to the answer."""
        path = f"/{kind}/{next(_paths)}"
        body = {"url": self.receiver.url(path), **body}
        made = self.client.post("/api/v1/webhooks", json=body)
        assert made.status_code == 201, made.text
        return {**made.json(), "path": path}

    def classify(self, **body: Any) -> httpx.Response:
        """Classify something."""
        asked = {"input": "I was charged twice.", "categories": ["billing", "sports"], **body}
        return self.client.post("/api/v1/classify", json=asked)

    def webhook(self, webhook: dict[str, Any]) -> dict[str, Any]:
        """Return a webhook as it is now."""
        return self.client.get(f"/api/v1/webhooks/{webhook['id']}").json()

    def post(self, webhook: dict[str, Any], verb: str, **body: Any) -> httpx.Response:
        """Ask one of the verbs of a webhook."""
        return self.client.post(f"/api/v1/webhooks/{webhook['id']}/{verb}", json=body)

    def log(self, webhook: dict[str, Any], **params: Any) -> list[dict[str, Any]]:
        """Return a webhook's deliveries, newest first."""
        answer = self.client.get(f"/api/v1/webhooks/{webhook['id']}/deliveries", params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()["deliveries"]

    def wait_for(self, webhook: dict[str, Any], status: str, *, attempts: int = 1) -> Any:
        """Wait until the newest delivery stands so after so many attempts, and return it."""

        def stands() -> bool:
            found = self.log(webhook)[:1]
            return bool(found) and (found[0]["status"], len(found[0]["attempts"])) == (
                status,
                attempts,
            )

        wait_until(stands, timeout_s=20)
        return self.log(webhook)[0]

    def alter(self, webhook: dict[str, Any], columns: str) -> None:
        """Change a webhook's row past the product."""
        update = "UPDATE webhooks SET"
        query(self.site.database, f"{update} {columns} WHERE id = {webhook['id']}")

    def make_due(self, webhook: dict[str, Any]) -> None:
        """Let everything that waits for a webhook be due now."""
        sql = "UPDATE deliveries SET due_at = '2026-01-01 00:00:00+00:00' WHERE status = 'pending'"
        query(self.site.database, f"{sql} AND webhook_id = {webhook['id']}")


async def make_account(site: Site, plan: Plan) -> tuple[int, str]:
    """Make an account and a key: there are many here, and the command takes its time to start."""
    async with open_orm(site.database):
        account = await create_account("test", plan=plan)
        return account.id, (await create_key(account, "test")).secret


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    """An endpoint on loopback."""
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture(scope="session")
def hook_server(make_site: Callable[..., Site]) -> Iterator[Server]:
    """A server that may reach loopback."""
    site = make_site(allow_private_hosts="127.0.0.1")
    with running(site) as server:
        yield server


@pytest.fixture(scope="session")
def make_owner(hook_server: Server, receiver: Receiver) -> Iterator[Callable[..., Owner]]:
    """Return a function that makes an account."""
    clients: list[httpx.Client] = []

    def make(plan: str = "pro") -> Owner:
        account_id, key = in_own_loop(lambda: make_account(hook_server.site, Plan(plan)))
        clients.append(hook_server.client(key))
        return Owner(hook_server.site, account_id, clients[-1], receiver)

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def owner(make_owner: Callable[..., Owner]) -> Owner:
    """A pro account of this test's own."""
    return make_owner()
