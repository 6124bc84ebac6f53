"""Secrets that have to be read again, encrypted at rest.

A sealed text is a Fernet token (AES-128-CBC with HMAC-SHA256,
https://github.com/fernet/spec/blob/master/Spec.md) under a key that HKDF-SHA256 derives from a
passphrase: `CLASSIFAILY_SECRET_KEY`, or else a file that is made once in the data folder. Of
several passphrases the first seals and all open, so that a new one can be put before the old.
"""

import base64
import hmac
import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from filelock import FileLock

from app.settings import Settings

KEY_FILE = "secret.key"
_PURPOSE = b"classifaily sealed secrets"
_FINGERPRINTS = b"classifaily fingerprints"


class SealBroken(Exception):
    """A text was sealed under a passphrase that this process does not have."""


class Seal:
    """Seals texts and opens them."""

    def __init__(self, passphrases: Sequence[str]) -> None:
        ciphers = [Fernet(_derive(passphrase, _PURPOSE)) for passphrase in passphrases]
        self._fingerprint_key = _derive(passphrases[0], _FINGERPRINTS)
        self._newest = ciphers[0]
        self._all = MultiFernet(ciphers)
        self.has_older_keys = len(ciphers) > 1

    def seal(self, text: str) -> str:
        """Encrypt a text."""
        return self._newest.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """Decrypt what `seal` made.

        Raises:
            SealBroken: None of the passphrases fits.
        """
        try:
            return self._all.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise SealBroken from None

    def fingerprint(self, data: bytes) -> str:
        """Return what tells data apart, in hex, to those alone who have the first passphrase."""
        return hmac.new(self._fingerprint_key, data, "sha256").hexdigest()

    def renewed(self, sealed: str) -> str | None:
        """Return the text sealed under the first passphrase; None when it already is.

        Raises:
            SealBroken: None of the passphrases fits.
        """
        try:
            self._newest.decrypt(sealed.encode())
        except InvalidToken:
            return self.seal(self.open(sealed))
        return None


def load_seal(settings: Settings) -> Seal:
    """Return the seal of the configured passphrases, or of the file's, which is made if need be."""
    return Seal(settings.secret_keys or (_file_passphrase(settings.data_dir / KEY_FILE),))


def _derive(passphrase: str, purpose: bytes) -> bytes:
    derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose)
    return base64.urlsafe_b64encode(derivation.derive(passphrase.encode()))


def _file_passphrase(path: Path) -> str:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        # Processes that start side by side must end up with one key.
        with FileLock(path.with_name(f"{path.name}.lock")):
            if not path.exists():
                _make_file(path)
    return path.read_text(encoding="ascii").strip()


def _make_file(path: Path) -> None:
    # Whoever finds the file finds it whole.
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.unlink(missing_ok=True)
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(f"{secrets.token_urlsafe(32)}\n")
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
