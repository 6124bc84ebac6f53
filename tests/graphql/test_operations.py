"""What the operations do, on the real server with its own database and model."""

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from tests.conftest import Server, Tenant
from tests.graphql.asking import ask, post, refusal

ERROR = "errors{code message field docs limit used resetsAt feature requiredPlan}"
JOB = """
id status inputType inputPreview categories schemaId modelUsed tokensUsed latencyMs attempts
createdAt completedAt error{code message}
result{label confidence explanation labels{label confidence explanation}}
meta{model latencyMs tokens mode confidenceSource}
"""
CLASSIFY = f"mutation($i:ClassifyInput!){{classify(input:$i){{job{{{JOB}}} {ERROR}}}}}"
CREATE_KEY = (
    f"mutation($i:CreateApiKeyInput!){{createApiKey(input:$i){{apiKey{{id}} secret {ERROR}}}}}"
)
RENAME_KEY = f"mutation($i:RenameApiKeyInput!){{renameApiKey(input:$i){{apiKey{{name}} {ERROR}}}}}"
REVOKE_KEY = f"mutation($i:RevokeApiKeyInput!){{revokeApiKey(input:$i){{apiKey{{id}} {ERROR}}}}}"
PAGE = """
query($first:Int,$after:String,$last:Int,$before:String){
  jobs(first:$first,after:$after,last:$last,before:$before){
    totalCount nodes{id} edges{cursor node{id}}
    pageInfo{hasNextPage hasPreviousPage startCursor endCursor}
  }
}
"""
SPORT = [
    {"name": "sports", "description": "matches, teams, athletes"},
    {"name": "finance", "examples": ["The bank raised its rates."]},
]


class TestClassify:
    """`classify`."""

    def test_shows_the_same_job_as_rest(self, tenant: Tenant) -> None:
        given = {"input": "The striker scored twice.", "categories": SPORT, "explain": True}
        done = ask(tenant.client, CLASSIFY, i=given)["classify"]
        assert done["errors"] == []
        job = done["job"]
        assert job["status"] == "COMPLETED"
        assert job["result"]["label"] == "sports"
        assert job["result"]["labels"][0]["confidence"] == job["result"]["confidence"]
        assert job["result"]["explanation"]
        assert job["meta"]["mode"] == "SINGLE"
        assert job["categories"] == ["sports", "finance"]
        assert (
            ask(tenant.client, f"query($i:ID!){{job(id:$i){{{JOB}}}}}", i=job["id"])["job"] == job
        )
        rest = tenant.client.get(f"/api/v1/jobs/{job['id']}").json()
        assert rest["result"]["label"] == job["result"]["label"]
        assert rest["result"]["confidence"] == job["result"]["confidence"]
        for ours, theirs in (
            ("inputPreview", "input_preview"),
            ("modelUsed", "model_used"),
            ("tokensUsed", "tokens_used"),
            ("latencyMs", "latency_ms"),
            ("createdAt", "created_at"),
            ("completedAt", "completed_at"),
        ):
            assert job[ours] == rest[theirs]

    def test_multi_and_top_n_have_one_shape(self, tenant: Tenant) -> None:
        given = {"input": "The striker scored twice.", "categories": SPORT}
        multi = ask(tenant.client, CLASSIFY, i={**given, "mode": "MULTI"})["classify"]["job"]
        top = ask(tenant.client, CLASSIFY, i={**given, "mode": "TOP_N", "topN": 2})["classify"][
            "job"
        ]
        assert multi["result"]["labels"][0]["label"] == multi["result"]["label"] == "sports"
        assert [each["label"] for each in top["result"]["labels"]] == ["sports", "finance"]
        assert sum(each["confidence"] for each in top["result"]["labels"]) == pytest.approx(
            1, abs=1e-3
        )

    def test_nothing_above_the_threshold(self, tenant: Tenant) -> None:
        given = {"input": "The striker scored.", "categories": SPORT, "threshold": 1.0}
        result = ask(tenant.client, CLASSIFY, i=given)["classify"]["job"]["result"]
        assert result == {"label": None, "confidence": None, "explanation": None, "labels": []}

    @pytest.mark.parametrize(
        ("given", "field"),
        [
            ({"input": ""}, ["input", "input"]),
            ({"input": "a\x00"}, ["input", "input"]),
            ({"input": "a", "threshold": 2.0}, ["input", "threshold"]),
            ({"input": "a", "mode": "TOP_N", "topN": 0}, ["input", "topN"]),
            ({"input": "a", "categories": []}, ["input", "categories"]),
            (
                {"input": "a", "categories": [{"name": "x"}, {"name": " "}]},
                ["input", "categories", "1", "name"],
            ),
            (
                {"input": "a", "categories": [{"name": "x", "examples": [""]}]},
                ["input", "categories", "0", "examples", "0"],
            ),
        ],
    )
    def test_names_the_wrong_field(
        self, tenant: Tenant, given: dict[str, Any], field: list[str]
    ) -> None:
        done = ask(tenant.client, CLASSIFY, i=given)["classify"]
        assert done["job"] is None
        (error,) = done["errors"]
        assert error["code"] == "INVALID_REQUEST"
        assert error["field"] == field
        assert error["docs"].endswith("/docs#errors")

    def test_several_in_one_operation_run_in_order(self, tenant: Tenant) -> None:
        one = "classify(input:{input:$t}){job{id}}"
        done = ask(tenant.client, f"mutation($t:String!){{a:{one} b:{one} c:{one}}}", t="A match.")
        ids = [int(done[name]["job"]["id"]) for name in "abc"]
        assert ids == sorted(set(ids))


