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
from app.rest.operation import Operation, Parameter
from app.rest.replies import ErrorReply
from app.rest.resource import error_response

_REF = "#/components/schemas/{name}"
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
    shapes = [ErrorReply]
    for operations in addresses.values():
        for operation in operations.values():
            named = (operation.body, operation.promise, *_members(operation.reply))
            shapes += [shape for shape in named if shape]
    _, components = msgspec.json.schema_components(list(dict.fromkeys(shapes)), ref_template=_REF)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "ClassifAIly",
            "version": __version__,
            "description": "Classify any content into your own categories. "
            "The same is there, and more, over GraphQL at `/graphql`.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": f"{base_url}/api/v1"}],
        "security": [{"apiKey": []}],
        "paths": {path: _path_item(path, operations) for path, operations in addresses.items()},
        "components": {
            "schemas": components,
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


def _path_item(path: str, operations: Mapping[str, Operation]) -> dict[str, Any]:
    in_path = "{id}" in path
    return {
        method.lower(): _operation(method, operation, in_path=in_path)
        for method, operation in operations.items()
    }


def _operation(method: str, operation: Operation, *, in_path: bool) -> dict[str, Any]:
    parameters = [_parameter(p, in_path=in_path) for p in _parameters(operation, in_path=in_path)]
    if method == "POST":
        parameters.append(_IDEMPOTENCY_KEY)
    described: dict[str, Any] = {
        "operationId": f"{operation.name}ById" if in_path else operation.name,
        "summary": operation.summary,
        "parameters": parameters,
        "responses": {
            str(operation.status): _success(operation),
            **_promise(operation),
            **_failures(method, operation),
        },
    }
    if operation.body is not None:
        described["requestBody"] = {"required": True, "content": _content(operation.body)}
    return described


_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "A repeat with the same key and body within 24 hours gets the first answer.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}


def _parameters(operation: Operation, *, in_path: bool) -> list[Parameter]:
    # An id in the path leaves nothing for the rest of the query to select.
    return [p for p in operation.query if not in_path or p.name == "id"]


def _parameter(parameter: Parameter, *, in_path: bool) -> dict[str, Any]:
    in_path = in_path and parameter.name == "id"
    return {
        "name": parameter.name,
        "in": "path" if in_path else "query",
        "required": in_path or parameter.required,
        "description": parameter.description,
        "schema": dict(parameter.schema),
    }


def _success(operation: Operation) -> dict[str, Any]:
    success: dict[str, Any] = {"description": operation.summary}
    if operation.reply is not None:
        success["content"] = _content(operation.reply)
    return success


def _promise(operation: Operation) -> dict[str, Any]:
    if operation.promise is None:
        return {}
    promised = "With async: true. It has been accepted and will be done."
    return {"202": {"description": promised, "content": _content(operation.promise)}}


def _content(shape: Any) -> dict[str, Any]:
    refs = [{"$ref": _REF.format(name=member.__name__)} for member in _members(shape)]
    return {"application/json": {"schema": refs[0] if len(refs) == 1 else {"anyOf": refs}}}


def _failures(method: str, operation: Operation) -> dict[str, Any]:
    codes = [*_ALWAYS, *operation.errors]
    if operation.body is not None:
        codes += _WITH_BODY
    if method == "POST":
        codes += _ON_POST
    by_status: dict[str, list[ErrorCode]] = {}
    for code in codes:
        by_status.setdefault(str(code.status), []).append(code)
    return {
        status: {
            "description": " ".join(f"`{code.value}`: {code.meaning}" for code in group),
            "content": _content(ErrorReply),
        }
        for status, group in sorted(by_status.items())
    }
