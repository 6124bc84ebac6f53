"""A server whose models see and hear, and a web server that it may reach."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.domain.accounts.manage import create_account
from app.domain.keys.manage import create_key
from app.domain.plans import Plan
from app.storage.database import open_orm
from tests.conftest import Server, Site, running
from tests.inputs.origin import Origin
from tests.provider.server import Provider
from tests.servers import in_own_loop, wait_until

MODELS = {"image": "openai/seer", "audio": "openai/hearer", "video": "openai/watcher"}
# Small enough to be passed in a test.
LIMITS = {"max_image_bytes": "200000", "max_audio_bytes": "300000", "max_video_bytes": "400000"}


@dataclass(frozen=True)
class Place:
    """A server, its models' provider, a web server, and a caller."""

    server: Server
    provider: Provider
    origin: Origin
    client: httpx.Client

    def classify(self, **body: Any) -> httpx.Response:
        """POST /classify, of two categories and type image unless told otherwise."""
        asked = {"type": "image", "categories": ["cat", "dog"], **body}
        return self.client.post("/api/v1/classify", json=asked)

    def new_account(self, plan: Plan) -> tuple[int, str]:
        """Make an account and return its id and a key."""

        async def make() -> tuple[int, str]:
            async with open_orm(self.server.site.database):
                account = await create_account("media", plan=plan)
                return account.id, (await create_key(account, "test")).secret

        return in_own_loop(make)

    def files(self) -> Iterator[Path]:
        """Yield what the server holds in its temporary folder now."""
        return self.server.site.data_dir.glob("tmp/classifaily-media-*/*")

    def used(self) -> int:
        """Return the requests counted this month."""
        usage = self.client.get("/api/v1/usage").json()["usage"]
        used: int = usage["requests"]
        return used

    def ended(self, job_id: str) -> dict[str, Any]:
        """Wait for a job or a batch to end and return it."""
        found: dict[str, Any] = {}

        def has_ended() -> bool:
            found.update(self.client.get("/api/v1/jobs", params={"id": job_id}).json())
            return found["status"] in {"completed", "failed"}

        wait_until(has_ended, timeout_s=30)
        return found


@pytest.fixture(scope="session")
def place(make_site: Callable[..., Site]) -> Iterator[Place]:
    with Provider() as provider, Origin() as origin:
        site = make_site(
            model="openai/reader",
            **{f"model_{kind}": name for kind, name in MODELS.items()},
            **LIMITS,
            media_timeout="2",
            model_api_base=provider.base_url,
            model_api_key="sk-secret",
            allow_private_hosts="127.0.0.1",
            log_level="debug",
        )
        temporary = site.data_dir / "tmp"
        temporary.mkdir()
        site.environment["TMPDIR"] = str(temporary)
        with running(site) as server:
            place = Place(server, provider, origin, httpx.Client())
            _, key = place.new_account(Plan.ENTERPRISE)
            with server.client(key) as client:
                yield replace(place, client=client)
            place.client.close()
        for secret in ("/file/", "base64", "127.0.0.1:" + origin.url("").rpartition(":")[2]):
            assert secret not in server.output
