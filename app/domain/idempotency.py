"""A request with an Idempotency-Key is done once; a repeat within 24 hours gets the same answer.

1. The key is claimed in one step. Whoever finds it taken gets the kept answer when the request is
   the same, a conflict when it is another, or is told that the first still runs.
2. The answer is kept in the step that ends the work, so that a repeat can never do it again.
3. A request that was refused, failed or only tried out frees its key: the repeat is a fresh try.

A claim whose process died is free again after the lease. An answer that shows a secret is kept
sealed.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import timedelta

from app.domain import clock
from app.domain.errors import ErrorCode, IdempotencyConflict, InvalidRequest
from app.domain.jobs.record import WAITING_CALLER_LEASE
from app.domain.sealing import Seal
from app.domain.services import Services
from app.storage.ledger.receipts import claim_receipt, release_receipt, write_receipt
from app.storage.ledger.records import Receipt, Taken

__all__ = [
    "KEPT",
    "WAITING_CALLER_LEASE",
    "Claim",
    "Receipt",
    "Replay",
    "claim",
    "keep",
    "release",
]

KEPT = timedelta(hours=24)
# No JSON begins so.
_SEALED = b"sealed:"
_SANE_KEY = re.compile(r"[\x21-\x7e]{1,255}")


@dataclass(frozen=True, slots=True)
class Replay:
    """The answer that was kept."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to do a request under a key.

    `done` is what an earlier try noted that it has done, when its answer was not kept any more.
    """

    account_id: int
    key: str
    done: bytes | None = None

    def receipt(self, *, status: int, body: bytes) -> Receipt:
        """Return what to keep for repeats."""
        return Receipt(
            self.account_id, self.key, status=status, body=body, expires_at=clock.now() + KEPT
        )

    def note(self, work: bytes) -> Receipt:
        """Return what tells a repeat which work was done, before there is an answer to keep."""
        return Receipt(
            self.account_id, self.key, status=None, body=work, expires_at=clock.now() + KEPT
        )

    def sealed_receipt(self, seal: Seal, *, status: int, body: bytes) -> Receipt:
        """Return what to keep of an answer that nobody may read in the database."""
        return self.receipt(status=status, body=_SEALED + seal.seal(body.decode()).encode())


async def claim(
    services: Services,
    account_id: int,
    key: str,
    *,
    request: bytes,
    lease: timedelta = WAITING_CALLER_LEASE,
) -> Claim | Replay:
    """Claim a key for a request, or return the answer that its first use was given.

    `request` is what makes two requests the same: method, address and body. `lease` is how long
    the key stays taken when nothing more is heard of the request.

    Raises:
        InvalidRequest: The key is empty, too long or not printable ASCII.
        IdempotencyConflict: The key belongs to another request, or its first use still runs.
    """
    if not _SANE_KEY.fullmatch(key):
        raise InvalidRequest(
            ("Idempotency-Key",), "must have 1 to 255 printable ASCII characters, without spaces"
        )
    fingerprint = hashlib.sha256(request).hexdigest()
    moment = clock.now()
    until = moment + lease
    held = await services.ledger.run(
        claim_receipt(account_id, key, fingerprint=fingerprint, moment=moment, until=until)
    )
    if not isinstance(held, Taken):
        return Claim(account_id, key)
    if held.fingerprint != fingerprint:
        raise IdempotencyConflict("This Idempotency-Key was used for another request.")
    if held.body is None:
        raise IdempotencyConflict(
            "The first request with this Idempotency-Key is still running, or was cut off. "
            "Try again soon.",
            code=ErrorCode.IDEMPOTENCY_IN_PROGRESS,
        )
    if held.status is None:
        return Claim(account_id, key, done=held.body)
    body = held.body
    if body.startswith(_SEALED):
        body = services.seal.open(body.removeprefix(_SEALED).decode()).encode()
    return Replay(held.status, body)


async def keep(services: Services, receipt: Receipt) -> None:
    """Keep the answer to a request whose work is no job."""
    await services.ledger.run(write_receipt(receipt))


async def release(services: Services, held: Claim) -> None:
    """Free a key whose request did nothing; one whose answer was kept stays."""
    await services.ledger.run(release_receipt(held.account_id, held.key))
