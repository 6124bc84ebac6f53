"""Persisted documents: a client sends a document's SHA-256 in place of the document.

The protocol is Apollo's: a hash that is not known here is answered with PERSISTED_QUERY_NOT_FOUND,
whereupon the client sends hash and document together, once. Each process keeps its own, and forgets
the least recently used.
"""

import hashlib
from collections import OrderedDict
from typing import Any

from app.domain.errors import InvalidRequest

NOT_FOUND = "PERSISTED_QUERY_NOT_FOUND"
_KEPT = 1_000
# A longer one is worth no hash: what one caller sends must not fill the memory.
_LONGEST = 20_000
_VERSION = 1
_PATH = ("extensions", "persistedQuery")


class PersistedDocuments:
    """Documents by their SHA-256 in hexadecimal."""

    def __init__(self) -> None:
        self._texts: OrderedDict[str, str] = OrderedDict()

    def find(self, digest: str) -> str | None:
        """Return a document, if it is kept."""
        text = self._texts.get(digest)
        if text is not None:
            self._texts.move_to_end(digest)
        return text

    def keep(self, digest: str, text: str) -> None:
        """Keep a document.

        Raises:
            InvalidRequest: The hash is another document's.
        """
        if hashlib.sha256(text.encode()).hexdigest() != digest:
            raise InvalidRequest((*_PATH, "sha256Hash"), "must be the SHA-256 of query")
        if len(text) <= _LONGEST:
            self._texts[digest] = text
            self._texts.move_to_end(digest)
            if len(self._texts) > _KEPT:
                self._texts.popitem(last=False)


def persisted_hash(extensions: dict[str, Any] | None) -> str | None:
    """Return the hash that a request names.

    Raises:
        InvalidRequest: It names one in another way than the protocol's.
    """
    named = (extensions or {}).get("persistedQuery")
    if named is None:
        return None
    if not isinstance(named, dict) or named.get("version") != _VERSION:
        raise InvalidRequest(_PATH, f"must be an object with version {_VERSION}")
    digest = named.get("sha256Hash")
    if not isinstance(digest, str):
        raise InvalidRequest((*_PATH, "sha256Hash"), "must be a string")
    return digest.lower()
