"""`Idempotency-Key` on a POST that holds a mutation; without one there is nothing to do once.

The key stands for the whole body. Two things can be known of a repeat whose first try died before
its answer was kept:

- The only mutation was `classify`, `classifyBatch`, `createBatchFile` or `decide`: the step that
  ended or promised the work has written down which job or batch it was. The repeat shows that one;
  without it nothing was done, and the key is free once the jobs of the dead process have been given
  back.
- Any other mutations: what they did is not written down with the work. The key stays taken, and
  says so, until it expires: nothing is done twice without the caller's knowing.

A request whose mutations were all refused, or only tried out, has done nothing and frees its key.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec

from app.domain import idempotency
from app.domain.idempotency import KEPT, WAITING_CALLER_LEASE, Claim, Receipt, Replay
from app.domain.services import Services

_WRITTEN_DOWN = frozenset({"classify", "classifyBatch", "createBatchFile", "decide"})


@dataclass(slots=True)
class Deed:
    """What the mutations of one request did, as far as a repeat has to know of it.

    `claim` is held when the work itself is to be written down, `done` is what an earlier try wrote:
    `{"job": id}` or `{"batch": id}`. `acted` says whether anything was done.
    """

    claim: Claim | None = None
    done: dict[str, str] | None = None
    acted: bool = False

    def receipt(self, **work: str) -> Receipt | None:
        """Return what the step that ends or promises the work has to keep, if anything."""
        return None if self.claim is None else self.claim.note(msgspec.json.encode(work))


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request is answered; `replayed` when that is the answer to an earlier one."""

    status: int
    body: bytes
    replayed: bool = False


async def perform_once(
    services: Services,
    account_id: int,
    key: str,
    *,
    request: bytes,
    fields: Sequence[str],
    run: Callable[[Deed], Awaitable[tuple[int, Any]]],
) -> Answer:
    """Run a request, or return what its first try was answered.

    `fields` are the mutations that it asks for, `run` returns status and body.

    Raises:
        InvalidRequest: The key is not one.
        IdempotencyConflict: The key belongs to another request, or its first use has no end yet.
    """
    written_down = len(fields) == 1 and fields[0] in _WRITTEN_DOWN
    held = await idempotency.claim(
        services,
        account_id,
        key,
        request=b"POST /graphql\n%b" % request,
        lease=WAITING_CALLER_LEASE if written_down else KEPT,
    )
    if isinstance(held, Replay):
        return Answer(held.status, held.body, replayed=True)
    deed = Deed()
    if written_down:
        deed.claim = held
        deed.done = None if held.done is None else msgspec.json.decode(held.done)
    try:
        status, body = await run(deed)
        answer = Answer(status, msgspec.json.encode(body), replayed=deed.done is not None)
        if deed.acted:
            # Some mutations answer with a secret; those that classify never do.
            keep = held.receipt if written_down else partial(held.sealed_receipt, services.seal)
            await idempotency.keep(services, keep(status=status, body=answer.body))
    finally:
        if not deed.acted:
            await idempotency.release(services, held)
    return answer
