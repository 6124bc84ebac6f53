"""The OpenAPI 3.1 document, made from the operations and shapes that answer the requests."""

from collections.abc import Callable, Mapping
from typing import Any, get_args

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app import __version__
from app.domain.errors import ErrorCode, MethodNotAllowed
from app.domain.services import Services
from app.rest.described import REF
from app.rest.error_reply import ErrorReply
from app.rest.examples import PROMISES, RAW_REPLIES, RAW_REQUESTS, REPLIES, REQUESTS, example_of
from app.rest.operation import Operation, Parameter
from app.rest.replies import LabelReply, LabelsReply
from app.rest.resource import error_response
from app.rest.response_headers import HEADERS, headers_of
from app.rest.systemone_shapes import QUESTION_SHAPES, TYPE, TYPED_SHAPES
from app.rest.webhook_events import EVENT_SHAPES, webhook_events

_DESCRIPTION = """\
Classify any content into your own categories. The same is there, and more, over GraphQL at
`/graphql`.

- Every request but this document's needs an API key: `Authorization: Bearer cai_live_…`.
- The routes answer under `/api/v1` and `/v1`, with or without a slash at their end. What takes an
  id takes it in the path or in the query. `HEAD` answers as `GET` does without the body, `OPTIONS`
  with the methods that an address has.
- A body is a JSON object (RFC 8259, UTF-8) with `Content-Type: application/json`. Unknown fields
  are ignored, and null counts as left out. **Of a name or a parameter that is given twice the last
  counts**; each is held to its type. Text may not hold NUL or lone surrogates, and what may not be
  empty must show more than white space and invisible characters.
- Times are in UTC, ISO 8601, whole seconds. A job's id is an integer written as a string, a
  schema's is an integer.
- The order of checks: address and method, API key, subscription, body, plan, the schema or job
  named, quota. What is refused counts nothing and leaves nothing.
- Every answer has `X-Request-Id`: send one of up to 128 letters, digits and `._:+/=-`, or get a new
  one.
"""
# What every authenticated operation may answer.
_ALWAYS = (
    ErrorCode.UNAUTHORIZED,
    ErrorCode.SUBSCRIPTION_INACTIVE,
    ErrorCode.INVALID_REQUEST,
    ErrorCode.SERVER_ERROR,
)
_WITH_BODY = (ErrorCode.INVALID_JSON, ErrorCode.PAYLOAD_TOO_LARGE)
_ON_POST = (ErrorCode.IDEMPOTENCY_CONFLICT, ErrorCode.IDEMPOTENCY_IN_PROGRESS)
_METHODS = ("GET", "HEAD", "OPTIONS")


