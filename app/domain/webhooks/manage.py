"""Making, reading, changing and deleting webhooks, and their secrets."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from app.domain import clock
from app.domain.accounts.account import Account
from app.domain.classification.request import check_text
from app.domain.errors import ErrorCode, InvalidRequest, NotFound, PlanRestriction
from app.domain.plans import cheapest_plan
from app.domain.services import Services
from app.domain.webhooks.secret import check_secret, generate_secret
from app.domain.webhooks.webhook import DisabledReason, SecretWebhook, Webhook, WebhookTopic
from app.outbound.errors import Refused
from app.storage import webhooks as rows
from app.storage.ledger.delivery_log import drop_deliveries
from app.storage.models import WebhookRow

MAX_URL_LENGTH = 2_000
#: For how long the secret before the present one signs as well.
OVERLAP = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class WebhookRequest:
    """A webhook as asked for. None means the default: all topics, a generated secret."""

    url: str
    topics: Sequence[WebhookTopic] | None = None
    secret: str | None = None


@dataclass(frozen=True, slots=True)
class WebhookChange:
    """What to change of a webhook; None leaves it. `active` True forgets past failures."""

    url: str | None = None
    topics: Sequence[WebhookTopic] | None = None
    active: bool | None = None


@dataclass(frozen=True, slots=True)
class WebhookPage:
    """One page of a list by offset, and how many there are in all."""

    webhooks: tuple[Webhook, ...]
    total: int


async def create_webhook(
    services: Services, account: Account, request: WebhookRequest
) -> SecretWebhook:
    """Register an endpoint. Its secret is known here and never again.

    Raises:
        InvalidRequest: A value is out of its range, or the URL is not https or not public.
        PlanRestriction: The plan has no webhooks, or no room for another.
    """
    topics = _checked_topics((WebhookTopic.ALL,) if request.topics is None else request.topics)
    secret = generate_secret() if request.secret is None else check_secret(request.secret)
    await _check_url(services, request.url)
    require_webhooks(account)
    limit = account.limits.webhooks
    columns = {"url": request.url, "secret": services.seal.seal(secret), **_topic_columns(topics)}
    row = await rows.insert_webhook(account.id, columns, created_at=clock.now(), limit=limit)
    if row is None:
        raise PlanRestriction(
            "webhooks",
            required=cheapest_plan(lambda limits: limits.webhooks is None),
            message=f"Your plan allows {limit} webhooks. Delete one, or upgrade.",
        )
    return SecretWebhook(to_webhook(row), secret)


async def get_webhook(account: Account, webhook_id: int) -> Webhook:
    """Return one webhook.

    Raises:
        NotFound: There is none, or it is another account's.
    """
    row = await rows.find_webhook(account.id, webhook_id)
    if row is None:
        raise no_such_webhook(webhook_id)
    return to_webhook(row)


async def account_webhooks(account: Account) -> list[Webhook]:
    """Return all webhooks of an account, newest first."""
    return [to_webhook(row) for row in await rows.account_webhooks(account.id)]


async def list_webhooks(account: Account, *, limit: int, offset: int) -> WebhookPage:
    """Return a page by offset, newest first."""
    page = await rows.list_webhooks(account.id, limit=limit, offset=offset)
    total = await rows.count_webhooks(account.id)
    return WebhookPage(webhooks=tuple(map(to_webhook, page)), total=total)


async def change_webhook(
    services: Services, account: Account, webhook_id: int, change: WebhookChange
) -> Webhook:
    """Change what `change` names and nothing else.

    A new URL, and switching it on, make a fresh start: past failures are forgotten.

    Raises:
        InvalidRequest: A value is out of its range, or the URL is not https or not public.
        PlanRestriction: The plan has no webhooks.
        NotFound: There is none, or it is another account's.
    """
    columns: dict[str, Any] = {}
    if change.topics is not None:
        columns |= _topic_columns(_checked_topics(change.topics))
    if change.url is not None:
        await _check_url(services, change.url)
        columns |= {"url": change.url, "failing_since": None}
    if change.active is not None:
        columns["active"] = change.active
    if change.active:
        columns |= {"failing_since": None, "disabled_reason": None}
    require_webhooks(account)
    if not await rows.update_webhook(account.id, webhook_id, columns, updated_at=clock.now()):
        raise no_such_webhook(webhook_id)
    return await get_webhook(account, webhook_id)


async def rotate_secret(
    services: Services, account: Account, webhook_id: int, *, secret: str | None = None
) -> SecretWebhook:
    """Give a webhook a new secret, known here and never again; generated unless given.

    For `OVERLAP` the one before signs as well; an older one is dropped.

    Raises:
        InvalidRequest: The secret is empty or too long.
        PlanRestriction: The plan has no webhooks.
        NotFound: There is none, or it is another account's.
    """
    chosen = generate_secret() if secret is None else check_secret(secret)
    require_webhooks(account)
    now = clock.now()
    sealed = services.seal.seal(chosen)
    until = now + OVERLAP
    if not await rows.replace_secret(
        account.id, webhook_id, sealed, previous_until=until, updated_at=now
    ):
        raise no_such_webhook(webhook_id)
    return SecretWebhook(await get_webhook(account, webhook_id), chosen)


async def delete_webhook(services: Services, account: Account, webhook_id: int) -> None:
    """Delete a webhook with its log. What waits for it is not sent any more.

    Raises:
        NotFound: There is none, or it is another account's.
    """
    if not await rows.delete_webhook(account.id, webhook_id):
        raise no_such_webhook(webhook_id)
    # In steps, so that nobody waits long. What a process that dies here leaves is purged in time.
    while await services.ledger.run(drop_deliveries(account.id, webhook_id)):
        pass


def require_webhooks(account: Account) -> None:
    """Refuse a plan without webhooks.

    Raises:
        PlanRestriction: The plan has none.
    """
    if account.limits.webhooks == 0:
        required = cheapest_plan(lambda limits: limits.webhooks != 0)
        raise PlanRestriction(
            "webhooks",
            required=required,
            message=f"Webhooks are not available on your plan. Upgrade to {required.value} "
            "or above.",
        )


def no_such_webhook(webhook_id: int | str) -> NotFound:
    """Return the error for a webhook that is not there, or not the caller's."""
    return NotFound(
        f"There is no webhook {str(webhook_id)[:40]}.", code=ErrorCode.WEBHOOK_NOT_FOUND
    )


