from __future__ import annotations

import math

import pytest
import torch

from ovrisisbench.adapter.training import Training
from ovrisisbench.errors import TrainingError
from ovrisisbench.train.loading import Batch
from ovrisisbench.train.step import Stepper
from tests.train.tiny import small_batch, start, tiny_recipe


def _stepper(training: Training, *, precision: str = "float32", **recipe: object) -> Stepper:
    return Stepper(training, tiny_recipe("rskt-seg", **recipe), device="cpu", precision=precision)


def _state(training: Training) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().clone() for name, tensor in training.official_state().items()}


@pytest.mark.parametrize("loss", ["bce-all", "bce-valid", "cross-entropy"])
def test_a_batch_in_parts_teaches_what_it_teaches_at_once(loss: str) -> None:
    batch = small_batch(images=4)
    # Adam's first step has the size of the learning rate whatever the gradient, so the gradient itself is compared.
    whole, parts = (start(loss=loss, batch=4, accumulate=count) for count in (1, 4))
    steps = [
        _stepper(training, loss=loss, batch=4, accumulate=count, clip_gradient_norm="none")
        for training, count in ((whole, 1), (parts, 4))
    ]
    results = [stepper.step(batch, 0) for stepper in steps]
    assert results[1].loss == pytest.approx(results[0].loss, rel=1e-5)
    assert results[1].gradient_norm == pytest.approx(results[0].gradient_norm, rel=5e-3)  # a ReLU may flip by rounding
    for name, gradient in steps[0].optimiser.gradients().items():
        apart = float((steps[1].optimiser.gradients()[name] - gradient).norm())
        assert apart <= 1e-2 * float(gradient.norm()) + 1e-7 * results[0].gradient_norm, name


def test_a_step_lowers_the_loss_of_its_own_batch_and_leaves_frozen_tensors_alone() -> None:
    training, batch = start(), small_batch()
    before, learns = _state(training), {tensor.name for tensor in training.trained()}
    stepper = _stepper(training, lr=1e-3)
    losses = [stepper.step(batch, step).loss for step in range(6)]
    assert losses[-1] < 0.9 * losses[0]
    after = _state(training)
    changed = {name for name in after if not torch.equal(after[name], before[name])}
    assert changed <= learns
    still = learns - changed
    # The queries of the last block go nowhere, and keys that are all shifted alike change nothing.
    assert all(name.endswith(("q_proj_weight", ".k.bias", "norm_k.bias")) for name in still), still


def test_bfloat16_runs_near_float32_and_keeps_weights_in_float32() -> None:
    batch = small_batch()
    exact, rough = (_stepper(start(), precision=precision).step(batch, 0) for precision in ("float32", "bfloat16"))
    assert rough.loss == pytest.approx(exact.loss, rel=0.02)
    assert rough.loss != exact.loss
    training = start()
    _stepper(training, precision="bfloat16").step(batch, 0)
    assert {tensor.dtype for tensor in training.official_state().values()} == {torch.float32}


def test_a_loss_that_is_not_finite_stops_with_the_pictures_named_and_the_weights_as_they_were() -> None:
    training = start()
    with torch.no_grad():
        training.module.network.transfer.head.bias.fill_(math.nan)
    before = _state(training)
    with pytest.raises(TrainingError, match=r"step 8: the loss is nan for the pictures picture-0, picture-1;"):
        _stepper(training).step(small_batch(), 7)
    after = _state(training)
    assert all(torch.equal(after[name], before[name]) or before[name].isnan().any() for name in after)


def test_a_gradient_that_is_not_finite_stops_too() -> None:
    training = start()
    stepper = _stepper(training)
    weight = training.module.network.transfer.head.weight
    weight.register_hook(lambda gradient: gradient * math.inf)
    before = weight.detach().clone()
    with pytest.raises(TrainingError, match=r"step 1: the norm of the gradient is (inf|nan) for the pictures"):
        stepper.step(small_batch(), 0)
    assert torch.equal(weight, before)


def test_parts_of_a_batch_hold_all_of_it_in_order() -> None:
    batch = small_batch(images=4)
    assert isinstance(batch, Batch)
    assert torch.equal(torch.cat([images for images, _ in batch.parts(2)]), batch.images)
    assert torch.equal(torch.cat([labels for _, labels in batch.parts(4)]), batch.labels)
