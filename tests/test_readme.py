"""The README's samples run as they are written."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, Server, Tenant

ADDRESS = "http://127.0.0.1:8000"


def sample(language: str) -> str:
    text = (ROOT / "README.md").read_text(encoding="utf-8").split("## Use it")[1]
    (found,) = re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)
    return found


def run(command: list[str], server: Server, tenant: Tenant) -> str:
    done = subprocess.run(
        command,
        env={**os.environ, "CLASSIFAILY_KEY": tenant.key},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def here(text: str, server: Server) -> str:
    assert ADDRESS in text
    return text.replace(ADDRESS, server.base_url)


def test_curl(server: Server, tenant: Tenant) -> None:
    output = run(["bash", "-c", here(sample("bash"), server)], server, tenant)
    result = json.loads(output)["result"]
    assert result["label"] == "billing"
    assert result["explanation"]


def test_python(server: Server, tenant: Tenant) -> None:
    output = run([sys.executable, "-c", here(sample("python"), server)], server, tenant)
    assert [line.split()[:2] for line in output.splitlines()] == [
        ["ticket_1", "billing"],
        ["ticket_2", "gardening"],
    ]


@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")
def test_node(server: Server, tenant: Tenant, tmp_path: Path) -> None:
    script = tmp_path / "sample.mjs"
    script.write_text(here(sample("javascript"), server))
    output = run(["node", str(script)], server, tenant)
    assert output.splitlines()[0].split()[0] == "sports"
    assert len(output.splitlines()) == 2


def test_graphql(tenant: Tenant) -> None:
    answer = tenant.client.post("/graphql", json={"query": sample("graphql")}).json()
    classified = answer["data"]["classify"]
    assert classified["errors"] == []
    assert classified["job"]["result"]["label"] == "finance"
    assert len(classified["job"]["result"]["labels"]) == 3
