"""What holds for every endpoint: authentication, precedence, headers, plans, limits."""

import socket
from collections.abc import Callable, Iterator
from http.client import HTTPResponse

import httpx
import pytest

from tests.conftest import Server, Site, Tenant, running

ENDPOINTS = [
    "/api/v1/classify",
    "/api/v1/batch",
    "/api/v1/schemas",
    "/api/v1/jobs",
    "/api/v1/usage",
    "/api/v1/plans",
    "/api/v1/models",
]


def error_of(response: httpx.Response) -> dict:
    body = response.json()
    assert set(body) == {"error"}
    assert {"code", "message", "docs"} <= set(body["error"])
    assert body["error"]["docs"].endswith("/docs#errors")
    return body["error"]


@pytest.mark.contract("request.bearer", "error.unauthorized")
@pytest.mark.parametrize(
    "header",
    [
        None, "", "Bearer", "Bearer nonsense", "Basic abc", "cai_live_" + "0" * 40,
        "Bearer cai_live_" + "0" * 40, "Bearer cai_live_" + "g" * 40, "Bearer cai_live_é",
    ],
)  # fmt: skip
def test_a_missing_or_bad_key_is_401(server: Server, header: str | None) -> None:
    headers = [] if header is None else [(b"Authorization", header.encode("utf-8"))]
    response = httpx.get(f"{server.base_url}/api/v1/usage", headers=headers)
    assert response.status_code == 401
    assert error_of(response)["code"] == "unauthorized"
    assert response.headers["WWW-Authenticate"] == "Bearer"


def test_the_scheme_is_case_insensitive(server: Server, tenant: Tenant) -> None:
    headers = {"Authorization": f"bearer {tenant.key}"}
    assert httpx.get(f"{server.base_url}/api/v1/usage", headers=headers).status_code == 200


@pytest.mark.contract("request.revoked", "account.revoked")
def test_a_revoked_key_is_refused_on_the_next_request(make_tenant: Callable[..., Tenant]) -> None:
    tenant = make_tenant("pro")
    query = {"query": "{apiKeys{id}}"}
    (key,) = tenant.client.post("/graphql", json=query).json()["data"]["apiKeys"]
    revoke = {"query": f'mutation{{revokeApiKey(input:{{id:"{key["id"]}"}}){{errors{{code}}}}}}'}
    assert tenant.client.post("/graphql", json=revoke).status_code == 200
    assert tenant.client.get("/api/v1/usage").status_code == 401
    assert tenant.client.post("/graphql", json=query).status_code == 401


@pytest.mark.contract("request.base_url", "transport.alias", "transport.slash")
@pytest.mark.parametrize("prefix", ["/api/v1", "/v1"])
@pytest.mark.parametrize("end", ["", "/"])
def test_addresses_answer_under_both_prefixes(tenant: Tenant, prefix: str, end: str) -> None:
    response = tenant.client.post(f"{prefix}/classify{end}", json={"input": "hello"})
    assert response.status_code == 200


@pytest.mark.contract("errors.not_found", "error.body", "error.docs")
@pytest.mark.parametrize(
    "path", ["/api/v1", "/api/v1/nope", "/v1/jobs/1/2", "/nope", "/api/v2/jobs"]
)
def test_an_unknown_path_is_404(tenant: Tenant, path: str) -> None:
    response = tenant.client.get(path)
    assert response.status_code == 404
    assert error_of(response)["code"] == "not_found"


@pytest.mark.contract("error.method_not_allowed")
@pytest.mark.parametrize("path", [*ENDPOINTS, "/api/v1/openapi.json"])
def test_a_wrong_method_is_405_before_authentication(server: Server, path: str) -> None:
    response = httpx.request("TRACE", server.base_url + path)
    assert response.status_code == 405
    assert error_of(response)["code"] == "method_not_allowed"
    assert "OPTIONS" in response.headers["Allow"]


def test_head_and_options(tenant: Tenant) -> None:
    head = tenant.client.head("/api/v1/usage")
    assert head.status_code == 200
    assert head.content == b""
    assert int(head.headers["Content-Length"]) > 0
    options = tenant.client.options("/api/v1/jobs")
    assert options.status_code == 204
    assert options.headers["Allow"] == "GET, HEAD, OPTIONS"


@pytest.mark.contract("transport.request_id")
def test_a_sane_request_id_is_echoed(tenant: Tenant) -> None:
    for path in ("/api/v1/usage", "/nope", "/healthz", "/graphql"):
        response = tenant.client.get(path, headers={"X-Request-Id": "order-17.a"})
        assert response.headers["X-Request-Id"] == "order-17.a"


@pytest.mark.contract("transport.request_id")
@pytest.mark.parametrize("value", ["", "a b", "x" * 200, "<script>", "é"])
def test_an_insane_request_id_is_replaced(tenant: Tenant, value: str) -> None:
    response = tenant.client.get("/healthz", headers={"X-Request-Id": value.encode()})
    assert len(response.headers["X-Request-Id"]) == 32


