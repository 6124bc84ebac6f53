"""The System One wire against what others publish for it.

The conformance suite and TypeSafe's SDK are put against our server; our client against the suite's
own server, whole and with each of its faults, and against a decision model that is real.
"""

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from jevcompat.mock import FAULTS, MockConfig, Running

from app.engines.contract import Category, Mode, Outcome, Task
from app.engines.decisions.engine import DecisionEngine
from app.engines.errors import ModelUnavailable, UnusableAnswer
from app.engines.litellm_provider import close_connections
from app.engines.remote.call import Address
from app.engines.remote.turns import Turns
from tests.conftest import Server, Site, Tenant, running
from tests.servers import free_port, wait_until

NAMES = ("Billing", "Größe und Maß", "技術")
#: What our server does in its own way, and why: docs/decisions/0012-the-systemone-wire.md.
OWN_WAYS = {
    "http.models",
    "auth.missing",
    "auth.invalid",
    "response.extensions",
    "errors.validation-shape",
}
#: Of the faults of a server, those that leave no answer to a choice, to yes-or-no questions.
NO_ANSWER = {
    Mode.TOP_N: {"no-null-description", "nfd-keys", "choice-key-case", "choice-sum"},
    Mode.MULTI: {"first-question-only", "boolean-type", "noul-range"},
}
NO_ANSWER_EVER = {
    *("wrong-route", "xssi-200", "nan", "reject-jev-latest"),
    *("auth-rejects-header", "auth-x-api-key"),
}
#: Those that make another model of it: nobody can tell.
ANOTHER_MODEL = {"id-leaks", "batch-leaks", "order-leaks"}


REFUND = {
    "input": "User: I was charged twice for order 1182, I want my money back",
    "categories": [
        {"name": "flights", "description": "search and book flights"},
        {"name": "refunds", "description": "refund a payment"},
        {"name": "weather", "description": "forecasts for a city"},
    ],
}
ASKED = {
    "state": REFUND["input"],
    "questions": {
        "skill": {
            "type": "choice",
            "instructions": "Which tool fits this request?",
            "criteria": {"flights": "search and book flights", "refunds": "refund a payment"},
        },
        "upset": {"type": "noul", "instructions": "Is the user upset?"},
        "urgency": {
            "type": "score",
            "instructions": "How urgent is this?",
            "criteria": ["can wait", "today", "now"],
        },
    },
}


@pytest.mark.contract("beyond.systemone")
def test_the_published_suite_finds_the_server_conformant(
    server: Server, make_tenant: Callable[..., Tenant], tmp_path: Path
) -> None:
    report = tmp_path / "report.json"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "jevcompat.cli", "test", server.base_url),
            *("--key", make_tenant("enterprise").key, "--json", str(report)),
        ],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "conformant" in done.stdout
    results = json.loads(report.read_text(encoding="utf-8"))["results"]
    assert {result["id"] for result in results if result["status"] == "fail"} == OWN_WAYS
    passed = {result["id"] for result in results if result["status"] == "pass"}
    assert {"dropin.sdk-python", "confidence.formula", "semantics.question-order"} <= passed


@dataclass(frozen=True)
class Asking:
    """Our client at the suite's own server."""

    engine: DecisionEngine
    theirs: MockConfig
    mode: Mode

    async def ask(self, fault: str | None) -> Outcome:
        """Classify one text while the server has a fault."""
        self.theirs.faults = frozenset(() if fault is None else (fault,))
        self.theirs.key = "key-1" if fault == "auth-x-api-key" else None
        categories = tuple(map(Category, NAMES))
        task = Task("I was charged twice.", categories=categories, mode=self.mode)
        return await self.engine.classify(task)


@pytest.fixture(params=[Mode.TOP_N, Mode.MULTI])
async def asking(request: pytest.FixtureRequest) -> AsyncIterator[Asking]:
    theirs = MockConfig()
    with Running(theirs) as running_there:
        address = Address(
            "systemone/jev-latest", timeout_s=5, api_base=running_there.url, api_key="key-1"
        )
        engine = DecisionEngine(address, turns=Turns(1))
        engine.load()
        yield Asking(engine, theirs, request.param)
        await close_connections()


@pytest.mark.filterwarnings("ignore")
async def test_a_faulty_server_is_read_rightly_or_not_at_all(asking: Asking) -> None:
    whole = await asking.ask(None)
    assert {label.label for label in whole.labels} == set(NAMES)
    for fault in FAULTS:
        if fault in NO_ANSWER_EVER | NO_ANSWER[asking.mode]:
            with pytest.raises((UnusableAnswer, ModelUnavailable)):
                await asking.ask(fault)
        else:
            outcome = await asking.ask(fault)
            assert (outcome.labels == whole.labels) == (fault not in ANOTHER_MODEL), fault


def answers(url: str) -> bool:
    try:
        return httpx.get(url).is_success
    except httpx.TransportError:
        return False


def test_a_real_decision_model_answers(make_site: Callable[..., Site]) -> None:
    port = free_port()
    words = (sys.executable, "-m", "sparrow_decider.cli", "serve", "--port", str(port))
    with subprocess.Popen(words, stderr=subprocess.DEVNULL) as sparrow:
        try:
            base = f"http://127.0.0.1:{port}"
            wait_until(lambda: answers(base))
            site = make_site(model="systemone/sparrow", model_api_base=base, model_label="auto")
            with running(site) as server:
                key = site.create_key(site.create_account())
                with server.client(key) as client:
                    reply = client.post("/api/v1/classify", json=REFUND).json()
                    assert reply["result"]["label"] == "refunds"
                    assert reply["meta"]["model"] == "systemone/sparrow"
                    assert reply["meta"]["confidence_source"] == "measured"

                    multi = client.post("/api/v1/classify", json={**REFUND, "mode": "multi"}).json()
                    assert "refunds" in [label["label"] for label in multi["result"]["labels"]]

                    said = client.post("/v1/systemone", json=ASKED).json()["answers"]
                    assert said["skill"]["choice"] == "refunds"
                    assert 0 <= said["upset"]["noul"] <= 1
                    assert set(said["urgency"]["probabilities"]) == {"0", "1", "2"}
        finally:
            sparrow.terminate()
