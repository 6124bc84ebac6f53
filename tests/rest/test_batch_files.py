"""Files of lines over REST: sent, followed, fetched, canceled, tried again."""

import contextlib
import io
import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from tests.conftest import Server, Site, Tenant, running
from tests.databases import query

CSV = {"Content-Type": "text/csv"}
JSONL = {"Content-Type": "application/jsonl"}
CATEGORIES = {"categories": "billing, gardening"}
BILLING, GARDENING = "I was charged twice for my order", "my tomato plants need water"
ADDRESS = "/api/v1/batch/files"


def send(
    tenant: Tenant, content: str | bytes, headers: dict[str, str] = CSV, **options: Any
) -> httpx.Response:
    return tenant.client.post(
        ADDRESS, content=content, headers=headers, params={**CATEGORIES, **options}
    )


def promised(response: httpx.Response) -> str:
    assert response.status_code == 202, response.text
    body = response.json()
    assert body["status"] == "pending"
    batch_id: str = body["id"]
    return batch_id


def progress(tenant: Tenant, batch_id: str) -> dict[str, Any]:
    body: dict[str, Any] = tenant.client.get("/v1/jobs", params={"id": batch_id}).json()
    assert "results" not in body
    return body


def ended(tenant: Tenant, batch_id: str, timeout_s: float = 60) -> dict[str, Any]:
    deadline = time.monotonic() + timeout_s
    while (body := progress(tenant, batch_id))["status"] in {"pending", "processing"}:
        assert time.monotonic() < deadline, body
        time.sleep(0.05)
    return body


def results(tenant: Tenant, batch_id: str, **options: Any) -> list[dict[str, Any]]:
    answer = tenant.client.get(f"{ADDRESS}/{batch_id}/results", params=options)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].split(";")[0] == "application/jsonl"
    return [json.loads(line) for line in answer.text.splitlines()]


def used(tenant: Tenant) -> int:
    count: int = tenant.client.get("/v1/usage").json()["usage"]["requests"]
    return count


def error(response: httpx.Response, status: int) -> dict[str, Any]:
    assert response.status_code == status, response.text
    body: dict[str, Any] = response.json()["error"]
    return body


@pytest.mark.contract("beyond.batch_files")
def test_a_csv_file_is_answered_line_by_line_in_its_order(
    make_tenant: Callable[..., Tenant],
) -> None:
    tenant = make_tenant()
    text = f'\ufeffid,text\r\na,"{BILLING},\r\nagain"\r\nb,{GARDENING}\r\n,{BILLING}\r\n'
    sent = send(tenant, text)
    assert sent.json()["meta"] == {"total": 3, "completed": 0, "failed": 0, "latency_ms": None}
    batch_id = promised(sent)
    body = ended(tenant, batch_id)
    assert body["status"] == "completed"
    assert body["meta"]["completed"] == 3
    found = results(tenant, batch_id)
    assert [(line["id"], line["status"], line["result"]["label"]) for line in found] == [
        ("a", "completed", "billing"),
        ("b", "completed", "gardening"),
        ("5", "completed", "billing"),
    ]
    assert used(tenant) == 3
    # The id may stand in the query, as everywhere.
    asked = tenant.client.get(f"{ADDRESS}/results", params={"id": batch_id})
    assert len(asked.text.splitlines()) == 3


def test_a_line_may_have_settings_of_its_own(make_tenant: Callable[..., Tenant]) -> None:
    tenant = make_tenant()
    body = {"name": "s", "categories": ["plants", "money"], "mode": "multi"}
    schema = tenant.client.post("/v1/schemas", json=body).json()["id"]
    lines = [
        {"id": "file", "input": BILLING},
        {"id": "own", "input": BILLING, "categories": ["sports", {"name": "money"}]},
        {"id": "schema", "text": GARDENING, "schema": schema},
        {"id": "absent", "text": GARDENING, "schema": schema + 1000},
        {"id": "picture", "text": "https://127.0.0.1/a.png", "type": "image"},
    ]
    batch_id = promised(send(tenant, "\n".join(map(json.dumps, lines)), JSONL, explain="true"))
    assert ended(tenant, batch_id)["meta"]["failed"] == 2
    file, own, by_schema, absent, picture = results(tenant, batch_id)
    assert file["result"]["label"] == "billing"
    assert file["result"]["explanation"]
    assert own["result"]["label"] == "money"
    assert by_schema["result"]["labels"][0]["label"] == "plants"
    assert absent["error"]["code"] == "schema_not_found"
    assert picture["error"]["code"] == "media_unavailable"
    assert used(tenant) == 3
    assert tenant.client.get("/v1/schemas", params={"id": schema}).json()["total_uses"] == 1
    # The names are kept with each job, whatever becomes of the schema.
    jobs = tenant.client.get("/v1/jobs").json()["jobs"]
    assert sorted(job["categories"][0] for job in jobs if job["status"] == "completed") == [
        "billing", "plants", "sports",
    ]  # fmt: skip