@pytest.mark.contract("transport.rate_limit")
def test_limited_plans_get_rate_limit_headers(make_tenant: Callable[..., Tenant]) -> None:
    tenant = make_tenant("free")
    first = tenant.client.post("/api/v1/classify", json={"input": "hello"})
    assert first.headers["X-RateLimit-Limit"] == "100"
    assert first.headers["X-RateLimit-Remaining"] == "99"
    assert int(first.headers["X-RateLimit-Reset"]) % 86_400 == 0
    read = tenant.client.get("/api/v1/jobs")
    assert read.headers["X-RateLimit-Remaining"] == "99"
    bad = tenant.client.post("/api/v1/classify", json={"input": ""})
    assert bad.headers["X-RateLimit-Remaining"] == "99"


@pytest.mark.contract("transport.unlimited")
def test_unlimited_plans_get_none(tenant: Tenant) -> None:
    response = tenant.client.get("/api/v1/usage")
    assert not [name for name in response.headers if name.startswith("x-ratelimit")]


@pytest.mark.contract(
    "error.rate_limit_exceeded", "error.rate_limit_exceeded.limit",
    "error.rate_limit_exceeded.used", "error.rate_limit_exceeded.resets_at", "limits.reset",
    "transport.retry_after",
)  # fmt: skip
def test_the_quota_ends_with_429(make_tenant: Callable[..., Tenant]) -> None:
    tenant = make_tenant("free")
    codes = [
        tenant.client.post("/api/v1/classify", json={"input": "hi"}).status_code for _ in range(101)
    ]
    assert codes == [200] * 100 + [429]
    refused = tenant.client.post("/api/v1/classify", json={"input": "hi"})
    error = error_of(refused)
    assert error["code"] == "rate_limit_exceeded"
    assert error["message"] == "Monthly limit of 100 requests reached."
    assert (error["limit"], error["used"]) == (100, 100)
    assert error["resets_at"].endswith("-01T00:00:00Z")
    assert int(refused.headers["Retry-After"]) > 0
    assert tenant.client.get("/api/v1/usage").json()["usage"]["remaining"] == 0


@pytest.mark.contract("error.plan_restriction", "account.restriction", "classify.more.free")
@pytest.mark.parametrize(
    ("plan", "body", "feature", "required"),
    [
        ("free", {"input": "x", "categories": ["a"]}, "categories", "starter"),
        ("free", {"input": "x", "schema": 1}, "schemas", "starter"),
        ("free", {"input": "https://e.org/a.png", "type": "image"}, "media", "starter"),
        ("free", {"input": "https://e.org/a.mp3", "type": "audio"}, "media", "pro"),
        ("starter", {"input": "https://e.org/a.mp3", "type": "audio"}, "media", "pro"),
        ("starter", {"input": "https://e.org/a.mp4", "type": "video"}, "media", "pro"),
    ],
)
def test_what_a_plan_lacks_is_403(
    make_tenant: Callable[..., Tenant], plan: str, body: dict, feature: str, required: str
) -> None:
    response = make_tenant(plan).client.post("/api/v1/classify", json=body)
    assert response.status_code == 403
    error = error_of(response)
    assert error["code"] == "plan_restriction"
    assert (error["feature"], error["required_plan"]) == (feature, required)


@pytest.mark.contract("error.subscription_inactive", "account.status")
@pytest.mark.parametrize("status", ["past_due", "canceled"])
def test_a_lapsed_subscription_is_403_until_it_is_active(
    make_tenant: Callable[..., Tenant], status: str
) -> None:
    tenant = make_tenant("starter")
    site_command = tenant.site.command
    site_command("account", "set-status", str(tenant.account_id), status)
    # Before the body is looked at.
    response = tenant.client.post("/api/v1/classify", content=b"{")
    assert response.status_code == 403
    assert error_of(response)["code"] == "subscription_inactive"
    site_command("account", "set-plan", str(tenant.account_id), "free")
    assert tenant.client.get("/api/v1/usage").status_code == 200
    site_command("account", "set-plan", str(tenant.account_id), "starter")
    site_command("account", "set-status", str(tenant.account_id), "active")
    assert tenant.client.get("/api/v1/usage").json()["plan"] == "starter"


@pytest.fixture(scope="module")
def small_server(make_site: Callable[..., Site]) -> Iterator[tuple[Server, str]]:
    """A server that takes 2,048 bytes, with CORS for one origin."""
    site = make_site(max_body_bytes="2048", cors_origins="https://app.example", model_label="auto")
    with running(site) as started:
        yield started, site.create_key(site.create_account())


@pytest.mark.contract("errors.payload_too_large", "transport.body_limit")
def test_a_declared_body_above_the_limit_is_413(small_server: tuple[Server, str]) -> None:
    server, key = small_server
    with server.client(key) as client:
        response = client.post("/api/v1/classify", json={"input": "x" * 3000})
    assert response.status_code == 413
    assert error_of(response)["code"] == "payload_too_large"


