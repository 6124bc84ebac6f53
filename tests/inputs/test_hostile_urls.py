"""Hostile URLs as inputs, through the API: none is a fault of ours, and none leads anywhere."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.conftest import Site, running
from tests.inputs.origin import Origin
from tests.outbound.hostile_urls import HOSTILE_URLS
from tests.provider.server import Provider

CODES = {"invalid_request", "media_unavailable"}


@pytest.fixture(scope="module")
def origin() -> Iterator[Origin]:
    """A server on every loopback address, which nobody may reach."""
    with Origin(host="0.0.0.0") as started:  # noqa: S104
        yield started


@pytest.fixture(scope="module")
def client(make_site: Callable[..., Site]) -> Iterator[httpx.Client]:
    """A caller of a server that may reach nothing private."""
    with Provider() as provider:
        site = make_site(
            model="openai/seer",
            model_image="openai/seer",
            model_api_base=provider.base_url,
            media_timeout="5",
        )
        with running(site) as server:
            key = site.create_key(site.create_account())
            with server.client(key) as client:
                yield client
        assert provider.requests == []


def said_of(client: httpx.Client, url: str) -> tuple[int, str, str]:
    answer = client.post("/v1/classify", json={"input": url, "type": "image"})
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["message"]


def test_no_hostile_url_is_a_fault_or_reaches_anything(
    client: httpx.Client, origin: Origin
) -> None:
    urls = [
        url.replace("{port}", str(origin.port))
        for url in HOSTILE_URLS
        # What is no Unicode is refused as JSON.
        if url.isascii() or url.encode(errors="replace").decode() == url
    ]
    assert len(urls) > 300
    with ThreadPoolExecutor(16) as pool:
        said = dict(zip(urls, pool.map(lambda url: said_of(client, url), urls), strict=True))
    for url, (status, code, _) in said.items():
        assert (status, code in CODES) == (400, True), (url, status, code)
    assert origin.connections == 0
    # It does count those that reach it.
    assert httpx.get(origin.url("/status/404")).status_code == 404
    assert origin.connections == 1
    usage = client.get("/v1/usage").json()["usage"]
    assert usage["requests"] == 0


def test_nothing_is_said_of_what_a_name_leads_to(client: httpx.Client, origin: Origin) -> None:
    names = ("vault.corp", "nowhere.invalid", "localhost", "metadata.google.internal")
    said = {said_of(client, f"http://{name}:8080/")[2].replace(name, "NAME") for name in names}
    assert said <= {
        "input: could not be fetched. NAME has no public address.",
        # Where no name server answers at all.
        "input: could not be fetched. The name NAME could not be looked up.",
        "input: could not be fetched. There was no complete answer within 5 seconds.",
    }
