"""Promises of every model that can be trained."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ovrisisbench.adapter.doctor import diagnose
from ovrisisbench.adapter.interface import LoadOptions
from ovrisisbench.adapter.own_files import WeightsCard, read_card, write_weights
from ovrisisbench.adapter.recipe import load_recipe
from ovrisisbench.adapter.registry import find_adapter, load_object
from ovrisisbench.adapter.training import StartOptions
from tests.parity.synth import synthetic_image
from tests.train.tiny import CLASSES, TRAINABLE, gradients, small_batch, start, tiny_recipe

TUNINGS = [
    (model, finetune) for model in TRAINABLE for finetune in load_recipe(find_adapter(model).info.recipe).finetunes
]


@pytest.mark.parametrize(("model", "finetune"), TUNINGS)
def test_everything_that_learns_gets_a_gradient_and_nothing_else_does(model: str, finetune: str) -> None:
    training = start(model, finetune=finetune)
    found = gradients(training, small_batch(model))
    assert found
    zero = {name for name, gradient in found.items() if not gradient.any()}
    # Only what goes nowhere in the official code too: the queries of a last block that is read densely.
    assert all(name.endswith("q_proj_weight") for name in zero), zero
    learning = {id(tensor.parameter) for tensor in training.trained()}
    for name, parameter in training.module.named_parameters():
        assert (id(parameter) in learning) == parameter.requires_grad == (parameter.grad is not None), name


@pytest.mark.parametrize("model", TRAINABLE)
def test_the_count_of_what_learns_is_the_one_that_the_adapter_states(model: str) -> None:
    training = start(model)
    counted = sum(
        (tensor.parameter if tensor.rows is None else tensor.parameter[slice(*tensor.rows)]).numel()
        for tensor in training.trained()
    )
    assert training.evaluator().count_parameters().trainable == counted
    names = [tensor.name for tensor in training.trained()]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("model", TRAINABLE)
def test_a_written_file_is_whole_for_the_doctor_and_loads_again_bit_for_bit(model: str, tmp_path: Path) -> None:
    training, path = start(model), tmp_path / "weights.safetensors"
    card = WeightsCard(model=model, backbone="tiny", settings=dict(training.settings()), vocabulary=list(CLASSES))
    digest = write_weights(path, training.official_state(), card)
    assert read_card(path) == card
    diagnosis = diagnose(path)
    assert diagnosis.sha256 == digest
    (report,) = diagnosis.reports
    assert (report.model, report.backbone) == (model, "tiny")
    assert report.missing == report.unused == report.misshapen == report.outside == ()

    trainer = load_object(find_adapter(model).info.trainer, what="the trainer")
    options = StartOptions(backbone="tiny", class_names=CLASSES, recipe=tiny_recipe(model), checkpoint=path)
    again = trainer.start(options).official_state()
    first = training.official_state()
    assert set(again) == set(first)
    assert all(torch.equal(again[name], first[name]) for name in first)


@pytest.mark.parametrize("model", TRAINABLE)
def test_the_evaluator_predicts_what_the_written_file_predicts(model: str, tmp_path: Path) -> None:
    training, path = start(model), tmp_path / "weights.safetensors"
    write_weights(path, training.official_state(), WeightsCard(model=model, backbone="tiny"))
    evaluator = training.evaluator()
    options = LoadOptions(backbone="tiny", checkpoint=path, settings={"linears": "plain"})
    loaded = find_adapter(model).load_class().load(options)
    image = synthetic_image(80, 120, seed=3)
    for adapter in (evaluator, loaded):
        adapter.set_vocabulary(CLASSES)
    with torch.inference_mode():
        ((ours,), (theirs,)) = (each.predict([image], image_ids=["0"]) for each in (evaluator, loaded))
    assert torch.equal(ours.scores, theirs.scores)
    assert dict(evaluator.describe()) == dict(loaded.describe())


@pytest.mark.parametrize("model", TRAINABLE)
def test_an_evaluation_leaves_training_as_it_was_and_sees_what_has_been_learned(model: str) -> None:
    training, batch, image = start(model), small_batch(model), synthetic_image(64, 64, seed=3)
    before = gradients(training, batch)

    def scores() -> torch.Tensor:
        evaluator = training.evaluator()
        evaluator.set_vocabulary(CLASSES)
        with torch.inference_mode():
            return evaluator.predict([image], image_ids=["0"])[0].scores.clone()

    first = scores()
    after = gradients(training, batch)
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert training.module.training
    with torch.no_grad():
        for tensor in training.trained():
            tensor.parameter.add_(0.01)
    assert not torch.equal(scores(), first)


@pytest.mark.parametrize("model", ["rskt-seg", "cat-seg", "ovris", "gsnet"])
def test_the_text_tower_learns_and_is_encoded_anew_at_every_step(model: str) -> None:
    training = start(model)
    first = training.module.text()
    with torch.no_grad():
        training.module.network.text.token_embedding.weight.mul_(1.1)
        training.module.network.text.positional_embedding.mul_(0.5)
    assert not torch.equal(training.module.text(), first)
    frozen = start(model, finetune="none")
    assert frozen.module.text() is frozen.module.text()


@pytest.mark.parametrize("model", TRAINABLE)
def test_bfloat16_gives_about_the_loss_of_float32(model: str) -> None:
    training, batch = start(model), small_batch(model)
    totals = training.normalisers(batch.labels)
    found = {}
    for enabled in (False, True):
        torch.manual_seed(0)
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=enabled):
            losses = training.module(batch.images, batch.labels, totals)
        assert {loss.dtype for loss in losses.values()} == {torch.float32}
        found[enabled] = float(sum(losses.values()).detach())
    assert found[True] == pytest.approx(found[False], rel=0.05)
    assert found[True] != found[False]
