"""What a request is called in metrics, logs and traces: never by its path, which a client makes up.

The router leaves in the scope which route it chose; a route's template is one of a few dozen.
"""

from dataclasses import dataclass
from functools import lru_cache

from starlette.routing import Route
from starlette.types import Scope

NO_ROUTE = "(none)"
_PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
# A client may invent methods; each would be a series of its own.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Label:
    """`face`: `rest`, `graphql`, `pages`, `probe`, or `none` where nothing is."""

    face: str
    route: str
    method: str
    is_probe: bool


def label_of(scope: Scope) -> Label:
    """Return the label of a request that has been routed."""
    route = scope.get("route")
    template = scope.get("root_path", "") + route.path if isinstance(route, Route) else NO_ROUTE
    method: str = scope["method"]
    return _label(template, method if method in _METHODS else "OTHER")


@lru_cache(maxsize=1024)
def _label(template: str, method: str) -> Label:
    face = _face(template)
    return Label(face, template, method, face == "probe")


def _face(template: str) -> str:
    if template == NO_ROUTE:
        return "none"
    if template in _PROBES:
        return "probe"
    if template.startswith("/graphql"):
        return "graphql"
    return "rest" if template.startswith(("/api/v1/", "/v1/")) else "pages"
