"""The ledger on SQLite: plain SQL in grouped transactions, reads on a connection of its own."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from app.storage.database import BUSY_TIMEOUT_MS, dump_json
from app.storage.group_writer import GroupWriter
from app.storage.ledger import (
    BatchEnd,
    BatchStart,
    Claimed,
    JobEnd,
    JobStart,
    KeyRecord,
    Receipt,
    Refused,
    Reserved,
    SchemaRecord,
    Taken,
)

_FIND_KEY = """
SELECT k.id, a.id, a.name, a.email, a.plan, a.subscription_status, a.created_at,
       COALESCE(u.used, 0)
FROM api_keys k
JOIN accounts a ON a.id = k.account_id
LEFT JOIN usage_months u ON u.account_id = a.id AND u.period = ?
WHERE k.key_hash = ? AND k.revoked_at IS NULL
"""
_TAKE_QUOTA = """
INSERT INTO usage_months (account_id, period, used) VALUES (:account, :period, :count)
ON CONFLICT (account_id, period) DO UPDATE SET used = used + excluded.used
WHERE :limit IS NULL OR used + excluded.used <= :limit
RETURNING used
"""
_USED = "SELECT used FROM usage_months WHERE account_id = ? AND period = ?"
_COUNT_REQUESTS = """
INSERT INTO usage_days (account_id, day, input_type, requests, tokens) VALUES (?, ?, ?, ?, 0)
ON CONFLICT (account_id, day, input_type) DO UPDATE SET requests = requests + excluded.requests
"""
_COUNT_TOKENS = """
UPDATE usage_days SET tokens = tokens + ? WHERE account_id = ? AND day = ? AND input_type = ?
"""
_GIVE_BACK_MONTH = """
UPDATE usage_months SET used = used - 1 WHERE account_id = ? AND period = ?
"""
_GIVE_BACK_DAY = """
UPDATE usage_days SET requests = requests - 1
WHERE account_id = ? AND day = ? AND input_type = ?
"""
_INSERT_JOB = """
INSERT INTO jobs (account_id, status, input_type, input_preview, mode, categories, schema_id,
                  batch_id, batch_index, item_id, attempts, created_at, lease_expires_at)
VALUES (?, 'processing', ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?)
"""
_INSERT_BATCH = """
INSERT INTO batches (id, account_id, status, total, created_at) VALUES (?, ?, 'processing', ?, ?)
"""
_FINISH_BATCH = """
UPDATE batches SET status = ?, latency_ms = ?, completed_at = ?
WHERE id = ? AND status = 'processing'
"""
_FAIL_DEAD_BATCHES = """
UPDATE batches SET status = 'failed', completed_at = ?
WHERE status = 'processing' AND NOT EXISTS (
    SELECT 1 FROM jobs WHERE jobs.batch_id = batches.id AND jobs.status = 'processing')
"""
_FIND_SCHEMAS = """
SELECT id, input_type, mode, categories FROM schemas
WHERE account_id = ? AND id IN (SELECT value FROM json_each(?))
"""
_COUNT_SCHEMA_USE = "UPDATE schemas SET total_uses = total_uses + 1 WHERE id = ? AND account_id = ?"
_FORGET_RECEIPTS = "DELETE FROM receipts WHERE expires_at <= ?"
_CLAIM_RECEIPT = """
INSERT INTO receipts (account_id, key, fingerprint, expires_at) VALUES (?, ?, ?, ?)
ON CONFLICT (account_id, key) DO NOTHING
"""
_FIND_RECEIPT = """
SELECT fingerprint, status, body FROM receipts WHERE account_id = ? AND key = ?
"""
_WRITE_RECEIPT = """
UPDATE receipts SET status = ?, body = ?, expires_at = ? WHERE account_id = ? AND key = ?
"""
_RELEASE_RECEIPT = """
DELETE FROM receipts WHERE account_id = ? AND key = ? AND status IS NULL
"""
_FINISH_JOB = """
UPDATE jobs SET status = ?, labels = ?, model = ?, confidence_source = ?, tokens = ?,
                latency_ms = ?, error_code = ?, error_message = ?, completed_at = ?,
                lease_expires_at = NULL
