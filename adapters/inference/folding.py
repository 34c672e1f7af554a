"""Products of weights that are computed once instead of at every image.

Two linear maps in a row are one linear map. The parameters stay as the paper
and its checkpoints have them, so that they can be loaded, trained and saved;
:func:`fold_weights` multiplies them out for inference. A fold that no longer
fits its parameters is never used: the module then computes step by step.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

__all__ = ["Foldable", "fold_weights"]

_Module = TypeVar("_Module", bound=nn.Module)


class Foldable(nn.Module):
    """A module with a folded form for inference; subclasses implement :meth:`_fold`.

    ``forward`` asks :attr:`folded` and computes step by step where it is None:
    before folding, while gradients are recorded, and after any change of the
    parameters (loading, training, moving to another device).
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - passed on to the next class in line
        super().__init__(*args, **kwargs)
        self._folded: tuple[Tensor, ...] | None = None
        self._folded_from: tuple[tuple[int, int], ...] = ()

    def _fold(self) -> tuple[Tensor, ...]:
        raise NotImplementedError

    def _fold_sources(self) -> Iterable[Tensor]:
        """The parameters that :meth:`_fold` reads."""
        return self.parameters()

    @torch.no_grad()
    def fold(self) -> None:
        """Compute the folded form from the present parameters. Not to be called while another thread predicts."""
        self._folded = self._fold()
        self._folded_from = self._state_of_parameters()

    @property
    def folded(self) -> tuple[Tensor, ...] | None:
        """What :meth:`_fold` returned, or None where it may not be used."""
        if self._folded is None or torch.is_grad_enabled() or self._folded_from != self._state_of_parameters():
            return None
        return self._folded

    def _state_of_parameters(self) -> tuple[tuple[int, int], ...]:
        # A tensor that is replaced lies elsewhere in memory; one that is changed in place counts its changes. Only
        # parameters made in inference mode have no counter; they cannot be trained.
        return tuple(
            (tensor.data_ptr(), 0 if tensor.is_inference() else tensor._version)  # noqa: SLF001 - no public name
            for tensor in self._fold_sources()
        )


def fold_weights(network: _Module) -> _Module:
    """Fold every :class:`Foldable` inside ``network`` and return it."""
    for module in network.modules():
        if isinstance(module, Foldable):
            module.fold()
    return network
