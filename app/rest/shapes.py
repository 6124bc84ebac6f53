"""The JSON shapes of the documented contract: what comes in. What goes out is in `replies`.

The OpenAPI document is made from these types; ranges stand here for its readers, and are enforced
by the domain. A request field that is null counts as left out.
"""

from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import UNSET, Struct, UnsetType

from app.domain.accounts.manage import MAX_CACHE_TTL_S
from app.domain.accounts.manage import MAX_NAME_LENGTH as MAX_ACCOUNT_NAME
from app.domain.batches import sets
from app.domain.batches.batch import MAX_ITEM_ID_LENGTH
from app.domain.classification import request as rules
from app.domain.schemas.schema import SchemaType
from app.engines.contract import InputType, Mode
from app.rest.described import about

# The rules of `check_text` and "must not be empty". Python takes a few more characters for white
# space than regular expressions do.
_FILLED = r"^[^\u0000]*[^\s\u0000\u001c-\u001f\u0085][^\u0000]*$"
_WITHOUT_NUL = r"^[^\u0000]*$"
_INPUT = about(
    "The content to classify. A text string of up to "
    f"{rules.MAX_TEXT_LENGTH:,} characters; or, of type image, audio or video, a public http or "
    "https URL or a base64 data URI.",
    minLength=1,
    pattern=_FILLED,
)
_ITEM_ID = about(
    "Your own ID, echoed. Default: the item's index.",
    minLength=1,
    maxLength=MAX_ITEM_ID_LENGTH,
    pattern=_FILLED,
)
_TYPE = about("Input type. Defaults to text, or to the schema's type.")
_SCHEMA = about(
    "ID of a saved schema. Overrides categories. Requires Starter or above.",
    minimum=1,
    maximum=rules.MAX_ID,
)
_MODE = about("How many results to return. Defaults to single, or to the schema's mode.")
_TOP_N = about(
    f"Number of results for top_n mode. Default {rules.DEFAULT_TOP_N}.",
    minimum=1,
    maximum=rules.MAX_TOP_N,
)
_THRESHOLD = about(
    "Minimum confidence. Results below it are left out. Default 0.0.", minimum=0.0, maximum=1.0
)
_EXPLAIN = about("If true, each label comes with what drove it. Default false.")
_ALLOW_NONE = about(
    "If true, the input may belong to none of the categories. single and top_n: the distribution "
    "is over the categories and none, whose entry has the label null. The result gets an outcome. "
    "Default false."
)
_MIN_MARGIN = about(
    "How far the answer has to be from the next one, else its outcome is unsure. single and top_n: "
    "between the first two confidences. multi: between each category's confidence and the "
    "threshold, or 0.5 when that is 0. The result gets an outcome. Default: any.",
    minimum=0.0,
    maximum=1.0,
)
_STORE = about("If false, not even the preview of the input is kept. Default true.")
_ASYNC = about("If true, answer at once with an id to poll. Default false.")
_DRY_RUN = about(
    "If true, everything is checked as for the real request, the plan and the quota too, and the "
    "answer says what would be counted. Nothing is counted, stored or shown to a model, and an "
    "Idempotency-Key stays free for the real request. Default false."
)


CategoryName = Annotated[
    str,
    about("The label returned.", minLength=1, maxLength=rules.MAX_NAME_LENGTH, pattern=_FILLED),
]
_Example = Annotated[
    str,
    about(
        f"An input, of at most {rules.MAX_EXAMPLE_LENGTH:,} characters. For an input of type image "
        "it may be an image too: a public URL, or a base64 data URI of at most 5 MB.",
        minLength=1,
        pattern=_FILLED,
    ),
]


class CategoryBody(Struct):
    """A rich category object."""

    name: CategoryName
    description: Annotated[
        str | None,
        about(
            "What the category means.",
            maxLength=rules.MAX_DESCRIPTION_LENGTH,
            pattern=_WITHOUT_NUL,
        ),
    ] = None
    examples: Annotated[
        list[_Example] | None,
        about("Inputs that belong to the category.", maxItems=rules.MAX_EXAMPLES),
    ] = None