WHERE id = ? AND account_id = ? AND status = 'processing'
RETURNING created_at, input_type, schema_id
"""
_EXPIRED = """
SELECT id, account_id FROM jobs
WHERE lease_expires_at < ? AND status = 'processing' ORDER BY lease_expires_at LIMIT 500
"""


class SqliteLedger:
    """The ledger of one process. Open it once; close it to commit what is waiting."""

    def __init__(self, path: Path) -> None:
        self._writer = GroupWriter(path, busy_timeout_ms=BUSY_TIMEOUT_MS)
        # Readers never wait for the writer in WAL mode, and an indexed read takes microseconds:
        # less than a hop to another thread.
        self._reader = sqlite3.connect(path, isolation_level=None)
        self._reader.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        self._reader.execute("PRAGMA query_only=ON")

    async def close(self) -> None:
        """Commit what is waiting and close both connections."""
        await self._writer.close()
        self._reader.close()

    async def is_reachable(self) -> bool:
        """Tell whether the database answers."""
        try:
            self._reader.execute("SELECT 1 FROM accounts LIMIT 1").fetchone()
        except sqlite3.Error:
            return False
        return True

    async def find_key(self, key_hash: str, *, period: str) -> KeyRecord | None:
        """Return the key that is not revoked, or None."""
        row = self._reader.execute(_FIND_KEY, (period, key_hash)).fetchone()
        if row is None:
            return None
        return KeyRecord(
            key_id=row[0],
            account_id=row[1],
            account_name=row[2],
            email=row[3],
            plan=row[4],
            subscription_status=row[5],
            account_created_at=datetime.fromisoformat(row[6]),
            used=row[7],
        )

    async def find_schemas(
        self, account_id: int, schema_ids: Sequence[int]
    ) -> dict[int, SchemaRecord]:
        """Return those of the named schemas that the account has, by id."""
        rows = self._reader.execute(_FIND_SCHEMAS, (account_id, dump_json(list(schema_ids))))
        return {row[0]: SchemaRecord(*row) for row in rows}

    async def start_jobs(
        self,
        account_id: int,
        jobs: Sequence[JobStart],
        *,
        period: str,
        limit: int | None,
        batch: BatchStart | None = None,
    ) -> Reserved | Refused:
        """Take the quota of all jobs and write their rows, or refuse."""

        def run(connection: sqlite3.Connection) -> Reserved | Refused:
            used = _take_quota(connection, account_id, period=period, count=len(jobs), limit=limit)
            if isinstance(used, Refused):
                return used
            if batch is not None:
                created_at = _timestamp(batch.created_at)
                connection.execute(
                    _INSERT_BATCH, (batch.batch_id, account_id, len(jobs), created_at)
                )
            batch_id = None if batch is None else batch.batch_id
            ids = tuple(_insert_job(connection, account_id, job, batch_id) for job in jobs)
            return Reserved(ids, used)

        return await self._writer.submit(run, durable=False)

    async def finish_jobs(
        self,
        ends: Sequence[JobEnd],
        *,
        batch: BatchEnd | None = None,
        receipt: Receipt | None = None,
    ) -> int:
        """End the jobs that still run, durably, and return how many these were."""

        def run(connection: sqlite3.Connection) -> int:
            ended = sum(_finish_job(connection, end) for end in ends)
            if batch is not None:
                connection.execute(
                    _FINISH_BATCH,
                    (
                        batch.status,
                        batch.latency_ms,
                        _timestamp(batch.completed_at),
                        batch.batch_id,
                    ),
                )
            if ended and receipt is not None:
                _write_receipt(connection, receipt)
            return ended

        return await self._writer.submit(run, durable=True)

    async def claim_receipt(
        self, account_id: int, key: str, *, fingerprint: str, moment: datetime, until: datetime
    ) -> Claimed | Taken:
        """Take an Idempotency-Key until `until`, or return who has it. Expired ones are free."""

        def run(connection: sqlite3.Connection) -> Claimed | Taken:
            connection.execute(_FORGET_RECEIPTS, (_timestamp(moment),))
            claim = (account_id, key, fingerprint, _timestamp(until))
            if connection.execute(_CLAIM_RECEIPT, claim).rowcount:
                return Claimed()
            return Taken(*connection.execute(_FIND_RECEIPT, (account_id, key)).fetchone())

        return await self._writer.submit(run, durable=False)

    async def write_receipt(self, receipt: Receipt) -> None:
        """Keep an answer under a claimed key, durably."""
        await self._writer.submit(
            lambda connection: _write_receipt(connection, receipt), durable=True
        )

    async def release_receipt(self, account_id: int, key: str) -> None:
        """Free a claimed key that got no answer worth keeping."""
        await self._writer.submit(
            lambda connection: connection.execute(_RELEASE_RECEIPT, (account_id, key)).rowcount,
            durable=False,
        )

    async def fail_expired(self, moment: datetime, *, error_code: str, error_message: str) -> int:
        """Fail the running jobs whose lease has passed, give their quota back, count them."""

        def run(connection: sqlite3.Connection) -> int:
            expired = connection.execute(_EXPIRED, (_timestamp(moment),)).fetchall()
            count = sum(
                _finish_job(
                    connection,
                    JobEnd(
                        account_id=account_id,
                        job_id=job_id,
                        completed_at=moment,
                        error_code=error_code,
                        error_message=error_message,
                    ),
                )
                for job_id, account_id in expired
            )
            if count:
                connection.execute(_FAIL_DEAD_BATCHES, (_timestamp(moment),))
            return count

        return await self._writer.submit(run, durable=True)


def _timestamp(moment: datetime) -> str:
    # The ORM writes datetimes this way, and they sort as text.
    return moment.isoformat(sep=" ")


def _take_quota(
    connection: sqlite3.Connection, account_id: int, *, period: str, count: int, limit: int | None
) -> int | Refused:
    # The first insert of a month meets no conflict, so the update's condition can't guard it.
    if limit is None or count <= limit:
        taken = connection.execute(
            _TAKE_QUOTA, {"account": account_id, "period": period, "count": count, "limit": limit}
        ).fetchone()
        if taken is not None:
            return int(taken[0])
    row = connection.execute(_USED, (account_id, period)).fetchone()
    return Refused(row[0] if row else 0)


def _insert_job(
    connection: sqlite3.Connection, account_id: int, job: JobStart, batch_id: str | None
) -> int:
    day = job.created_at.date().isoformat()
    connection.execute(_COUNT_REQUESTS, (account_id, day, job.input_type, 1))
    cursor = connection.execute(
        _INSERT_JOB,
        (
            account_id,
            job.input_type,
            job.input_preview,
            job.mode,
            None if job.categories is None else dump_json(job.categories),
            job.schema_id,
            batch_id,
            job.batch_index,
            job.item_id,
            _timestamp(job.created_at),
            _timestamp(job.lease_expires_at),
        ),
    )
    assert cursor.lastrowid is not None  # noqa: S101 - an INSERT always sets it
    return cursor.lastrowid


def _finish_job(connection: sqlite3.Connection, end: JobEnd) -> bool:
    failed = end.error_code is not None
    row = connection.execute(
        _FINISH_JOB,
        (
            "failed" if failed else "completed",
            None if end.labels is None else dump_json(end.labels),
            end.model,
            end.confidence_source,
            None if failed else end.tokens,
            end.latency_ms,
            end.error_code,
            end.error_message,
            _timestamp(end.completed_at),
            end.job_id,
            end.account_id,
        ),
    ).fetchone()
    if row is None:
        return False
    created_at, input_type, schema_id = row
    day, period = created_at[:10], created_at[:7]
    if failed:
        connection.execute(_GIVE_BACK_MONTH, (end.account_id, period))
        connection.execute(_GIVE_BACK_DAY, (end.account_id, day, input_type))
    else:
        connection.execute(_COUNT_TOKENS, (end.tokens, end.account_id, day, input_type))
        if schema_id is not None:
            connection.execute(_COUNT_SCHEMA_USE, (schema_id, end.account_id))
    return True


def _write_receipt(connection: sqlite3.Connection, receipt: Receipt) -> None:
    connection.execute(
        _WRITE_RECEIPT,
        (
            receipt.status,
            receipt.body,
            _timestamp(receipt.expires_at),
            receipt.account_id,
            receipt.key,
        ),
    )
