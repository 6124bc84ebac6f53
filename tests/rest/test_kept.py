"""What stays of a request: a preview and the result, and of a key its hash."""

from pathlib import Path

import pytest

from tests.conftest import Server, Tenant

LONG = "A letter to the landlord about the broken window. " * 3
SECRET = "the-very-end-9d1f3c"


def holders(server: Server, text: str) -> list[Path]:
    """Return the files of the server's own that hold a text."""
    return [
        path
        for path in server.site.data_dir.glob("classifaily.db*")
        if text.encode() in path.read_bytes()
    ]


@pytest.mark.contract("kept.preview")
def test_of_an_input_only_the_preview(server: Server, tenant: Tenant) -> None:
    body = {"input": LONG + SECRET, "categories": ["a", "b"]}
    answer = tenant.client.post("/v1/classify", json=body).json()
    items = {"items": [{"input": LONG + SECRET}], "categories": ["a", "b"]}
    assert tenant.client.post("/v1/batch", json=items).status_code == 200
    job = tenant.client.get(f"/v1/jobs/{answer['id']}").json()
    assert job["input_preview"] == LONG[:100]
    assert holders(server, LONG[:100])
    assert not holders(server, SECRET)


@pytest.mark.contract("kept.store")
def test_with_store_false_not_even_that(server: Server, tenant: Tenant) -> None:
    text = "A short note, 7b0c9e. The striker scored twice. Nobody saw the third goal."
    body = {"input": text, "categories": ["a", "b"], "store": False, "explain": True}
    assert "explanation" in tenant.client.post("/v1/classify", json=body).json()["result"]
    item = {"items": [{"input": text}], "categories": ["a", "b"], "store": False, "explain": True}
    assert tenant.client.post("/v1/batch", json=item).status_code == 200
    assert not holders(server, "7b0c9e")


@pytest.mark.contract("account.key")
def test_of_a_key_only_the_hash(server: Server, tenant: Tenant) -> None:
    assert holders(server, tenant.key[:13])
    assert not holders(server, tenant.key)
    assert not holders(server, tenant.key[20:])
