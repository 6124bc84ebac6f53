"""What work costs, on both faces: a server with models of a provider whose prices are known."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx
import pytest

from tests.conftest import Server, Site, running
from tests.databases import query
from tests.graphql.asking import ask
from tests.provider.behaviours import refuses, slow, status
from tests.provider.server import Provider

CATEGORIES = ["tech", "billing"]
BODY = {"input": "I was charged twice for billing", "categories": CATEGORIES}
# 100 tokens read and 10 written, by LiteLLM's table, and a price of the operator's own.
CHEAP, DEAR, OWN = 21_000, 350_000, 4_000
USAGE = (
    """{ usage { usage { cost costByType { text image } byDay { cost costByType { text } } } } }"""
)

JOB = "query($id: ID!) { job(id: $id) { cost meta { cost promptTokens completionTokens } } }"
BUDGET = "{ viewer { budget { limit used remaining resetsAt } } }"
CLASSIFY = """mutation($input: ClassifyInput!) { classify(input: $input) {
  job { id } errors { code message budget budgetUsed resetsAt limit used } } }"""
# The three models, each answering twice as long as it may, after a prompt of every byte a token:
# something like $0.11 for one short text.
ENOUGH = "0.15"


@dataclass(frozen=True)
class Setting:
    """A server whose models are a dear one, a cheap one and one of the operator's."""

    provider: Provider
    server: Server
    opened: ExitStack

    def client(self) -> httpx.Client:
        """Return the client of a new account."""
        return self.client_of(self.server.site.create_account())

    def client_of(self, account: int) -> httpx.Client:
        """Return a client of an account."""
        key = self.server.site.create_key(account)
        return self.opened.enter_context(self.server.client(key))

    def budgeted(self, amount: str) -> tuple[int, httpx.Client]:
        """Return a new account with a budget, and its client."""
        site = self.server.site
        account = site.create_account()
        self.limit(account, amount)
        return account, self.client_of(account)

    def limit(self, account: int, amount: str) -> None:
        """Set an account's budget."""
        self.server.site.command("account", "set-budget", str(account), amount)

    def down(self, *models: str) -> None:
        """Let these models fail without a cost."""
        for model in models:
            self.provider.always(model, status(400))


@pytest.fixture(scope="module")
def shared(make_site: Callable[..., Site]) -> Iterator[Setting]:
    with Provider() as provider, ExitStack() as opened:
        site = make_site(
            model="openai/gpt-4o, openai/gpt-4o-mini, openai/own",
            model_api_base=provider.base_url,
            model_api_key="k",
            model_timeout="5",
            model_prices="openai/own=0.02/0.2",
            lease_seconds="6",
        )
        with running(site) as server:
            yield Setting(provider, server, opened)
            opened.close()


@pytest.fixture
def setting(shared: Setting) -> Iterator[Setting]:
    yield shared
    for model in ("gpt-4o", "gpt-4o-mini", "own"):
        shared.provider.forget(model)


@pytest.mark.contract("beyond.cost")
def test_what_a_job_costs_is_shown_and_summed(setting: Setting) -> None:
    client = setting.client()
    # Two answers that can't be used, then a good one of the next model.
    setting.provider.once("gpt-4o", refuses(), refuses())
    meta = client.post("/api/v1/classify", json=BODY).json()["meta"]
    assert (meta["tokens"], meta["prompt_tokens"], meta["completion_tokens"]) == (330, 300, 30)
    assert meta["cost"] == "0.000721"

    setting.down("gpt-4o", "gpt-4o-mini")
    items = [{"input": "billing"}, {"input": "tech"}]
    batch = client.post("/api/v1/batch", json={"items": items, "categories": CATEGORIES}).json()
    assert batch["meta"]["completed"] == 2
    promised = client.post("/api/v1/classify", json={**BODY, "async": True}).json()["id"]
    job = client.get(f"/api/v1/jobs/{promised}", params={"wait": 30}).json()
    assert (job["cost"], job["prompt_tokens"], job["completion_tokens"]) == ("0.000004", 100, 10)

    # It costs all the same when no answer comes of it.
    setting.down("own")
    setting.provider.once("gpt-4o", refuses(), refuses())
    assert client.post("/api/v1/classify", json=BODY).status_code == 503
    failed = client.get("/api/v1/jobs", params={"status": "failed"}).json()["jobs"]
    assert [(each["cost"], each["tokens_used"]) for each in failed] == [("0.0007", 220)]

    total = "0.001433"
    usage = client.get("/api/v1/usage").json()["usage"]
    assert (usage["requests"], usage["tokens"], usage["cost"]) == (4, 660, total)
    assert usage["cost_by_type"] == {"text": total, "image": "0", "audio": "0", "video": "0"}
    assert ask(client, USAGE)["usage"]["usage"] == {
        "cost": total,
        "costByType": {"text": total, "image": "0"},
        "byDay": [{"cost": total, "costByType": {"text": total}}],
    }
    assert ask(client, JOB, id=promised)["job"] == {
        "cost": "0.000004",
        "meta": {"cost": "0.000004", "promptTokens": 100, "completionTokens": 10},
    }


