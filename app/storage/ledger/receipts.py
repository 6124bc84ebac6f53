"""One request with an Idempotency-Key goes ahead; its answer is kept for the others."""

from datetime import datetime

from app.storage.ledger.records import Claimed, Receipt, Taken
from app.storage.operation import Query, Rows, Statement, Steps, writing

_FORGET = Statement(
    """
DELETE FROM receipts WHERE account_id = :account AND key = :key AND expires_at <= :moment
""",
    Rows.NONE,
)
_CLAIM = Statement("""
INSERT INTO receipts (account_id, key, fingerprint, expires_at)
VALUES (:account, :key, :fingerprint, :until)
ON CONFLICT (account_id, key) DO NOTHING
RETURNING id
""")
_FIND = Statement("""
SELECT fingerprint, status, body FROM receipts WHERE account_id = :account AND key = :key
""")
_WRITE = Statement(
    """
UPDATE receipts SET status = :status, body = :body, expires_at = :expires_at
WHERE account_id = :account AND key = :key
""",
    Rows.NONE,
)
_RELEASE = Statement(
    """
DELETE FROM receipts WHERE account_id = :account AND key = :key AND body IS NULL
""",
    Rows.NONE,
)


@writing(durable=False)
def claim_receipt(
    account_id: int, key: str, *, fingerprint: str, moment: datetime, until: datetime
) -> Steps[Claimed | Taken]:
    """Take an Idempotency-Key until `until`, or return who has it. Expired ones are free."""
    named = {"account": account_id, "key": key}
    yield Query(_FORGET, {**named, "moment": moment})
    taken = yield Query(_CLAIM, {**named, "fingerprint": fingerprint, "until": until})
    if taken:
        return Claimed()
    ((held, status, body),) = yield Query(_FIND, named)
    return Taken(held, status, body)


@writing(durable=True, repeatable=True)
def write_receipt(receipt: Receipt) -> Steps[None]:
    """Keep an answer under a claimed key."""
    yield from keep_receipt(receipt)


def keep_receipt(receipt: Receipt) -> Steps[None]:
    """Keep an answer, as a part of the step that earned it."""
    yield Query(
        _WRITE,
        {
            "account": receipt.account_id,
            "key": receipt.key,
            "status": receipt.status,
            "body": receipt.body,
            "expires_at": receipt.expires_at,
        },
    )


@writing(durable=False, repeatable=True)
def release_receipt(account_id: int, key: str) -> Steps[None]:
    """Free a claimed key that got no answer worth keeping."""
    yield Query(_RELEASE, {"account": account_id, "key": key})
