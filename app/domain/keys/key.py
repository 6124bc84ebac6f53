"""API keys: `cai_live_` and 40 hex digits, shown once, kept only as a hash."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime

PREFIX = "cai_live_"
_PATTERN = re.compile(PREFIX + r"[0-9a-f]{40}")
_SHOWN = len(PREFIX) + 4


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as its owner sees it afterwards. `hint` is the secret's beginning."""

    id: int
    account_id: int
    name: str
    hint: str
    created_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewApiKey:
    """A key at the only moment when its secret is known."""

    key: ApiKey
    secret: str


def generate_secret() -> str:
    """Make a new secret: 160 random bits."""
    return PREFIX + secrets.token_hex(20)


def is_well_formed(secret: str) -> bool:
    """Tell whether a string could be a key at all."""
    return _PATTERN.fullmatch(secret) is not None


def hash_secret(secret: str) -> str:
    """Hash a secret for storage. Plain SHA-256 is enough: 160 random bits can't be guessed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def hint_of(secret: str) -> str:
    """Return what may be shown of a secret, to tell keys apart."""
    return secret[:_SHOWN] + "…"
