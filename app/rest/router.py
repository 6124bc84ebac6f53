"""The REST addresses, under `/api/v1` and `/v1`."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from app.domain.errors import NotFound
from app.domain.services import Services
from app.rest.account import ACCOUNT
from app.rest.batch import BATCH
from app.rest.classify import CLASSIFY
from app.rest.files import FILES, RESULTS
from app.rest.jobs import CANCEL, JOB, JOBS, RETRY
from app.rest.models import MODELS
from app.rest.openapi import OpenApi
from app.rest.operation import Operation
from app.rest.plans import PLANS
from app.rest.resource import Resource, error_response
from app.rest.schemas import SCHEMA, SCHEMAS
from app.rest.systemone import SYSTEMONE
from app.rest.usage import USAGE
from app.rest.webhook_deliveries import DELIVERIES, REDELIVER, TEST
from app.rest.webhooks import ROTATE, WEBHOOK, WEBHOOKS

PREFIXES = ("/api/v1", "/v1")


ADDRESSES: dict[str, dict[str, Operation]] = {
    "/classify": CLASSIFY,
    "/batch": BATCH,
    "/batch/files": FILES,
    "/batch/files/results": RESULTS,
    "/batch/files/{id}/results": RESULTS,
    "/systemone": SYSTEMONE,
    "/schemas": SCHEMAS,
    "/schemas/{id}": SCHEMA,
    "/webhooks": WEBHOOKS,
    "/webhooks/{id}": WEBHOOK,
    "/webhooks/{id}/rotate": ROTATE,
    "/webhooks/{id}/test": TEST,
    "/webhooks/{id}/deliveries": DELIVERIES,
    "/webhooks/{id}/redeliver": REDELIVER,
    "/jobs": JOBS,
    # Before the ids, of which these are none.
    "/jobs/cancel": CANCEL,
    "/jobs/retry": RETRY,
    "/jobs/{id}": JOB,
    "/jobs/{id}/cancel": CANCEL,
    "/jobs/{id}/retry": RETRY,
    "/usage": USAGE,
    "/account": ACCOUNT,
    "/plans": PLANS,
    "/models": MODELS,
}


def rest_routes(services: Callable[[], Services]) -> list[BaseRoute]:
    """Return the mounts of the REST face."""
    routes = [Route(path, Resource(services, operations)) for path, operations in ADDRESSES.items()]
    router = Router(
        [*routes, Route("/openapi.json", OpenApi(services, ADDRESSES))],
        redirect_slashes=False,
        default=not_found(services),
    )
    return [Mount(prefix, router) for prefix in PREFIXES]


def not_found(services: Callable[[], Services]) -> ASGIApp:
    """Return an app that answers every request with the contract's 404."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        error = NotFound(f"There is nothing at {request.url.path[:200]}.")
        response: Response = error_response(error, services())
        await response(scope, receive, send)

    return answer
