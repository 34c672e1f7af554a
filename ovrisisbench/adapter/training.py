"""What a model must offer so that it can be trained here; :mod:`ovrisisbench.train` names no model.

A model that can be trained names its :class:`Trainer` in
:class:`~ovrisisbench.adapter.interface.AdapterInfo`. The network that learns is
the one that predicts: a trainer only starts it, computes its official loss,
and says which tensors learn.

This file imports neither numpy nor torch at run time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from ovrisisbench.adapter.interface import Adapter
    from ovrisisbench.adapter.recipe import Recipe

__all__ = ["CLIP_FROM_OPENAI", "StartOptions", "TrainedTensor", "Trainer", "Training"]

CLIP_FROM_OPENAI = "openai"
"""What one types for the CLIP that the official code downloads."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StartOptions:
    """How a training begins."""

    backbone: str
    class_names: Sequence[str]
    """K prompts of the training set in label order."""
    recipe: Recipe
    settings: Mapping[str, str] = field(default_factory=dict)
    """Switches of the network in training."""
    evaluation_settings: Mapping[str, str] = field(default_factory=dict)
    """Switches with which it is evaluated."""
    seed: int = 0
    """Of the start values of new layers."""
    device: str = "cpu"
    checkpoint: Path | None = None
    """A whole file of the model to go on from; it replaces the files of encoders."""
    clip_weights: str | Path | None = None
    """:data:`CLIP_FROM_OPENAI`, a file with both towers, or None for random encoders."""
    pretrained: Mapping[str, Path] = field(default_factory=dict)
    """Files of the other encoders, by their names in ``AdapterInfo.pretrained``."""
    untrained: bool = False
    """Encoders without a file start at random; otherwise they must have one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedTensor:
    """One tensor of the official code that learns."""

    name: str
    """Its official name."""
    parameter: nn.Parameter
    """The parameter of the network that holds it."""
    rows: tuple[int, int] | None = None
    """First and last row (exclusive) that it has in ``parameter``; None for all of it."""
    lr_multiplier: float = 1.0
    decays: bool = True
    """Whether it is shrunk by the recipe's ``weight_decay``, not by ``weight_decay_norm``."""


class Training(Protocol):
    """A network in training."""

    @property
    def module(self) -> nn.Module:
        """Computes the loss of a part of a batch.

        Called as ``module(images, labels, totals)`` with images (B, 3, H, W)
        uint8 RGB, labels (B, H, W) uint8 with 255 for ignored pixels, and the
        sums of :meth:`normalisers` over the whole batch. Returns scalars by
        name; the loss of a batch is the sum of them all over all its parts.
        """
        ...

    def normalisers(self, labels: Tensor) -> Mapping[str, float]:
        """Return what this part adds to the numbers that the loss of a batch is divided by.

        Args:
            labels: (B, H, W) uint8 on the CPU.
        """
        ...

    def trained(self) -> Sequence[TrainedTensor]:
        """Return every tensor that learns, in an order that is the same in every process."""
        ...

    def official_state(self) -> Mapping[str, torch.Tensor]:
        """Return all tensors of the network under the names of the official code, sharing its memory."""
        ...

    def evaluator(self) -> Adapter:
        """Return a model with the present weights, which are copied, for measuring."""
        ...

    def settings(self) -> Mapping[str, str]:
        """Return the switches of the network, as one would type them to load its file."""
        ...


class Trainer(Protocol):
    """Starts trainings of one model."""

    @classmethod
    def start(cls, options: StartOptions) -> Training:
        """Build the network on its device.

        Raises:
            CheckpointError: a file of weights that does not fit, or is missing.
            AdapterError: an impossible setting.
        """
        ...
