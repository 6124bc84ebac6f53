"""`evaluate --fit`: a model's temperature, from labelled data to what callers see."""

import json
import math
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from app.engines.contract import ConfidenceSource, Label, Outcome
from app.engines.remote.temperature import tempered
from app.evaluation.fit import LEAST_TEXTS, fit
from tests.conftest import Site, running
from tests.provider.server import Provider

NAMES = ["tech", "billing", "sales"]


def outcome(*labels: tuple[str, float], model: str = "openai/m") -> Outcome:
    return Outcome(
        tuple(Label(*label) for label in labels), 1, ConfidenceSource.MEASURED, model=model
    )


@pytest.mark.parametrize("true_temperature", [0.5, 1.0, 2.5])
def test_the_temperature_of_a_model_is_found(true_temperature: float) -> None:
    chance = random.Random(3)
    answers = []
    for _ in range(4_000):
        scores = sorted((chance.gauss(0, 2) for _ in NAMES), reverse=True)
        weights = [math.exp(score) for score in scores]
        said = [weight / sum(weights) for weight in weights]
        truth = chance.choices(NAMES, tempered(said, true_temperature))[0]
        answers.append((truth, outcome((NAMES[0], said[0]), (NAMES[1], said[1]))))
    (found,) = fit(answers, categories=3)
    assert found.temperature == pytest.approx(true_temperature, rel=0.1)
    assert found.error_after < 0.03
    assert found.error_after <= found.error_before + 0.005


def test_each_model_and_source_has_its_own_if_there_is_enough() -> None:
    sure = [("tech", outcome(("tech", 0.9), ("billing", 0.1)))] * LEAST_TEXTS
    few = [("tech", outcome(("tech", 0.9), model="openai/other"))] * (LEAST_TEXTS - 1)
    (found,) = fit([*sure, *few], categories=3)
    assert (found.model, found.source) == ("openai/m", ConfidenceSource.MEASURED)


def test_certain_and_wrong_answers_do_not_break_it() -> None:
    wrong = [("tech", outcome(("billing", 1.0), ("sales", 0.0)))] * LEAST_TEXTS
    (found,) = fit(wrong, categories=3)
    assert math.isfinite(found.temperature)


def test_a_tempered_distribution_keeps_its_order_and_sum() -> None:
    for temperature in (0.05, 1.0, 20.0):
        flat = tempered((0.7, 0.3, 0.0), temperature)
        assert sum(flat) == pytest.approx(1)
        assert flat[0] > flat[1] >= flat[2]


def test_from_labelled_data_to_the_server(make_site: Callable[..., Site], tmp_path: Path) -> None:
    # The model says 0.92 and is right two times in three: it names what the text does.
    data = tmp_path / "labelled.jsonl"
    rows = [{"text": f"billing {n}", "label": "billing" if n % 3 else "tech"} for n in range(90)]
    data.write_text("\n".join(map(json.dumps, rows)))
    with Provider() as provider:
        site = make_site(model="openai/m", model_api_base=provider.base_url, model_label="auto")
        done = site.command("evaluate", str(data), "--fit")
        assert "accuracy           0.6667" in done.stdout
        assert "openai/m, measured: temperature" in done.stderr
        key = site.create_key(site.create_account())
        with running(site) as server, server.client(key) as client:
            body = {"input": "billing", "categories": ["tech", "billing"]}
            single = client.post("/api/v1/classify", json=body).json()
            multi = client.post("/api/v1/classify", json={**body, "mode": "multi"}).json()
    assert single["meta"]["confidence_source"] == "calibrated"
    assert single["result"]["label"] == "billing"
    assert single["result"]["confidence"] == pytest.approx(2 / 3, abs=0.03)
    assert multi["meta"]["confidence_source"] == "self_reported"


def test_the_embedded_model_has_nothing_to_fit(
    make_site: Callable[..., Site], tmp_path: Path
) -> None:
    data = tmp_path / "labelled.jsonl"
    data.write_text('{"text": "A goal in the final.", "label": "sport"}\n')
    done = make_site().command("evaluate", str(data), "--fit", check=False)
    assert done.returncode == 1
    assert "nothing to fit" in done.stderr
