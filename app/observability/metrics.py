"""The metrics, and the verbs that count. docs/operations.md says what each is good for.

A label's values are few and known beforehand: route templates, never paths; statuses, never
messages; no account. Children are looked up once, because a lookup costs more than the count.
"""

import platform
from functools import cache

from prometheus_client import Counter, Gauge, Histogram

from app import __version__

_PREFIX = "classifaily"
# From a cached answer to a slow remote model, in seconds.
_LATENCIES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

_requests = Counter(
    f"{_PREFIX}_http_requests",
    "HTTP requests answered.",
    ("face", "route", "method", "status"),
)
_request_seconds = Histogram(
    f"{_PREFIX}_http_request_seconds",
    "From a request's arrival to its answer's last byte handed over.",
    ("face", "route", "method"),
    buckets=_LATENCIES,
)
_in_flight = Gauge(
    f"{_PREFIX}_http_requests_in_flight",
    "HTTP requests that have no answer yet.",
    multiprocess_mode="livesum",
)
_graphql_operations = Counter(
    f"{_PREFIX}_graphql_operations",
    "Root fields that GraphQL operations selected, by how they ended.",
    ("field", "outcome"),
)
_classifications = Counter(
    f"{_PREFIX}_classifications",
    "Inputs that a model answered.",
    ("mode", "confidence_source"),
)
_tokens = Counter(f"{_PREFIX}_tokens", "Tokens that models read of inputs.", ("input_type",))
_model_seconds = Histogram(
    f"{_PREFIX}_model_seconds",
    "How long a model took for one call: of one input, or of many together.",
    ("model", "inputs"),
    buckets=_LATENCIES,
)
_model_failures = Counter(
    f"{_PREFIX}_model_failures",
    "Inputs that a model could not answer, whether or not another did then.",
    ("model",),
)
_media_bytes = Counter(
    f"{_PREFIX}_media_bytes", "Bytes of images, audio and video got to be judged.", ("input_type",)
)
_media_failures = Counter(
    f"{_PREFIX}_media_failures",
    "Images, audio and video that could not be had, by why.",
    ("input_type", "reason"),
)
_cached_answers = Counter(
    f"{_PREFIX}_cached_answers",
    "Tasks looked for in the cache of answers.",
    ("outcome",),
)
_budget_refusals = Counter(
    f"{_PREFIX}_budget_refusals",
    "Requests refused because the month's budget did not cover them.",
)
_quota_refusals = Counter(
    f"{_PREFIX}_quota_refusals",
    "Requests refused because the month's quota did not cover them.",
)
_jobs_started = Counter(
    f"{_PREFIX}_jobs_started",
    "Attempts at jobs: while the caller waited (request), or in the background (worker).",
    ("by",),
)
_jobs_ended = Counter(f"{_PREFIX}_jobs_ended", "Jobs ended, by status.", ("status",))
_jobs_retried = Counter(
    f"{_PREFIX}_jobs_retried", "Attempts that failed and will be followed by another."
)
_lease_recoveries = Counter(
    f"{_PREFIX}_lease_recoveries",
    "Jobs whose process died: waiting again (requeued), or failed for good (given_up).",
    ("outcome",),
)
_queue_depth = Gauge(
    f"{_PREFIX}_queue_depth",
    "Jobs that wait, in the whole installation.",
    ("queue",),
    multiprocess_mode="mostrecent",
)
_queue_oldest = Gauge(
    f"{_PREFIX}_queue_oldest_seconds",
    "For how long the oldest job that waits could have been started.",
    ("queue",),
    multiprocess_mode="mostrecent",
)
_delivery_attempts = Counter(
    f"{_PREFIX}_delivery_attempts", "Attempts at deliveries to webhooks.", ("outcome",)
)
_delivery_seconds = Histogram(
    f"{_PREFIX}_delivery_seconds",
    "How long an endpoint took to answer an attempt, or to fail.",
    buckets=_LATENCIES,
)
_deliveries = Counter(f"{_PREFIX}_deliveries", "Deliveries ended.", ("outcome",))
_attempts_of_delivery = Histogram(
    f"{_PREFIX}_attempts_per_delivery",
    "How many attempts a delivery took.",
    buckets=(1, 2, 3, 4, 5, 6, 7, 8),
)
_build_info = Gauge(
    f"{_PREFIX}_build_info",
    "Always 1; the labels say what runs.",
    ("version", "python"),
    multiprocess_mode="max",
)


