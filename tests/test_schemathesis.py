"""Requests made from the served documents, valid and not, alone and one upon the other.

Schemathesis runs as its own command: it is what a user of the API would run.
"""

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.conftest import ROOT, Server, Tenant


def schemathesis(*words: str) -> None:
    """Run Schemathesis and fail with what it says when it finds something."""
    done = subprocess.run(
        [sys.executable, "-m", "schemathesis.cli", *words],
        cwd=ROOT,
        env={**os.environ, "SCHEMATHESIS_HOOKS": "tests.schemathesis_checks"},
        capture_output=True,
        text=True,
        timeout=290,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]


@pytest.mark.timeout(300)
def test_every_rest_answer_is_as_the_document_says(
    server: Server, make_tenant: Callable[..., Tenant]
) -> None:
    # One of its own: it sets what an account has to set.
    tenant = make_tenant()
    schemathesis(
        "run", f"{server.base_url}/api/v1/openapi.json",
        "-H", f"Authorization: Bearer {tenant.key}",
        "--max-examples", "6", "--seed", "1",
        "--checks", "all",
        # How fast data can be made depends on what else the machine does.
        "--suppress-health-check", "too_slow",
        # The first takes a schema deleted at its one address for lost at the other. The second
        # knows only the rules that JSON Schema has words for, not that names must be unlike.
        "--exclude-checks", "ensure_resource_availability,positive_data_acceptance",
    )  # fmt: skip


@pytest.mark.timeout(300)
def test_every_graphql_operation_is_answered_or_refused_in_words(
    server: Server, make_tenant: Callable[..., Tenant]
) -> None:
    tenant = make_tenant()
    # Schemathesis takes each refusal for a fault of the server; ours are told by their code.
    schemathesis(
        "run", f"{server.base_url}/graphql",
        "-H", f"Authorization: Bearer {tenant.key}",
        "--max-examples", "20", "--seed", "1",
        "--checks", "graphql_refusals_are_documented,content_type_conformance",
    )  # fmt: skip