class OpenApi:
    """An ASGI app that serves the document, without authentication."""

    def __init__(
        self,
        services: Callable[[], Services],
        addresses: Mapping[str, Mapping[str, Operation]],
    ) -> None:
        self._services = services
        self._addresses = addresses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer GET, HEAD and OPTIONS."""
        response = self._answer(Request(scope, receive).method)
        await response(scope, receive, send)

    def _answer(self, method: str) -> Response:
        if method == "OPTIONS":
            return Response(status_code=204, headers={"Allow": ", ".join(_METHODS)})
        services = self._services()
        if method not in _METHODS:
            return error_response(MethodNotAllowed(method, _METHODS), services)
        document = openapi_document(self._addresses, base_url=services.settings.base_url)
        return Response(msgspec.json.encode(document), media_type="application/json")


def openapi_document(
    addresses: Mapping[str, Mapping[str, Operation]], *, base_url: str
) -> dict[str, Any]:
    """Return the document as JSON-ready values."""
    shapes: list[Any] = [ErrorReply, LabelReply, LabelsReply, *EVENT_SHAPES, *QUESTION_SHAPES]
    for operations in addresses.values():
        for operation in operations.values():
            named = (operation.body, operation.promise, *_members(operation.reply))
            shapes += [shape for shape in named if shape]
    _, components = msgspec.json.schema_components(list(dict.fromkeys(shapes)), ref_template=REF)
    for shape in TYPED_SHAPES:
        # msgspec makes the tag, and has no place to tell of it.
        components[shape.__name__]["properties"]["type"]["description"] = TYPE
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ClassifAIly",
            "version": __version__,
            "description": _DESCRIPTION,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": f"{base_url}/api/v1"}],
        "security": [{"apiKey": []}],
        "tags": [{"name": tag} for tag in dict.fromkeys(map(_tag, addresses))],
        "paths": {
            path: _path_item(path, operations, docs=f"{base_url}/docs#errors")
            for path, operations in addresses.items()
        },
        "webhooks": webhook_events(),
        "components": {
            "schemas": components,
            "headers": HEADERS,
            "securitySchemes": {
                "apiKey": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key: `cai_live_` and 40 hex digits.",
                }
            },
        },
    }


def _members(reply: Any) -> tuple[Any, ...]:
    return get_args(reply) or ((reply,) if reply is not None else ())


def _tag(path: str) -> str:
    return path.split("/")[1]


def _path_item(path: str, operations: Mapping[str, Operation], *, docs: str) -> dict[str, Any]:
    return {
        method.lower(): _operation(path, method, operation, docs=docs)
        for method, operation in operations.items()
    }


def _operation(path: str, method: str, operation: Operation, *, docs: str) -> dict[str, Any]:
    in_path = "{id}" in path
    parameters = [_parameter(parameter, in_path=in_path) for parameter in operation.query]
    if method == "POST":
        parameters.append(_IDEMPOTENCY_KEY)
    operation_id = f"{operation.name}ById" if path.endswith("{id}") else operation.name
    described: dict[str, Any] = {
        "operationId": operation_id,
        "summary": operation.summary,
        "tags": [_tag(path)],
        "parameters": parameters,
        "responses": {
            str(operation.status): _success(method, operation, operation_id),
            **_promise(method, operation),
            **_failures(method, operation, docs=docs),
        },
    }
    if operation.body is not None:
        examples = REQUESTS.get(operation.name, {})
        described["requestBody"] = {
            "required": not operation.may_lack_body,
            "content": _content(operation.body, examples),
        }
    elif operation.consumes:
        raw = _raw(operation.consumes, RAW_REQUESTS[operation.name])
        described["requestBody"] = {"required": True, "content": raw}
    return described


_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A repeat with the same key and body within 24 hours gets the first answer.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}


def _parameter(parameter: Parameter, *, in_path: bool) -> dict[str, Any]:
    in_path = in_path and parameter.name == "id"
    return {
        "name": parameter.name,
        "in": "path" if in_path else "query",
        "required": in_path or parameter.required,
        "description": parameter.description,
        "schema": dict(parameter.schema),
    }


def _success(method: str, operation: Operation, operation_id: str) -> dict[str, Any]:
    success: dict[str, Any] = {
        "description": operation.summary,
        "headers": headers_of(operation.status, method),
    }
    if operation.reply is not None:
        examples = REPLIES.get(operation_id) or REPLIES.get(operation.name) or {}
        success["content"] = _content(operation.reply, examples)
    elif operation.produces:
        success["content"] = _raw(operation.produces, RAW_REPLIES[operation.name])
    return success


def _promise(method: str, operation: Operation) -> dict[str, Any]:
    if operation.promise is None:
        return {}
    status = 202
    promised = {
        "description": "With async: true, and for files always. It has been accepted and will be "
        "done.",
        "headers": headers_of(status, method),
        "content": _content(operation.promise, PROMISES.get(operation.name, {})),
    }
    return {str(status): promised}


def _raw(
    schemas: Mapping[str, Mapping[str, Any]], examples: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    return {
        media_type: {
            "schema": dict(schema),
            "examples": {
                name: {"value": value} for name, value in examples.get(media_type, {}).items()
            },
        }
        for media_type, schema in schemas.items()
    }


def _content(shape: Any, examples: Mapping[str, Any]) -> dict[str, Any]:
    refs = [{"$ref": REF.format(name=member.__name__)} for member in _members(shape)]
    content: dict[str, Any] = {"schema": refs[0] if len(refs) == 1 else {"anyOf": refs}}
    if examples:
        content["examples"] = {name: {"value": value} for name, value in examples.items()}
    return {"application/json": content}


def _failures(method: str, operation: Operation, *, docs: str) -> dict[str, Any]:
    codes = [*_ALWAYS, *operation.errors]
    if operation.body is not None:
        codes += _WITH_BODY
    if operation.consumes:
        codes.append(ErrorCode.PAYLOAD_TOO_LARGE)
    if method == "POST":
        codes += _ON_POST
    by_status: dict[int, list[ErrorCode]] = {}
    for code in codes:
        by_status.setdefault(code.status, []).append(code)
    return {
        str(status): {
            "description": " ".join(f"`{code.value}`: {code.meaning}" for code in group),
            "headers": headers_of(status, method),
            "content": _content(
                ErrorReply, {code.value: example_of(code, docs=docs) for code in group}
            ),
        }
        for status, group in sorted(by_status.items())
    }
