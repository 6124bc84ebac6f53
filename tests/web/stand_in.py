"""The pages over the committed GraphQL schema with answers by heart: no database, no model."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from graphql import GraphQLSchema, build_schema, graphql_sync
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.web import pages

ROOT = Path(__file__).parents[2]
KEY = "cai_live_" + "0" * 40
SECRET = "cai_live_" + "f" * 40

OPENAPI: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "ClassifAIly", "version": "1"},
    "servers": [{"url": "/api/v1"}],
    "components": {"securitySchemes": {"key": {"type": "http", "scheme": "bearer"}}},
    "security": [{"key": []}],
    "paths": {
        "/classify": {
            "post": {
                "tags": ["Classification"],
                "summary": "Classify a single input",
                "requestBody": {
                    "required": True,
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "required": ["input"],
                                "properties": {
                                    "input": {"type": "string"},
                                    "threshold": {"type": ["number", "null"]},
                                },
                            },
                            "example": {"input": "Our server costs doubled again."},
                        }
                    },
                },
                "responses": {"200": {"description": "The result"}},
            }
        }
    },
}


class Account:
    """What one account has; field names are the schema's."""

    def __init__(self) -> None:
        self.keys = [_key("1", "first key")]
        self.job_list = [_job(number) for number in range(45, 0, -1)]

    def viewer(self, _info: object) -> dict[str, Any]:
        """The account."""
        return {
            "id": "1",
            "name": "Acme",
            "plan": "STARTER",
            "status": "ACTIVE",
            "budget": {"limit": "25", "used": "3.2000165"},
        }

    def usage(self, _info: object, month: str | None = None) -> dict[str, Any]:
        """A month with two busy days."""
        period = month or "2026-11"
        days = [
            {"date": f"{period}-03", "requests": 40},
            {"date": f"{period}-09", "requests": 80},
        ]
        return {
            "period": period,
            "plan": "STARTER",
            "limits": {
                "requests": 10000,
                "resetsAt": "2026-12-01T00:00:00Z",
                "media": True,
                "schemas": 10,
                "batchSize": 50,
            },
            "usage": {
                "requests": 3421,
                "remaining": 6579,
                "tokens": 891234,
                "cost": "3.1500165",
                "byType": {"text": 3200, "image": 221, "audio": 0, "video": 0},
                "byDay": days,
            },
        }

    def jobs(self, _info: object, **arguments: Any) -> dict[str, Any]:
        """A page of jobs; a cursor is the number of jobs before it."""
        given = arguments.get("filter") or {}
        wanted = {name: value for name, value in given.items() if value is not None}
        found = [job for job in self.job_list if all(job[name] == wanted[name] for name in wanted)]
        start = int(arguments.get("after") or 0)
        end = start + (arguments.get("first") or 20)
        info = {"endCursor": str(end), "hasNextPage": end < len(found)}
        return {"totalCount": len(found), "nodes": found[start:end], "pageInfo": info}

    def apiKeys(self, _info: object) -> list[dict[str, Any]]:  # noqa: N802
        """The keys."""
        return self.keys

    def classify(self, _info: object, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002
        """The first category wins."""
        labels = [
            {"label": each["name"], "confidence": 0.9 / (index + 1), "explanation": None}
            for index, each in enumerate(input["categories"])
        ]
        job = _job(46) | {"result": labels[0] | {"labels": labels}}
        return {"job": job, "errors": []}

    def createApiKey(self, _info: object, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002, N802
        """Refuses one name, to show an error."""
        if input["name"] == "refused":
            error = {"code": "PLAN_RESTRICTION", "message": "Your plan has 3 keys.", "field": None}
            return {"apiKey": None, "secret": None, "errors": [error]}
        self.keys.append(_key(str(len(self.keys) + 1), input["name"]))
        return {"apiKey": self.keys[-1], "secret": SECRET, "errors": []}

    def renameApiKey(self, _info: object, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002, N802
        """Changes the name."""
        key = self._find(input["id"])
        key["name"] = input["name"]
        return {"apiKey": key, "errors": []}

    def revokeApiKey(self, _info: object, input: dict[str, Any]) -> dict[str, Any]:  # noqa: A002, N802
        """Marks the key."""
        key = self._find(input["id"])
        key["revokedAt"] = "2026-11-24T05:00:00Z"
        return {"apiKey": key, "errors": []}

    def _find(self, key_id: str) -> dict[str, Any]:
        return next(key for key in self.keys if key["id"] == key_id)


def _key(key_id: str, name: str) -> dict[str, Any]:
    return {
        "id": key_id,
        "name": name,
        "hint": "cai_live_0000…",
        "createdAt": "2026-11-01T10:30:00Z",
        "revokedAt": None,
    }


def _job(number: int) -> dict[str, Any]:
    failed = number % 10 == 0
    label = {"label": "finance", "confidence": 0.94, "explanation": None}
    return {
        "id": str(number),
        "status": "FAILED" if failed else "COMPLETED",
        "inputType": "TEXT",
        "inputPreview": f"Our server costs doubled again this quarter, number {number}.",
        "result": None if failed else label | {"labels": [label]},
        "error": {"code": "MODEL_UNAVAILABLE", "message": "No model."} if failed else None,
        "meta": {"model": "classifai-v1", "latencyMs": 12, "tokens": 9, "mode": "SINGLE"},
        "latencyMs": 12,
        "createdAt": "2026-11-24T03:30:00Z",
    }


def application(schema: GraphQLSchema) -> Starlette:
    """The pages and what they call."""
    account = Account()

    async def serve_graphql(request: Request) -> Response:
        if request.method == "GET":
            return pages.graphiql_page(request)
        body = await request.json()
        public = "__schema" in body["query"]
        if not public and request.headers.get("Authorization") != f"Bearer {KEY}":
            return JSONResponse({"errors": [{"message": "Unauthorized."}]}, 401)
        result = graphql_sync(schema, body["query"], account, variable_values=body.get("variables"))
        return JSONResponse(result.formatted)

    def openapi(_: Request) -> Response:
        return JSONResponse(OPENAPI)

    return Starlette(
        routes=[
            Route("/graphql", serve_graphql, methods=["GET", "POST"]),
            Route("/api/v1/openapi.json", openapi),
            Route("/api/v1/classify", openapi, methods=["POST"]),
            *pages.routes(),
        ]
    )


def committed_schema() -> GraphQLSchema:
    """What `schema.graphql` says."""
    return build_schema((ROOT / "schema.graphql").read_text(encoding="utf-8"))


@contextmanager
def running(app: Starlette) -> Iterator[str]:
    """The address of the application, served from a thread until the block ends."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
