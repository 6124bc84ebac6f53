"""Who calls, and with which schemas: the reads of every request."""

from collections.abc import Sequence

from app.storage.columns import integer_key, read_time
from app.storage.ledger.records import KeyRecord, SchemaRecord
from app.storage.operation import Many, Query, Row, Statement, Steps, reading

_FIND = """
SELECT k.id, a.id, a.name, a.email, a.plan, a.subscription_status, a.retain_inputs, a.created_at,
       COALESCE(u.used, 0), a.budget, a.cache_ttl,
       a.default_model
FROM api_keys k
JOIN accounts a ON a.id = k.account_id
LEFT JOIN usage_months u ON u.account_id = a.id AND u.period = :period
WHERE {which} AND k.revoked_at IS NULL
"""
_FIND_KEY = Statement(_FIND.format(which="k.key_hash = :key_hash"))
_FIND_KEY_BY_ID = Statement(_FIND.format(which="k.id = :key"))
_FIND_SCHEMA = Statement("""
SELECT id, name, input_type, mode, categories, model FROM schemas
WHERE account_id = :account AND id = :schema
""")


@reading
def find_key(key_hash: str, *, period: str) -> Steps[KeyRecord | None]:
    """Return the key that is not revoked, with its account and the month's use, or None."""
    return _read((yield Query(_FIND_KEY, {"key_hash": key_hash, "period": period})))


@reading
def find_key_by_id(key_id: int, *, period: str) -> Steps[KeyRecord | None]:
    """Return the same for a key that was found before."""
    return _read((yield Query(_FIND_KEY_BY_ID, {"key": key_id, "period": period})))


def _read(rows: Sequence[Row]) -> KeyRecord | None:
    if not rows:
        return None
    row = rows[0]
    return KeyRecord(
        key_id=row[0],
        account_id=row[1],
        account_name=row[2],
        email=row[3],
        plan=row[4],
        subscription_status=row[5],
        retain_inputs=bool(row[6]),
        account_created_at=read_time(row[7]),
        used=row[8],
        budget=row[9],
        cache_ttl=row[10],
        default_model=row[11],
    )


@reading
def find_schemas(account_id: int, schema_ids: Sequence[int]) -> Steps[dict[int, SchemaRecord]]:
    """Return those of the named schemas that the account has, by id."""
    wanted = [{"account": account_id, "schema": integer_key(each)} for each in schema_ids]
    rows = yield Many(_FIND_SCHEMA, wanted)
    return {row[0]: SchemaRecord(*row) for row in rows}
