"""Query parameters that several addresses share."""

from app.domain.classification.request import MAX_ID
from app.rest.call import DEFAULT_LIMIT, MAX_LIMIT, MAX_OFFSET
from app.rest.operation import Parameter

_WHICH = "Which one; it may stand in the path instead."
JOB_ID = Parameter(
    "id", _WHICH, {"type": "string", "pattern": "^([0-9]{1,18}|batch_[0-9a-f]{24})$"}
)
REQUIRED_BATCH_ID = Parameter(
    "id", _WHICH, {"type": "string", "pattern": "^batch_[0-9a-f]{24}$"}, required=True
)
SCHEMA_ID = Parameter("id", _WHICH, {"type": "integer", "minimum": 1, "maximum": MAX_ID})
REQUIRED_SCHEMA_ID = Parameter("id", _WHICH, SCHEMA_ID.schema, required=True)
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
