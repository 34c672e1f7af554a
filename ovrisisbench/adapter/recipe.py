"""A training recipe as data: what the official codes' configurations say, one YAML file a model.

Imports neither numpy nor torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from ovrisisbench.catalog.yaml_files import load_referenced, validation_sentence
from ovrisisbench.errors import TrainingError, did_you_mean

__all__ = ["Finetune", "PixelLoss", "Recipe", "RecipeFile", "ResolvedRecipe", "load_recipe", "resolve_recipe"]

PixelLoss = Literal["bce-all", "bce-valid", "cross-entropy"]
"""What a model that scores pixels is trained with."""

Finetune = Literal["none", "clip", "dino", "clip+dino", "clip+positions"]
"""Which pre-trained encoders learn; the first four are the rows of table 6 of the RSKT-Seg paper."""


def _listed(value: object) -> object:
    """Let ``320,384`` and a single number stand for a list."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",")]
    return [value] if isinstance(value, int) else value


def _or_none(value: object) -> object:
    return None if value == "none" else value


_Positive = Annotated[int, Field(ge=1)]
_Count = Annotated[int, Field(ge=0)]


class Recipe(BaseModel):
    """How a model is trained, everything that ``train --recipe NAME=VALUE`` can change.

    A step is one update of the weights. All sizes are in pixels.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    iterations: _Positive
    """Steps."""
    batch: _Positive
    """Crops of one step, over all processes together."""
    accumulate: _Positive = 1
    """Parts into which a process cuts its share of a batch, to save memory; changes the weights by rounding only."""
    lr: Annotated[float, Field(gt=0)]
    """Learning rate of AdamW at the start of the schedule."""
    encoder_lr_multiplier: Annotated[float, Field(ge=0)] = 1.0
    """Of the learning rate, for the tensors that the official code calls ``clip_model``."""
    weight_decay: Annotated[float, Field(ge=0)]
    weight_decay_norm: Annotated[float, Field(ge=0)] = 0.0
    """Of normalisation layers, and of tables where the model's official code says so."""
    clip_gradient_norm: Annotated[Annotated[float, Field(gt=0)] | None, BeforeValidator(_or_none)] = None
    """Largest L2 norm of the gradient of all trained tensors together; None for no limit."""
    schedule: Literal["cosine", "polynomial", "constant"]
    """How the learning rate falls to 0 at the last step: half a cosine, or ``(1 - i / iterations) ** power``."""
    power: Annotated[float, Field(gt=0)] = 0.9
    warmup: _Count = 0
    """Steps over which the learning rate rises linearly from ``warmup_factor`` of the schedule to all of it."""
    warmup_factor: Annotated[float, Field(ge=0, le=1)] = 0.001
    short_side: Annotated[tuple[_Positive, ...], Field(min_length=1), BeforeValidator(_listed)]
    """Lengths to one of which the shorter side of a picture is brought, drawn for each picture."""
    long_side: _Positive
    """Most that the longer side may have; the shorter one then gets less."""
    crop: Annotated[int, Field(ge=32, multiple_of=32)]
    """Side of the square that is cut out at random, and filled up where the picture is smaller."""
    colour: Literal["ssd", "none"] = "ssd"
    """Colour jitter of SSD in 8 bits, or none."""
    flip: Annotated[float, Field(ge=0, le=1)] = 0.5
    """Probability of a horizontal flip."""
    loss: PixelLoss | Literal["set"]
    """``bce-all``: binary cross-entropy of every class at every pixel, ignored pixels being no class at all;
    ``bce-valid``: the same without ignored pixels; ``cross-entropy``: softmax over classes without ignored pixels;
    ``set``: the set loss of models that predict masks."""
    finetune: Finetune = "clip"
    evaluate_every: _Count
    """Steps between evaluations on the test split; 0 for none at all."""
    checkpoint_every: _Count
    """Steps between checkpoints, all of which are kept; 0 for the last one only."""

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        if self.batch % self.accumulate:
            raise ValueError(f"accumulate: {self.accumulate} does not divide the batch of {self.batch}")
        if self.warmup >= self.iterations and self.warmup:
            raise ValueError(f"warmup: {self.warmup} steps leave nothing of the {self.iterations} iterations")
        return self

    def flat(self) -> dict[str, str | int | float | bool | None]:
        """Return every field as one plain value, for a weights file."""
        values = self.model_dump()
        return {**values, "short_side": ",".join(map(str, self.short_side))}


