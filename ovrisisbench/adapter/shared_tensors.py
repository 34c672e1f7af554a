"""Finding the tensors that a weights file has in common with a base file, by their values."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ovrisisbench.adapter.own_files import SharedFile, SharedTensor, WeightsCard, read_card
from ovrisisbench.errors import CheckpointError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

__all__ = ["ROWS_SUFFIX", "BaseFile", "PartialTable", "partial_tables", "read_shared"]

ROWS_SUFFIX: Final = "::rows"
"""Ends the name of the tensor that tells which rows of a table are stored, (N,) int32, ascending."""


class BaseFile:
    """A base file, searchable by the values of its tensors as they are stored in it.

    Args:
        path: the file.
        user: the file that is to share its tensors, in the same folder.

    Raises:
        CheckpointError: in another folder, unreadable, not a file of ours, or itself made of others.
    """

    def __init__(self, path: Path, user: Path) -> None:
        from safetensors.torch import load_file

        from ovrisisbench.adapter.checkpoints import file_digest

        if path.resolve().parent != user.resolve().parent:
            raise CheckpointError(f"{path} is to be shared by {user}; put both into one folder.")
        card = _base_card(path)
        self.path, self.sha256 = path, file_digest(path)
        stored = load_file(path)
        self._tables = {key: (stored[f"{key}{ROWS_SUFFIX}"].long(), table.of) for key, table in card.tables.items()}
        self._tensors = {key: stored[key] for key in sorted(stored) if not key.endswith(ROWS_SUFFIX)}
        self._wholes: dict[_Values, str] = {}
        for key, tensor in self._tensors.items():
            if key not in self._tables:
                self._wholes.setdefault(_values(tensor), key)

    def find(self, tensor: Tensor, stored_as: torch.dtype) -> SharedTensor | None:
        """Return where the base has a tensor; None if it has not, or only with more rounding than asked for.

        A tensor of one repeated value, such as a bias of zeros, counts as found nowhere: it is in many files, and
        would make one depend on another that it has nothing to do with.

        Args:
            tensor: on the CPU; floating ones need to agree only as they would be stored.
            stored_as: how the user of the base stores floating values.
        """
        if bool((tensor == tensor.flatten()[:1]).all()):
            return None
        for dtype in sorted({stored.dtype for stored in self._tensors.values()}, key=str):
            if tensor.is_floating_point() and dtype.is_floating_point:
                as_in_base = tensor.to(dtype)
                rounds_more = _values(as_in_base.float().to(stored_as)) != _values(tensor.to(stored_as))
            else:
                as_in_base, rounds_more = tensor, tensor.dtype != dtype
            if not rounds_more and (found := self._find(as_in_base)) is not None:
                return found
        return None

    def _find(self, tensor: Tensor) -> SharedTensor | None:
        whole = self._wholes.get(_values(tensor)) or self._table(tensor)
        return SharedTensor(key=whole) if whole else self._block(tensor)

    def _table(self, tensor: Tensor) -> str | None:
        """Return the table whose stored rows a whole table has too."""
        for key, (numbers, length) in self._tables.items():
            fits = tensor.ndim and len(tensor) == length
            if fits and _values(tensor[numbers]) == _values(self._tensors[key]):
                return key
        return None

    def _block(self, tensor: Tensor) -> SharedTensor | None:
        """Return the tensor that has this one among equal blocks of its rows.

        CLIP's attention is such a case: one matrix in some files, in others three, of which only one is frozen.
        """
        rows = len(tensor) if tensor.ndim else 0
        for key, base in self._tensors.items():
            fits = rows and base.dtype == tensor.dtype and base.ndim and base.shape[1:] == tensor.shape[1:]
            if not fits or key in self._tables or len(base) % rows:
                continue
            for first in range(0, len(base), rows):
                if _values(base[first : first + rows]) == _values(tensor):
                    return SharedTensor(key=key, rows=(first, first + rows))
        return None


def read_shared(path: Path, shares: Sequence[SharedFile]) -> dict[str, Tensor]:
    """Read the tensors that a file has in base files, by the names they have in it.

    Args:
        path: the file; base files are looked for in its folder.
        shares: what its card says of them.

    Raises:
        CheckpointError: a base file is missing, is another one than it was, or lacks a tensor.
    """
    from ovrisisbench.adapter.checkpoints import read_state_dict

    found: dict[str, Tensor] = {}
    for share in shares:
        base = read_state_dict(_base_path(path, share))
        for key, source in share.tensors.items():
            found[key] = _taken(path, share, source, base)
    return found


@dataclass(frozen=True, slots=True)
class PartialTable:
    """A table of which some rows come back as zeros."""

    key: str
    stored: int
    of: int

    @property
    def sentence(self) -> str:
        """What that means for class names."""
        return (
            f"of the {self.of:,} rows of {self.key} {self.stored:,} are stored and the others are zeros: class names "
            "with other words than those it was trained with have no learned meaning"
        )


def partial_tables(path: Path, card: WeightsCard) -> list[PartialTable]:
    """Return the tables of a compact file of which some rows come back as zeros, those of its base files included.

    Args:
        path: the file.
        card: its card.

    Raises:
        CheckpointError: a base file is missing, or is another one than it was.
    """
    found = [PartialTable(key, table.stored, table.of) for key, table in card.tables.items()]
    for share in card.shares:
        of_base = _base_card(_base_path(path, share)).tables
        found += [
            PartialTable(key, of_base[source.key].stored, of_base[source.key].of)
            for key, source in share.tensors.items()
            if source.key in of_base
        ]
    return found


_Values = tuple[object, tuple[int, ...], str]


def _values(tensor: Tensor) -> _Values:
    """Return what two tensors have in common if and only if they are the same to the bit."""
    import torch

    content = tensor.contiguous().flatten().view(torch.uint8).numpy().data
    return tensor.dtype, tuple(tensor.shape), hashlib.sha256(content).hexdigest()


def _base_card(path: Path) -> WeightsCard:
    card = read_card(path)
    if card is None or card.shares:
        form = "has no card" if card is None else "is itself made of other files"
        raise CheckpointError(f"{path} cannot be shared, because it {form}; give a base file.")
    return card


def _base_path(path: Path, share: SharedFile) -> Path:
    from ovrisisbench.adapter.checkpoints import file_digest

    base = path.parent / share.file
    wanted = f"{path} shares tensors with {share.file} (sha256 {share.sha256[:12]})"
    if not base.is_file():
        raise CheckpointError(f"{wanted}, which is not in the same folder; put it there.")
    if file_digest(base) != share.sha256:
        raise CheckpointError(f"{wanted}, but the one in the same folder is another file; put the right one there.")
    _base_card(base)
    return base


def _taken(path: Path, share: SharedFile, source: SharedTensor, base: Mapping[str, Tensor]) -> Tensor:
    tensor = base.get(source.key)
    if tensor is None or (source.rows is not None and (not tensor.ndim or source.rows[1] > len(tensor))):
        raise CheckpointError(f"{path} wants {source.key} of {share.file}, which does not hold it; get both again.")
    # A copy, so that tensors of two names never share memory.
    return (tensor if source.rows is None else tensor[slice(*source.rows)]).clone()
