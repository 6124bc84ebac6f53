"""Query parameters that several addresses share."""

from app.rest.call import DEFAULT_LIMIT, MAX_LIMIT, MAX_OFFSET
from app.rest.operation import Parameter

ID = Parameter("id", "Which one; it may stand in the path instead.", {"type": "string"})
PAGE = (
    Parameter(
        "limit",
        f"Number of results (default {DEFAULT_LIMIT}, max {MAX_LIMIT}).",
        {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
    ),
    Parameter(
        "offset",
        "Pagination offset.",
        {"type": "integer", "minimum": 0, "maximum": MAX_OFFSET, "default": 0},
    ),
)
