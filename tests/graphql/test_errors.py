"""What errors show, and what they keep to themselves."""

import logging

import pytest
from graphql import GraphQLError

from app.domain.errors import PlanRestriction
from app.domain.plans import Plan
from app.graphql.errors import top_level

DOCS = "http://host/docs#errors"


def test_a_fault_of_ours_says_nothing_of_the_inside(caplog: pytest.LogCaptureFixture) -> None:
    inside = ZeroDivisionError("secret detail")
    with caplog.at_level(logging.ERROR):
        shown = top_level(GraphQLError("secret", path=["jobs"], original_error=inside), docs=DOCS)
    assert shown["extensions"]["code"] == "SERVER_ERROR"
    assert "secret" not in str(shown)
    assert caplog.records[0].exc_info


def test_a_domain_error_shows_its_details_in_camel_case() -> None:
    error = PlanRestriction("categories", required=Plan.STARTER, message="Not on your plan.")
    shown = top_level(GraphQLError("", path=["jobs", 0], original_error=error), docs=DOCS)
    assert shown == {
        "message": "Not on your plan.",
        "path": ["jobs", 0],
        "extensions": {
            "code": "PLAN_RESTRICTION",
            "docs": DOCS,
            "feature": "categories",
            "requiredPlan": "starter",
        },
    }
