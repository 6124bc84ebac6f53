"""The pages for people: dashboard, GraphiQL, API reference, and the assets they load.

The build (`make pages`) leaves one HTML file a page and assets whose names hold a hash of their
content: a browser keeps an asset for good and asks for a page each time, mostly to hear 304.

Each page has a Content-Security-Policy that names this server only, so nothing that gets into a
page can load from or send to another host.
"""

import hashlib
from collections.abc import Sequence
from html import escape
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from app.domain.errors import ErrorCode
from app.http.compression import takes_gzip

ErrorRow = tuple[int, str, str]
"""HTTP status, code, meaning."""

BUILT = Path(__file__).parent / "static"

_ERRORS_MARK = "<!--errors-->"

_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "base-uri": "'none'",
    "form-action": "'none'",
    "frame-ancestors": "'none'",
}
# Monaco and Swagger UI write <style> elements; neither needs inline or evaluated scripts.
_STYLED = _POLICY | {"style-src": "'self' 'unsafe-inline'"}
_GRAPHIQL = _STYLED | {"font-src": "'self'", "worker-src": "'self'"}

# Not from `mimetypes`: that reads the machine's tables, and `nosniff` makes a wrong type fatal.
_TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".txt": "text/plain",
}

_NOT_BUILT = """<!doctype html>
<html lang="en">
<meta charset="utf-8"><title>Not built · ClassifAIly</title>
<h1>The pages are not built</h1>
<p>Run <code>make pages</code> (or <code>make serve</code>) once, then reload.
The API works without them.</p>
"""


def routes() -> list[BaseRoute]:
    """The routes of the dashboard, the API reference and the assets."""
    return [
        Route("/", dashboard_page),
        Route("/docs", reference_page),
        Route("/assets/{name}", asset),
    ]


def graphiql_page(request: Request) -> Response:
    """GraphiQL, for a browser that opens the GraphQL endpoint."""
    return _page(request, "graphiql", _GRAPHIQL)


def dashboard_page(request: Request) -> Response:
    """The dashboard."""
    return _page(request, "dashboard", _POLICY)


def reference_page(request: Request) -> Response:
    """The API reference, with the table of errors at `#errors`."""
    errors = [(code.status, code.value, code.meaning) for code in ErrorCode]
    return _page(request, "reference", _STYLED, replace={_ERRORS_MARK: render_errors(errors)})


def asset(request: Request) -> Response:
    """One asset, from the gzip copy where the client takes that.

    Raises:
        HTTPException: 404, there is no asset of that name.
    """
    name = request.path_params["name"]
    path = BUILT / "assets" / name
    media_type = _TYPES.get(path.suffix)
    # A name with a separator never gets here as one, but `..` or a drive letter would.
    if media_type is None or path.name != name or not path.is_file():
        raise HTTPException(404)
    headers = {
        "Cache-Control": "public, max-age=31536000, immutable",
        "X-Content-Type-Options": "nosniff",
        "Vary": "Accept-Encoding",
    }
    packed = path.with_name(f"{name}.gz")
    if takes_gzip(request.headers.get("Accept-Encoding", "")) and packed.is_file():
        return FileResponse(
            packed, media_type=media_type, headers=headers | {"Content-Encoding": "gzip"}
        )
    return FileResponse(path, media_type=media_type, headers=headers)


def render_errors(errors: Sequence[ErrorRow]) -> str:
    """The rows of the table of errors, each addressable by its code."""
    return "\n".join(
        f'<tr id="error-{escape(code)}"><td>{status}</td>'
        f"<td><code>{escape(code)}</code></td><td>{escape(meaning)}</td></tr>"
        for status, code, meaning in errors
    )


def _page(
    request: Request, name: str, policy: dict[str, str], *, replace: dict[str, str] | None = None
) -> Response:
    try:
        html = (BUILT / f"{name}.html").read_text(encoding="utf-8")
    except FileNotFoundError:
        return HTMLResponse(_NOT_BUILT, 503, headers=_headers(_POLICY))
    for mark, text in (replace or {}).items():
        html = html.replace(mark, text)
    # Weak, for it stands for the page whether it travels compressed or not.
    tag = f'W/"{hashlib.sha256(html.encode()).hexdigest()[:20]}"'
    headers = _headers(policy) | {"ETag": tag}
    known = [each.strip() for each in _if_none_match(request)]
    if tag in known:
        return Response(status_code=304, headers=headers)
    return HTMLResponse(html, headers=headers)


def _if_none_match(request: Request) -> list[str]:
    return request.headers.get("If-None-Match", "").split(",")


def _headers(policy: dict[str, str]) -> dict[str, str]:
    return {
        "Cache-Control": "no-cache",
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        # One address answers JSON to programs and a page to browsers.
        "Vary": "Accept",
    }
