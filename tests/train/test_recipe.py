from __future__ import annotations

from pathlib import Path

import pytest

from ovrisisbench.adapter.recipe import RecipeFile, ResolvedRecipe, load_recipe, resolve_recipe
from ovrisisbench.adapter.registry import list_adapters
from ovrisisbench.errors import TrainingError
from ovrisisbench.train.schedule import rate_factor

TRAINABLE = sorted(found.info.name for found in list_adapters()[0] if found.info.trainer)


def _shipped(model: str) -> RecipeFile:
    info = next(found.info for found in list_adapters()[0] if found.info.name == model)
    return load_recipe(info.recipe)


def _resolved(
    model: str = "rskt-seg", backbone: str = "vit-b", train_set: str = "dlrsd", **said: object
) -> ResolvedRecipe:
    return resolve_recipe(_shipped(model), title="RSKT-Seg", backbone=backbone, train_set=train_set, **said)


@pytest.mark.parametrize(
    ("model", "iterations", "batch", "crop", "lr"),
    [
        ("rskt-seg", 30_000, 8, 384, 2e-4),
        ("cat-seg", 80_000, 4, 384, 2e-4),
        ("ovris", 80_000, 4, 384, 2e-4),
        ("gsnet", 30_000, 4, 384, 2e-4),
        ("sed", 80_000, 4, 768, 2e-4),
    ],
)
def test_the_shipped_recipes_are_the_official_ones(
    model: str, iterations: int, batch: int, crop: int, lr: float
) -> None:
    recipe = _shipped(model).recipe
    assert (recipe.iterations, recipe.batch, recipe.crop, recipe.lr) == (iterations, batch, crop, lr)
    assert (recipe.weight_decay, recipe.weight_decay_norm, recipe.clip_gradient_norm) == (1e-4, 0.0, 0.01)
    assert (recipe.loss, recipe.finetune, recipe.schedule, recipe.warmup) == ("bce-all", "clip", "cosine", 0)
    assert (recipe.encoder_lr_multiplier, recipe.colour, recipe.flip) == (0.01, "ssd", 0.5)


def test_sans_recipe_is_the_official_one() -> None:
    recipe = _shipped("san").recipe
    assert (recipe.iterations, recipe.batch, recipe.crop, recipe.lr) == (60_000, 32, 640, 1e-4)
    assert (recipe.loss, recipe.schedule, recipe.power, recipe.encoder_lr_multiplier) == ("set", "polynomial", 0.9, 1.0)
    assert (recipe.short_side, recipe.long_side) == (tuple(range(320, 961, 64)), 2560)


def test_every_trainer_has_a_recipe_and_every_recipe_fits_its_tiny_network() -> None:
    assert {"rskt-seg", "cat-seg", "ovris", "gsnet", "sed", "san"} <= set(TRAINABLE)
    for model in TRAINABLE:
        assert _resolved(model, backbone="tiny").recipe.crop <= 224


@pytest.mark.parametrize(
    ("step", "rate"),
    [
        (0, 2e-4),
        (1, 0.00019999999945168867),
        (1000, 0.00019945218953682734),
        (5000, 0.00018660254037844388),
        (10_000, 1.5e-4),
        (25_000, 1.339745962155613e-05),
        (29_999, 5.483113518778282e-13),
    ],
)
def test_the_learning_rate_is_the_one_that_the_official_schedule_gave(step: int, rate: float) -> None:
    recipe = _shipped("rskt-seg").recipe
    assert recipe.lr * rate_factor(step, recipe) == pytest.approx(rate, rel=1e-9)


def test_the_polynomial_falls_by_its_power_and_warm_up_rises_in_a_line() -> None:
    recipe = _resolved(
        changes={"schedule": "polynomial", "iterations": "100", "warmup": "10", "warmup_factor": "0.5"}
    ).recipe
    assert rate_factor(50, recipe) == pytest.approx(0.5**0.9)
    assert rate_factor(0, recipe) == pytest.approx(0.5)
    assert rate_factor(5, recipe) == pytest.approx(0.75 * 0.95**0.9)
    assert rate_factor(10, recipe) == pytest.approx(0.9**0.9)


@pytest.mark.parametrize(
    ("backbone", "train_set", "layers"),
    [("vit-b", "dlrsd", "5"), ("vit-b", "isaid", "3"), ("vit-l", "dlrsd", "5"), ("vit-l", "isaid", "2")],
)
def test_rskt_seg_has_the_layers_of_its_released_weights(backbone: str, train_set: str, layers: str) -> None:
    assert _resolved(backbone=backbone, train_set=train_set).settings == {"layers": layers}


def test_a_users_setting_wins_over_the_recipes() -> None:
    assert _resolved(settings={"layers": "2", "dino": "off"}).settings == {"layers": "2", "dino": "off"}


def test_single_fields_win_over_a_file_and_the_file_over_the_official_recipe(tmp_path: Path) -> None:
    config = tmp_path / "mine.yaml"
    config.write_text("lr: 0.001\nbatch: 16\nshort_side: [320, 384]\n")
    recipe = _resolved(
        config=config, changes={"lr": "1e-5", "clip_gradient_norm": "none", "short_side": "96,128"}
    ).recipe
    assert (recipe.lr, recipe.batch, recipe.clip_gradient_norm, recipe.short_side) == (1e-5, 16, None, (96, 128))
    assert _resolved(config=config).recipe.short_side == (320, 384)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"learning_rate": "1"}, "--recipe: a recipe has no field 'learning_rate'; it has iterations"),
        ({"iteration": "1"}, r"Did you mean 'iterations'\?"),
        ({"lr": "fast"}, "The recipe: field 'lr'"),
        ({"crop": "100"}, "The recipe: field 'crop'.*multiple of 32"),
        ({"batch": "6", "accumulate": "4"}, "accumulate: 4 does not divide the batch of 6"),
        ({"loss": "set"}, "RSKT-Seg cannot be trained with loss=set; there is bce-all, bce-valid, cross-entropy"),
        ({"warmup": "30000"}, "leave nothing of the 30000"),
    ],
)
def test_impossible_fields_are_refused_in_one_sentence(changes: dict[str, str], sentence: str) -> None:
    with pytest.raises(TrainingError, match=sentence):
        _resolved(changes=changes)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("batchsize: 4", r"mine.yaml: a recipe has no field 'batchsize'.*Did you mean 'batch'"),
        ("- 4", "holds no fields of a recipe"),
        ("lr: [", "is not valid YAML"),
    ],
)
def test_a_file_that_is_no_recipe_is_refused(tmp_path: Path, content: str, sentence: str) -> None:
    config = tmp_path / "mine.yaml"
    config.write_text(content)
    with pytest.raises(TrainingError, match=sentence):
        _resolved(config=config)


def test_models_refuse_encoders_that_they_do_not_have() -> None:
    sentence = "CAT-Seg cannot be trained with finetune=dino; there is none, clip, "
    with pytest.raises(TrainingError, match=sentence):
        resolve_recipe(
            _shipped("cat-seg"), title="CAT-Seg", backbone="vit-b", train_set="dlrsd", changes={"finetune": "dino"}
        )