_CATEGORIES = about(
    "Names or category objects; names are unique. Omit for generic labels. "
    "Requires Starter or above.",
    minItems=1,
    maxItems=rules.MAX_CATEGORIES,
    uniqueItems=True,
)


class CategorySetBody(Struct):
    """One of several lists of categories."""

    categories: Annotated[list[CategoryName | CategoryBody], _CATEGORIES]
    name: Annotated[
        str | None,
        about(
            "Your own name for it, echoed.",
            minLength=1,
            maxLength=sets.MAX_SET_NAME_LENGTH,
            pattern=_FILLED,
        ),
    ] = None


_SCHEMAS = about(
    "IDs of saved schemas: one result for each, each counted as one request. "
    "Not together with schema, categories or category_sets.",
    minItems=1,
    maxItems=sets.MAX_SETS,
    uniqueItems=True,
)
_CATEGORY_SETS = about(
    "Lists of categories, plain or with a name: one result for each, each counted as one request. "
    "Names are unique. Not together with schema, categories or schemas.",
    minItems=1,
    maxItems=sets.MAX_SETS,
)
_SchemaId = Annotated[int, about("ID of a saved schema.", minimum=1, maximum=rules.MAX_ID)]
_CategoryList = Annotated[list[CategoryName | CategoryBody], _CATEGORIES]


class ClassifyBody(Struct):
    """What to classify, and how."""

    input: Annotated[str, _INPUT]
    type: Annotated[InputType | None, _TYPE] = None
    categories: Annotated[list[CategoryName | CategoryBody] | None, _CATEGORIES] = None
    schema: Annotated[int | None, _SCHEMA] = None
    mode: Annotated[Mode | None, _MODE] = None
    top_n: Annotated[int | None, _TOP_N] = None
    threshold: Annotated[float | None, _THRESHOLD] = None
    explain: Annotated[bool | None, _EXPLAIN] = None
    allow_none: Annotated[bool | None, _ALLOW_NONE] = None
    min_margin: Annotated[float | None, _MIN_MARGIN] = None
    run_async: Annotated[bool | None, _ASYNC] = msgspec.field(default=None, name="async")
    store: Annotated[bool | None, _STORE] = None
    dry_run: Annotated[bool | None, _DRY_RUN] = None
    schemas: Annotated[list[_SchemaId] | None, _SCHEMAS] = None
    category_sets: Annotated[list[_CategoryList | CategorySetBody] | None, _CATEGORY_SETS] = None


class BatchItemBody(Struct):
    """One item of a batch; what it leaves out is as the batch says."""

    input: Annotated[str, _INPUT]
    id: Annotated[str | None, _ITEM_ID] = None
    type: Annotated[InputType | None, _TYPE] = None
    categories: Annotated[list[CategoryName | CategoryBody] | None, _CATEGORIES] = None
    schema: Annotated[int | None, _SCHEMA] = None


class BatchBody(Struct):
    """Several inputs, and the settings that they share."""

    items: Annotated[
        list[BatchItemBody], about("What to classify: up to the plan's batch size.", minItems=1)
    ]
    type: Annotated[InputType | None, _TYPE] = None
    categories: Annotated[list[CategoryName | CategoryBody] | None, _CATEGORIES] = None
    schema: Annotated[int | None, _SCHEMA] = None
    mode: Annotated[Mode | None, _MODE] = None
    top_n: Annotated[int | None, _TOP_N] = None
    threshold: Annotated[float | None, _THRESHOLD] = None
    explain: Annotated[bool | None, _EXPLAIN] = None
    allow_none: Annotated[bool | None, _ALLOW_NONE] = None
    min_margin: Annotated[float | None, _MIN_MARGIN] = None
    run_async: Annotated[bool | None, _ASYNC] = msgspec.field(default=None, name="async")
    store: Annotated[bool | None, _STORE] = None
    dry_run: Annotated[bool | None, _DRY_RUN] = None


