"""Signing secrets: what they may be, and what they are as keys.

A secret is shown as a text, and both kinds of signature have a rule to make a key of it. Ours takes
the text as displayed. Standard Webhooks (https://www.standardwebhooks.com) decodes what follows
`whsec_` as base64; a secret of another form is its own UTF-8 bytes.
"""

import base64
import binascii
import secrets

from app.domain.classification.request import check_text
from app.domain.errors import InvalidRequest

PREFIX = "whsec_"
MAX_LENGTH = 256
# The standard asks for 24 to 64. A multiple of 3 needs no padding.
GENERATED_BYTES = 30


def generate_secret() -> str:
    """Return a new secret: `whsec_` and 40 characters of base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(GENERATED_BYTES)).decode()


def check_secret(secret: str) -> str:
    """Hold a caller's own secret to its rules.

    Raises:
        InvalidRequest: It is empty, too long or no valid text.
    """
    check_text(("secret",), secret, maximum=MAX_LENGTH)
    if not secret.strip():
        raise InvalidRequest(("secret",), "must not be empty")
    return secret


def standard_key(secret: str) -> bytes:
    """Return the key by which Standard Webhooks signs."""
    encoded = secret.removeprefix(PREFIX)
    if encoded != secret:
        try:
            key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if key:
            return key
    return secret.encode()
