"""The protocol graphql-transport-ws, message by message, over real sockets."""

import hashlib
import time
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.conftest import Server, Tenant
from tests.graphql.asking import ask
from tests.graphql.live import JOB, greeted, open_socket, submit

CLASSIFY = "mutation($i:ClassifyInput!){classify(input:$i){job{id status}errors{code}}}"


def test_the_protocol_is_agreed_on(server: Server) -> None:
    with open_socket(server, protocols=()) as socket:
        assert socket.closing() == (4406, "Subprotocol not acceptable")
    with open_socket(server, protocols=("graphql-ws",)) as socket:
        assert socket.closing()[0] == 4406


def test_other_addresses_have_no_sockets(server: Server) -> None:
    with pytest.raises(InvalidStatus), connect(server.base_url.replace("http", "ws") + "/docs"):
        pass


class TestKey:
    """Who may open a connection."""

    @pytest.mark.parametrize("name", ["Authorization", "authorization"])
    def test_in_the_greeting(self, server: Server, tenant: Tenant, name: str) -> None:
        with open_socket(server) as socket:
            socket.greet(**{name: f"Bearer {tenant.key}"})
            socket.subscribe("{viewer{id}}")
            (data,) = socket.results()
        assert data["viewer"]["id"] == str(tenant.account_id)

    def test_in_the_handshake(self, server: Server, tenant: Tenant) -> None:
        header = {"Authorization": f"Bearer {tenant.key}"}
        with open_socket(server, headers=header) as socket:
            socket.send("connection_init")
            assert socket.receive() == {"type": "connection_ack"}
            socket.subscribe("{viewer{id}}")
            (data,) = socket.results()
        assert data["viewer"]["id"] == str(tenant.account_id)

    @pytest.mark.parametrize(
        "payload",
        [
            None,
            {},
            {"Authorization": "Bearer cai_live_" + "0" * 40},
            {"Authorization": "Bearer cai_live_..."},
            {"Authorization": 5},
        ],
    )
    def test_missing_or_bad(self, server: Server, payload: Any) -> None:
        with open_socket(server) as socket:
            socket.send("connection_init", payload=payload)
            code, reason = socket.closing()
        assert code == 4401
        assert reason.startswith("Unauthorized")

    def test_cookies_do_not_count(self, server: Server, tenant: Tenant) -> None:
        cookie = {"Cookie": f"Authorization=Bearer {tenant.key}; key={tenant.key}"}
        with open_socket(server, headers=cookie) as socket:
            socket.send("connection_init")
            assert socket.closing()[0] == 4401

    def test_nothing_runs_before_the_greeting(self, server: Server, tenant: Tenant) -> None:
        header = {"Authorization": f"Bearer {tenant.key}"}
        with open_socket(server, headers=header) as socket:
            socket.subscribe("{viewer{id}}")
            assert socket.closing() == (4401, "Unauthorized")

    def test_revoked(self, idle_server: Server, idle_tenant: Tenant) -> None:
        key = idle_server.site.create_key(idle_tenant.account_id)
        with greeted(idle_server, key) as idle, greeted(idle_server, key) as busy:
            busy.subscribe(JOB, id=submit(idle_tenant.client))
            assert busy.receive()["type"] == "next"
            newest = ask(idle_tenant.client, "{apiKeys{id}}")["apiKeys"][0]["id"]
            revoke = "mutation($i:RevokeApiKeyInput!){revokeApiKey(input:$i){errors{code}}}"
            ask(idle_tenant.client, revoke, i={"id": newest})
            idle.subscribe("{viewer{id}}")
            assert idle.closing()[0] == 4401
            assert busy.closing()[0] == 4401