def process_started() -> None:
    """Say what runs; a counter without labels shows 0 from here on."""
    _build_info.labels(__version__, platform.python_version()).set(1)


def request_started() -> None:
    """Count a request that has arrived."""
    _in_flight.inc()


def request_ended(*, face: str, route: str, method: str, status: int, seconds: float) -> None:
    """Count a request that has been answered. `route` is a template, `method` a known one."""
    _in_flight.dec()
    _requests_child(face, route, method, status).inc()
    _request_seconds_child(face, route, method).observe(seconds)


def graphql_field_ended(field: str, outcome: str) -> None:
    """Count a root field. `outcome`: `ok`, `refused` (errors in its payload) or `failed`."""
    _graphql_child(field, outcome).inc()


def classified(*, mode: str, confidence_source: str, input_type: str, tokens: int) -> None:
    """Count an input that a model has answered."""
    _classifications_child(mode, confidence_source).inc()
    _tokens_child(input_type).inc(tokens)


def model_answered(model: str, *, inputs: str, seconds: float) -> None:
    """Count a model's call. `inputs` is `one` or `many`."""
    _model_seconds_child(model, inputs).observe(seconds)


def model_failed(model: str) -> None:
    """Count an input that a model could not answer."""
    _model_failures.labels(model).inc()


def media_fetched(input_type: str, *, size: int) -> None:
    """Count what was got, by URL or data URI, in bytes."""
    _media_bytes.labels(input_type).inc(size)


def media_failed(input_type: str, *, reason: str) -> None:
    """Count what could not be had.

    `reason`: `refused`, `unreachable`, `bad_answer`, `too_large`, `timed_out` or `wrong_type`.
    """
    _media_failures.labels(input_type, reason).inc()


def quota_refused() -> None:
    """Count a request that the month's quota did not cover."""
    _quota_refusals.inc()


def answers_looked_up(*, hits: int, misses: int) -> None:
    """Count what was looked for in the cache of answers."""
    _cached_answers.labels("hit").inc(hits)
    _cached_answers.labels("miss").inc(misses)


def budget_refused() -> None:
    """Count a request or a job that the month's budget did not cover."""
    _budget_refusals.inc()


def jobs_started(count: int, *, by: str) -> None:
    """Count attempts at jobs. `by`: `request` or `worker`."""
    _jobs_started_child(by).inc(count)


def job_ended(status: str) -> None:
    """Count a job that ended."""
    _jobs_ended_child(status).inc()


def job_put_off() -> None:
    """Count an attempt that another will follow."""
    _jobs_retried.inc()


def leases_recovered(count: int, *, outcome: str) -> None:
    """Count jobs whose process died. `outcome`: `requeued` or `given_up`."""
    _lease_recoveries.labels(outcome).inc(count)


def delivery_attempted(outcome: str, *, seconds: float) -> None:
    """Count an attempt. `outcome`: `delivered`, `refused` (no 2xx) or `unreachable`."""
    _delivery_attempts.labels(outcome).inc()
    _delivery_seconds.observe(seconds)


def delivery_ended(outcome: str, *, attempts: int) -> None:
    """Count a delivery that ended. `outcome`: `delivered` or `failed`."""
    _deliveries.labels(outcome).inc()
    _attempts_of_delivery.observe(attempts)


def queue_measured(queue: str, *, waiting: float, oldest_s: float) -> None:
    """Say how much waits in a queue, and for how many seconds the oldest has."""
    _queue_depth.labels(queue).set(waiting)
    _queue_oldest.labels(queue).set(oldest_s)


@cache
def _requests_child(face: str, route: str, method: str, status: int) -> Counter:
    return _requests.labels(face, route, method, str(status))


@cache
def _request_seconds_child(face: str, route: str, method: str) -> Histogram:
    return _request_seconds.labels(face, route, method)


@cache
def _graphql_child(field: str, outcome: str) -> Counter:
    return _graphql_operations.labels(field, outcome)


@cache
def _classifications_child(mode: str, confidence_source: str) -> Counter:
    return _classifications.labels(mode, confidence_source)


@cache
def _jobs_started_child(by: str) -> Counter:
    return _jobs_started.labels(by)


@cache
def _jobs_ended_child(status: str) -> Counter:
    return _jobs_ended.labels(status)


@cache
def _tokens_child(input_type: str) -> Counter:
    return _tokens.labels(input_type)


@cache
def _model_seconds_child(model: str, inputs: str) -> Histogram:
    return _model_seconds.labels(model, inputs)