def test_a_budget_refuses_before_the_call(setting: Setting) -> None:
    account, client = setting.budgeted("0.01")
    setting.provider.requests.clear()
    reply = client.post("/api/v1/classify", json=BODY)
    assert reply.status_code == 429
    error = reply.json()["error"]
    assert error["code"] == "budget_exceeded"
    assert (error["limit"], error["used"]) == ("0.01", "0")
    assert error["message"].startswith("Monthly budget of $0.01: $0 are used, and this could cost")
    assert error["resets_at"].endswith("-01T00:00:00Z")
    assert int(reply.headers["Retry-After"]) > 60
    for body in ({"async": True}, {"dry_run": True}):
        refused = client.post("/api/v1/classify", json={**BODY, **body})
        assert refused.json()["error"]["code"] == "budget_exceeded"
    items = {"items": [{"input": "billing"}], "categories": CATEGORIES}
    for body in ({}, {"async": True}, {"dry_run": True}):
        assert client.post("/api/v1/batch", json={**items, **body}).status_code == 429
    lines = b'{"input": "billing"}\n'
    headers = {"Content-Type": "application/x-ndjson"}
    file = client.post("/api/v1/batch/files", content=lines, headers=headers)
    assert file.json()["error"]["code"] == "budget_exceeded"

    wanted = {"input": BODY["input"], "categories": [{"name": name} for name in CATEGORIES]}
    payload = ask(client, CLASSIFY, input=wanted)["classify"]
    assert payload["job"] is None
    (shown,) = payload["errors"]
    assert (shown["code"], shown["budget"], shown["budgetUsed"]) == ("BUDGET_EXCEEDED", "0.01", "0")
    assert shown["resetsAt"] == error["resets_at"]
    assert shown["limit"] is shown["used"] is None

    assert setting.provider.requests == []
    assert client.get("/api/v1/usage").json()["usage"]["requests"] == 0
    assert client.get("/api/v1/jobs").json()["total"] == 0
    setting.limit(account, "none")
    assert client.post("/api/v1/classify", json=BODY).status_code == 200
    assert ask(client, BUDGET)["viewer"]["budget"] is None
    assert client.get("/api/v1/account").json()["budget"] is None


@pytest.mark.contract("beyond.budget")
def test_what_is_spent_and_held_never_passes_the_budget(setting: Setting) -> None:
    _, client = setting.budgeted(ENOUGH)
    setting.provider.always("gpt-4o", slow(0.2))
    with ThreadPoolExecutor(12) as pool:
        replies = list(pool.map(lambda _: client.post("/api/v1/classify", json=BODY), range(36)))
    answered = [reply for reply in replies if reply.status_code == 200]
    refused = [reply for reply in replies if reply.status_code == 429]
    assert len(answered) + len(refused) == len(replies)
    assert answered
    assert refused
    for reply in refused:
        # The budget would do, but for what runs: it comes back at once.
        assert reply.headers["Retry-After"] == "2"
        assert Decimal(reply.json()["error"]["used"]) <= Decimal(ENOUGH)
    spent = Decimal("0.00035") * len(answered)
    usage = client.get("/api/v1/usage").json()["usage"]
    assert (Decimal(usage["cost"]), usage["requests"]) == (spent, len(answered))
    budget = ask(client, BUDGET)["viewer"]["budget"]
    assert Decimal(budget["used"]) == spent
    assert Decimal(budget["remaining"]) == Decimal(ENOUGH) - spent
    shown = client.get("/api/v1/account").json()["budget"]
    assert shown == {
        "limit": ENOUGH,
        "used": budget["used"],
        "remaining": budget["remaining"],
        "resets_at": budget["resetsAt"],
    }


