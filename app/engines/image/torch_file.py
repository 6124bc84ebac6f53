"""Reads the tensors of a file that PyTorch saved, without PyTorch and without running its pickle.

The legacy format (`torch.save` before 1.6) is three pickles that say what it is, one with the
tensors, one with the order of the storages, and then each storage: its length as a 64-bit integer,
and its numbers. A pickle may name any function to call: this reader knows the two that a state
dictionary needs, and refuses a file with any other.
"""

import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from app.engines.errors import ModelUnavailable

_MAGIC = 0x1950A86A20F9469CFC6C
_LENGTH = 8
_DTYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


class _Storage:
    """Numbers that are read after the tensors that show them."""

    def __init__(self, dtype: np.dtype[Any], count: int) -> None:
        self.dtype = dtype
        self.values: NDArray[Any] = np.empty(0, dtype)
        self.count = count


class _Tensor:
    """A view of a storage: where it starts, its shape and its steps, in numbers."""

    def __init__(
        self, storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]
    ) -> None:
        self._storage, self._offset, self._shape, self._strides = storage, offset, shape, strides

    def array(self) -> NDArray[Any]:
        """Return a copy of the numbers."""
        last = self._offset + sum(
            (size - 1) * step for size, step in zip(self._shape, self._strides, strict=True)
        )
        if self._offset < 0 or min(self._strides, default=0) < 0 or last >= self._storage.count:
            raise pickle.UnpicklingError("a tensor lies outside its storage")
        values = self._storage.values[self._offset :]
        steps = tuple(step * values.itemsize for step in self._strides)
        return np.lib.stride_tricks.as_strided(values, self._shape, steps, writeable=False).copy()


def _tensor(
    storage: _Storage, offset: int, size: object, stride: object, *_rest: object
) -> _Tensor:
    if not (
        isinstance(storage, _Storage) and isinstance(size, tuple) and isinstance(stride, tuple)
    ):
        raise pickle.UnpicklingError("a tensor is not what it should be")
    return _Tensor(storage, offset, size, stride)


class _Reader(pickle.Unpickler):
    """Makes nothing but ordered dictionaries, storages and tensors."""

    def __init__(self, file: BinaryIO, storages: dict[str, _Storage]) -> None:
        super().__init__(file, encoding="utf-8")
        self._storages = storages

    def find_class(self, module: str, name: str) -> object:
        known: dict[tuple[str, str], object] = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): _tensor,
        }
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]
        found = known.get((module, name))
        if found is None:
            raise pickle.UnpicklingError(f"{module}.{name} has no place among weights")
        return found

    def persistent_load(self, pid: tuple[str, np.dtype[Any], str, str, int, object]) -> _Storage:
        kind, dtype, key, _location, count, view = pid
        if kind != "storage" or view is not None:
            raise pickle.UnpicklingError("a storage is not what it should be")
        return self._storages.setdefault(key, _Storage(dtype, count))


def read_tensors(path: Path) -> dict[str, NDArray[Any]]:
    """Return the tensors of a state dictionary by their names.

    Raises:
        ModelUnavailable: It is no such file.
    """
    try:
        with path.open("rb") as file:
            return _read(file)
    except (pickle.UnpicklingError, EOFError, ValueError, TypeError) as error:
        raise ModelUnavailable(f"the weights in {path.name} can't be read: {error}") from error


def _read(file: BinaryIO) -> dict[str, NDArray[Any]]:
    storages: dict[str, _Storage] = {}

    def load() -> object:
        return _Reader(file, storages).load()

    if load() != _MAGIC:
        raise pickle.UnpicklingError("it does not begin as PyTorch's files do")
    load()  # the version of the format
    load()  # the machine that wrote it
    tensors = load()
    order = load()
    if not isinstance(tensors, dict) or not isinstance(order, list):
        raise pickle.UnpicklingError("it holds no state dictionary")
    for key in order:
        storage = storages[key]
        count = int.from_bytes(file.read(_LENGTH), "little")
        raw = file.read(count * storage.dtype.itemsize)
        if count != storage.count or len(raw) != count * storage.dtype.itemsize:
            raise pickle.UnpicklingError("a storage has another length than it says")
        storage.values = np.frombuffer(raw, storage.dtype)
    return {name: tensor.array() for name, tensor in tensors.items()}