class TestPlans:
    """What the plan and the subscription allow."""

    def test_free_plan_has_no_own_categories(self, make_tenant: Callable[..., Tenant]) -> None:
        free = make_tenant("free")
        (error,) = ask(free.client, CLASSIFY, i={"input": "a", "categories": SPORT})["classify"][
            "errors"
        ]
        assert error["code"] == "PLAN_RESTRICTION"
        assert error["feature"] == "categories"
        assert error["requiredPlan"] == "STARTER"

    def test_quota(self, make_tenant: Callable[..., Tenant]) -> None:
        free = make_tenant("free")
        one = "classify(input:{input:$t}){errors{code limit used resetsAt}}"
        twenty = " ".join(f"a{number}:{one}" for number in range(20))
        for _ in range(5):
            done = post(free.client, f"mutation($t:String!){{{twenty}}}", t="A match.")
            assert all(payload["errors"] == [] for payload in done.json()["data"].values())
        assert done.headers["X-RateLimit-Remaining"] == "0"
        refused = ask(free.client, CLASSIFY, i={"input": "A match."})["classify"]
        (error,) = refused["errors"]
        assert (error["code"], error["limit"], error["used"]) == ("RATE_LIMIT_EXCEEDED", 100, 100)
        assert error["resetsAt"].endswith("-01T00:00:00Z")
        usage = ask(free.client, "{viewer{usage{usage{requests remaining byType{text}}}}}")
        counted = usage["viewer"]["usage"]["usage"]
        assert counted == {"requests": 100, "remaining": 0, "byType": {"text": 100}}

    def test_lapsed_subscription(self, server: Server, make_tenant: Callable[..., Tenant]) -> None:
        lapsed = make_tenant("pro")
        server.site.command("account", "set-status", str(lapsed.account_id), "past_due")
        viewer = ask(lapsed.client, "{viewer{plan status limits{requests}}}")["viewer"]
        assert viewer == {"plan": "PRO", "status": "PAST_DUE", "limits": {"requests": 100_000}}
        (error,) = ask(lapsed.client, CLASSIFY, i={"input": "a"})["classify"]["errors"]
        assert error["code"] == "SUBSCRIPTION_INACTIVE"
        for query in (
            "{jobs{nodes{id}}}", "{usage{period}}", "{apiKeys{id}}", "{plans{plan}}",
            "{models{name}}",
            '{job(id:"1"){id}}',
        ):  # fmt: skip
            assert refusal(lapsed.client, query)["extensions"]["code"] == "SUBSCRIPTION_INACTIVE"

    def test_plans_are_rests(self, tenant: Tenant) -> None:
        limits = (
            "requests batchSize batchFiles inputTypes customCategories schemas apiKeys webhooks "
            "historyDays explain asyncJobs"
        )
        shown = ask(tenant.client, f"{{plans{{plan limits{{{limits}}}}}}}")["plans"]
        rest = tenant.client.get("/api/v1/plans").json()["plans"]
        for ours, theirs in zip(shown, rest, strict=True):
            assert ours["plan"] == theirs.pop("plan").upper()
            theirs["input_types"] = [kind.upper() for kind in theirs["input_types"]]
            assert list(ours["limits"].values()) == list(theirs.values())