class FileOptions(Struct):
    """The settings that the lines of a file share: in the query, or as fields of a form."""

    type: Annotated[InputType | None, _TYPE] = None
    categories: Annotated[list[CategoryName | CategoryBody] | None, _CATEGORIES] = None
    schema: Annotated[int | None, _SCHEMA] = None
    mode: Annotated[Mode | None, _MODE] = None
    top_n: Annotated[int | None, _TOP_N] = None
    threshold: Annotated[float | None, _THRESHOLD] = None
    explain: Annotated[bool | None, _EXPLAIN] = None
    allow_none: Annotated[bool | None, _ALLOW_NONE] = None
    min_margin: Annotated[float | None, _MIN_MARGIN] = None
    store: Annotated[bool | None, _STORE] = None
    dry_run: Annotated[bool | None, _DRY_RUN] = None


_SCHEMA_NAME = about("Human-readable name.", minLength=1, maxLength=200, pattern=_FILLED)
_SCHEMA_DESCRIPTION = about(
    "Internal note about what the schema is for.", maxLength=2000, pattern=_WITHOUT_NUL
)
_SCHEMA_TYPE = about("Input type that the schema is for. Default any.")
_SCHEMA_MODE = about("Default mode: single or multi. Default single.")


class SchemaMode(StrEnum):
    """The modes that a schema may give to requests that name none."""

    SINGLE = Mode.SINGLE.value
    MULTI = Mode.MULTI.value

    @property
    def mode(self) -> Mode:
        """The mode."""
        return Mode(self.value)


_MODEL = about(
    "The model that judges, or several that are asked in turn, separated by commas: of those that "
    "whoever operates the server allows. A schema's goes before the account's, which goes before "
    "the server's own.",
    examples=["openai/gpt-4o-mini,embedded"],
)


class SchemaBody(Struct):
    """A schema to save."""

    name: Annotated[str, _SCHEMA_NAME]
    categories: Annotated[list[CategoryName | CategoryBody], _CATEGORIES]
    description: Annotated[str | None, _SCHEMA_DESCRIPTION] = None
    type: Annotated[SchemaType | None, _SCHEMA_TYPE] = None
    mode: Annotated[SchemaMode | None, _SCHEMA_MODE] = None
    model: Annotated[str | None, _MODEL] = None


class SchemaChangeBody(Struct):
    """What to change of a schema; what is left out stays.

    A null description or model is taken away.
    """

    name: Annotated[str | None, _SCHEMA_NAME] = None
    categories: Annotated[list[CategoryName | CategoryBody] | None, _CATEGORIES] = None
    description: Annotated[str | UnsetType | None, _SCHEMA_DESCRIPTION] = UNSET
    type: Annotated[SchemaType | None, _SCHEMA_TYPE] = None
    mode: Annotated[SchemaMode | None, _SCHEMA_MODE] = None
    model: Annotated[str | UnsetType | None, _MODEL] = UNSET


class AccountChangeBody(Struct):
    """What to change of the account; what is left out stays. A null model is taken away."""

    name: Annotated[
        str | None,
        about("What to call it.", minLength=1, maxLength=MAX_ACCOUNT_NAME, pattern=_FILLED),
    ] = None
    retain_inputs: Annotated[
        bool | None,
        about(
            "Whether to keep whole inputs with their jobs, as long as these. Nothing is kept of "
            "requests with store: false. Turning it off deletes what was kept."
        ),
    ] = None
    cache_ttl: Annotated[
        int | None,
        about(
            "For how many seconds answers are kept for exact repeats, which are then answered "
            "without asking a model, and counted. 0 turns that off. Not of requests with store: "
            "false, nor of media by URL.",
            minimum=0,
            maximum=MAX_CACHE_TTL_S,
        ),
    ] = None
    default_model: Annotated[str | UnsetType | None, _MODEL] = UNSET
