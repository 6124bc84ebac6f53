"""`viewer`, `updateAccount` and the inputs that an account retains."""

from collections.abc import Callable

from tests.conftest import Tenant
from tests.graphql.asking import ask

UPDATE = """
mutation ($input: UpdateAccountInput!) {
  updateAccount(input: $input) { account { name retainInputs } errors { code field } }
}
"""
CLASSIFY = """
mutation ($input: ClassifyInput!) { classify(input: $input) { job { id input } } }
"""
JOBS = "{ viewer { name retainInputs } jobs { nodes { inputPreview input } } }"


def test_inputs_are_shown_while_they_are_retained(make_tenant: Callable[..., Tenant]) -> None:
    tenant = make_tenant("pro")
    text = "I was charged twice. " * 20
    assert ask(tenant.client, CLASSIFY, input={"input": text})["classify"]["job"]["input"] is None
    changed = ask(tenant.client, UPDATE, input={"name": "Acme", "retainInputs": True})
    account = {"name": "Acme", "retainInputs": True}
    assert changed["updateAccount"] == {"account": account, "errors": []}
    assert ask(tenant.client, CLASSIFY, input={"input": text})["classify"]["job"]["input"] == text
    assert (
        ask(tenant.client, CLASSIFY, input={"input": "no", "store": False})["classify"]["job"][
            "input"
        ]
        is None
    )
    read = ask(tenant.client, JOBS)
    assert read["viewer"] == account
    assert [job["input"] for job in read["jobs"]["nodes"]] == [None, text, None]
    ask(tenant.client, UPDATE, input={"retainInputs": False})
    assert [job["input"] for job in ask(tenant.client, JOBS)["jobs"]["nodes"]] == [None] * 3


def test_a_bad_name_is_named(tenant: Tenant) -> None:
    refused = ask(tenant.client, UPDATE, input={"name": " "})["updateAccount"]
    assert refused["account"] is None
    assert refused["errors"] == [{"code": "INVALID_REQUEST", "field": ["input", "name"]}]
