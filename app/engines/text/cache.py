"""A cache of heads by their categories: bounded by bytes, made once however many ask at a time."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, Protocol, TypeVar


class _Sized(Protocol):
    @property
    def size(self) -> int:
        """Bytes held."""
        ...


_Head = TypeVar("_Head", bound=_Sized)

#: About 80 sets of 77 categories with five examples each.
MAX_BYTES = 128 * 1024 * 1024


class HeadCache(Generic[_Head]):
    """Least recently used heads go first. Safe to share between threads."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._heads: OrderedDict[Hashable, _Head] = OrderedDict()
        self._making: dict[Hashable, Future[_Head]] = {}
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], _Head]) -> _Head:
        """Return the head of a key; one thread makes it, others that ask meanwhile wait for it."""
        with self._lock:
            head = self._heads.get(key)
            if head is not None:
                self._heads.move_to_end(key)
                return head
            pending = self._making.get(key)
            if pending is None:
                mine = self._making[key] = Future()
        if pending is not None:
            return pending.result()
        try:
            head = make()
        except BaseException as error:
            with self._lock:
                del self._making[key]
            mine.set_exception(error)
            raise
        self._keep(key, head)
        mine.set_result(head)
        return head

    def _keep(self, key: Hashable, head: _Head) -> None:
        with self._lock:
            del self._making[key]
            self._heads[key] = head
            self._bytes += head.size
            while self._bytes > self._max_bytes and len(self._heads) > 1:
                _, dropped = self._heads.popitem(last=False)
                self._bytes -= dropped.size
