"""What webhooks are told of a batch."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from app.domain.batches.batch import BatchKind
from app.domain.webhooks.events import EVENTS
from app.storage.ledger.records import EndedBatch, EndedJob

AT = datetime(2026, 3, 15, 10, 30, tzinfo=UTC)


def told(kind: BatchKind, *, basis: tuple[str, ...] = ()) -> Any:
    job = EndedJob(
        id=84,
        account_id=1,
        status="completed",
        input_type="text",
        mode="single",
        schema_id=42,
        batch_id="batch_1",
        item_id="Topics",
        labels=(("billing", 0.97, None),),
        outcome=None,
        error_code=None,
        error_message=None,
        completed_at=AT,
        basis=basis,
    )
    batch = EndedBatch(
        id="batch_1",
        account_id=1,
        kind=kind.value,
        status="completed",
        total=1,
        completed=1,
        failed=0,
        latency_ms=3,
        created_at=AT,
        completed_at=AT,
        jobs=(job,),
    )
    return msgspec.json.decode(EVENTS.batch(batch))


def test_an_item_is_told_under_the_callers_id() -> None:
    result = {"label": "billing", "confidence": 0.97}
    expected = {"id": "Topics", "status": "completed", "result": result}
    assert told(BatchKind.BATCH)["results"] == [expected]


def test_one_of_several_sets_is_told_as_classify_answers_it() -> None:
    (entry,) = told(BatchKind.SETS)["results"]
    assert (entry["id"], entry["schema"], entry["name"]) == ("84", 42, "Topics")
    assert entry["result"] == {"label": "billing", "confidence": 0.97}


def test_what_an_answer_rests_on_is_told_where_it_is_no_text() -> None:
    for kind in (BatchKind.BATCH, BatchKind.SETS):
        assert told(kind, basis=("pixels", "ocr"))["results"][0]["basis"] == ["pixels", "ocr"]
        assert "basis" not in told(kind)["results"][0]