class TestJobs:
    """`job` and `jobs`."""

    def _fill(self, tenant: Tenant, count: int) -> list[str]:
        one = "classify(input:{input:$t}){job{id}}"
        many = " ".join(f"a{number}:{one}" for number in range(count))
        done = ask(tenant.client, f"mutation($t:String!){{{many}}}", t="A match.")
        return [payload["job"]["id"] for payload in done.values()]

    def test_pages_stay_stable_while_jobs_arrive(self, make_tenant: Callable[..., Tenant]) -> None:
        tenant = make_tenant()
        newest_first = self._fill(tenant, 7)[::-1]
        first = ask(tenant.client, PAGE, first=3)["jobs"]
        assert [node["id"] for node in first["nodes"]] == newest_first[:3]
        assert first["totalCount"] == 7
        assert first["pageInfo"]["hasNextPage"]
        assert not first["pageInfo"]["hasPreviousPage"]
        self._fill(tenant, 2)
        rest = ask(tenant.client, PAGE, first=10, after=first["pageInfo"]["endCursor"])["jobs"]
        assert [edge["node"]["id"] for edge in rest["edges"]] == newest_first[3:]
        assert not rest["pageInfo"]["hasNextPage"]
        oldest = ask(tenant.client, PAGE, last=2)["jobs"]
        assert [node["id"] for node in oldest["nodes"]] == newest_first[-2:]
        assert oldest["pageInfo"]["hasPreviousPage"]
        before = ask(tenant.client, PAGE, last=2, before=oldest["pageInfo"]["startCursor"])["jobs"]
        assert [node["id"] for node in before["nodes"]] == newest_first[-4:-2]
        assert before["pageInfo"]["hasNextPage"]

    @pytest.mark.parametrize(
        ("arguments", "field"),
        [
            ({"first": 101}, "first"),
            ({"first": -1}, "first"),
            ({"last": 101}, "last"),
            ({"first": 1, "last": 1}, "last"),
            ({"after": "zz"}, "after"),
            ({"before": "é"}, "before"),
            ({"after": "k:1"}, "after"),
        ],
    )
    def test_odd_window(self, tenant: Tenant, arguments: dict[str, Any], field: str) -> None:
        error = refusal(tenant.client, PAGE, **arguments)
        assert error["extensions"]["code"] == "INVALID_REQUEST"
        assert error["extensions"]["field"] == field

    def test_filter(self, make_tenant: Callable[..., Tenant]) -> None:
        tenant = make_tenant()
        self._fill(tenant, 2)
        count = "query($f:JobFilter){jobs(filter:$f){totalCount}}"
        for given, expected in (
            ({"status": "COMPLETED", "inputType": "TEXT"}, 2),
            ({"status": "FAILED"}, 0),
            ({"createdAfter": "2020-01-01T00:00:00Z"}, 2),
            ({"createdBefore": "2020-01-01T00:00:00+01:00"}, 0),
        ):
            assert ask(tenant.client, count, f=given)["jobs"]["totalCount"] == expected

    def test_a_moment_is_the_same_in_every_zone(self, make_tenant: Callable[..., Tenant]) -> None:
        tenant = make_tenant()
        self._fill(tenant, 1)
        count = "query($f:JobFilter){jobs(filter:$f){totalCount}}"
        for hours in (-11, -5, 0, 2, 14):
            zone = timezone(timedelta(hours=hours))
            for minutes, after, before in ((-5, 1, 0), (5, 0, 1)):
                moment = (datetime.now(zone) + timedelta(minutes=minutes)).isoformat()
                for name, expected in (("createdAfter", after), ("createdBefore", before)):
                    found = ask(tenant.client, count, f={name: moment})["jobs"]["totalCount"]
                    assert found == expected, (name, moment)

    def test_accounts_do_not_see_each_other(
        self, tenant: Tenant, make_tenant: Callable[..., Tenant]
    ) -> None:
        (job_id,) = self._fill(tenant, 1)
        other = make_tenant()
        assert ask(other.client, "query($i:ID!){job(id:$i){id}}", i=job_id) == {"job": None}
        assert ask(other.client, PAGE)["jobs"]["nodes"] == []

    @pytest.mark.parametrize("odd", ["", "x", "-1", "9" * 30, "٣", "1 "])
    def test_what_can_not_be_an_id_is_nothing(self, tenant: Tenant, odd: str) -> None:
        assert ask(tenant.client, "query($i:ID!){job(id:$i){id}}", i=odd) == {"job": None}