def test_jobs_wait_for_what_others_hold(setting: Setting) -> None:
    _, client = setting.budgeted(ENOUGH)
    setting.provider.always("gpt-4o", slow(0.5))
    promised = [
        client.post("/api/v1/classify", json={**BODY, "async": True}).json()["id"] for _ in range(3)
    ]
    for job_id in promised:
        job = client.get(f"/api/v1/jobs/{job_id}", params={"wait": 60}).json()
        assert (job["status"], job["cost"]) == ("completed", "0.00035")


def test_a_job_fails_when_the_budget_is_gone_by_the_time_it_runs(setting: Setting) -> None:
    account, client = setting.budgeted(ENOUGH)
    for model in ("gpt-4o", "gpt-4o-mini", "own"):
        setting.provider.always(model, status(500))
    promised = client.post("/api/v1/classify", json={**BODY, "async": True}).json()["id"]
    setting.limit(account, "0.001")
    job = client.get(f"/api/v1/jobs/{promised}", params={"wait": 60}).json()
    assert job["status"] == "failed"
    assert job["error"]["code"] == "budget_exceeded"
    assert client.get("/api/v1/usage").json()["usage"]["requests"] == 0
    assert ask(client, BUDGET)["viewer"]["budget"]["used"] == "0"


def until(wanted: Callable[[], bool]) -> None:
    """Wait for something to be so."""
    until = time.monotonic() + 60
    while not wanted():
        assert time.monotonic() < until
        time.sleep(0.05)


def spent(client: httpx.Client) -> str:
    """Return the month's costs."""
    cost: str = client.get("/api/v1/usage").json()["usage"]["cost"]
    return cost


@pytest.mark.parametrize("budget", [None, ENOUGH])
def test_what_a_canceled_job_still_costs_counts(setting: Setting, budget: str | None) -> None:
    client = setting.client() if budget is None else setting.budgeted(budget)[1]
    # Its worker gives it up after two seconds, and the call is paid for.
    setting.provider.always("gpt-4o", slow(4))
    setting.provider.requests.clear()
    promised = client.post("/api/v1/classify", json={**BODY, "async": True}).json()["id"]
    until(lambda: bool(setting.provider.requests))
    assert client.post(f"/api/v1/jobs/{promised}/cancel").status_code == 200
    if budget is not None:
        # It is not free for others before it is known.
        assert client.post("/api/v1/classify", json=BODY).status_code == 429
    until(lambda: spent(client) != "0")
    assert spent(client) == "0.00035"
    assert len(setting.provider.requests) == 1
    job = client.get(f"/api/v1/jobs/{promised}").json()
    assert (job["status"], job["error"]["code"], job["cost"]) == ("failed", "canceled", "0.00035")
    assert client.get("/api/v1/usage").json()["usage"]["requests"] == 0
    if budget is not None:
        assert ask(client, BUDGET)["viewer"]["budget"]["used"] == "0.00035"


@pytest.mark.parametrize("face", ["rest", "graphql", "stream"])
def test_a_caller_who_leaves_pays_all_the_same(setting: Setting, face: str) -> None:
    _, client = setting.budgeted(ENOUGH)
    setting.provider.always("gpt-4o", slow(1))
    setting.provider.requests.clear()
    wanted = {"input": BODY["input"], "categories": [{"name": name} for name in CATEGORIES]}
    path, body = "/graphql", {"query": CLASSIFY, "variables": {"input": wanted}}
    if face == "rest":
        path, body = "/api/v1/classify", BODY
    accept = "text/event-stream" if face == "stream" else "application/json"
    with ThreadPoolExecutor() as pool:
        left = pool.submit(client.post, path, json=body, headers={"Accept": accept}, timeout=0.5)
        until(lambda: bool(setting.provider.requests))
        with pytest.raises(httpx.TimeoutException):
            left.result()
    until(lambda: spent(client) != "0")
    assert spent(client) == "0.00035"
    (job,) = client.get("/api/v1/jobs").json()["jobs"]
    assert (job["status"], job["cost"]) == ("completed", "0.00035")
    assert ask(client, BUDGET)["viewer"]["budget"]["used"] == "0.00035"


