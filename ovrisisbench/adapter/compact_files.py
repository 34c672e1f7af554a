"""The compact form of a weights file: half the bits, only the used rows of a table, frozen parts shared by files.

Small enough to be shipped, and read through the same door as any other file:
what :func:`ovrisisbench.adapter.checkpoints.read_state_dict` returns has every
tensor, floating ones as float32. What is lost is the rounding to the stored
type, and the rows of a table for which nothing was learned: they come back as
zeros, which are the same on every machine and claim no meaning.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ovrisisbench.adapter.own_files import SharedFile, SharedTensor, StoredRows, WeightsCard, write_weights
from ovrisisbench.adapter.shared_tensors import ROWS_SUFFIX, BaseFile, read_shared
from ovrisisbench.errors import CheckpointError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

__all__ = ["restored", "write_compact"]


def write_compact(
    path: Path,
    tensors: Mapping[str, Tensor],
    card: WeightsCard,
    *,
    stored_as: torch.dtype | None = None,
    rows: Mapping[str, Sequence[int]] | None = None,
    bases: Sequence[Path] = (),
) -> str:
    """Write weights in the compact form, atomically; equal input gives equal bytes.

    What a base file holds with the same stored values, as a whole tensor or as one
    of equal blocks of its rows, is not stored again. That is found out by comparing
    values: keys need no particular name to be shared, and what was trained further
    is never shared.

    Args:
        path: the file to write; its name must end in ``.safetensors``.
        tensors: by official key name; floating ones are stored as ``stored_as``, others as they are.
        card: what they are; the fields about the compact form are filled in here.
        stored_as: float16 (the default), bfloat16 or float32.
        rows: tables of which only some rows are stored -> the numbers of these rows.
        bases: files in the folder of ``path`` whose tensors may be shared; they must share nothing themselves.

    Returns:
        The sha256 of the file, 64 hex digits.

    Raises:
        CheckpointError: values too large for ``stored_as``, a table or row that is not there, or a base file that is
            missing, in another folder, or itself made of others.
        OvrisisBenchError: the disk is full, or the folder cannot be written.
    """
    import torch

    dtype = stored_as or torch.float16
    kept = {key: sorted(set(numbers)) for key, numbers in (rows or {}).items()}
    for key, places in kept.items():
        _check_rows(path, tensors, key, places)
    known = [BaseFile(base, path) for base in bases]
    shared: list[dict[str, SharedTensor]] = [{} for _ in known]
    stored: dict[str, Tensor] = {}
    tables: dict[str, StoredRows] = {}
    for key in sorted(tensors):
        tensor = tensors[key].detach().cpu()
        for base, found_there in zip(known, shared, strict=True):
            if (place := base.find(tensor, dtype)) is not None:
                found_there[key] = place
                break
        else:
            if key in kept:
                tables[key] = StoredRows(stored=len(kept[key]), of=len(tensor))
                numbers = torch.tensor(kept[key], dtype=torch.int32)
                stored[f"{key}{ROWS_SUFFIX}"], tensor = numbers, tensor[numbers.long()]
            stored[key] = _as_stored(tensor, dtype, f"{key} of {path}")
    shares = [
        SharedFile(file=base.path.name, sha256=base.sha256, tensors=found_there)
        for base, found_there in zip(known, shared, strict=True)
        if found_there
    ]
    form = {"stored_as": _name(dtype), "tables": tables, "shares": shares}
    return write_weights(path, stored, WeightsCard.model_validate({**dict(card), **form}))


def restored(path: Path, stored: Mapping[str, Tensor], card: WeightsCard) -> dict[str, Tensor]:
    """Return the tensors that a compact file stands for.

    Args:
        path: the file; base files are looked for in its folder.
        stored: the tensors in it.
        card: what it says of their form.

    Returns:
        Every tensor by name, floating ones as float32.

    Raises:
        CheckpointError: a base file is missing, is another one than it was, or lacks a tensor, or the rows of a table
            do not fit it.
    """
    whole = {key: _widened(tensor) for key, tensor in stored.items() if not key.endswith(ROWS_SUFFIX)}
    for key, table in card.tables.items():
        numbers = stored.get(f"{key}{ROWS_SUFFIX}")
        if key not in whole or numbers is None:
            raise CheckpointError(f"{path} says that it holds rows of {key}, but they are not in it; get it again.")
        whole[key] = _table(path, key, whole[key], numbers, table)
    return dict(sorted({**whole, **read_shared(path, card.shares)}.items()))


def _check_rows(path: Path, tensors: Mapping[str, Tensor], key: str, numbers: Sequence[int]) -> None:
    if key not in tensors:
        raise CheckpointError(f"Rows of {key} are to be stored in {path}, but there is no such tensor.")
    if not numbers or numbers[0] < 0 or numbers[-1] >= len(tensors[key]):
        raise CheckpointError(
            f"Rows of {key} are to be stored in {path}, but they must be some of 0 to {len(tensors[key]) - 1}."
        )


def _as_stored(tensor: Tensor, dtype: torch.dtype, what: str) -> Tensor:
    if not tensor.is_floating_point():
        return tensor
    stored = tensor.to(dtype)
    if bool((tensor.isfinite() & ~stored.isfinite()).any()):
        raise CheckpointError(f"{what} has values that are too large for {_name(dtype)}; store it as float32.")
    return stored


def _widened(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.is_floating_point() else tensor


def _table(path: Path, key: str, values: Tensor, numbers: Tensor, table: StoredRows) -> Tensor:
    places = numbers.long()
    fits = places.ndim == 1 and values.ndim > 0 and len(places) == len(values) == table.stored
    if not fits or int(places.min()) < 0 or int(places.max()) >= table.of:
        raise CheckpointError(f"The rows of {key} in {path} do not fit a table of {table.of}; get the file again.")
    whole = values.new_zeros((table.of, *values.shape[1:]))
    whole[places] = values
    return whole


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