class _Case(BaseModel):
    """What is different for some backbone or training set."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    backbone: str | None = None
    train_set: str | None = None
    recipe: dict[str, Any] = Field(default_factory=dict)
    settings: dict[str, str] = Field(default_factory=dict)

    def applies(self, backbone: str, train_set: str) -> bool:
        return self.backbone in (None, backbone) and self.train_set in (None, train_set)


class RecipeFile(BaseModel):
    """A model's recipe as shipped beside its adapter."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1]
    source: str
    """Where the official code says so."""
    losses: tuple[str, ...]
    """Values of ``loss`` that the model offers."""
    finetunes: tuple[Finetune, ...]
    """Values of ``finetune`` that the model offers."""
    recipe: Recipe
    settings: dict[str, str] = Field(default_factory=dict)
    """Switches of the model that differ in training from their defaults in inference."""
    cases: tuple[_Case, ...] = ()
    """Later ones win."""


class ResolvedRecipe(BaseModel):
    """The recipe of one training."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    recipe: Recipe
    settings: dict[str, str]
    """Switches of the model in training, the user's included."""


def load_recipe(reference: str) -> RecipeFile:
    """Read a shipped recipe.

    Args:
        reference: ``"package:file.yaml"``.

    Raises:
        CatalogError: a field in it is wrong.
    """
    return load_referenced(reference, RecipeFile)


def resolve_recipe(
    shipped: RecipeFile,
    *,
    title: str,
    backbone: str,
    train_set: str,
    settings: Mapping[str, str] | None = None,
    config: Path | None = None,
    changes: Mapping[str, str] | None = None,
) -> ResolvedRecipe:
    """Lay what a user says over the shipped recipe.

    Args:
        shipped: of the model.
        title: of the model, for error texts.
        backbone: that is trained.
        train_set: that it is trained on.
        settings: of the model, as typed.
        config: a YAML file with fields of :class:`Recipe`.
        changes: single fields as typed; they win over ``config``.

    Raises:
        TrainingError: an unknown field, an impossible value, or a loss that the model does not have.
        CatalogError: ``config`` cannot be read.
    """
    values = shipped.recipe.model_dump()
    switches = dict(shipped.settings)
    for case in shipped.cases:
        if case.applies(backbone, train_set):
            values |= case.recipe
            switches |= case.settings
    if config is not None:
        values |= _fields(_mapping(config), str(config))
    values |= _fields(changes or {}, "--recipe")
    try:
        recipe = Recipe.model_validate(values)
    except ValidationError as error:
        raise TrainingError(validation_sentence("The recipe", error)) from error
    for name, value, offered in (
        ("loss", recipe.loss, shipped.losses),
        ("finetune", recipe.finetune, shipped.finetunes),
    ):
        if value not in offered:
            raise TrainingError(f"{title} cannot be trained with {name}={value}; there is {', '.join(offered)}.")
    return ResolvedRecipe(recipe=recipe, settings={**switches, **(settings or {})})


def _fields(given: Mapping[str, Any], where: str) -> dict[str, Any]:
    for name in given:
        if name not in Recipe.model_fields:
            raise TrainingError(
                f"{where}: a recipe has no field '{name}'; it has {', '.join(Recipe.model_fields)}."
                f"{did_you_mean(name, Recipe.model_fields)}"
            )
    return dict(given)


def _mapping(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise TrainingError(f"{path} cannot be read ({error}); check --config.") from error
    except yaml.YAMLError as error:
        raise TrainingError(f"{path} is not valid YAML: {' '.join(str(error).split())}.") from error
    if not isinstance(content, dict):
        raise TrainingError(f"{path} holds no fields of a recipe; write lines such as 'lr: 0.0002'.")
    return {str(name): value for name, value in content.items()}
