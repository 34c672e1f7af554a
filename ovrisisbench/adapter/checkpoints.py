"""Reading a file of weights without running anything that it contains."""

from __future__ import annotations

import hashlib
import re
import warnings
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ovrisisbench.adapter.torchscript import is_torchscript, read_torchscript
from ovrisisbench.errors import CheckpointError

if TYPE_CHECKING:
    import torch

__all__ = ["Contents", "file_digest", "read_contents", "read_state_dict"]

_WRAPPERS = ("model", "state_dict", "teacher", "student")
_PREFIXES = ("module.",)
_PICKLE_START = b"\x80"
"""First byte of every pickle since protocol 2, so of every torch file that is no zip."""


def read_state_dict(path: Path) -> dict[str, torch.Tensor]:
    """Read the tensors of a ``.pth``, ``.pt``, ``.bin`` or ``.safetensors`` file, on the CPU.

    See :func:`read_contents`, which also says what else is in the file.
    """
    return read_contents(path).tensors


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file of weights holds."""

    tensors: dict[str, torch.Tensor]
    """By key, on the CPU."""
    left_out: tuple[str, ...]
    """Names of entries that are no weights, such as ``optimizer`` or ``iteration``."""


def read_contents(path: Path) -> Contents:
    """Read the tensors of a file of weights, and the names of what stands beside them.

    Wrappers are taken off: the dictionary under ``model``, ``state_dict``,
    ``teacher`` or ``student``, and a ``module.`` that all keys share. Key names
    are otherwise left as they are. NumPy arrays (as some Detectron2 files hold)
    become tensors; entries that are no tensors are left out. A TorchScript archive
    (OpenAI's files of CLIP) gives the tensors of its modules; its code is not run.
    A compact file of ours is restored, with the base files in its folder.

    Args:
        path: the file; read memory-mapped where its format allows.

    Raises:
        CheckpointError: no such file, no checkpoint, cut off, without tensors, or one that
            could run code when loaded; the sentence names what was refused.
    """
    if not path.is_file():
        raise CheckpointError(f"There is no checkpoint at {path}; check the path given to --checkpoint.")
    if path.suffix == ".safetensors":
        content: object = _safetensors(path)
    else:
        content = read_torchscript(path) if is_torchscript(path) else _torch_file(path)
    contents = _unwrapped(content, path)
    if not contents.tensors:
        raise CheckpointError(f"{path} holds no tensors, so it is not a checkpoint of any model.")
    return contents


def file_digest(path: Path) -> str:
    """Return the sha256 of a file's bytes, 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _safetensors(path: Path) -> Mapping[str, Any]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from ovrisisbench.adapter.compact_files import restored
    from ovrisisbench.adapter.own_files import read_card

    try:
        stored = load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} is not a readable safetensors file ({error}); download it again.") from error
    card = read_card(path)
    return restored(path, stored, card) if card is not None and card.is_compact else stored


def _torch_file(path: Path) -> object:
    import pickle

    import torch

    zipped = zipfile.is_zipfile(path)
    with path.open("rb") as file:
        if not zipped and file.read(1) != _PICKLE_START:
            raise CheckpointError(_unreadable(path))
    try:
        # torch warns about pickle protocols other than its own; whether the file loads says all there is to say.
        with torch.serialization.safe_globals(_numpy_globals()), warnings.catch_warnings(action="ignore"):
            return torch.load(path, map_location="cpu", weights_only=True, mmap=zipped)
    except pickle.UnpicklingError as error:
        raise CheckpointError(_refusal(path, str(error))) from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError, IndexError, zipfile.BadZipFile) as error:
        raise CheckpointError(_unreadable(path)) from error


def _numpy_globals() -> list[Any]:
    """Return what NumPy arrays and scalars are rebuilt with, under the names of NumPy 2 and of NumPy 1.

    Detectron2 writes such values beside its tensors; rebuilding them runs no code of the file's own.
    """
    import numpy as np
    from numpy._core import multiarray

    rebuilders = [multiarray._reconstruct, multiarray.scalar]  # noqa: SLF001 - unnamed in public
    of_numpy_1 = [(function, f"numpy.core.multiarray.{function.__name__}") for function in rebuilders]
    kinds = ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?")
    return [np.ndarray, np.dtype, *{type(np.dtype(kind)) for kind in kinds}, *rebuilders, *of_numpy_1]


def _refusal(path: Path, said: str) -> str:
    # The loader names the first thing that it would have had to import or call.
    named = re.search(r"(?:GLOBAL|class|function) ([\w.]+)", said)
    if named is None and "Unsupported" not in said:
        return _unreadable(path)
    what = f" ({named.group(1)})" if named else ""
    return (
        f"{path} contains Python objects that could run code when loaded{what}; save its tensors alone, "
        "for example with safetensors, on a machine where you trust the file."
    )


def _unreadable(path: Path) -> str:
    return f"{path} is not a checkpoint that torch can read, or it is cut off; download it again."


def _unwrapped(content: object, path: Path) -> Contents:
    import numpy as np
    import torch

    if not isinstance(content, Mapping):
        raise CheckpointError(f"{path} holds a {type(content).__name__}, not a dictionary of tensors.")
    left_out: list[str] = []
    for wrapper in _WRAPPERS:
        inner = content.get(wrapper)
        if isinstance(inner, Mapping):
            left_out = [str(key) for key in content if key != wrapper]
            content = inner
            break
    tensors: dict[str, torch.Tensor] = {}
    for key, value in content.items():
        if isinstance(value, torch.Tensor):
            tensors[str(key)] = value
        elif isinstance(value, np.ndarray):
            tensors[str(key)] = torch.from_numpy(value)
        else:
            left_out.append(str(key))
    for prefix in _PREFIXES:
        if tensors and all(key.startswith(prefix) for key in tensors):
            tensors = {key.removeprefix(prefix): value for key, value in tensors.items()}
    return Contents(tensors, tuple(sorted(left_out)))
