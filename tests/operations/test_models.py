"""Several models as the metrics show them: each for itself."""

from collections.abc import Callable

from tests.conftest import Site, running
from tests.operations.scraping import scrape, value
from tests.provider.behaviours import refuses
from tests.provider.server import Provider


def test_a_model_that_fails_is_counted_although_the_next_one_answers(
    make_site: Callable[..., Site],
) -> None:
    with Provider() as provider:
        provider.always("first", refuses())
        site = make_site(
            model="openai/first, openai/second",
            model_api_base=provider.base_url,
            model_api_key="sk-secret",
            log_level="debug",
        )
        with running(site) as server:
            with server.client(site.create_key(site.create_account())) as client:
                asked = {"input": "canary7f3a", "categories": ["tech", "billing"]}
                assert client.post("/api/v1/classify", json=asked).status_code == 200
            samples = scrape(server.base_url)
        failures, seconds = "classifaily_model_failures_total", "classifaily_model_seconds_count"
        assert value(samples, failures, model="openai/first") == 1
        assert value(samples, failures) == 1
        assert value(samples, seconds, model="openai/second") == 1
        assert value(samples, "classifaily_classifications_total") == 1
        assert "canary7f3a" not in server.output
        assert "sk-secret" not in server.output
