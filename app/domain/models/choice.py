"""Which model judges a task, where accounts may choose: from a list that the operator allows.

A choice is one model of the list, or several that are asked in turn. A schema's comes first, then
the account's, then the server's own for the type of input. A choice with a model that is not on
the list any more counts as none, and so does one for content that none of its models takes.
"""

from app.domain.errors import FieldPath, InvalidRequest
from app.settings import MAX_TIME_OF_A_TASK_S, Settings


def checked_model(settings: Settings, choice: str, *, at: FieldPath) -> str:
    """Return a choice as it is kept: names in their order, separated by commas.

    Raises:
        InvalidRequest: It is not from the list, or too long to be asked in the time of a task.
    """
    allowed = settings.allowed_models
    if not allowed:
        raise InvalidRequest(at, "can't be chosen on this server: it allows no models")
    names = split_model(choice)
    if len(set(names)) < len(names) or not set(names) <= set(allowed):
        raise InvalidRequest(
            at, f"must be one of {', '.join(allowed)}, or several of them, separated by commas"
        )
    most = int(MAX_TIME_OF_A_TASK_S // settings.model_timeout)
    if len(names) > most:
        raise InvalidRequest(at, f"must name at most {most} models, got {len(names)}")
    return ",".join(names)


def chosen_model(settings: Settings, *choices: str | None) -> str | None:
    """Return the first choice that is still allowed; None for the server's own models."""
    allowed = set(settings.allowed_models)
    for choice in choices:
        if choice is not None and set(split_model(choice)) <= allowed:
            return choice
    return None


def split_model(choice: str) -> tuple[str, ...]:
    """Return the names of a choice, in their order."""
    return tuple(name.strip() for name in choice.split(","))