@pytest.mark.contract("beyond.batch_files")
@pytest.mark.parametrize("name", ["lines.csv", "lines.jsonl"])
def test_a_form_brings_the_file_and_its_options(
    make_tenant: Callable[..., Tenant], name: str
) -> None:
    tenant = make_tenant()
    content = {
        "lines.csv": f"text\n{BILLING}\n",
        "lines.jsonl": json.dumps({"input": BILLING}),
    }[name]
    fields = {"categories": '["billing", {"name": "gardening"}]', "mode": "top_n", "top_n": "1"}

    def post() -> httpx.Response:
        # The boundary is another one each time.
        return tenant.client.post(
            ADDRESS,
            data=fields,
            files={"file": (name, io.BytesIO(content.encode()), "application/octet-stream")},
            headers={"Idempotency-Key": name},
        )

    first, again = post(), post()
    assert promised(first) == promised(again)
    assert again.headers["Idempotent-Replayed"] == "true"
    ended(tenant, promised(first))
    (line,) = results(tenant, promised(first))
    assert [label["label"] for label in line["result"]["labels"]] == ["billing"]
    assert used(tenant) == 1
    fields["top_n"] = "2"
    assert error(post(), 409)["code"] == "idempotency_conflict"


def test_a_repeat_with_other_options_is_another_request(
    make_tenant: Callable[..., Tenant],
) -> None:
    tenant = make_tenant()
    headers = {**CSV, "Idempotency-Key": "k"}
    first = send(tenant, "text\nx\n", headers)
    assert send(tenant, "text\nx\n", headers).content == first.content
    assert error(send(tenant, "text\nx\n", headers, mode="multi"), 409)


@pytest.mark.contract("beyond.batch_files")
def test_wrong_lines_fail_alone_and_count_nothing(make_tenant: Callable[..., Tenant]) -> None:
    tenant = make_tenant()
    lines = [
        json.dumps({"id": "a", "input": BILLING}),
        "nonsense",
        json.dumps({"id": "b"}),
        json.dumps({"id": "a", "input": GARDENING}),
        json.dumps({"id": "c", "input": "x" * 1_000_001}),
        json.dumps({"id": "d", "input": " "}),
        json.dumps({"id": "e", "input": GARDENING}),
    ]
    sent = send(tenant, "\n".join(lines), JSONL)
    assert sent.json()["meta"]["failed"] == 5
    batch_id = promised(sent)
    assert used(tenant) == 2
    meta = ended(tenant, batch_id)["meta"]
    assert (meta["total"], meta["completed"], meta["failed"]) == (7, 2, 5)
    found = results(tenant, batch_id)
    assert [line["id"] for line in found] == ["a", "2", "b", "a", "c", "d", "e"]
    messages = [line["error"]["message"] for line in found if line["status"] == "failed"]
    assert messages[0] == "Line 2: it is not valid JSON."
    assert messages[1] == "Line 3: input: is required"
    assert messages[2] == "Line 4: id: must be unique, but line 1 has the same"
    assert messages[3].startswith("Line 5: input: must be at most 1000000")
    assert messages[4] == "Line 6: input: must not be empty"
    assert {line["error"]["code"] for line in found if "error" in line} == {"invalid_request"}
    # They were never accepted: there is nothing to try again.
    assert error(tenant.client.post(f"/v1/jobs/{batch_id}/retry"), 409)["code"] == "conflict"


