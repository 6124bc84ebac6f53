"""Serves `/jobs/` as `/jobs`, without a redirect that would lose a POST's body."""

from starlette.types import ASGIApp, Receive, Scope, Send


class WithoutTrailingSlash:
    """ASGI middleware: the path loses the slashes at its end; the root keeps its own."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        path = scope.get("path", "")
        if path.endswith("/"):
            # In place: which route is chosen below is read off the scope above.
            scope["path"] = path.rstrip("/") or "/"
        await self.app(scope, receive, send)