def to_webhook(row: WebhookRow) -> Webhook:
    """Read a stored webhook."""
    reason, until = row.disabled_reason, row.previous_until
    return Webhook(
        id=row.id,
        account_id=row.account_id,
        url=row.url,
        topics=tuple(map(WebhookTopic, row.events)),
        active=row.active,
        disabled_reason=None if reason is None else DisabledReason(reason),
        failing_since=row.failing_since,
        previous_secret_until=until if until is not None and until > clock.now() else None,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


async def _check_url(services: Services, url: str) -> None:
    check_text(("url",), url, maximum=MAX_URL_LENGTH)
    try:
        await services.outbound.check(url, require_https=True)
    except Refused as refused:
        raise InvalidRequest(("url",), str(refused)) from None


def _checked_topics(topics: Sequence[WebhookTopic]) -> tuple[WebhookTopic, ...]:
    if not topics:
        raise InvalidRequest(("events",), "must name at least one event, or be left out for all")
    return tuple(dict.fromkeys(topics))


def _topic_columns(topics: tuple[WebhookTopic, ...]) -> dict[str, Any]:
    def listens(topic: WebhookTopic) -> bool:
        return WebhookTopic.ALL in topics or topic in topics

    return {
        "events": list(topics),
        "on_job_completed": listens(WebhookTopic.JOB_COMPLETED),
        "on_job_failed": listens(WebhookTopic.JOB_FAILED),
        "on_batch_completed": listens(WebhookTopic.BATCH_COMPLETED),
    }
