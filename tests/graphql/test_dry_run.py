"""`dryRun: true`: everything is checked, nothing is done."""

from collections.abc import Callable

from tests.conftest import Tenant
from tests.graphql.asking import ask, post

DRY_RUN = "dryRun{requests remainingAfter jobs{inputType mode categories schemaId itemId}}"
ERRORS = "errors{code field limit used}"
CLASSIFY = f"mutation($i:ClassifyInput!){{classify(input:$i){{job{{id}} {DRY_RUN} {ERRORS}}}}}"
BATCH = (
    f"mutation($i:ClassifyBatchInput!){{classifyBatch(input:$i){{batch{{id}} {DRY_RUN} {ERRORS}}}}}"
)


def test_it_says_what_would_be_done(make_tenant: Callable[..., Tenant]) -> None:
    tenant = make_tenant("starter")
    given = {"input": "x", "categories": [{"name": "a"}], "mode": "MULTI", "dryRun": True}
    planned = {"inputType": "TEXT", "mode": "MULTI", "categories": ["a"], "schemaId": None}
    assert ask(tenant.client, CLASSIFY, i=given)["classify"] == {
        "job": None,
        "dryRun": {
            "requests": 1,
            "remainingAfter": 9_999,
            "jobs": [{**planned, "itemId": None}],
        },
        "errors": [],
    }
    items = {"items": [{"input": "x"}, {"input": "y", "id": "q"}], "dryRun": True}
    done = ask(tenant.client, BATCH, i=items)["classifyBatch"]
    assert (done["batch"], done["errors"], done["dryRun"]["requests"]) == (None, [], 2)
    assert [job["itemId"] for job in done["dryRun"]["jobs"]] == ["0", "q"]
    assert ask(tenant.client, "{jobs{totalCount} usage{usage{requests}}}") == {
        "jobs": {"totalCount": 0},
        "usage": {"usage": {"requests": 0}},
    }


def test_it_refuses_what_would_be_refused(make_tenant: Callable[..., Tenant]) -> None:
    tenant = make_tenant("free")
    bad = ask(tenant.client, CLASSIFY, i={"input": " ", "dryRun": True})["classify"]
    assert (bad["dryRun"], bad["errors"][0]["field"]) == (None, ["input", "input"])
    spent = "mutation($t:String!){" + " ".join(
        f"a{n}:classify(input:{{input:$t}}){{errors{{code}}}}" for n in range(20)
    )
    for _ in range(5):
        assert post(tenant.client, spent + "}", t="x").status_code == 200
    for query, given in ((CLASSIFY, {"input": "x"}), (BATCH, {"items": [{"input": "x"}]})):
        (payload,) = ask(tenant.client, query, i={**given, "dryRun": True}).values()
        (error,) = payload["errors"]
        assert (error["code"], error["limit"], error["used"]) == ("RATE_LIMIT_EXCEEDED", 100, 100)


def test_the_real_request_has_no_dry_run(tenant: Tenant) -> None:
    done = ask(tenant.client, CLASSIFY, i={"input": "x"})["classify"]
    assert done["job"]
    assert done["dryRun"] is None