@pytest.mark.parametrize(
    ("content", "headers", "field", "said"),
    [
        ("text\n\n", CSV, "file", "no line that can be judged; it is empty"),
        ("", JSONL, "file", "it is empty"),
        ("no\nright", JSONL, "file", "the first is refused: Line 1"),
        ("a,b\n1,2\n", CSV, "file", "column named input or text"),
        (b"text\n\xe9\n", CSV, "file", "must be UTF-8, but line 2 is not"),
        ("text\n" + "x\n" * 50_001, CSV, "file", "at most 50000 lines"),
        ("text\nx\n", {"Content-Type": "text/plain"}, "Content-Type", "must be text/csv"),
        ("text\nx\n", {"Content-Type": "text/csv; charset=latin-1"}, "Content-Type", "utf-8"),
        ("{}", {"Content-Type": "application/json"}, "Content-Type", "application/jsonl"),
        ("x", {"Content-Type": "multipart/form-data; boundary=b"}, None, "no form"),
        ("x", {"Content-Type": "multipart/form-data"}, None, "no form"),
        ("--b--\r\n", {"Content-Type": "multipart/form-data; boundary=b"}, "file", "required"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_whole(
    make_tenant: Callable[..., Tenant],
    content: str | bytes,
    headers: dict[str, str],
    field: str | None,
    said: str,
) -> None:
    tenant = make_tenant()
    refused = error(send(tenant, content, headers), 400)
    assert (refused["code"], refused.get("field")) == ("invalid_request", field)
    assert said in refused["message"]
    assert used(tenant) == 0
    assert tenant.client.get("/v1/jobs").json()["total"] == 0


@pytest.mark.parametrize(
    ("option", "value", "field"),
    [
        ("mode", "all", "mode"),
        ("type", "smell", "type"),
        ("top_n", "eleven", "top_n"),
        ("top_n", "11", "top_n"),
        ("threshold", "nan", "threshold"),
        ("threshold", "2", "threshold"),
        ("min_margin", "-1", "min_margin"),
        ("explain", "perhaps", "explain"),
        ("schema", "1e99", "schema"),
        ("schema", "9" * 30, "schema"),
        ("categories", "a,,b", "categories[1].name"),
        ("categories", "a,a", "categories[1]"),
        ("categories", "[1]", "categories[0]"),
        ("categories", "[", "categories"),
    ],
)
def test_a_wrong_option_is_named(tenant: Tenant, option: str, value: str, field: str) -> None:
    refused = error(send(tenant, "text\nx\n", **{option: value}), 400)
    assert (refused["code"], refused["field"]) == ("invalid_request", field)


def test_a_body_over_the_limit_is_cut_while_it_is_read(tenant: Tenant) -> None:
    sent = 0

    def body() -> Iterator[bytes]:
        nonlocal sent
        yield b"text\n"
        for _ in range(40):
            sent += 1
            yield b"x" * 1024 * 1024

    refused = error(send(tenant, body()), 413)
    assert refused["code"] == "payload_too_large"


def test_the_plan_and_the_quota_hold(make_tenant: Callable[..., Tenant]) -> None:
    free = make_tenant("free")
    refused = error(free.client.post(ADDRESS, content="text\nx\n", headers=CSV), 403)
    assert refused["code"] == "plan_restriction"
    assert (refused["feature"], refused["required_plan"]) == ("batch_files", "starter")
    starter = make_tenant("starter")
    text = "text\n" + "x\n" * 10_001
    refused = error(send(starter, text), 429)
    assert (refused["code"], refused["limit"], refused["used"]) == ("rate_limit_exceeded", 10000, 0)
    assert error(send(starter, text, dry_run="true"), 429)
    assert used(starter) == 0
    # A line is held to the plan as a request would be.
    lines = f'{{"input": "{BILLING}"}}\n{{"input": "https://x.example/v", "type": "video"}}'
    batch_id = promised(send(starter, lines, JSONL))
    ended(starter, batch_id)
    assert results(starter, batch_id)[1]["error"]["code"] == "plan_restriction"
    assert error(send(starter, "text\nx\n", schema="999999"), 404)["code"] == "schema_not_found"


def test_a_dry_run_tells_what_a_file_would_count(make_tenant: Callable[..., Tenant]) -> None:
    tenant = make_tenant("starter")
    answer = send(tenant, '{"input": "x"}\n{"id": "b"}', JSONL, dry_run="true")
    assert answer.status_code == 200
    assert answer.json() == {
        "dry_run": True,
        "requests": 1,
        "remaining_after": 9_999,
        "total": 2,
        "failed": 1,
        "errors": [
            {
                "id": "b",
                "error": {"code": "invalid_request", "message": "Line 2: input: is required"},
            }
        ],
    }
    assert used(tenant) == 0
    assert tenant.client.get("/v1/jobs").json()["total"] == 0


def test_files_are_their_accounts_own(make_tenant: Callable[..., Tenant], tenant: Tenant) -> None:
    batch_id = promised(send(make_tenant(), "text\nx\n"))
    for answer in (
        tenant.client.get(f"{ADDRESS}/{batch_id}/results"),
        tenant.client.get("/v1/jobs", params={"id": batch_id}),
        tenant.client.post(f"/v1/jobs/{batch_id}/cancel"),
    ):
        assert error(answer, 404)["code"] == "job_not_found"
    assert error(tenant.client.get(f"{ADDRESS}/84/results"), 400)["field"] == "id"
    assert error(tenant.client.get(f"{ADDRESS}/results"), 400)["field"] == "id"
    asked = {"id": batch_id, "partial": "perhaps"}
    assert error(tenant.client.get(f"{ADDRESS}/results", params=asked), 400)["field"] == "partial"


def test_nothing_of_what_is_not_to_be_stored_stays(make_tenant: Callable[..., Tenant]) -> None:
    tenant = make_tenant()
    batch_id = promised(send(tenant, f"text\n{BILLING}\n", store="false", explain="true"))
    ended(tenant, batch_id)
    (job,) = tenant.client.get("/v1/jobs").json()["jobs"]
    assert job["input_preview"] is None
    assert "explanation" not in job["result"]
    assert query(tenant.site.database, "SELECT COUNT(*) FROM file_lots") == [(0,)]


@pytest.mark.contract("beyond.batch_files")
@pytest.mark.timeout(180)
def test_ten_thousand_lines_are_canceled_midway_and_what_was_left_is_tried_again(
    make_tenant: Callable[..., Tenant],
) -> None:
    tenant = make_tenant()
    # Every text another: each costs the model a pass.
    lines = "".join(f"{n},order {n} was charged twice\n" for n in range(10_000))
    began = time.monotonic()
    batch_id = promised(send(tenant, f"id,input\n{lines}"))
    assert time.monotonic() - began < 10
    assert used(tenant) == 10_000
    while progress(tenant, batch_id)["meta"]["completed"] < 64:
        time.sleep(0.02)
    assert error(tenant.client.get(f"{ADDRESS}/{batch_id}/results"), 409)["code"] == "conflict"
    part = results(tenant, batch_id, partial="true")
    assert 0 < len(part) < 10_000
    canceled = tenant.client.post(f"/v1/jobs/{batch_id}/cancel").json()
    meta = canceled["meta"]
    assert canceled["status"] == "completed"
    assert meta["completed"] + meta["failed"] == 10_000
    assert used(tenant) == meta["completed"] < 10_000
    found = results(tenant, batch_id)
    assert [line["id"] for line in found] == [str(n) for n in range(10_000)]
    assert sum(line["status"] == "completed" for line in found) == meta["completed"]
    assert {line["error"]["code"] for line in found if "error" in line} == {"canceled"}
    # What completed stays; only the others wait again.
    retried = tenant.client.post(f"/v1/jobs/{batch_id}/retry").json()
    assert retried["meta"]["failed"] == 0
    assert retried["meta"]["completed"] >= meta["completed"]
    assert used(tenant) == 10_000
    tenant.client.post(f"/v1/jobs/{batch_id}/cancel")


@pytest.mark.timeout(180)
def test_nothing_is_half_there_after_a_kill_while_a_file_is_sent(
    make_site: Callable[..., Site],
) -> None:
    site = make_site(lease_seconds="2")
    key = site.create_key(site.create_account())
    lines = "".join(f"{'word ' * 20}{n}\n" for n in range(20_000)).encode()
    with running(site) as server, server.client(key) as client:
        began = time.monotonic()
        answer = client.post(
            ADDRESS, content=b"text\n" + lines, headers=CSV, params={**CATEGORIES, "dry_run": True}
        )
        assert answer.json()["requests"] == 20_000
        takes = time.monotonic() - began
    for share in (0.6, 0.9, 1.1, 1.5):
        _kill_while_sending(site, key, lines, after_s=takes * share)
        ((batches, total),) = query(
            site.database, "SELECT COUNT(*), COALESCE(SUM(total), 0) FROM batches"
        )
        ((month,),) = query(site.database, "SELECT COALESCE(SUM(used), 0) FROM usage_months")
        assert month == total == batches * 20_000
        ((lots,),) = query(
            site.database,
            "SELECT COALESCE(SUM(size), 0) FROM file_lots JOIN batches ON batches.id = batch_id",
        )
        ((jobs,),) = query(site.database, "SELECT COUNT(*) FROM jobs")
        assert lots + jobs == total


def _kill_while_sending(site: Site, key: str, lines: bytes, *, after_s: float) -> None:
    with running(site) as server, server.client(key) as client:
        _wait_until_usable(server)
        killer = threading.Timer(after_s, server.process.send_signal, [signal.SIGKILL])
        killer.start()
        with contextlib.suppress(httpx.TransportError):
            client.post(ADDRESS, content=b"text\n" + lines, headers=CSV, params=CATEGORIES)
        killer.join()
        server.process.wait()


def _wait_until_usable(server: Server) -> None:
    while httpx.get(f"{server.base_url}/readyz").status_code != 200:
        time.sleep(0.05)
