"""What the tests of REST and GraphQL show on SQLite holds on PostgreSQL too: their main paths."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.conftest import Server, Site, Tenant, running
from tests.databases import PostgresDatabases, query
from tests.graphql.asking import ask
from tests.servers import in_own_loop

TOPICS = ["billing", "technical"]
# In 32 bits there is no such key.
BEYOND = 2**40


@pytest.fixture(scope="module")
def postgres_server(
    make_site: Callable[..., Site], postgres_databases: PostgresDatabases
) -> Iterator[Server]:
    """A server on a fresh PostgreSQL database."""
    database = in_own_loop(postgres_databases.make)
    with running(make_site(database_url=database.url)) as started:
        yield started
    in_own_loop(lambda: postgres_databases.drop(database))


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def tenants(request: pytest.FixtureRequest) -> Iterator[Callable[..., Tenant]]:
    """Return a function that makes a tenant of a server on either database."""
    name = "server" if request.param == "sqlite" else "postgres_server"
    server: Server = request.getfixturevalue(name)
    clients: list[httpx.Client] = []

    def make(plan: str = "pro") -> Tenant:
        account_id = server.site.create_account(plan)
        key = server.site.create_key(account_id)
        clients.append(server.client(key))
        return Tenant(server.site, account_id, key, clients[-1])

    yield make
    for client in clients:
        client.close()


@pytest.fixture(scope="module")
def tenant(tenants: Callable[..., Tenant]) -> Tenant:
    """A tenant for tests that count nothing."""
    return tenants()


def post(tenant: Tenant, path: str, body: dict[str, Any], **headers: str) -> httpx.Response:
    return tenant.client.post(f"/api/v1{path}", json=body, headers=headers)


def get(tenant: Tenant, path: str, **query: Any) -> Any:
    response = tenant.client.get(f"/api/v1{path}", params=query)
    assert response.status_code == 200, response.text
    return response.json()


def until_ended(tenant: Tenant, job_id: str) -> Any:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = get(tenant, "/jobs", id=job_id)
        if found["status"] in {"completed", "failed"}:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{job_id} did not end")


def test_a_schemas_life(tenants: Callable[..., Tenant]) -> None:
    tenant = tenants()
    rich = {"name": "böse \u202e e\u0301 🙂", "description": "d", "examples": ["x", "y"]}
    body = {"name": "Zeile\n%_\\", "categories": [rich, "plain"], "type": "text", "mode": "multi"}
    made = post(tenant, "/schemas", body)
    assert made.status_code == 201
    schema = made.json()
    assert schema["categories"] == [rich, {"name": "plain"}]
    assert (schema["name"], schema["total_uses"]) == (body["name"], 0)
    assert get(tenant, "/schemas", id=schema["id"]) == schema
    answer = post(tenant, "/classify", {"input": "x", "schema": schema["id"]}).json()
    changed = tenant.client.patch(
        f"/api/v1/schemas/{schema['id']}", json={"categories": TOPICS, "description": None}
    ).json()
    assert (changed["categories"], changed["total_uses"]) == (TOPICS, 1)
    job = get(tenant, "/jobs", id=answer["id"])
    assert job["categories"] == [rich["name"], "plain"]
    second = post(tenant, "/schemas", {"name": "B", "categories": TOPICS}).json()
    listed = get(tenant, "/schemas", limit=1)
    assert (listed["total"], listed["schemas"]) == (2, [second])
    assert get(tenant, "/schemas", limit=1, offset=1)["schemas"] == [changed]
    assert tenant.client.delete(f"/api/v1/schemas/{schema['id']}").status_code == 204
    assert tenant.client.get(f"/api/v1/schemas/{schema['id']}").status_code == 404
    assert get(tenant, "/jobs", id=answer["id"]) == job


def test_classify_batch_and_sets_while_waiting(tenants: Callable[..., Tenant]) -> None:
    tenant = tenants()
    text = "I was charged twice \u202e 🙂 \u0085 " + "é" * 200
    answer = post(tenant, "/classify", {"input": text, "categories": TOPICS, "explain": True})
    assert answer.status_code == 200
    job = get(tenant, "/jobs", id=answer.json()["id"])
    assert job["input_preview"] == text[:100]
    assert job["result"] == answer.json()["result"]
    assert job["created_at"].endswith("Z")
    items = [{"id": f"n{n}", "input": f"number {n}"} for n in range(40)]
    batch = post(tenant, "/batch", {"items": items, "mode": "top_n"}).json()
    assert [each["id"] for each in batch["results"]] == [item["id"] for item in items]
    assert get(tenant, "/jobs", id=batch["id"]) == batch
    sets = post(tenant, "/classify", {"input": text, "category_sets": [TOPICS, ["a", "b"]]}).json()
    assert get(tenant, "/jobs", id=sets["id"]) == sets
    usage = get(tenant, "/usage")["usage"]
    assert usage["requests"] == usage["by_type"]["text"] == 43
    assert usage["remaining"] == 100_000 - 43
    assert usage["tokens"] > 0
    assert get(tenant, "/usage", month="2024-02")["usage"]["requests"] == 0


@pytest.mark.parametrize("text", ["a\x00b", "\ud800"])
def test_text_that_no_database_takes_is_refused(tenant: Tenant, text: str) -> None:
    content = {"Content-Type": "application/json"}
    escaped = "".join(f"\\u{ord(char):04x}" for char in text)
    for path, body in (
        ("/classify", f'{{"input": "{escaped}"}}'),
        ("/classify", f'{{"input": "x", "categories": ["{escaped}"]}}'),
        ("/batch", f'{{"items": [{{"input": "x", "id": "{escaped}"}}]}}'),
        ("/schemas", f'{{"name": "{escaped}", "categories": ["a"]}}'),
    ):
        response = tenant.client.post(f"/api/v1{path}", content=body, headers=content)
        assert response.status_code == 400, (path, response.text)
    query_text = tenant.client.get("/api/v1/jobs", params={"id": "\x00"})
    assert query_text.status_code == 400


def test_who_does_not_wait_polls(tenants: Callable[..., Tenant]) -> None:
    tenant = tenants()
    promised = post(tenant, "/classify", {"input": "x", "categories": TOPICS, "async": True})
    assert promised.status_code == 202
    assert until_ended(tenant, promised.json()["id"])["result"]["label"] in TOPICS
    items = [{"input": f"{n}"} for n in range(70)]
    batch = post(tenant, "/batch", {"items": items, "async": True}).json()
    ended = until_ended(tenant, batch["id"])
    assert [each["id"] for each in ended["results"]] == [str(n) for n in range(70)]
    assert ended["meta"]["completed"] == 70


def test_jobs_are_listed_filtered_and_paged(tenants: Callable[..., Tenant]) -> None:
    tenant = tenants()
    ids = [post(tenant, "/classify", {"input": f"{n}"}).json()["id"] for n in range(5)][::-1]
    page = get(tenant, "/jobs", limit=2, offset=1)
    assert (page["total"], [job["id"] for job in page["jobs"]]) == (5, ids[1:3])
    assert get(tenant, "/jobs", status="failed")["total"] == 0
    assert get(tenant, "/jobs", status="completed", input_type="text")["total"] == 5
    asked = """
    query ($first: Int, $after: String, $last: Int, $before: String, $filter: JobFilter) {
      jobs(first: $first, after: $after, last: $last, before: $before, filter: $filter) {
        totalCount nodes { id } pageInfo { endCursor startCursor hasNextPage }
      }
    }
    """
    first = ask(tenant.client, asked, first=2)["jobs"]
    assert [node["id"] for node in first["nodes"]] == ids[:2]
    rest = ask(tenant.client, asked, after=first["pageInfo"]["endCursor"])["jobs"]
    assert [node["id"] for node in rest["nodes"]] == ids[2:]
    back = ask(tenant.client, asked, last=1, before=rest["pageInfo"]["startCursor"])["jobs"]
    assert [node["id"] for node in back["nodes"]] == ids[1:2]
    none = ask(tenant.client, asked, filter={"createdBefore": "2020-01-01T00:00:00Z"})["jobs"]
    assert none["totalCount"] == 0
    zoned = {"createdAfter": "2020-01-01T00:00:00+05:00"}
    assert ask(tenant.client, asked, filter=zoned)["jobs"]["totalCount"] == 5


def test_graphql_reads_what_it_wrote(tenants: Callable[..., Tenant]) -> None:
    tenant = tenants()
    made = ask(
        tenant.client,
        """mutation ($input: CreateSchemaInput!) {
          createSchema(input: $input) { schema { id } errors { code } } }""",
        input={"name": "S", "categories": [{"name": name} for name in TOPICS]},
    )["createSchema"]["schema"]
    ask(
        tenant.client,
        """mutation ($input: ClassifyBatchInput!) {
          classifyBatch(input: $input) { batch { id } errors { code } } }""",
        input={"items": [{"input": "a"}, {"input": "b"}], "schemaId": made["id"]},
    )
    read = ask(
        tenant.client,
        """{
          viewer { usage { usage { requests byDay { date requests byType { text } } } } }
          jobs { nodes { schema { id totalUses } batch { meta { total } results { itemId } } } }
          schemas { totalCount nodes { id } }
        }""",
    )
    usage = read["viewer"]["usage"]["usage"]
    assert usage["requests"] == usage["byDay"][0]["byType"]["text"] == 2
    assert [node["schema"]["totalUses"] for node in read["jobs"]["nodes"]] == [2, 2]
    items = [job["itemId"] for job in read["jobs"]["nodes"][0]["batch"]["results"]]
    assert items == ["0", "1"]
    assert read["schemas"] == {"totalCount": 1, "nodes": [{"id": made["id"]}]}


def test_keys_are_made_renamed_and_revoked(tenants: Callable[..., Tenant]) -> None:
    tenant = tenants()
    made = ask(
        tenant.client,
        """mutation { createApiKey(input: {name: "ci"}) {
          secret apiKey { id name } errors { code } } }""",
    )["createApiKey"]
    renamed = ask(
        tenant.client,
        """mutation ($id: ID!) { renameApiKey(input: {id: $id, name: "new"}) {
          apiKey { name } errors { code } } }""",
        id=made["apiKey"]["id"],
    )
    assert renamed["renameApiKey"]["apiKey"] == {"name": "new"}
    authorized = {"Authorization": f"Bearer {made['secret']}"}
    assert tenant.client.get("/api/v1/usage", headers=authorized).status_code == 200
    ask(
        tenant.client,
        "mutation ($id: ID!) { revokeApiKey(input: {id: $id}) { apiKey { id } errors { code } } }",
        id=made["apiKey"]["id"],
    )
    assert tenant.client.get("/api/v1/usage", headers=authorized).status_code == 401


def test_a_repeat_is_done_once_over_rest_and_graphql(tenants: Callable[..., Tenant]) -> None:
    tenant = tenants()
    body = {"input": "x", "categories": TOPICS}
    first, again = (post(tenant, "/classify", body, **{"Idempotency-Key": "r"}) for _ in range(2))
    assert (again.content, again.headers["Idempotent-Replayed"]) == (first.content, "true")
    other = post(tenant, "/classify", {"input": "y"}, **{"Idempotency-Key": "r"})
    assert other.status_code == 409
    operation = {"query": 'mutation { classify(input: {input: "x"}) { job { id } } }'}
    by_graphql = [
        tenant.client.post("/graphql", json=operation, headers={"Idempotency-Key": "g"})
        for _ in range(2)
    ]
    assert by_graphql[0].content == by_graphql[1].content
    with ThreadPoolExecutor(8) as pool:
        racing = list(
            pool.map(
                lambda _: post(tenant, "/classify", body, **{"Idempotency-Key": "race"}), range(8)
            )
        )
    assert len({each.content for each in racing if each.status_code == 200}) == 1
    assert {each.status_code for each in racing} <= {200, 409}
    assert get(tenant, "/usage")["usage"]["requests"] == 3


def test_the_quota_is_exact(tenants: Callable[..., Tenant]) -> None:
    tenant = tenants("free")
    with ThreadPoolExecutor(16) as pool:
        codes = list(
            pool.map(lambda _: post(tenant, "/classify", {"input": "x"}).status_code, range(120))
        )
    assert sorted(codes) == [200] * 100 + [429] * 20
    assert get(tenant, "/usage")["usage"]["requests"] == 100


def test_inputs_are_retained_and_dropped(tenants: Callable[..., Tenant]) -> None:
    tenant = tenants()
    tenant.client.patch("/api/v1/account", json={"retain_inputs": True})
    job = post(tenant, "/classify", {"input": "whole"}).json()
    assert get(tenant, "/jobs", id=job["id"])["input"] == "whole"
    tenant.client.patch("/api/v1/account", json={"retain_inputs": False})
    assert "input" not in get(tenant, "/jobs", id=job["id"])


@pytest.mark.parametrize("key", [0, 2**31, BEYOND, 10**18 - 1])
def test_keys_beyond_the_column_name_nothing(tenant: Tenant, key: int) -> None:
    bodies = (
        {"schema": key},
        {"schemas": [key]},
    )
    for body in bodies:
        refused = post(tenant, "/classify", {"input": "x", **body})
        assert (refused.status_code, refused.json()["error"]["code"]) == (404, "schema_not_found")
    item = {"items": [{"input": "x", "schema": key}]}
    assert post(tenant, "/batch", item).status_code == 404
    address = f"/api/v1/schemas/{key}"
    assert tenant.client.get(address).status_code == 404
    assert tenant.client.patch(address, json={"name": "x"}).status_code == 404
    whole = {"name": "x", "categories": ["a"]}
    assert tenant.client.put(address, json=whole).status_code == 404
    assert tenant.client.delete(address).status_code == 404
    assert tenant.client.get(f"/api/v1/jobs/{key}").status_code == 404


@pytest.mark.parametrize("key", [2**31, BEYOND, 10**18 - 1])
def test_keys_beyond_the_column_name_nothing_in_graphql(tenant: Tenant, key: int) -> None:
    read = ask(
        tenant.client,
        "query ($id: ID!) { schema(id: $id) { id } job(id: $id) { id } }",
        id=str(key),
    )
    assert read == {"schema": None, "job": None}
    refused = ask(
        tenant.client,
        """mutation ($id: ID!) {
          classify(input: {input: "x", schemaId: $id}) { errors { code } }
          updateSchema(input: {id: $id, name: "x"}) { errors { code } }
          deleteSchema(input: {id: $id}) { errors { code } }
          renameApiKey(input: {id: $id, name: "x"}) { errors { code } }
          revokeApiKey(input: {id: $id}) { errors { code } }
        }""",
        id=str(key),
    )
    codes = [payload["errors"][0]["code"] for payload in refused.values()]
    assert codes == ["SCHEMA_NOT_FOUND"] * 3 + ["KEY_NOT_FOUND"] * 2


def test_a_cursor_beyond_the_column_pages_on(tenants: Callable[..., Tenant]) -> None:
    tenant = tenants()
    post(tenant, "/schemas", {"name": "S", "categories": TOPICS})
    asked = "query ($c: String) { after: schemas(after: $c) { nodes { name } } }"
    # base64url of k:1099511627776
    found = ask(tenant.client, asked, c="azoxMDk5NTExNjI3Nzc2")
    assert found["after"]["nodes"] == [{"name": "S"}]


def test_old_jobs_are_not_shown(tenants: Callable[..., Tenant]) -> None:
    tenant = tenants("starter")
    job = post(tenant, "/classify", {"input": "x"}).json()
    query(
        tenant.site.database,
        f"UPDATE jobs SET created_at = '2020-01-01 00:00:00+00:00' WHERE id = {job['id']}",  # noqa: S608
    )
    assert tenant.client.get(f"/api/v1/jobs/{job['id']}").status_code == 404
    assert get(tenant, "/jobs")["total"] == 0


def test_a_users_mistake_is_said_plainly(tenant: Tenant) -> None:
    for words in (
        ("account", "set-plan", str(BEYOND), "pro"),
        ("account", "set-retention", str(BEYOND), "on"),
        ("key", "create", "--account", str(BEYOND)),
        ("key", "revoke", str(BEYOND)),
    ):
        done = tenant.site.command(*words, check=False)
        assert done.returncode != 0
        assert "Traceback" not in done.stderr
        assert str(BEYOND) in done.stderr
