"""One attempt at a leased delivery, and what becomes of it."""

import logging
import time
from dataclasses import dataclass
from datetime import datetime

from app.domain import clock
from app.domain.sealing import SealBroken
from app.domain.services import Services
from app.domain.webhooks.schedule import Schedule
from app.domain.webhooks.signatures import delivery_headers
from app.observability import metrics
from app.outbound.errors import OutboundError
from app.storage.ledger.deliveries import settle_delivery
from app.storage.ledger.delivery_records import LeasedDelivery, Settlement, Verdict

logger = logging.getLogger(__name__)

#: What is kept of an answer's body.
RESPONSE_BYTES = 4096
_GONE = 410


@dataclass(frozen=True, slots=True)
class _Outcome:
    verdict: Verdict
    duration_ms: int
    status_code: int | None = None
    response: str | None = None
    error: str | None = None


async def deliver(
    services: Services, schedule: Schedule, lease_id: str, delivery: LeasedDelivery
) -> None:
    """Send a delivery once, then settle it or put it off."""
    attempted_at = clock.now()
    outcome = await _send(services, schedule, delivery, moment=attempted_at)
    now = clock.now()
    due_at = None
    if outcome.verdict in {Verdict.FAILING, Verdict.NONE}:
        due_at = schedule.due_again(delivery.attempts, moment=now)
    settled = await services.ledger.run(
        settle_delivery(
            Settlement(
                delivery_id=delivery.id,
                lease_id=lease_id,
                verdict=outcome.verdict,
                attempted_at=attempted_at,
                settled_at=now,
                failing_before=now - schedule.patience,
                duration_ms=outcome.duration_ms,
                status_code=outcome.status_code,
                response=outcome.response,
                error=outcome.error,
                due_at=due_at,
            )
        )
    )
    if not settled.was_held:
        logger.warning("delivery %s had passed to others", delivery.id)
        return
    _count(outcome, delivery, ended=due_at is None)
    if settled.switched_off:
        logger.warning("webhook %d was switched off", delivery.webhook_id)


async def _send(
    services: Services, schedule: Schedule, delivery: LeasedDelivery, *, moment: datetime
) -> _Outcome:
    try:
        secrets = _secrets_of(services, delivery, moment)
    except SealBroken:
        logger.error(
            "the secret of webhook %d was sealed under another key: see CLASSIFAILY_SECRET_KEY",
            delivery.webhook_id,
        )
        return _Outcome(Verdict.NONE, 0, error="The server could not read the signing secret.")
    body = delivery.payload.encode()
    headers = delivery_headers(
        body, delivery_id=delivery.id, event=delivery.event, secrets=secrets, moment=moment
    )
    started = time.monotonic()
    try:
        answer = await services.outbound.post(
            delivery.url,
            body=body,
            headers=headers,
            deadline_s=schedule.answer_s,
            keep_bytes=RESPONSE_BYTES,
        )
    except OutboundError as error:
        taken = round((time.monotonic() - started) * 1000)
        return _Outcome(Verdict.FAILING, taken, error=str(error))
    return _Outcome(
        _judge(answer.status),
        answer.duration_ms,
        status_code=answer.status,
        response=_storable(answer.body_head),
    )


def _count(outcome: _Outcome, delivery: LeasedDelivery, *, ended: bool) -> None:
    delivered = outcome.verdict is Verdict.HEALTHY
    if delivered:
        result = "delivered"
    else:
        result = "unreachable" if outcome.status_code is None else "refused"
    metrics.delivery_attempted(result, seconds=outcome.duration_ms / 1000)
    if ended:
        metrics.delivery_ended("delivered" if delivered else "failed", attempts=delivery.attempts)


def _secrets_of(services: Services, delivery: LeasedDelivery, moment: datetime) -> list[str]:
    """Return the secrets that sign, the present one first."""
    until = delivery.previous_until
    sealed = [delivery.secret]
    if delivery.previous_secret is not None and until is not None and moment < until:
        sealed.append(delivery.previous_secret)
    return [services.seal.open(each) for each in sealed]


def _judge(status: int) -> Verdict:
    if 200 <= status < 300:
        return Verdict.HEALTHY
    # What redirects is no answer: who follows may end up anywhere.
    return Verdict.GONE if status == _GONE else Verdict.FAILING


def _storable(body: bytes) -> str:
    # PostgreSQL's text holds no NUL.
    return body.decode("utf-8", errors="replace").replace("\x00", "\ufffd")
