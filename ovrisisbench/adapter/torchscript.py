"""Reading the weights out of a TorchScript archive, as OpenAI publishes CLIP, without running its code.

Such a file is a zip with a pickle of the module tree (``data.pkl``), one member
for each storage (``data/<n>``), and the module's code. torch reads it only by
building the program. Here the code is never looked at: the pickle may name
nothing but what rebuilds tensors, and modules become plain holders of their
attributes.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ovrisisbench.errors import CheckpointError

if TYPE_CHECKING:
    import torch

__all__ = ["is_torchscript", "read_torchscript"]

_TREE = "/data.pkl"
_CLASSES = "__torch__"
"""What the names of all classes that a program brings along begin with."""

_DTYPES = {
    "BFloat16Storage": "bfloat16",
    "BoolStorage": "bool",
    "ByteStorage": "uint8",
    "CharStorage": "int8",
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "IntStorage": "int32",
    "LongStorage": "int64",
    "ShortStorage": "int16",
}
_LISTS = ("build_boollist", "build_doublelist", "build_intlist", "build_tensorlist")


def is_torchscript(path: Path) -> bool:
    """Tell whether a file is a zip that holds a TorchScript program; False for a zip that is damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("/constants.pkl") or "/code/" in name for name in archive.namelist())
    except (zipfile.BadZipFile, OSError):
        return False


def read_torchscript(path: Path) -> dict[str, torch.Tensor]:
    """Return the tensors of a TorchScript archive by their dotted names, on the CPU, dtypes as stored.

    Parameters, buffers and other attributes that are tensors are not told
    apart; attributes of any other kind are left out.

    Args:
        path: a file for which :func:`is_torchscript` is true.

    Raises:
        CheckpointError: the file is damaged, or its pickle names anything that is not needed to rebuild
            tensors; the sentence names it.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            tree = next(name for name in archive.namelist() if name.endswith(_TREE))
            storages = _Storages(archive, tree.removesuffix(_TREE))
            root = _TreeReader(archive.read(tree), storages).load()
            return dict(_tensors(root, ()))
    except _RefusedError as refused:
        raise CheckpointError(
            f"{path} is a TorchScript archive that asks for {refused} when loaded, which could run code; save its "
            "tensors alone, for example with safetensors, on a machine where you trust the file."
        ) from refused
    except _DAMAGE as error:
        raise CheckpointError(
            f"{path} is not a TorchScript archive that can be read, or it is damaged; download it again."
        ) from error


class _RefusedError(Exception):
    """A name that a pickle may not import; its text is the name."""


_DAMAGE = (
    pickle.UnpicklingError, zipfile.BadZipFile, RuntimeError, EOFError, OSError, ValueError, TypeError, LookupError,
    AttributeError, ImportError, MemoryError, NotImplementedError, OverflowError, StopIteration,
)  # fmt: skip
"""What a damaged pickle or zip ends in."""


class _Holder:
    """A module of the tree: nothing but its attributes."""

    def __init__(self) -> None:
        self.attributes: dict[str, Any] = {}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.attributes = dict(state)


class _Storages:
    """The raw values of an archive, each member read once."""

    def __init__(self, archive: zipfile.ZipFile, root: str) -> None:
        self._archive, self._root = archive, root
        self._content: dict[str, bytearray] = {}

    def values(self, key: str, dtype: torch.dtype, count: int) -> torch.Tensor:
        """Return the first ``count`` values of a storage, (count,); tensors that share a storage share memory."""
        import torch

        if key not in self._content:
            self._content[key] = bytearray(self._archive.read(f"{self._root}/data/{key}"))
        if count == 0:
            return torch.empty(0, dtype=dtype)
        return torch.frombuffer(self._content[key], dtype=dtype, count=count)


class _TreeReader(pickle.Unpickler):
    """An unpickler that knows tensors, holders and lists, and refuses every other name."""

    def __init__(self, content: bytes, storages: _Storages) -> None:
        super().__init__(io.BytesIO(content))
        self._storages = storages

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401 - whatever the pickle may call
        """Return what stands for a name of the pickle; made anew, so that no file can change it for the next."""
        import torch

        if module == _CLASSES or module.startswith(f"{_CLASSES}."):
            return type("Holder", (_Holder,), {})
        if module == "torch" and name in _DTYPES:
            return getattr(torch, _DTYPES[name])
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return lambda values, offset, size, stride, *_others: values.as_strided(size, stride, offset)
        if (module, name) == ("collections", "OrderedDict"):
            return dict
        if module == "torch.jit._pickle" and name in _LISTS:
            return lambda values: values
        if (module, name) == ("torch.jit._pickle", "restore_type_tag"):
            return lambda value, _type: value
        raise _RefusedError(f"{module}.{name}")

    def persistent_load(self, reference: Any) -> torch.Tensor:  # noqa: ANN401 - a tuple in every sound file
        """Return the storage that a tensor refers to."""
        kind, dtype, key, _device, count = reference
        if kind != "storage":
            raise pickle.UnpicklingError(f"a reference to a {kind}")
        return self._storages.values(key, dtype, count)


def _tensors(holder: _Holder, above: Sequence[_Holder], prefix: str = "") -> Iterator[tuple[str, torch.Tensor]]:
    """Yield the tensors below a holder, names dotted."""
    import torch

    if holder in above:
        raise RecursionError("a module that holds itself")
    for name, value in holder.attributes.items():
        if isinstance(value, torch.Tensor):
            yield f"{prefix}{name}", value
        elif isinstance(value, _Holder):
            yield from _tensors(value, (*above, holder), f"{prefix}{name}.")
