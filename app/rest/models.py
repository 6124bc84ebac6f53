"""`GET /models`."""

from app.domain.models.allowed import list_allowed
from app.rest.account_replies import ModelListReply
from app.rest.call import Call
from app.rest.operation import Operation
from app.rest.rendering import render_model
from app.rest.reply import Reply


async def get_models(call: Call) -> Reply:
    """Return the models that accounts may choose, in the operator's order."""
    return Reply(ModelListReply([render_model(m) for m in await list_allowed(call.services)]))


MODELS = {
    "GET": Operation(
        get_models,
        name="getModels",
        summary="The models that accounts may choose",
        reply=ModelListReply,
    )
}
