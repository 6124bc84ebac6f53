"""From a batch request to the tasks of its items.

What is wrong with one item is said with its place (`items[3].input`); what is wrong with the
batch's own fields is said once.
"""

from app.domain.accounts.account import Account
from app.domain.batches.batch import MAX_ITEM_ID_LENGTH, BatchItemRequest, BatchRequest
from app.domain.classification.admission import (
    Admitted,
    SchemaInUse,
    admit,
    load_schemas,
)
from app.domain.classification.request import (
    ClassifyRequest,
    check_categories,
    check_content,
    check_filled,
    check_options,
    check_schema_id,
    check_text,
)
from app.domain.errors import FieldPath, InvalidRequest, PlanRestriction
from app.domain.plans import LIMITS, Plan, cheapest_plan
from app.domain.services import Services


def check_batch_values(request: BatchRequest) -> None:
    """Hold a batch to the rules of values.

    Raises:
        InvalidRequest: A value is out of its range; the error names the field.
    """
    if not request.items:
        raise InvalidRequest(("items",), "must hold at least 1 item, got 0")
    check_categories(request.categories)
    check_schema_id(("schema",), request.schema)
    check_options(top_n=request.top_n, threshold=request.threshold, min_margin=request.min_margin)
    seen: dict[str, int] = {}
    for index, item in enumerate(request.items):
        at: FieldPath = ("items", index)
        check_content((*at, "input"), item.input)
        check_categories(item.categories, at=at)
        check_schema_id((*at, "schema"), item.schema)
        item_id = id_of(item, index)
        check_text((*at, "id"), item_id, maximum=MAX_ITEM_ID_LENGTH)
        check_filled((*at, "id"), item_id)
        first = seen.setdefault(item_id, index)
        if first != index:
            raise InvalidRequest((*at, "id"), f"must be unique, but items[{first}] has the same")


def id_of(item: BatchItemRequest, index: int) -> str:
    """Return the id that an item is echoed with: its own, or its place."""
    return str(index) if item.id is None else item.id


def check_batch_size(account: Account, count: int) -> None:
    """Refuse more items than the plan's batch size.

    Raises:
        PlanRestriction: The batch is too large for the plan.
    """
    limit = account.limits.batch_size
    if count <= limit:
        return
    required = cheapest_plan(lambda limits: limits.batch_size >= count)
    largest = LIMITS[Plan.ENTERPRISE].batch_size
    advice = (
        f"Upgrade to {required.value} or above, or send"
        if count <= largest
        else f"No plan takes more than {largest}: send"
    )
    raise PlanRestriction(
        "batch_size",
        required=required,
        message=f"A batch on your plan may hold {limit} item{'s' if limit != 1 else ''}, "
        f"got {count}. {advice} several batches.",
    )


async def admit_batch(
    services: Services, account: Account, request: BatchRequest
) -> list[Admitted]:
    """Make the tasks of a batch, in the order of its items.

    Raises:
        InvalidRequest: A value is out of its range, or a schema or the model is not for an item.
        PlanRestriction: The plan lacks something that the batch asks for.
        NotFound: A schema does not exist.
    """
    check_batch_values(request)
    check_batch_size(account, len(request.items))
    named = [request.schema, *(item.schema for item in request.items)]
    schemas = await load_schemas(services, account, [s for s in named if s is not None])
    return [
        _admit_item(services, account, request, item, index=index, schemas=schemas)
        for index, item in enumerate(request.items)
    ]


def _admit_item(
    services: Services,
    account: Account,
    request: BatchRequest,
    item: BatchItemRequest,
    *,
    index: int,
    schemas: dict[int, SchemaInUse],
) -> Admitted:
    # Categories of its own override the batch's schema; a schema of its own overrides both.
    own = item.categories is not None or item.schema is not None
    schema_id = item.schema if own else request.schema
    merged = ClassifyRequest(
        input=item.input,
        type=item.type or request.type,
        categories=item.categories if own else request.categories,
        mode=request.mode,
        top_n=request.top_n,
        threshold=request.threshold,
        explain=request.explain,
        allow_none=request.allow_none,
        min_margin=request.min_margin,
        store=request.store,
    )
    return admit(
        services,
        account,
        merged,
        None if schema_id is None else schemas[schema_id],
        type_path=("items", index, "type") if item.type or own else ("type",),
        input_path=("items", index, "input"),
        categories_path=("items", index, "categories") if own else ("categories",),
        item_id=id_of(item, index),
    )
