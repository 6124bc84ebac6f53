"""Sending operations to the real server."""

from typing import Any

import httpx


def post(client: httpx.Client, query: str, **variables: Any) -> httpx.Response:
    """Send an operation."""
    return client.post("/graphql", json={"query": query, "variables": variables})


def ask(client: httpx.Client, query: str, **variables: Any) -> Any:
    """Run an operation that must succeed, and return its data."""
    body = post(client, query, **variables).json()
    assert "errors" not in body, body
    return body["data"]


def refusal(client: httpx.Client, query: str, **variables: Any) -> Any:
    """Run an operation that must fail, and return its first error."""
    return post(client, query, **variables).json()["errors"][0]