@pytest.mark.parametrize("path", ["/api/v1/classify", "/api/v1/batch"])
def test_what_a_process_can_not_wait_for_counts_as_what_was_held(
    make_site: Callable[..., Site], path: str
) -> None:
    body = BODY if path.endswith("classify") else {"items": [BODY], "categories": CATEGORIES}
    with Provider(slow(60)) as provider, ThreadPoolExecutor() as pool:
        base = provider.base_url
        site = make_site(model="openai/gpt-4o-mini", model_api_base=base, model_api_key="k")
        account = site.create_account()
        site.command("account", "set-budget", str(account), "1")
        with running(site) as server, server.client(site.create_key(account)) as client:
            asked = pool.submit(client.post, path, json=body)
            until(lambda: bool(provider.requests))
            ((held,),) = query(site.database, "SELECT held FROM usage_months")
            assert held > 1_000_000
        assert asked.exception() or asked.result().status_code == 500
    months = "SELECT spent, held, used FROM usage_months"
    assert query(site.database, months) == [(held, 0, 0)]
    assert query(site.database, "SELECT status, cost FROM jobs") == [("failed", None)]


def test_budgets_are_amounts(setting: Setting) -> None:
    site = setting.server.site
    account = site.create_account()
    for wrong in ("-1", "much", "1e12", "0.0000000001", "NaN", ""):
        said = site.command("account", "set-budget", "--", str(account), wrong, check=False)
        assert said.returncode == 2
        assert "must be US dollars such as 25 or 0.50" in said.stderr
    site.command("account", "set-budget", str(account), "25.50")
    row = next(
        line
        for line in site.command("account", "list").stdout.splitlines()
        if line.startswith(f"{account}\t")
    )
    assert row.endswith("\t$25.5")


def cache(client: httpx.Client, ttl: int) -> None:
    """Turn an account's cache on or off."""
    reply = client.patch("/api/v1/account", json={"cache_ttl": ttl})
    assert reply.json()["cache_ttl"] == (ttl or None)


@pytest.mark.contract("beyond.cache")
def test_exact_repeats_are_answered_from_the_cache(setting: Setting) -> None:
    account, client = setting.budgeted(ENOUGH)

    def classify(**changes: object) -> dict[str, Any]:
        reply: dict[str, Any] = client.post("/api/v1/classify", json={**BODY, **changes}).json()
        return reply

    assert [classify()["meta"]["cached"] for _ in range(2)] == [False, False]
    cache(client, 3600)
    first = classify()
    setting.provider.requests.clear()
    again = classify()
    assert again["result"] == first["result"]
    assert again["id"] != first["id"]
    meta = again["meta"]
    assert (meta["cached"], meta["cost"], meta["tokens"]) == (True, "0", 0)
    assert (meta["model"], meta["confidence_source"]) == (
        first["meta"]["model"],
        first["meta"]["confidence_source"],
    )
    items = [{"input": BODY["input"]}, {"input": "tech"}]
    batch = client.post("/api/v1/batch", json={"items": items, "categories": CATEGORIES}).json()
    assert [item["result"]["label"] for item in batch["results"]] == ["billing", "tech"]
    assert len(setting.provider.requests) == 1
    promised = classify(**{"async": True})["id"]
    job = client.get(f"/api/v1/jobs/{promised}", params={"wait": 30}).json()
    assert (job["cached"], job["cost"], job["status"]) == (True, "0", "completed")
    asked = ask(client, "query($id: ID!) { job(id: $id) { meta { cached } } }", id=promised)
    assert asked["job"]["meta"]["cached"]
    assert len(setting.provider.requests) == 1

    # Anything else in the task is another task.
    for change in (
        {"input": f"{BODY['input']}!"},
        {"categories": [*CATEGORIES, "other"]},
        {"categories": [{"name": name, "description": "x"} for name in CATEGORIES]},
        {"mode": "multi"},
        {"threshold": 0.1},
        {"explain": True},
    ):
        assert not classify(**change)["meta"]["cached"]
        assert classify(**change)["meta"]["cached"]
    # Nothing is kept, and nothing taken, where nothing is to be stored.
    assert not classify(store=False)["meta"]["cached"]
    used = client.get("/api/v1/usage").json()["usage"]["requests"]
    assert used == 3 + 1 + 2 + 1 + 12 + 1

    # What is known costs nothing, so it needs no budget.
    setting.limit(account, "0")
    assert classify()["meta"]["cached"]
    assert classify(input="billing, and new")["error"]["code"] == "budget_exceeded"
    # Turned off, nothing is taken from it; it is another account's never.
    setting.limit(account, "none")
    cache(client, 0)
    assert not classify()["meta"]["cached"]
    other = setting.client()
    cache(other, 60)
    assert not other.post("/api/v1/classify", json=BODY).json()["meta"]["cached"]


