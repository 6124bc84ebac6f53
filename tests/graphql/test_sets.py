"""`classify` with `schemaIds` or `categorySets`."""

from collections.abc import Callable

from tests.conftest import Tenant
from tests.graphql.asking import ask

CLASSIFY = """
mutation ($input: ClassifyInput!) {
  classify(input: $input) {
    job { id }
    batch {
      id
      status
      meta { total completed }
      results { id itemId schema { id name } categories result { label labels { label } } }
    }
    dryRun { requests jobs { schemaId itemId categories } }
    errors { code message field }
  }
}
"""
CREATE = "mutation ($input: CreateSchemaInput!) { createSchema(input: $input) { schema { id } } }"
SETS = [
    {"name": "tone", "categories": [{"name": "angry"}, {"name": "friendly"}]},
    {"categories": [{"name": "billing"}, {"name": "technical"}]},
]


def make_schema(tenant: Tenant, name: str) -> str:
    categories = [{"name": "billing"}, {"name": "technical"}]
    made = ask(tenant.client, CREATE, input={"name": name, "categories": categories})
    schema_id: str = made["createSchema"]["schema"]["id"]
    return schema_id


def test_each_schema_has_a_job_with_it(make_tenant: Callable[..., Tenant]) -> None:
    tenant = make_tenant("pro")
    ids = [make_schema(tenant, name) for name in ("One", "Two")]
    done = ask(tenant.client, CLASSIFY, input={"input": "charged twice", "schemaIds": ids[::-1]})
    payload = done["classify"]
    assert (payload["job"], payload["errors"], payload["dryRun"]) == (None, [], None)
    batch = payload["batch"]
    assert batch["meta"] == {"total": 2, "completed": 2}
    assert [job["schema"]["id"] for job in batch["results"]] == ids[::-1]
    assert [job["itemId"] for job in batch["results"]] == ["Two", "One"]
    assert {job["result"]["label"] for job in batch["results"]} == {"billing"}
    read = ask(tenant.client, "query ($id: ID!) { batch(id: $id) { id results { id } } }", **batch)
    assert [job["id"] for job in read["batch"]["results"]] == [j["id"] for j in batch["results"]]


def test_category_sets_keep_their_order_and_names(tenant: Tenant) -> None:
    done = ask(tenant.client, CLASSIFY, input={"input": "charged twice", "categorySets": SETS})
    results = done["classify"]["batch"]["results"]
    assert [job["itemId"] for job in results] == ["tone", None]
    assert results[1]["categories"] == ["billing", "technical"]


def test_a_dry_run_tells_the_jobs(tenant: Tenant) -> None:
    asked = {"input": "x", "categorySets": SETS, "dryRun": True}
    payload = ask(tenant.client, CLASSIFY, input=asked)["classify"]
    assert payload["batch"] is None
    assert payload["dryRun"]["requests"] == 2
    assert [job["itemId"] for job in payload["dryRun"]["jobs"]] == ["tone", None]


def test_what_is_wrong_is_named_as_graphql_names_it(tenant: Tenant) -> None:
    for extra, field in (
        ({"schemaIds": []}, ["input", "schemaIds"]),
        ({"schemaIds": ["1"], "schemaId": "2"}, ["input", "schemaId"]),
        ({"schemaIds": ["1"], "categorySets": SETS}, ["input", "categorySets"]),
        ({"categorySets": [SETS[0], SETS[0]]}, ["input", "categorySets", "1", "name"]),
    ):
        payload = ask(tenant.client, CLASSIFY, input={"input": "x", **extra})["classify"]
        (error,) = payload["errors"]
        assert (error["code"], error["field"]) == ("INVALID_REQUEST", field)
        assert payload["batch"] is None
    unknown = ask(tenant.client, CLASSIFY, input={"input": "x", "schemaIds": ["nope"]})
    assert unknown["classify"]["errors"][0]["code"] == "SCHEMA_NOT_FOUND"
