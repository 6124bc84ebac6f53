"""Stored secrets and keys: moving them to the newest, so that older ones can be given up."""

import logging

from app.domain.sealing import Seal, SealBroken
from app.storage import webhooks as rows

logger = logging.getLogger(__name__)


async def renew_seals(seal: Seal) -> int:
    """Seal anew what an older key sealed, and return how many secrets these were.

    What none of the keys opens stays as it is: its deliveries say so.
    """
    if not seal.has_older_keys:
        return 0
    renewed = 0
    for row in await rows.all_webhooks():
        for column, sealed in (("secret", row.secret), ("previous_secret", row.previous_secret)):
            if not sealed:
                continue
            try:
                anew = seal.renewed(sealed)
            except SealBroken:
                logger.error("the %s of webhook %d can't be opened", column, row.id)
                continue
            if anew is not None:
                await rows.reseal(row.id, column, before=sealed, after=anew)
                renewed += 1
    return renewed


async def count_unreadable(seal: Seal) -> int:
    """Count the webhooks whose present secret none of the keys opens."""
    unreadable = 0
    for row in await rows.all_webhooks():
        try:
            seal.open(row.secret)
        except SealBroken:
            unreadable += 1
    return unreadable
