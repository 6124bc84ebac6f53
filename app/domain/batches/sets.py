"""One input against several schemas or lists of categories: what is asked for, and its rules.

Each of them makes a job of its own; together the jobs are a batch.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from app.domain.accounts.account import Account
from app.domain.batches.admission import check_batch_size
from app.domain.classification.admission import Admitted, SchemaInUse, admit, load_schemas
from app.domain.classification.request import (
    ClassifyRequest,
    check_categories,
    check_content,
    check_filled,
    check_options,
    check_schema_id,
    check_text,
)
from app.domain.errors import FieldPath, InvalidRequest
from app.domain.services import Services
from app.engines.contract import Category

MAX_SETS = 20
MAX_SET_NAME_LENGTH = 200


@dataclass(frozen=True, slots=True)
class CategorySet:
    """A list of categories, under a name of the caller's own."""

    categories: Sequence[Category]
    name: str | None = None


@dataclass(frozen=True, slots=True)
class SetsRequest:
    """The input with its options, and what it is held against: schemas, or sets of categories.

    None means: not given. `request` has neither a schema nor categories where one of them is.
    """

    request: ClassifyRequest
    schemas: Sequence[int] | None = None
    category_sets: Sequence[CategorySet] | None = None


async def admit_sets(services: Services, account: Account, asked: SetsRequest) -> list[Admitted]:
    """Make a task for each schema or set, in the order sent; a job's item id is the set's name.

    They have the type of input in common, so the input is held to its rules once.

    Raises:
        InvalidRequest: A value is out of its range, fields contradict each other, or a schema or
            the model is not for this type of input.
        PlanRestriction: The plan lacks something that the request asks for.
        NotFound: A schema does not exist.
    """
    check_sets(asked)
    if asked.schemas is not None:
        schemas = await load_schemas(services, account, asked.schemas)
        request = _typed(asked.request, asked.schemas, schemas)
        admitted = [
            admit(
                services,
                account,
                request,
                schemas[each],
                input_path=("input",) if index == 0 else None,
                item_id=schemas[each].name,
            )
            for index, each in enumerate(asked.schemas)
        ]
    else:
        admitted = [
            admit(
                services,
                account,
                replace(asked.request, categories=each.categories),
                None,
                input_path=("input",) if index == 0 else None,
                categories_path=("category_sets", index, "categories"),
                item_id=each.name,
            )
            for index, each in enumerate(asked.category_sets or ())
        ]
    check_batch_size(account, len(admitted))
    return admitted


def check_sets(asked: SetsRequest) -> None:
    """Hold a request to the rules of values.

    Raises:
        InvalidRequest: A value is out of its range, or fields contradict each other; the error
            names the field.
    """
    request = asked.request
    check_content(("input",), request.input)
    check_options(top_n=request.top_n, threshold=request.threshold, min_margin=request.min_margin)
    for name, value in (
        ("schema", request.schema),
        ("categories", request.categories),
        ("category_sets", None if asked.schemas is None else asked.category_sets),
    ):
        if value is not None:
            raise InvalidRequest((name,), "can't be given beside several schemas or category sets")
    if asked.schemas is not None:
        _check_schemas(asked.schemas)
    if asked.category_sets is not None:
        _check_category_sets(asked.category_sets)


def _check_schemas(schemas: Sequence[int]) -> None:
    _check_count("schemas", len(schemas))
    seen: dict[int, int] = {}
    for index, schema_id in enumerate(schemas):
        check_schema_id(("schemas", index), schema_id)
        first = seen.setdefault(schema_id, index)
        if first != index:
            raise InvalidRequest(
                ("schemas", index), f"must be unique, but schemas[{first}] is the same"
            )


def _check_category_sets(sets: Sequence[CategorySet]) -> None:
    _check_count("category_sets", len(sets))
    seen: dict[str, int] = {}
    for index, each in enumerate(sets):
        at: FieldPath = ("category_sets", index)
        check_categories(each.categories, at=at)
        if each.name is None:
            continue
        check_text((*at, "name"), each.name, maximum=MAX_SET_NAME_LENGTH)
        check_filled((*at, "name"), each.name)
        first = seen.setdefault(each.name, index)
        if first != index:
            raise InvalidRequest(
                (*at, "name"), f"must be unique, but category_sets[{first}] has the same"
            )


def _check_count(name: str, count: int) -> None:
    if not 1 <= count <= MAX_SETS:
        raise InvalidRequest((name,), f"must hold 1 to {MAX_SETS} entries, got {count}")


def _typed(
    request: ClassifyRequest, order: Sequence[int], schemas: Mapping[int, SchemaInUse]
) -> ClassifyRequest:
    """Give the request the type of those schemas that are for only one: it has but one input."""
    if request.type is not None:
        return request
    chosen, by = None, 0
    for index, schema_id in enumerate(order):
        only = schemas[schema_id].type.input_type
        if only is None or only is chosen:
            continue
        if chosen is not None:
            raise InvalidRequest(
                ("schemas", index),
                f"is for {only.value}, but schemas[{by}] is for {chosen.value}",
            )
        chosen, by = only, index
    return replace(request, type=chosen)
