"""Tiny networks in training, on drawn crops."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ovrisisbench.adapter.recipe import Recipe, load_recipe, resolve_recipe
from ovrisisbench.adapter.registry import find_adapter, list_adapters, load_object
from ovrisisbench.adapter.training import StartOptions, TrainedTensor, Training
from ovrisisbench.train.loading import Batch
from tests.parity.synth import synthetic_image

__all__ = ["CLASSES", "TRAINABLE", "gradients", "small_batch", "start", "tiny_recipe"]

CLASSES = ("road", "water", "building, house", "tree")

TRAINABLE = sorted(found.info.name for found in list_adapters()[0] if found.info.trainer)


def tiny_recipe(model: str, **changes: object) -> Recipe:
    """The shipped recipe of a tiny network, with changes."""
    return _resolved(model, changes).recipe


def _resolved(model: str, changes: dict[str, object]):
    info = find_adapter(model).info
    changed = {name: str(value) for name, value in changes.items()}
    shipped = load_recipe(info.recipe)
    return resolve_recipe(shipped, title=info.title, backbone="tiny", train_set="dlrsd", changes=changed)


def start(
    model: str = "rskt-seg", *, settings: dict[str, str] | None = None, seed: int = 0, **recipe: object
) -> Training:
    """A tiny network of a model with its official start values."""
    resolved = _resolved(model, recipe)
    settings = settings or {}
    trainer = load_object(find_adapter(model).info.trainer, what="the trainer")
    training: Training = trainer.start(
        StartOptions(
            backbone="tiny",
            class_names=CLASSES,
            recipe=resolved.recipe,
            settings={**resolved.settings, **settings},
            evaluation_settings=settings,
            seed=seed,
            untrained=True,
        )
    )
    return training


def small_batch(model: str = "rskt-seg", images: int = 2) -> Batch:
    """Crops of synthetic pictures with a fifth of their pixels ignored."""
    side = tiny_recipe(model).crop
    pictures = [torch.from_numpy(synthetic_image(side, side, seed)).permute(2, 0, 1) for seed in range(images)]
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    values = torch.stack([(y // 12 + 2 * (x // 8) + (y // 24) * (x // 16) + seed) % 5 for seed in range(images)])
    labels = torch.where(values == 4, 255, values).to(torch.uint8)
    return Batch(torch.stack(pictures), labels, tuple(f"picture-{seed}" for seed in range(images)))


def gradients(training: Training, batch: Batch) -> dict[str, Tensor]:
    """The gradient of everything that learns, by official name."""
    nn.Module.zero_grad(training.module)
    torch.manual_seed(0)  # of the places at which masks are compared
    losses = training.module(batch.images, batch.labels, training.normalisers(batch.labels))
    sum(losses.values()).backward()
    return {tensor.name: _rows(tensor).clone() for tensor in training.trained()}


def _rows(tensor: TrainedTensor) -> Tensor:
    gradient = tensor.parameter.grad
    assert gradient is not None, f"{tensor.name} has no gradient, which stops training in several processes"
    return gradient if tensor.rows is None else gradient[slice(*tensor.rows)]