def test_repeats_need_no_budget_while_nobody_waits(setting: Setting) -> None:
    account, client = setting.budgeted(ENOUGH)
    cache(client, 3600)
    assert client.post("/api/v1/classify", json=BODY).status_code == 200
    setting.limit(account, "0.0001")
    setting.provider.requests.clear()

    assert client.post("/api/v1/classify", json={**BODY, "dry_run": True}).status_code == 200
    promised = client.post("/api/v1/classify", json={**BODY, "async": True}).json()["id"]
    job = client.get(f"/api/v1/jobs/{promised}", params={"wait": 30}).json()
    assert (job["status"], job["cached"], job["cost"]) == ("completed", True, "0")

    # Of a batch, what is known is answered, and the rest fails alone; so do lines of a file.
    items = [{"input": BODY["input"]}, {"input": "billing, and new"}]
    wanted = {"items": items, "categories": CATEGORIES, "async": True}
    batch = client.post("/api/v1/batch", json=wanted).json()["id"]
    lines = b"\n".join(json.dumps({**i, "categories": CATEGORIES}).encode() for i in items)
    headers = {"Content-Type": "application/x-ndjson"}
    file = client.post("/api/v1/batch/files", content=lines, headers=headers).json()["id"]
    for batch_id in (batch, file):
        done = client.get("/api/v1/jobs", params={"id": batch_id, "wait": 30}).json()
        assert (done["meta"]["completed"], done["meta"]["failed"]) == (1, 1)

    # Where nothing is known, it is refused as ever.
    wanted["items"] = items[1:]
    assert client.post("/api/v1/batch", json=wanted).status_code == 429
    assert setting.provider.requests == []


def test_answers_lapse_and_those_of_fallbacks_are_not_kept(setting: Setting) -> None:
    client = setting.client()

    def is_cached(text: str) -> bool:
        reply = client.post("/api/v1/classify", json={**BODY, "input": text}).json()
        return bool(reply["meta"]["cached"])

    cache(client, 1)
    assert [is_cached("billing"), is_cached("billing")] == [False, True]
    time.sleep(1.1)
    assert not is_cached("billing")
    cache(client, 60)
    setting.down("gpt-4o")
    assert [is_cached("tech"), is_cached("tech")] == [False, False]
    setting.provider.forget("gpt-4o")
    assert [is_cached("tech"), is_cached("tech")] == [False, True]


def test_the_time_of_a_cache_is_within_a_week(setting: Setting) -> None:
    client = setting.client()
    for wrong in (-1, 604_801):
        error = client.patch("/api/v1/account", json={"cache_ttl": wrong}).json()["error"]
        assert error["field"] == "cache_ttl"
    change = """mutation($input: UpdateAccountInput!) { updateAccount(input: $input) {
      account { cacheTtl } errors { field } } }"""
    assert ask(client, change, input={"cacheTtl": 604_801})["updateAccount"]["errors"] == [
        {"field": ["input", "cacheTtl"]}
    ]
    changed = ask(client, change, input={"cacheTtl": 604_800})["updateAccount"]
    assert changed == {"account": {"cacheTtl": 604_800}, "errors": []}
    site = setting.server.site
    account = site.create_account()
    site.command("account", "set-cache", str(account), "60")
    site.command("account", "set-cache", str(account), "off")
    for value in ("soon", "604801"):
        assert site.command("account", "set-cache", str(account), value, check=False).returncode
