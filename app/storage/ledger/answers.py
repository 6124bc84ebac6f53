"""Cached answers, by key, until they lapse."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from app.storage.operation import Many, Query, Rows, Statement, Steps, reading, writing

_FIND = Statement("SELECT answer FROM answers WHERE key = :key AND expires_at > :moment")
_KEEP = Statement(
    """
INSERT INTO answers (key, account_id, answer, expires_at)
VALUES (:key, :account, :answer, :expires_at)
ON CONFLICT (key) DO UPDATE SET answer = excluded.answer, expires_at = excluded.expires_at
""",
    Rows.NONE,
)
_PURGE = Statement("""
DELETE FROM answers WHERE key IN
  (SELECT key FROM answers WHERE expires_at <= :moment LIMIT :count)
RETURNING key
""")


@reading
def find_answers(keys: Sequence[str], moment: datetime) -> Steps[dict[str, str]]:
    """Return those of the answers that are there and have not lapsed, by key."""
    found: dict[str, str] = {}
    for key in keys:
        rows = yield Query(_FIND, {"key": key, "moment": moment})
        if rows:
            found[key] = rows[0][0]
    return found


@writing(durable=False, repeatable=True)
def keep_answers(
    account_id: int, answers: Mapping[str, str], *, expires_at: datetime
) -> Steps[None]:
    """Keep answers until then; one that is there is replaced."""
    yield Many(
        _KEEP,
        [
            {"key": key, "account": account_id, "answer": answers[key], "expires_at": expires_at}
            for key in sorted(answers)
        ],
    )


@writing(durable=False, repeatable=True)
def purge_answers(moment: datetime, *, count: int) -> Steps[int]:
    """Delete up to `count` answers that have lapsed by then; return how many."""
    return len((yield Query(_PURGE, {"moment": moment, "count": count})))
