"""Exact repeats answered from a cache, for accounts that want it.

An answer is found under a hash of all that it depends on: account, content, categories, options,
models, their fitted temperatures, this version. The hash is keyed (HMAC-SHA-256, RFC 2104) with
what stored secrets are sealed under, so that nobody who reads the cache can try out contents. The
content itself is not kept.

What comes from the cache counts as a request and has a job of its own, but no tokens and no cost.
Not cached are requests with store: false, answers of a fallback, and media by URL: what an address
holds changes. A cache that fails is a miss.
"""

import asyncio
import hashlib
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import msgspec

from app import __version__
from app.domain import clock
from app.domain.classification.admission import Admitted
from app.domain.services import Services
from app.engines.contract import Category, InputType, Outcome, Task
from app.observability import metrics
from app.storage.errors import DatabaseError
from app.storage.ledger.answers import find_answers, keep_answers
from app.storage.ledger.ledger import Ledger

logger = logging.getLogger(__name__)

# A cache that takes longer is no help.
PATIENCE_S = 0.5

_decoder = msgspec.json.Decoder(Outcome)


class LedgerAnswers:
    """Answers in the database."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def find(self, keys: Sequence[str]) -> dict[str, str]:
        """Return those that have not lapsed."""
        return await self._ledger.run(find_answers(keys, clock.now()))

    async def keep(self, account_id: int, answers: Mapping[str, str], *, ttl_s: int) -> None:
        """Keep answers for so long."""
        until = clock.now() + timedelta(seconds=ttl_s)
        await self._ledger.run(keep_answers(account_id, answers, expires_at=until))


async def find_cached(
    services: Services, account_id: int, admitted: Sequence[Admitted], *, ttl_s: int | None
) -> list[Outcome | None]:
    """Return the cached answer of each task, or None. `ttl_s` is the account's."""
    if ttl_s is None:
        return [None] * len(admitted)
    keys = await _keys(services, account_id, admitted)
    answers = await _look_up(services, keys)
    hits = sum(answer is not None for answer in answers)
    wanted = sum(key is not None for key in keys)
    metrics.answers_looked_up(hits=hits, misses=wanted - hits)
    return answers


async def foresee_cached(
    services: Services, account_id: int, admitted: Sequence[Admitted], *, ttl_s: int | None
) -> list[Outcome | None]:
    """Return what `find_cached` would, of work that is yet to begin: no metric counts it."""
    if ttl_s is None:
        return [None] * len(admitted)
    return await _look_up(services, await _keys(services, account_id, admitted))


async def _look_up(services: Services, keys: Sequence[str | None]) -> list[Outcome | None]:
    wanted = [key for key in keys if key is not None]
    if not wanted:
        return [None] * len(keys)
    try:
        async with asyncio.timeout(PATIENCE_S):
            found = await services.answers.find(wanted)
        return [None if key is None else _read(found.get(key)) for key in keys]
    except (DatabaseError, OSError, TimeoutError, msgspec.DecodeError) as failure:
        logger.warning("the cache of answers can't be read: %s", type(failure).__name__)
        return [None] * len(keys)


async def keep_answered(
    services: Services,
    account_id: int,
    admitted: Sequence[Admitted],
    answers: Sequence[object],
    *,
    ttl_s: int | None,
) -> None:
    """Keep the answers to tasks for the account's time, where they may be kept."""
    if ttl_s is None:
        return
    keys = await _keys(services, account_id, admitted)
    fresh = {
        key: msgspec.json.encode(answer).decode()
        for key, answer in zip(keys, answers, strict=True)
        if key is not None
        and isinstance(answer, Outcome)
        and not answer.cached
        and not answer.fell_back
    }
    if not fresh:
        return
    try:
        async with asyncio.timeout(PATIENCE_S):
            await services.answers.keep(account_id, fresh, ttl_s=ttl_s)
    except (DatabaseError, OSError, TimeoutError) as failure:
        logger.warning("the cache of answers can't be written: %s", type(failure).__name__)


def _read(stored: str | None) -> Outcome | None:
    if stored is None:
        return None
    outcome = _decoder.decode(stored)
    return replace(outcome, tokens=0, completion_tokens=0, cost=0, cached=True)


async def _keys(
    services: Services, account_id: int, admitted: Sequence[Admitted]
) -> list[str | None]:
    return [
        await _key(services, account_id, item.task) if item.store and _is_exact(item.task) else None
        for item in admitted
    ]


def _is_exact(task: Task) -> bool:
    """Tell whether the task holds all that it is about, and does not only name it."""
    if task.input_type is InputType.TEXT:
        return True
    examples = (example for category in task.categories or () for example in category.examples)
    return all(content[:5].lower() == "data:" for content in (task.content, *examples))


async def _key(services: Services, account_id: int, task: Task) -> str:
    # What was fetched lies in files whose names differ each time; a data URI has it all.
    bare = replace(task, media=None, categories=_without_media(task))
    identity = await services.engine.identity(task)
    said = msgspec.json.encode((__version__, account_id, identity, bare))
    return services.seal.fingerprint(hashlib.sha256(said).digest())


def _without_media(task: Task) -> tuple[Category, ...] | None:
    if task.categories is None:
        return None
    return tuple(replace(category, media=()) for category in task.categories)
