"""The ASGI application: REST, GraphQL and the pages over one set of services."""

import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute

from app.domain.errors import MethodNotAllowed, NotFound, ServerError
from app.domain.services import Services
from app.graphql.endpoint import graphql_routes
from app.http.arrival import Arrival
from app.http.compression import Compression
from app.http.cross_origin import CrossOrigin
from app.http.health import health_routes
from app.http.stopping import told_first
from app.http.trailing_slash import WithoutTrailingSlash
from app.lifeline import end_with_parent
from app.logs import configure_logging
from app.observability.tracing import closing, open_tracing
from app.rest.resource import error_response
from app.rest.router import rest_routes
from app.runtime import open_services
from app.settings import Settings, load_settings
from app.web import pages

logger = logging.getLogger(__name__)

EXPOSED_HEADERS = (
    "X-Request-Id",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "Retry-After",
    "Idempotent-Replayed",
)


def create_app(settings: Settings | None = None) -> Starlette:
    """Return the application. Settings come from the environment unless given."""
    chosen = settings or load_settings()
    configure_logging(chosen)
    tracing = open_tracing()

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        works = chosen.broker_is_embedded
        async with (
            closing(tracing),
            _told(open_services(chosen, works=works, tracing=tracing)) as services,
        ):
            app.state.services = services
            end_with_parent()
            with told_first(services.stopping.set):
                yield

    def services() -> Services:
        opened: Services = app.state.services
        return opened

    async def misrouted(request: Request, error: Exception) -> Response:
        allowed = error.headers if isinstance(error, HTTPException) and error.headers else {}
        if "Allow" in allowed:
            methods = (*sorted(allowed["Allow"].split(", ")), "OPTIONS")
            if request.method == "OPTIONS":
                return Response(status_code=204, headers={"Allow": ", ".join(methods)})
            return error_response(MethodNotAllowed(request.method, methods), services())
        return error_response(
            NotFound(f"There is nothing at {request.url.path[:200]}."), services()
        )

    def fault() -> Response:
        return error_response(ServerError(), services())

    routes: list[BaseRoute] = [
        *rest_routes(services),
        *graphql_routes(services, pages.graphiql_page),
        *pages.routes(),
        *health_routes(services),
    ]
    app = Starlette(
        routes=routes,
        lifespan=lifespan,
        middleware=[
            Middleware(Arrival, fault=fault, tracing=tracing),
            *_cross_origin(chosen),
            Middleware(Compression),
            Middleware(WithoutTrailingSlash),
        ],
        exception_handlers={HTTPException: misrouted},
    )
    # A redirect would send a POST's body twice, or lose it.
    app.router.redirect_slashes = False
    return app


@contextlib.asynccontextmanager
async def _told(opening: AbstractAsyncContextManager[Services]) -> AsyncIterator[Services]:
    """Say why the services can't be opened: of an exception, logs leave out what it says."""
    async with contextlib.AsyncExitStack() as stack:
        try:
            opened = await stack.enter_async_context(opening)
        except Exception as error:
            # There is no content yet that it could quote.
            logger.critical("the server can't start: %s", error)
            raise
        yield opened


def _cross_origin(settings: Settings) -> list[Middleware]:
    if not settings.allowed_origins:
        return []
    layer = Middleware(
        CrossOrigin,
        allow_origins=settings.allowed_origins,
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "X-Request-Id"],
        expose_headers=EXPOSED_HEADERS,
    )
    return [layer]
