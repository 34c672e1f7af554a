"""One step of training: forward and backward over the parts of a batch, clipping, AdamW."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from ovrisisbench.adapter.interface import Precision
from ovrisisbench.adapter.recipe import Recipe
from ovrisisbench.adapter.training import Training
from ovrisisbench.errors import TrainingError
from ovrisisbench.evaluate.processes import Processes
from ovrisisbench.train.loading import Batch
from ovrisisbench.train.optimiser import Optimiser

__all__ = ["Step", "Stepper"]


@dataclass(frozen=True, slots=True)
class Step:
    """What one step has given."""

    losses: Mapping[str, float]
    """The parts of the loss of the whole batch, all processes together; their sum is the loss."""
    gradient_norm: float
    """L2 norm over all that learns, before clipping."""
    lr: float
    """Learning rate of what has no multiplier."""

    @property
    def loss(self) -> float:
        """The loss before the step."""
        return math.fsum(self.losses.values())


class Stepper:
    """Changes the weights batch by batch; the same in every process.

    Args:
        training: the network with its loss.
        recipe: of the training.
        device: torch device of the network.
        precision: arithmetic; ``bfloat16`` runs under autocast, weights and gradients stay float32.
        processes: this process among those that share every batch.
    """

    def __init__(
        self,
        training: Training,
        recipe: Recipe,
        *,
        device: str,
        precision: Precision,
        processes: Processes | None = None,
    ) -> None:
        self._training, self._recipe = training, recipe
        self._device = torch.device(device)
        self._autocast = precision == "bfloat16"
        self._processes = processes or Processes()
        self.optimiser = Optimiser(training.trained(), recipe)
        self._module: nn.Module = training.module
        if self._processes.count > 1:
            cuda = self._device.type == "cuda"
            self._module = DistributedDataParallel(
                training.module, device_ids=[self._device] if cuda else None, broadcast_buffers=False
            )

    def step(self, batch: Batch, iteration: int) -> Step:
        """Learn from one batch.

        Raises:
            TrainingError: the loss or its gradient is not finite; the weights are as they were.
        """
        totals = self._summed(dict(self._training.normalisers(batch.labels)))
        self.optimiser.clear()
        own: dict[str, float] = {}
        for number, (images, labels) in enumerate(batch.parts(self._recipe.accumulate)):
            last = number == self._recipe.accumulate - 1
            for name, value in self._learn(images, labels, totals, last=last).items():
                own[name] = own.get(name, 0.0) + value
        losses = self._summed(own)
        norm = float(self.optimiser.collect())
        if not (math.isfinite(math.fsum(losses.values())) and math.isfinite(norm)):
            self._stop(batch, own, losses, norm, iteration)
        return Step(losses, norm, self.optimiser.step(iteration))

    def _learn(self, images: Tensor, labels: Tensor, totals: Mapping[str, float], *, last: bool) -> dict[str, float]:
        """Add the gradient of one part of a batch; gradients travel between processes with the last part."""
        module = self._module
        waiting = module.no_sync() if isinstance(module, DistributedDataParallel) and not last else nullcontext()
        images = images.to(self._device, non_blocking=True)
        labels = labels.to(self._device, non_blocking=True)
        with waiting:
            with torch.autocast(self._device.type, dtype=torch.bfloat16, enabled=self._autocast):
                losses: dict[str, Tensor] = module(images, labels, totals)
            # Gradients of several processes are averaged, but their losses are parts of one sum.
            torch.autograd.backward(torch.stack(list(losses.values())).sum() * self._processes.count)
        values = torch.stack([value.detach() for value in losses.values()]).tolist()
        return dict(zip(losses, values, strict=True))

    def _summed(self, own: dict[str, float]) -> dict[str, float]:
        """Add the numbers of all processes."""
        if self._processes.count == 1:
            return own
        import torch.distributed as dist

        values = torch.tensor(list(own.values()), dtype=torch.float64)
        dist.all_reduce(values)
        return dict(zip(own, values.tolist(), strict=True))

    def _stop(
        self, batch: Batch, own: Mapping[str, float], losses: Mapping[str, float], norm: float, iteration: int
    ) -> None:
        finite = math.isfinite(math.fsum(losses.values()))
        guilty = finite or not math.isfinite(math.fsum(own.values()))
        ids = [name for names in self._processes.gather(batch.ids if guilty else ()) for name in names]
        what = f"the norm of the gradient is {norm}" if finite else f"the loss is {math.fsum(losses.values())}"
        raise TrainingError(
            f"Training stopped in step {iteration + 1}: {what} for the pictures {', '.join(ids)}; the weights were not "
            "changed by them, so look at these pictures, lower lr, or go on from the last checkpoint with another seed."
        )
