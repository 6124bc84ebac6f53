"""OpenTelemetry traces, when the standard variables name a collector.

Without `OTEL_EXPORTER_OTLP_ENDPOINT` (or its `…_TRACES_…` form) OpenTelemetry's tracing is not even
imported, and a span costs one look at a context variable. With it, the SDK's own variables hold
too: service name, sampler, headers, timeouts
(https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/).

A root span stands for a request or for a job; `span` makes the children of whatever is under way.
Spans carry names, ids and counts. What an exception says stays out of them: it may quote content.
"""

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from app import __version__
from app.observability import context

if TYPE_CHECKING:
    from opentelemetry.trace import Span, SpanKind, Tracer

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_SERVICE = "classifaily"
# How long the end of a process waits for a collector that does not answer.
_PATIENCE_S = 2.0

_tracer: ContextVar["Tracer | None"] = ContextVar("tracer", default=None)
_NOTHING: AbstractContextManager[None] = nullcontext()


class Tracing:
    """The tracer of a process. Close it, or what it still holds is lost."""

    def __init__(self) -> None:
        # Imported here: most servers have no collector, and this takes a sixth of a second.
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import (  # noqa: PLC0415
            OTLPSpanExporter,
        )
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
        from opentelemetry.trace import SpanKind  # noqa: PLC0415
        from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415
            TraceContextTextMapPropagator,
        )

        resource = Resource.create({"service.version": __version__})
        if "OTEL_SERVICE_NAME" not in os.environ:
            resource = resource.merge(Resource({"service.name": _SERVICE}))
        # Not made global: what other libraries would trace may hold content.
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        self._exporter = OTLPSpanExporter()
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self._tracer = self._provider.get_tracer(_SERVICE, __version__)
        self._propagator = TraceContextTextMapPropagator()
        self._kinds = SpanKind

    def request(
        self, method: str, headers: Iterable[tuple[bytes, bytes]]
    ) -> AbstractContextManager["Span"]:
        """Open the span of a request; a W3C `traceparent` among the headers is its parent."""
        carrier = {
            name.decode("latin-1"): value.decode("latin-1")
            for name, value in headers
            if name in {b"traceparent", b"tracestate"}
        }
        return self._root(method, self._kinds.SERVER, carrier)

    def work(
        self, name: str, *, traceparent: str | None, attributes: Mapping[str, str | int]
    ) -> AbstractContextManager["Span"]:
        """Open the span of background work; `traceparent` says what asked for it."""
        carrier = {} if traceparent is None else {"traceparent": traceparent}
        return self._root(name, self._kinds.CONSUMER, carrier, attributes)

    def close(self) -> None:
        """Send what is left, or give up after two seconds. Blocking."""
        impatience = threading.Timer(_PATIENCE_S, self._exporter.shutdown)
        impatience.start()
        try:
            self._provider.shutdown()
        finally:
            impatience.cancel()

    @contextmanager
    def _root(
        self,
        name: str,
        kind: "SpanKind",
        carrier: Mapping[str, str],
        attributes: Mapping[str, str | int] | None = None,
    ) -> Iterator["Span"]:
        parent = self._propagator.extract(carrier)
        tracer_token = _tracer.set(self._tracer)
        with _open(self._tracer, name, attributes, kind=kind, context=parent) as opened:
            trace_token = context.trace_id.set(f"{opened.get_span_context().trace_id:032x}")
            try:
                yield opened
            finally:
                context.trace_id.reset(trace_token)
                _tracer.reset(tracer_token)


def open_tracing() -> Tracing | None:
    """Return the process's tracing, or None when no collector is configured."""
    if not any(os.environ.get(name) for name in _ENDPOINTS):
        return None
    return Tracing()


def span(name: str, **attributes: str | int) -> AbstractContextManager[Any]:
    """Open a span below the one under way; without one, do nothing."""
    tracer = _tracer.get()
    if tracer is None:
        return _NOTHING
    return _open(tracer, name, attributes)


def job_span(
    tracing: Tracing | None, *, traceparent: str | None, jobs: int
) -> AbstractContextManager[Any]:
    """Open the span of an attempt at jobs, below the request that asked for them."""
    if tracing is None:
        return _NOTHING
    return tracing.work("attempt", traceparent=traceparent, attributes={"jobs": jobs})


@asynccontextmanager
async def closing(tracing: Tracing | None) -> AsyncIterator[None]:
    """Send the last spans when a block ends."""
    try:
        yield
    finally:
        if tracing is not None:
            await asyncio.to_thread(tracing.close)


def traceparent() -> str | None:
    """Return the W3C header that makes later work a child of the span under way."""
    if _tracer.get() is None:
        return None
    from opentelemetry.trace.propagation.tracecontext import (  # noqa: PLC0415
        TraceContextTextMapPropagator,
    )

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get("traceparent")


def describe_request(span: "Span", *, method: str, route: str, status: int) -> None:
    """Say how a request ended (https://opentelemetry.io/docs/specs/semconv/http/http-spans/)."""
    span.update_name(f"{method} {route}")
    span.set_attribute("http.request.method", method)
    span.set_attribute("http.route", route)
    span.set_attribute("http.response.status_code", status)
    if status >= 500:
        _mark_failed(span, str(status))


@contextmanager
def _open(
    tracer: "Tracer", name: str, attributes: Mapping[str, str | int] | None, **options: Any
) -> Iterator["Span"]:
    with tracer.start_as_current_span(
        name,
        attributes={**_ids(), **(attributes or {})},
        record_exception=False,
        set_status_on_exception=False,
        **options,
    ) as opened:
        try:
            yield opened
        except BaseException as error:
            _mark_failed(opened, type(error).__name__)
            raise


def _ids() -> dict[str, str | int]:
    # The trace's own id is in every span already.
    ids = context.ids()
    return {f"{_SERVICE}.{name}": ids[name] for name in ids if name != "trace_id"}


def _mark_failed(span: "Span", reason: str) -> None:
    from opentelemetry.trace import StatusCode  # noqa: PLC0415

    span.set_attribute("error.type", reason)
    span.set_status(StatusCode.ERROR)
