"""What orchestrators and Prometheus ask: alive, ready, metrics. Without a key, and never cached."""

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from app.domain.services import Services
from app.domain.work.depth import measure_queues
from app.observability import exposition

_NEVER_CACHED = {"Cache-Control": "no-store"}


def health_routes(services: Callable[[], Services]) -> list[BaseRoute]:
    """Return `/healthz`, `/readyz` and `/metrics`."""

    async def healthz(_request: Request) -> Response:
        return JSONResponse({"status": "ok"}, headers=_NEVER_CACHED)

    async def readyz(_request: Request) -> Response:
        checks = await services().readiness()
        ready = all(state == "ok" for state in checks.values())
        body = {"status": "ready" if ready else "unavailable", **checks}
        return JSONResponse(body, status_code=200 if ready else 503, headers=_NEVER_CACHED)

    async def metrics(request: Request) -> Response:
        await measure_queues(services())
        accept = request.headers.get("accept", "")
        text, media_type = await run_in_threadpool(exposition.render, accept)
        return Response(text, headers={**_NEVER_CACHED, "Content-Type": media_type})

    return [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/metrics", metrics),
    ]