class TestCloseCodes:
    """What ends a socket."""

    def test_no_greeting(self, server: Server) -> None:
        started = time.monotonic()
        with open_socket(server) as socket:
            assert socket.closing() == (4408, "Connection initialisation timeout")
        assert 4 < time.monotonic() - started < 20

    def test_two_greetings(self, server: Server, tenant: Tenant) -> None:
        with greeted(server, tenant.key) as socket:
            socket.send("connection_init", payload={"Authorization": f"Bearer {tenant.key}"})
            assert socket.closing() == (4429, "Too many initialisation requests")

    def test_an_id_twice(self, idle_server: Server, idle_tenant: Tenant) -> None:
        job_id = submit(idle_tenant.client)
        with greeted(idle_server, idle_tenant.key) as socket:
            socket.subscribe(JOB, name="twice", id=job_id)
            socket.subscribe(JOB, name="twice", id=job_id)
            assert socket.closing() == (4409, "Subscriber for twice already exists")

    @pytest.mark.parametrize(
        "message",
        [
            "",
            "null",
            "[]",
            "{",
            '{"id":"1"}',
            '{"type":"nope"}',
            '{"type":5}',
            '{"type":"next","id":"1","payload":{}}',
            '{"type":"subscribe","payload":{"query":"{__typename}"}}',
            '{"type":"subscribe","id":1,"payload":{"query":"{__typename}"}}',
            '{"type":"subscribe","id":"1"}',
            '{"type":"subscribe","id":"1","payload":{"query":5}}',
            '{"type":"subscribe","id":"1","payload":{"query":"{a}","variables":[1]}}',
            '{"type":"complete"}',
            '{"type":"ping","payload":5}',
            '{"type":"ping","payload":{"a":"\\ud800"}}',
            '{"type":"ping","payload":' + "[" * 100_000,
            b'{"type":"ping"}',
        ],
        ids=range(18),
    )
    def test_no_message_of_the_protocol(
        self, server: Server, tenant: Tenant, message: str | bytes
    ) -> None:
        with greeted(server, tenant.key) as socket:
            socket.send_raw(message)
            code, reason = socket.closing()
        assert code == 4400
        assert reason.startswith("Invalid message")

    def test_too_long_before_the_greeting(self, server: Server) -> None:
        with open_socket(server) as socket:
            socket.send("connection_init", payload={"Authorization": "x" * 70_000})
            assert socket.closing()[0] == 4400

    def test_too_long_at_all(self, server: Server, tenant: Tenant) -> None:
        with greeted(server, tenant.key) as socket:
            socket.send("ping", payload={"x": "x" * 17 * 1024 * 1024})
            # What was sent and not read breaks the connection, often before the code is through.
            assert socket.closing()[0] in {1009, 1006}


