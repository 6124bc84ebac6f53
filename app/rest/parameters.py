"""Query parameters that several addresses share."""

from app.domain.batches.batch import ID_PATTERN
from app.domain.classification.request import MAX_ID
from app.rest.call import DEFAULT_LIMIT, MAX_LIMIT, MAX_OFFSET, MAX_WAIT_S
from app.rest.operation import Parameter

_WHICH = "Which one; it may stand in the path instead."
JOB_ID = Parameter("id", _WHICH, {"type": "string", "pattern": f"^([0-9]{{1,18}}|{ID_PATTERN})$"})
REQUIRED_BATCH_ID = Parameter(
    "id", _WHICH, {"type": "string", "pattern": f"^{ID_PATTERN}$"}, required=True
)
REQUIRED_JOB_ID = Parameter("id", _WHICH, JOB_ID.schema, required=True)
WAIT = Parameter(
    "wait",
    "With an id: seconds to wait for its end. The answer comes when it has ended or the time is "
    f"over, with the status as it is then (default 0, max {MAX_WAIT_S}).",
    {"type": "integer", "minimum": 0, "maximum": MAX_WAIT_S, "default": 0},
)
SCHEMA_ID = Parameter("id", _WHICH, {"type": "integer", "minimum": 1, "maximum": MAX_ID})
REQUIRED_SCHEMA_ID = Parameter("id", _WHICH, SCHEMA_ID.schema, required=True)
WEBHOOK_ID, REQUIRED_WEBHOOK_ID = SCHEMA_ID, REQUIRED_SCHEMA_ID
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
