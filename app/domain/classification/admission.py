"""From a request to a task that may run: values, plan, schema, and what the server's model can do.

The quota is taken after.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import msgspec

from app.domain.accounts.account import Account
from app.domain.classification.request import (
    DEFAULT_TOP_N,
    MAX_TEXT_LENGTH,
    ClassifyRequest,
    check_length,
    check_values,
)
from app.domain.errors import FieldPath, InvalidRequest, PlanRestriction
from app.domain.media.examples import check_examples
from app.domain.media.source import check_source
from app.domain.models.choice import chosen_model
from app.domain.plans import cheapest_plan
from app.domain.schemas.manage import no_such_schema, require_schemas
from app.domain.schemas.schema import SchemaType, load_categories
from app.domain.services import Services
from app.engines.contract import Category, InputType, Mode, Task
from app.storage.ledger.keys import find_schemas


@dataclass(frozen=True, slots=True)
class SchemaInUse:
    """What a classification takes from a schema."""

    id: int
    name: str
    type: SchemaType
    mode: Mode
    categories: tuple[Category, ...]
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Admitted:
    """A task that may run, and what its job row shows besides.

    `store` keeps the preview and explanations, `retain` the whole input as long as the job.
    """

    task: Task
    schema_id: int | None
    store: bool
    retain: bool = False
    item_id: str | None = None

    @property
    def category_names(self) -> tuple[str, ...] | None:
        """The names to choose from; None for generic labels."""
        categories = self.task.categories
        return None if categories is None else tuple(category.name for category in categories)


async def admit_request(services: Services, account: Account, request: ClassifyRequest) -> Admitted:
    """Make the task that a request asks for.

    Raises:
        InvalidRequest: A value is out of its range, or the schema or the model is not for it.
        PlanRestriction: The plan lacks something that the request asks for.
        NotFound: The schema does not exist.
    """
    check_values(request)
    if request.schema is None:
        return admit(services, account, request, None)
    schemas = await load_schemas(services, account, [request.schema])
    return admit(services, account, request, schemas[request.schema])


async def load_schemas(
    services: Services, account: Account, schema_ids: Iterable[int]
) -> dict[int, SchemaInUse]:
    """Return the named schemas by id.

    Raises:
        PlanRestriction: The plan has no schemas.
        NotFound: One does not exist, or is another account's.
    """
    wanted = list(dict.fromkeys(schema_ids))
    if not wanted:
        return {}
    require_schemas(account)
    found = await services.ledger.run(find_schemas(account.id, wanted))
    for schema_id in wanted:
        if schema_id not in found:
            raise no_such_schema(schema_id)
    return {
        record.id: SchemaInUse(
            id=record.id,
            name=record.name,
            type=SchemaType(record.input_type),
            mode=Mode(record.mode),
            categories=load_categories(msgspec.json.decode(record.categories)),
            model=record.model,
        )
        for record in found.values()
    }


def admit(
    services: Services,
    account: Account,
    request: ClassifyRequest,
    schema: SchemaInUse | None,
    *,
    type_path: FieldPath = ("type",),
    input_path: FieldPath | None = ("input",),
    categories_path: FieldPath = ("categories",),
    item_id: str | None = None,
) -> Admitted:
    """Make the task that a request asks for; a schema gives its defaults.

    `input_path` leads to the input, or is None when that is held to its rules elsewhere.

    Raises:
        InvalidRequest: The schema or the model is not for this type of input, or the input or an
            example is none of this type.
        PlanRestriction: The plan lacks the input type, or categories of one's own.
    """
    input_type = _input_type(request, schema, type_path=type_path)
    given = request.categories if schema is None else schema.categories
    categories = None if given is None else tuple(given)
    if input_path is not None:
        check_input(services, input_path, request.input, input_type)
    if input_type is InputType.IMAGE:
        check_examples(categories_path, categories or ())
    _check_plan(account, input_type, own_categories=categories is not None)
    model = chosen_model(
        services.settings, None if schema is None else schema.model, account.default_model
    )
    # What models that are chosen can judge is known once they are loaded.
    if model is None and input_type not in services.engine.input_types:
        able = ", ".join(kind.value for kind in InputType if kind in services.engine.input_types)
        raise InvalidRequest(
            type_path,
            f"this server's model can't judge {input_type.value}, only {able}; for the embedded "
            f"model, install classifaily[{input_type.value}]",
        )
    default_mode = Mode.SINGLE if schema is None else schema.mode
    task = Task(
        content=request.input,
        input_type=input_type,
        categories=categories,
        mode=request.mode or default_mode,
        top_n=DEFAULT_TOP_N if request.top_n is None else request.top_n,
        threshold=request.threshold or 0.0,
        explain=bool(request.explain),
        allow_none=bool(request.allow_none),
        min_margin=request.min_margin,
        model=model,
    )
    return Admitted(
        task=task,
        schema_id=None if schema is None else schema.id,
        store=request.store is not False,
        retain=account.retain_inputs and request.store is not False,
        item_id=item_id,
    )


def check_input(services: Services, path: FieldPath, content: str, input_type: InputType) -> None:
    """Hold an input to the rules of its type: so long a text, or a URL or data URI.

    Raises:
        InvalidRequest: It breaks one.
    """
    if input_type is InputType.TEXT:
        check_length(path, content, maximum=MAX_TEXT_LENGTH)
    else:
        limit = services.media.fetcher.limits.bytes[input_type]
        check_source(path, content, input_type, limit=limit)


def _input_type(
    request: ClassifyRequest, schema: SchemaInUse | None, *, type_path: FieldPath
) -> InputType:
    only = None if schema is None else schema.type.input_type
    if schema is None or only is None:
        return request.type or InputType.TEXT
    if request.type not in {None, only}:
        raise InvalidRequest(type_path, f"must be {only.value}: schema {schema.id} takes no other")
    return only


def _check_plan(account: Account, input_type: InputType, *, own_categories: bool) -> None:
    limits = account.limits
    if input_type not in limits.input_types:
        required = cheapest_plan(lambda other: input_type in other.input_types)
        raise PlanRestriction(
            "media",
            required=required,
            message=f"{input_type.value.capitalize()} classification is not available on your "
            f"plan. Upgrade to {required.value} or above.",
        )
    if own_categories and not limits.custom_categories:
        required = cheapest_plan(lambda other: other.custom_categories)
        raise PlanRestriction(
            "categories",
            required=required,
            message="Your own categories are not available on your plan. "
            f"Upgrade to {required.value} or above.",
        )
