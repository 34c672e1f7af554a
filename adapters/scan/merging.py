"""Tokens that are equal become one that counts for as many.

All patches of a crop that take over the same token stay equal from then on:
their places were added in front of the first block, and attention, norms and
MLPs treat equal tokens alike. One of them is enough, if attention to it gets
the weight of all, ``c exp(l) = exp(l + log c)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

__all__ = ["Merge", "merge_steps"]


class Merge(NamedTuple):
    """How the tokens of R crops change when patches take over another token."""

    rows: Tensor
    """(R, L) int64: from which row of the tokens so far each of the L rows comes; the class token stays first."""
    fresh: Tensor
    """(R, L) bool: rows that get the new token instead."""
    weights: Tensor
    """(R, L) float32: logarithm of how many patches a row stands for; -inf in rows that only fill a crop up."""

    def apply(self, x: Tensor, token: Tensor) -> Tensor:
        """Bring tokens (R, L before, W) to (R, L, W); ``token`` (W,) is the new one."""
        rows = self.rows.to(x.device)[..., None].expand(-1, -1, x.shape[-1])
        return torch.where(self.fresh.to(x.device)[..., None], token, x.gather(1, rows))


def merge_steps(replaced: Sequence[Tensor]) -> list[Merge]:
    """Plan the merges of a tower's run.

    Args:
        replaced: for each replacing block, which patches (R, n) bool of each crop take over its token; on the CPU.
    """
    if not replaced:
        return []
    regions, patches = replaced[0].shape
    crops = [_Crop(patches) for _ in range(regions)]
    return [_stacked([crop.replace(row) for crop, row in zip(crops, step.numpy(), strict=True)]) for step in replaced]


_Rows = tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.int64]]
"""Of one crop: where rows come from, which are new, how many patches each stands for."""


class _Crop:
    """Which patches of a crop are equal at present."""

    def __init__(self, patches: int) -> None:
        self._own = np.arange(patches)
        self._step = 0
        self._replaced_in = np.zeros(patches, dtype=np.int64)
        """The last step that replaced a patch; 0 for none."""
        self._row = self._own + 1

    def replace(self, patches: NDArray[np.bool_]) -> _Rows:
        self._step += 1
        self._replaced_in[patches] = self._step
        kinds = np.where(self._replaced_in > 0, len(self._own) + self._replaced_in, self._own)
        _, first, place, counts = np.unique(kinds, return_index=True, return_inverse=True, return_counts=True)
        rows = np.concatenate([[0], self._row[first]])
        fresh = np.concatenate([[False], self._replaced_in[first] == self._step])
        self._row = place + 1
        return rows, fresh, np.concatenate([[1], counts])


def _stacked(crops: Sequence[_Rows]) -> Merge:
    longest = max(len(rows) for rows, _, _ in crops)

    def stack(part: int) -> Tensor:
        return torch.from_numpy(np.stack([np.pad(crop[part], (0, longest - len(crop[part]))) for crop in crops]))

    return Merge(rows=stack(0), fresh=stack(1), weights=stack(2).float().log())