@pytest.mark.contract("errors.payload_too_large")
def test_a_chunked_body_above_the_limit_is_413(small_server: tuple[Server, str]) -> None:
    server, key = small_server

    def chunks() -> Iterator[bytes]:
        yield b'{"input": "'
        for _ in range(10):
            yield b"x" * 1000
        yield b'"}'

    headers = {"Content-Type": "application/json"}
    with server.client(key) as client:
        for path in ("/api/v1/classify", "/graphql"):
            response = client.post(path, content=chunks(), headers=headers)
            assert response.status_code == 413


def _raw(server: Server, sent: bytes) -> tuple[int, bytes]:
    """Send bytes, leave the connection open, return the status and body that come all the same."""
    host, port = server.base_url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(sent)
        answer = HTTPResponse(connection)
        answer.begin()
        return answer.status, answer.read()


def _head(key: str, *lines: str, path: str = "/api/v1/classify") -> bytes:
    fixed = (
        f"POST {path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {key}",
        "Content-Type: application/json",
    )  # fmt: skip
    return "\r\n".join([*fixed, *lines, "", ""]).encode()


@pytest.mark.contract("transport.body_limit")
@pytest.mark.parametrize("path", ["/api/v1/classify", "/v1/batch", "/v1/schemas", "/graphql"])
def test_a_chunked_body_is_cut_while_it_comes(small_server: tuple[Server, str], path: str) -> None:
    server, key = small_server
    chunk = b"400\r\n" + b"x" * 1024 + b"\r\n"
    # The third chunk passes the limit; the last never comes.
    sent = _head(key, "Transfer-Encoding: chunked", path=path) + chunk * 3
    status, answer = _raw(server, sent)
    assert status == 413
    assert b"payload_too_large" in answer.lower()


@pytest.mark.contract("transport.body_limit")
def test_a_huge_declared_length_is_refused_without_reading(
    small_server: tuple[Server, str],
) -> None:
    server, key = small_server
    assert _raw(server, _head(key, "Content-Length: 99999999999"))[0] == 413


@pytest.mark.parametrize("length", ["x", "-1", "+5", "1.5", "0x10", "5, 5", "9" * 30])
def test_a_content_length_that_is_no_number_is_refused(
    small_server: tuple[Server, str], length: str
) -> None:
    server, key = small_server
    assert _raw(server, _head(key, f"Content-Length: {length}"))[0] == 400


def test_a_body_of_exactly_the_limit_is_read(small_server: tuple[Server, str]) -> None:
    server, key = small_server
    bare = b'{"input": ""}'
    for size, status in ((2048, 200), (2049, 413)):
        body = bare.replace(b'""', b'"' + b"x" * (size - len(bare)) + b'"')
        with server.client(key) as client:
            headers = {"Content-Type": "application/json"}
            answer = client.post("/api/v1/classify", content=body, headers=headers)
            assert (len(body), answer.status_code) == (size, status)


@pytest.mark.contract("transport.cors")
def test_cors_answers_the_listed_origin_only(small_server: tuple[Server, str]) -> None:
    server, _ = small_server
    headers = {"Origin": "https://app.example", "Access-Control-Request-Method": "POST"}
    allowed = httpx.options(f"{server.base_url}/api/v1/classify", headers=headers)
    assert (allowed.status_code, allowed.content) == (204, b"")
    assert allowed.headers["Access-Control-Allow-Origin"] == "https://app.example"
    shown = httpx.get(f"{server.base_url}/v1/usage", headers={"Origin": headers["Origin"]})
    for name in ("X-Request-Id", "X-RateLimit-Reset", "Retry-After", "Idempotent-Replayed"):
        assert name in shown.headers["Access-Control-Expose-Headers"]
    headers["Origin"] = "https://evil.example"
    refused = httpx.options(f"{server.base_url}/api/v1/classify", headers=headers)
    assert (refused.status_code, refused.content) == (204, b"")
    assert "Access-Control-Allow-Origin" not in refused.headers


@pytest.mark.contract("transport.cors")
def test_cors_is_off_by_default(server: Server) -> None:
    response = httpx.get(f"{server.base_url}/healthz", headers={"Origin": "https://app.example"})
    assert "Access-Control-Allow-Origin" not in response.headers


def test_the_label_auto_shows_the_real_model(small_server: tuple[Server, str]) -> None:
    server, key = small_server
    with server.client(key) as client:
        answer = client.post("/api/v1/classify", json={"input": "hello"}).json()
    assert answer["meta"]["model"] == "embedded/minilm+e5"


def test_health_and_readiness_need_no_key(server: Server) -> None:
    assert httpx.get(f"{server.base_url}/healthz").json() == {"status": "ok"}
    ready = httpx.get(f"{server.base_url}/readyz")
    assert ready.status_code == 200
    parts = {"database": "ok", "broker": "ok", "model": "ok"}
    assert ready.json() == {"status": "ready", **parts}