class TestUsage:
    """`usage`."""

    def test_month_without_use(self, tenant: Tenant) -> None:
        query = (
            '{usage(month:"2020-02"){period usage{requests tokens byDay{date}} limits{resetsAt}}}'
        )
        assert ask(tenant.client, query)["usage"] == {
            "period": "2020-02",
            "usage": {"requests": 0, "tokens": 0, "byDay": []},
            "limits": {"resetsAt": "2020-03-01T00:00:00Z"},
        }

    @pytest.mark.parametrize("month", ["2026-13", "2026", "", "26-01"])
    def test_odd_month(self, tenant: Tenant, month: str) -> None:
        error = refusal(tenant.client, "query($m:String){usage(month:$m){period}}", m=month)
        assert error["extensions"] | {"docs": ""} == {
            "code": "INVALID_REQUEST",
            "field": "month",
            "docs": "",
        }


class TestKeys:
    """API keys."""

    @pytest.mark.contract("request.keys", "account.key")
    def test_life_of_a_key(self, server: Server, make_tenant: Callable[..., Tenant]) -> None:
        tenant = make_tenant()
        made = ask(tenant.client, CREATE_KEY, i={"name": "ci"})["createApiKey"]
        key_id = made["apiKey"]["id"]
        with server.client(made["secret"]) as client:
            assert ask(client, "{viewer{id}}")["viewer"]["id"] == str(tenant.account_id)
            renamed = ask(tenant.client, RENAME_KEY, i={"id": key_id, "name": "deploy"})
            assert renamed["renameApiKey"]["apiKey"]["name"] == "deploy"
            ask(tenant.client, REVOKE_KEY, i={"id": key_id})
            assert post(client, "{viewer{id}}").status_code == 401
        listed = ask(tenant.client, "{apiKeys{id name hint revokedAt}}")["apiKeys"]
        assert listed[0]["name"] == "deploy"
        assert listed[0]["revokedAt"]
        assert made["secret"] not in str(listed)

    def test_plan_has_room_for_so_many(self, make_tenant: Callable[..., Tenant]) -> None:
        free = make_tenant("free")
        (error,) = ask(free.client, CREATE_KEY, i={"name": "second"})["createApiKey"]["errors"]
        assert (error["code"], error["requiredPlan"]) == ("PLAN_RESTRICTION", "STARTER")

    def test_another_accounts_key(self, tenant: Tenant, make_tenant: Callable[..., Tenant]) -> None:
        foreign = ask(make_tenant().client, "{apiKeys{id}}")["apiKeys"][0]["id"]
        for mutation, given in (
            (RENAME_KEY, {"id": foreign, "name": "mine"}),
            (REVOKE_KEY, {"id": foreign}),
            (REVOKE_KEY, {"id": "x"}),
        ):
            (payload,) = ask(tenant.client, mutation, i=given).values()
            assert [error["code"] for error in payload["errors"]] == ["KEY_NOT_FOUND"]

    def test_empty_name(self, tenant: Tenant) -> None:
        (error,) = ask(tenant.client, CREATE_KEY, i={"name": " "})["createApiKey"]["errors"]
        assert error["field"] == ["input", "name"]
