"""What is given to classify."""

import strawberry

from app.domain.batches.sets import CategorySet, SetsRequest
from app.domain.classification.request import ClassifyRequest
from app.domain.schemas.manage import no_such_schema
from app.engines.contract import Category, InputType, Mode
from app.graphql.ids import integer_id


@strawberry.input(description="A category: its name, and what tells a model more about it.")
class CategoryInput:
    name: str = strawberry.field(description="The label returned; up to 200 characters.")
    description: str | None = strawberry.field(
        default=None, description="What the category means; worth the most with vague names."
    )
    examples: list[str] | None = strawberry.field(
        default=None,
        description="Inputs that belong to it, up to 100. For an input of type image also public "
        "URLs and base64 data URIs of images.",
    )


@strawberry.input(description="One of several lists of categories.")
class CategorySetInput:
    categories: list[CategoryInput] = strawberry.field(
        description="1 to 1,000 categories with unique names."
    )
    name: str | None = strawberry.field(
        default=None, description="Your own name for it, echoed as itemId."
    )


@strawberry.input(description="One input to classify, and how.")
class ClassifyInput:
    input: str = strawberry.field(
        description="The content: text, a public URL, or a base64 data URI."
    )
    type: InputType | None = strawberry.field(
        default=None, description="The kind of content. Default: the schema's, or TEXT."
    )
    categories: list[CategoryInput] | None = strawberry.field(
        default=None,
        description="1 to 1,000 categories with unique names; left out for generic labels.",
    )
    schema_id: strawberry.ID | None = strawberry.field(
        default=None, description="A saved schema; wins over categories."
    )
    mode: Mode | None = strawberry.field(
        default=None, description="How many labels. Default: the schema's, or SINGLE."
    )
    top_n: int | None = strawberry.field(
        default=None, description="How many labels in TOP_N: 1 to 10. Default 3."
    )
    threshold: float | None = strawberry.field(
        default=None, description="The least confidence, 0.0 to 1.0. Default 0.0."
    )
    explain: bool | None = strawberry.field(
        default=None, description="Whether to say what drove each label. Default false."
    )
    allow_none: bool | None = strawberry.field(
        default=None,
        description="Whether it may belong to none of the categories: the result gets an outcome, "
        "and a distribution is over the categories and none. Default false.",
    )
    min_margin: float | None = strawberry.field(
        default=None,
        description="How far the answer has to be from the next one, 0.0 to 1.0, else its outcome "
        "is UNSURE: in SINGLE and TOP_N between the first two confidences, in MULTI between each "
        "category's confidence and the threshold, or 0.5 when that is 0.",
    )
    run_async: bool | None = strawberry.field(
        name="async",
        default=None,
        description="Whether to answer at once, with the result to come. Default false.",
    )
    store: bool | None = strawberry.field(
        default=None,
        description="Whether to keep the preview and explanations. Default true.",
    )
    dry_run: bool | None = strawberry.field(
        default=None,
        description="Whether to only check the request, the plan and the quota and say what would "
        "be counted: nothing is counted, stored or shown to a model. Default false.",
    )

    schema_ids: list[strawberry.ID] | None = strawberry.field(
        default=None,
        description="1 to 20 saved schemas: a result for each, each counted as one request. Not "
        "together with schemaId, categories or categorySets.",
    )
    category_sets: list[CategorySetInput] | None = strawberry.field(
        default=None,
        description="1 to 20 lists of categories: a result for each, each counted as one request. "
        "Not together with schemaId, categories or schemaIds.",
    )

    def to_sets_request(self) -> SetsRequest | None:
        """Hand the values to the domain; None when one result is asked for."""
        if self.schema_ids is None and self.category_sets is None:
            return None
        return SetsRequest(
            self.to_request(),
            _to_schema_ids(self.schema_ids),
            None
            if self.category_sets is None
            else [
                CategorySet(to_categories(each.categories) or [], each.name)
                for each in self.category_sets
            ],
        )

    def to_request(self) -> ClassifyRequest:
        """Hand the values to the domain."""
        return ClassifyRequest(
            input=self.input,
            type=self.type,
            categories=to_categories(self.categories),
            schema=to_schema_id(self.schema_id),
            mode=self.mode,
            top_n=self.top_n,
            threshold=self.threshold,
            explain=self.explain,
            allow_none=self.allow_none,
            min_margin=self.min_margin,
            run_async=self.run_async,
            store=self.store,
        )


def to_categories(inputs: list[CategoryInput] | None) -> list[Category] | None:
    """Hand categories to the domain."""
    if inputs is None:
        return None
    return [Category(each.name, each.description, tuple(each.examples or ())) for each in inputs]


def _to_schema_ids(values: list[strawberry.ID] | None) -> list[int] | None:
    if values is None:
        return None
    ids = (to_schema_id(value) for value in values)
    return [schema_id for schema_id in ids if schema_id is not None]


def to_schema_id(value: strawberry.ID | None) -> int | None:
    """Read a schema's id.

    Raises:
        NotFound: It can't be one.
    """
    if value is None:
        return None
    schema_id = integer_id(value)
    if schema_id is None:
        raise no_such_schema(value)
    return schema_id