class TestOperations:
    """Operations of every kind over one socket."""

    def test_pings_are_answered(self, server: Server, tenant: Tenant) -> None:
        with open_socket(server) as socket:
            socket.send("ping")
            assert socket.receive() == {"type": "pong"}
            socket.greet(Authorization=f"Bearer {tenant.key}")
            socket.send("ping", payload={"n": 1})
            assert socket.receive() == {"type": "pong", "payload": {"n": 1}}
            socket.send("pong")
            socket.subscribe("{__typename}")
            assert list(socket.results()) == [{"__typename": "Query"}]

    def test_mutations(self, server: Server, tenant: Tenant) -> None:
        with greeted(server, tenant.key) as socket:
            socket.subscribe(CLASSIFY, i={"input": "x"})
            (data,) = socket.results()
            assert data["classify"]["job"]["status"] == "COMPLETED"
            socket.subscribe(CLASSIFY, i={"input": ""})
            (data,) = socket.results()
            assert data["classify"]["errors"] == [{"code": "INVALID_REQUEST"}]

    def test_side_by_side(self, server: Server, tenant: Tenant) -> None:
        job_id = submit(tenant.client)
        with greeted(server, tenant.key) as socket:
            socket.subscribe(JOB, name="long", id=job_id)
            for n in range(10):
                socket.subscribe("{viewer{id}}", name=f"short {n}")
            ended: list[str] = []
            while len(ended) < 11:
                message = socket.receive()
                if message["type"] == "complete":
                    ended.append(message["id"])
        assert sorted(ended) == sorted(["long", *(f"short {n}" for n in range(10))])

    @pytest.mark.parametrize(
        ("payload", "code"),
        [
            ({"query": "{nope}"}, "GRAPHQL_VALIDATION_FAILED"),
            ({"query": "{"}, "GRAPHQL_VALIDATION_FAILED"),
            ({"query": "query A{__typename} query B{__typename}"}, "GRAPHQL_VALIDATION_FAILED"),
            ({"query": "subscription{job(id:1){id} batch(id:2){id}}"}, "GRAPHQL_VALIDATION_FAILED"),
            ({"query": JOB}, "GRAPHQL_VALIDATION_FAILED"),
            ({}, "INVALID_REQUEST"),
            ({"query": "{viewer{" + " ".join(f"a{n}:id" for n in range(51)) + "}}"},
             "QUERY_TOO_COMPLEX"),
            ({"query": "#" * 200_001}, "QUERY_TOO_COMPLEX"),
        ],
    )  # fmt: skip
    def test_refused_like_over_http(
        self, server: Server, tenant: Tenant, payload: dict[str, Any], code: str
    ) -> None:
        with greeted(server, tenant.key) as socket:
            socket.send("subscribe", id="1", payload=payload)
            refused = socket.receive()
            assert (refused["type"], refused["id"]) == ("error", "1")
            assert refused["payload"][0]["extensions"]["code"] == code
            # The socket goes on, and the id is free.
            socket.subscribe("{__typename}")
            assert list(socket.results()) == [{"__typename": "Query"}]

    def test_persisted_documents(self, server: Server, tenant: Tenant) -> None:
        query = "{viewer{overSocket:name}}"
        digest = hashlib.sha256(query.encode()).hexdigest()
        named = {"persistedQuery": {"version": 1, "sha256Hash": digest}}
        with greeted(server, tenant.key) as socket:
            socket.send("subscribe", id="1", payload={"extensions": named})
            unknown = socket.receive()["payload"][0]
            assert unknown["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
            socket.send("subscribe", id="1", payload={"query": query, "extensions": named})
            told = list(socket.results())
            socket.send("subscribe", id="1", payload={"extensions": named})
            assert list(socket.results()) == told

    def test_errors_in_fields_come_with_data(self, server: Server, tenant: Tenant) -> None:
        with greeted(server, tenant.key) as socket:
            socket.subscribe("{jobs(first:101){totalCount}}")
            message = socket.receive()
        assert message["type"] == "next"
        assert message["payload"]["data"] is None
        assert message["payload"]["errors"][0]["extensions"]["code"] == "INVALID_REQUEST"

    def test_a_subscription_can_be_dropped_and_its_id_taken_again(
        self, idle_server: Server, idle_tenant: Tenant
    ) -> None:
        job_id = submit(idle_tenant.client)
        with greeted(idle_server, idle_tenant.key) as socket:
            socket.subscribe(JOB, id=job_id)
            assert socket.receive()["type"] == "next"
            socket.send("complete", id="1")
            socket.send("complete", id="never begun")
            socket.subscribe("{__typename}")
            while (message := socket.receive())["payload"]["data"] != {"__typename": "Query"}:
                assert message["type"] == "next"
            assert socket.receive() == {"type": "complete", "id": "1"}

    def test_a_dropped_mutation_is_done_all_the_same(self, server: Server, tenant: Tenant) -> None:
        before = ask(tenant.client, "{jobs{totalCount}}")["jobs"]["totalCount"]
        with greeted(server, tenant.key) as socket:
            socket.subscribe(CLASSIFY, i={"input": "word " * 20_000})
            time.sleep(0.1)
            socket.send("complete", id="1")
            socket.subscribe("{__typename}", name="2")
            assert list(socket.results("2")) == [{"__typename": "Query"}]
        deadline = time.monotonic() + 30
        newest = "{jobs(first:1){totalCount nodes{status}}}"
        while (jobs := ask(tenant.client, newest)["jobs"])["nodes"][0]["status"] != "COMPLETED":
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert jobs["totalCount"] == before + 1

    def test_too_many_at_a_time(self, idle_server: Server, idle_tenant: Tenant) -> None:
        job_id = submit(idle_tenant.client)
        with greeted(idle_server, idle_tenant.key) as socket:
            for n in range(101):
                socket.subscribe(JOB, name=str(n), id=job_id)
            while (message := socket.receive())["type"] == "next":
                pass
            assert (message["type"], message["id"]) == ("error", "100")
            assert message["payload"][0]["extensions"]["code"] == "TOO_MANY_OPERATIONS"
            assert "100" in message["payload"][0]["message"]


def test_sockets_over_and_over_leave_nothing_behind(
    idle_server: Server, idle_tenant: Tenant
) -> None:
    job_id = submit(idle_tenant.client)

    def rush(count: int) -> None:
        for n in range(count):
            with greeted(idle_server, idle_tenant.key) as socket:
                for name in ("a", "b"):
                    socket.subscribe(JOB, name=name, id=job_id)
                if n % 2:
                    socket.receive()

    rush(40)
    before = _memory(idle_server)
    rush(200)
    grown = _memory(idle_server) - before
    # Each that stayed would hold 58 KB, as measured with 200 that were held.
    assert grown < 6 * 1024 * 1024, f"{grown} bytes for 200 sockets"


def _memory(server: Server) -> int:
    pages = int(Path(f"/proc/{server.process.pid}/statm").read_text().split()[1])
    return pages * 4096
