"""Driving RSKT-Seg's trainer for a recorded official training step: loss, logits, gradients, updated values."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ovrisisbench.adapter.recipe import load_recipe
from ovrisisbench.adapter.training import StartOptions, TrainedTensor
from ovrisisbench.adapters.rskt_seg import INFO
from ovrisisbench.adapters.rskt_seg.training import RSKTSegTrainer
from ovrisisbench.train.optimiser import Optimiser
from tests.parity.case import Array, ParityCase
from tests.parity.comparison import Comparison

__all__ = ["compare_step"]

_VALUES_AFTER, _MOST_VALUES_AFTER = 0.3, 0.02
"""Largest difference of any updated value, and of 99 % of a tensor's, in learning rates."""


def compare_step(case: ParityCase, checkpoint: Path) -> Iterator[Comparison]:
    """Load the checkpoint as for fine-tuning, make one step of the shipped recipe, compare what was recorded."""
    recipe, manifest, recorded = load_recipe(INFO.recipe).recipe, case.manifest, case.recorded
    iteration = case.config["optimizer"]["iteration_of_the_step"]
    training = RSKTSegTrainer.start(
        StartOptions(backbone="vit-b", class_names=case.classes, recipe=recipe, checkpoint=checkpoint)
    )
    trained = training.trained()
    labels, image = _labels(), case.image()
    yield Comparison("label_map", float((labels != recorded["label_map"]).sum()), 0)
    yield Comparison("image", float((image[::8, ::8] != recorded["image"]).sum()), 0)
    batch = torch.from_numpy(image).permute(2, 0, 1)[None], torch.from_numpy(labels)[None]
    totals = training.normalisers(batch[1])
    logits: list[Tensor] = []
    training.module.network.register_forward_hook(lambda _module, _given, out: logits.append(out.detach()))

    loss = training.module(*batch, totals)["main"]
    loss.backward()
    yield Comparison("loss", abs(float(loss.detach()) - recorded["loss"].item()), 1e-5)
    yield _close(case, "logits", logits[0].numpy(), 2e-5)

    assert {tensor.name for tensor in trained} == set(manifest["trainable"])
    yield from _compare_gradients(case, trained)

    optimiser = Optimiser(trained, recipe)
    norm = float(optimiser.collect())
    total = manifest["gradient_norm_total"]
    yield Comparison("gradient norm", abs(norm / total - 1), 1e-4)
    optimiser.step(iteration)
    wrong = {
        name: (found, said["lr"], said["weight_decay"])
        for (name, found) in optimiser.rates().items()
        if not np.allclose(
            found, ((said := manifest["trainable"][name])["lr"], said["weight_decay"]), rtol=1e-6, atol=0
        )
    }
    assert not wrong, f"learning rate and decay (found, official): {wrong}"
    yield from _compare_values(case, trained)

    # The manifest calls them those before the step, but what it recorded has seen it: the others are 1e-3 away.
    text = training.module.text().detach().numpy()
    yield Comparison("text_embeddings", float(np.abs(text - recorded["text_embeddings"]).max()), 1e-5)
    with torch.no_grad():
        after = training.module(*batch, totals)["main"]
    yield Comparison("loss_after", abs(float(after) - recorded["loss_after"].item()), 2e-5)
    yield _close(case, "logits_after", logits[1].numpy(), 2e-3)


def _compare_gradients(case: ParityCase, trained: list[TrainedTensor]) -> Iterator[Comparison]:
    # Keys that are all shifted alike: zero in exact arithmetic, so what was recorded is rounding.
    by_rounding = next(names for said, names in case.manifest["no_gradient"].items() if "in exact" in said)
    worst = ("", 0.0)
    for tensor in trained:
        gradient = _official(tensor, tensor.parameter.grad)
        norm, expected = float(gradient.norm()), case.manifest["trainable"][tensor.name]["grad_norm"]
        if expected == 0:
            assert norm == 0, tensor.name
        elif tensor.name not in by_rounding:
            worst = max(worst, (tensor.name, abs(norm / expected - 1)), key=lambda pair: pair[1])
        if f"grad/{tensor.name}" in case.recorded:
            reference = case.recorded[f"grad/{tensor.name}"]
            size = float(np.abs(reference).max())
            value = _strided(case, tensor.name, gradient)
            assert value.shape == reference.shape, tensor.name
            # Of a gradient that is zero but for rounding there is nothing to compare.
            share = float(np.abs(value - reference).max()) / size if size else float(np.abs(value).max())
            yield Comparison(f"grad/{tensor.name}", share, 5e-3)
    yield Comparison(f"gradient norms ({worst[0]})", worst[1], 1e-3)


def _compare_values(case: ParityCase, trained: list[TrainedTensor]) -> Iterator[Comparison]:
    for tensor in trained:
        name = f"after/{tensor.name}"
        if name in case.recorded:
            value = _strided(case, tensor.name, _official(tensor, tensor.parameter.detach()))
            apart = (
                np.abs(value.astype(np.float64) - case.recorded[name]) / case.manifest["trainable"][tensor.name]["lr"]
            )
            yield Comparison(name, float(apart.max()), _VALUES_AFTER, remark=" learning rates")
            yield Comparison(f"99 % of {name}", float(np.quantile(apart, 0.99)), _MOST_VALUES_AFTER)


def _official(tensor: TrainedTensor, values: Tensor) -> Tensor:
    return values if tensor.rows is None else values[slice(*tensor.rows)]


def _strided(case: ParityCase, name: str, values: Tensor) -> Array:
    return values.flatten()[:: case.manifest["strides"][name]].numpy()


def _close(case: ParityCase, name: str, value: Array, limit: float) -> Comparison:
    step = case.manifest.get("logits_step", 1)
    return Comparison(name, float(np.abs(value[..., ::step, ::step] - case.recorded[name]).max()), limit)


def _labels() -> Array:
    """The label map that the manifest gives as a formula."""
    y, x = np.mgrid[:384, :384]
    values = (y // 48 + 2 * (x // 32) + (y // 96) * (x // 64)) % 5
    return np.where(values == 4, 255, values).astype(np.uint8)
