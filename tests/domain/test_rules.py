"""The rules that need no server: plans, periods, selection, keys, measures."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.clock import Period, to_iso
from app.domain.errors import ErrorCode, InvalidRequest, render_path
from app.domain.keys.key import generate_secret, hash_secret, hint_of, is_well_formed
from app.domain.plans import LIMITS, Plan, cheapest_plan
from app.engines.contract import InputType, Mode
from app.engines.selection import select
from app.evaluation.report import Prediction, calibration_error, macro_f1, report, wilson

DOCUMENTED_PLANS = {
    # requests, batch, image, audio, video, own categories, schemas, keys, webhooks, history days
    Plan.FREE: (100, 1, False, False, False, False, 0, 1, 0, 7),
    Plan.STARTER: (10_000, 50, True, False, False, True, 10, 3, 0, 30),
    Plan.PRO: (100_000, 500, True, True, True, True, None, 10, 10, 365),
    Plan.ENTERPRISE: (None, 500, True, True, True, True, None, None, None, None),
}
DOCUMENTED_CODES = {
    "invalid_json": 400, "invalid_request": 400, "unauthorized": 401, "subscription_inactive": 403,
    "plan_restriction": 403, "schema_not_found": 404, "method_not_allowed": 405,
    "rate_limit_exceeded": 429, "server_error": 500, "not_found": 404, "job_not_found": 404,
    "idempotency_conflict": 409, "idempotency_in_progress": 409, "payload_too_large": 413,
    "model_unavailable": 503,
}  # fmt: skip


@pytest.mark.parametrize("plan", list(Plan))
def test_the_plan_tables(plan: Plan) -> None:
    limits = LIMITS[plan]
    media = [
        kind in limits.input_types for kind in (InputType.IMAGE, InputType.AUDIO, InputType.VIDEO)
    ]
    assert InputType.TEXT in limits.input_types
    assert DOCUMENTED_PLANS[plan] == (
        limits.requests, limits.batch_size, *media, limits.custom_categories, limits.schemas,
        limits.api_keys, limits.webhooks, limits.history.days if limits.history else None,
    )  # fmt: skip


def test_every_documented_code_has_its_status() -> None:
    for code, status in DOCUMENTED_CODES.items():
        assert ErrorCode(code).status == status
    for each in ErrorCode:
        assert each.meaning


def test_the_cheapest_plan() -> None:
    assert cheapest_plan(lambda limits: limits.custom_categories) is Plan.STARTER
    assert cheapest_plan(lambda limits: InputType.AUDIO in limits.input_types) is Plan.PRO
    assert cheapest_plan(lambda _: False) is Plan.ENTERPRISE


@pytest.mark.contract("account.month", "limits.reset")
def test_a_period_is_a_calendar_month_in_utc() -> None:
    eve = datetime(2025, 12, 31, 23, 30, tzinfo=UTC)
    assert str(Period.of(eve)) == "2025-12"
    assert Period.of(eve).end == datetime(2026, 1, 1, tzinfo=UTC)
    east = datetime.fromisoformat("2026-01-01T00:30:00+02:00")
    assert str(Period.of(east)) == "2025-12"
    assert Period.of(eve).start <= eve < Period.of(eve).end


@pytest.mark.parametrize("text", ["2025-00", "2025-13", "2025-1", "0000-01", "x", "", "2025-01 "])
def test_what_is_no_period(text: str) -> None:
    assert Period.parse(text) is None


@pytest.mark.contract("ids.times")
def test_times_are_whole_seconds_in_utc() -> None:
    moment = datetime.fromisoformat("2025-03-15T12:30:00.987+02:00")
    assert to_iso(moment) == "2025-03-15T10:30:00Z"


@pytest.mark.contract("account.key")
def test_keys() -> None:
    secret = generate_secret()
    assert is_well_formed(secret)
    assert generate_secret() != secret
    assert not is_well_formed(secret.upper())
    assert not is_well_formed(secret + "0")
    assert len(hash_secret(secret)) == 64
    assert secret not in hint_of(secret)
    assert secret.startswith(hint_of(secret)[:-1])


def test_paths_are_written_as_callers_know_them() -> None:
    error = InvalidRequest(("items", 3, "categories", 0, "name"), "must not be empty")
    assert error.field == "items[3].categories[0].name"
    assert error.message == "items[3].categories[0].name: must not be empty"
    assert render_path(()) == ""


probabilities = st.lists(st.floats(0, 1), min_size=1, max_size=20)


@pytest.mark.contract("mode.single", "mode.multi", "mode.top_n", "ids.confidence")
@given(probabilities, st.sampled_from(list(Mode)), st.integers(1, 10), st.floats(0, 1))
def test_selection(values: list[float], mode: Mode, top_n: int, threshold: float) -> None:
    chosen = select(values, mode=mode, top_n=top_n, threshold=threshold)
    confidences = [confidence for _, confidence in chosen]
    assert confidences == sorted(confidences, reverse=True)
    assert all(confidence >= threshold for confidence in confidences)
    assert all(confidence == round(values[index], 4) for index, confidence in chosen)
    left_out = [round(v, 4) for i, v in enumerate(values) if i not in {j for j, _ in chosen}]
    if mode is Mode.MULTI:
        assert all(confidence < threshold for confidence in left_out)
    else:
        assert len(chosen) <= (1 if mode is Mode.SINGLE else top_n)
        assert (
            not chosen or not left_out or max(left_out) <= confidences[-1] or len(chosen) == top_n
        )


def test_selection_keeps_the_order_of_ties() -> None:
    chosen = select([0.2, 0.4, 0.4], mode=Mode.TOP_N, top_n=3, threshold=0)
    assert [index for index, _ in chosen] == [1, 2, 0]


def test_measures_on_a_worked_example() -> None:
    rows = [
        Prediction("a", "a", 0.9), Prediction("a", "b", 0.6),
        Prediction("b", "b", 0.8), Prediction("b", None, 0.0),
    ]  # fmt: skip
    measured = report(rows)
    assert (measured.rows, measured.failed, measured.accuracy) == (4, 1, 0.5)
    # a: precision 1, recall 1/2; b: precision 1/2, recall 1/2.
    assert macro_f1(rows) == pytest.approx((2 / 3 + 1 / 2) / 2)
    # Each row has a bin of its own: 0.1, 0.6, 0.2 and 0.0 off.
    assert calibration_error(rows) == pytest.approx((0.1 + 0.6 + 0.2 + 0.0) / 4)
    assert measured.confusions == (("a", "b", 1), ("b", "-", 1))
    assert wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-3)


def test_history_is_a_length_of_time() -> None:
    assert LIMITS[Plan.FREE].history == timedelta(days=7)
