"""A whole training: from prepared data to a file of weights that every command reads.

This is what ``ovrisis-bench train`` calls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from ovrisisbench.adapter.interface import AdapterInfo, Precision
from ovrisisbench.adapter.own_files import WeightsCard
from ovrisisbench.adapter.recipe import ResolvedRecipe, load_recipe, resolve_recipe
from ovrisisbench.adapter.registry import find_adapter, list_adapters, load_object
from ovrisisbench.adapter.shipped import CLIP, find_encoders, shipped_path
from ovrisisbench.adapter.training import CLIP_FROM_OPENAI, StartOptions
from ovrisisbench.atomic import write_text
from ovrisisbench.benchmark.inputs import check_setting, choose_backbone, open_prepared
from ovrisisbench.benchmark.running import available_cores
from ovrisisbench.benchmark.training_folder import FINAL, alone, own_folder, saved_state
from ovrisisbench.catalog import Protocol, load_protocol, load_vocabulary, protocol_for_training_set
from ovrisisbench.errors import AdapterError, CheckpointError, DataError, TrainingError, did_you_mean

if TYPE_CHECKING:
    from ovrisisbench.adapter.training import Trainer, Training
    from ovrisisbench.evaluate.processes import Processes
    from ovrisisbench.prepare import PreparedDataset
    from ovrisisbench.train.checkpoints import SavedState
    from ovrisisbench.train.engine import Course, TestSplit, TrainReport

__all__ = ["FINAL", "RECIPE", "TrainOptions", "train", "training_identity", "with_shipped_encoders"]

RECIPE = "recipe.yaml"
"""Name of the file in the output folder that holds the recipe that was followed."""

_TRAIN = "train"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainOptions:
    """What a user may say of a training beside model, training set and folder."""

    backbone: str | None = None
    """May be None where the model has only one; ``tiny`` does not count."""
    clip_weights: str | Path | None = None
    """``openai`` or a file; None for ``openai``, but for ``tiny`` for the one that comes with the package."""
    weights: Mapping[str, Path] = field(default_factory=dict)
    """Files of the other encoders, by the names that the model gives them."""
    checkpoint: Path | None = None
    """A whole file of the model to go on from, instead of files of encoders."""
    untrained: bool = False
    """Encoders without a file start at random; so do those of ``tiny`` that do not come with the package."""
    config: Path | None = None
    """YAML file with fields of the recipe."""
    recipe: Mapping[str, str] = field(default_factory=dict)
    """Single fields of the recipe, as typed."""
    settings: Mapping[str, str] = field(default_factory=dict)
    """Switches of the model."""
    seed: int = 0
    device: str = "auto"
    precision: Precision | None = None
    """None for the official one: TF32 on CUDA, float32 on a CPU."""
    resume: bool = False
    """Go on from the last checkpoint in the folder, if there is one."""
    workers: int | None = None
    """Processes that load pictures; None for none on a CPU and up to eight on a GPU."""
    threads: int | None = None
    """Of torch's operators on a CPU; None for the cores of this process's share."""


def train(
    model: str,
    *,
    train_set: str,
    to: Path | str | None = None,
    data: Path | str = "data",
    protocol: str | None = None,
    options: TrainOptions | None = None,
    command: Sequence[str] = ("ovrisisbench.train",),
    report: TrainReport | None = None,
) -> Path:
    """Train a model by its official recipe and return the file of its weights, ``model_final.safetensors``.

    Started by torchrun, the processes share every batch. The folder also gets
    ``log.jsonl``, ``curves.svg``, ``recipe.yaml`` and a file of weights for
    every checkpoint.

    Args:
        model: registered name, or ``file.py:Class``.
        train_set: key of a training set of the protocol; its training split must be prepared.
        to: folder for what training writes; None for ``trained/MODEL_BACKBONE_TRAIN-SET``.
        data: folder with prepared data sets.
        protocol: name or YAML file; says which variant and class names are trained with. None for the default one, or
            for the only one that has this training set.
        options: everything else.
        command: the words that started it, for the weights file; folders are cut off.
        report: told of every step, in the first process.

    Raises:
        OvrisisBenchError: any mistake in the input, as one sentence.
    """
    from ovrisisbench.evaluate.processes import joined_processes
    from ovrisisbench.train.engine import follow

    options = options or TrainOptions()
    to = Path(to) if to is not None else own_folder(model, options.backbone, train_set)
    checked = _checked(model, train_set, Path(data), protocol, options)
    with joined_processes(_backend(options.device)) as processes, alone(to, processes):
        plan = checked(processes)
        resolved, identity = plan.resolved, plan.identity()
        saved = saved_state(to, identity, resume=options.resume)
        if saved is None and (to / FINAL).is_file():
            return to / FINAL
        if processes.is_first:
            write_text(to / RECIPE, yaml.safe_dump(resolved.recipe.flat(), sort_keys=False))
        training = _start(plan, saved)
        return follow(plan.course(training, to, identity, command, report), saved)


def training_identity(
    model: str,
    *,
    train_set: str,
    data: Path,
    protocol: str | None,
    options: TrainOptions,
    digest: Callable[[Path], str],
) -> dict[str, Any]:
    """Return all that makes a training what it is: two with equal ones end with equal weights, up to rounding.

    ``digest`` gives the sha256 of a file of weights; everything else is as in :func:`train`.

    Raises:
        OvrisisBenchError: any mistake in the input, as one sentence.
    """
    from ovrisisbench.evaluate.processes import Processes

    return _checked(model, train_set, data, protocol, options)(Processes()).identity(digest)


def _checked(
    model: str, train_set: str, data: Path, protocol: str | None, options: TrainOptions
) -> Callable[[Processes], _Plan]:
    """Check what was asked for; what is left to be known is which processes share the work."""
    info = _trainable(model)
    rules = load_protocol(protocol or protocol_for_training_set(train_set))
    backbone = choose_backbone(info, options.backbone)
    options = with_shipped_encoders(info, backbone, options)
    resolved = _resolved(info, backbone, train_set, rules, options)
    dataset = _open_training_set(rules, train_set, data)
    return partial(_Plan, info, backbone, train_set, rules, resolved, dataset, options)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What was asked for, checked."""

    info: AdapterInfo
    backbone: str
    train_set: str
    rules: Protocol
    resolved: ResolvedRecipe
    dataset: PreparedDataset
    options: TrainOptions
    processes: Processes

    def __post_init__(self) -> None:
        recipe = self.resolved.recipe
        shares = self.processes.count * recipe.accumulate
        if recipe.batch % shares:
            raise TrainingError(
                f"A batch of {recipe.batch} cannot be shared by {self.processes.count} process(es) in "
                f"{recipe.accumulate} part(s) each; say --recipe batch= with a multiple of {shares}."
            )
        if self.precision == "tf32" and self.device == "cpu":
            raise TrainingError("--precision tf32 needs a CUDA device; use float32.")

    @property
    def device(self) -> str:
        from ovrisisbench.evaluate.device import resolve_device

        return resolve_device(self.options.device, local_rank=self.processes.local_rank)

    @property
    def precision(self) -> Precision:
        return self.options.precision or ("float32" if self.device == "cpu" else "tf32")

    @property
    def class_names(self) -> tuple[str, ...]:
        return load_vocabulary(self.rules.train_variant(self.train_set).vocabulary).class_names

    @property
    def untrained(self) -> bool:
        return self.options.untrained or self.backbone == "tiny"

    def split(self, *, train: bool) -> list[int]:
        """Return the samples of the training split, or all others."""
        return [index for index, sample in enumerate(self.dataset.samples) if (sample.split == _TRAIN) == train]

    def clip_weights(self) -> str | Path | None:
        given = self.options.clip_weights
        return CLIP_FROM_OPENAI if given is None and not self.untrained else given

    def identity(self, digest: Callable[[Path], str] | None = None) -> dict[str, Any]:
        """Return all that a resumed training must have in common with its beginning."""
        from ovrisisbench.adapter.checkpoints import file_digest

        digest = digest or file_digest
        options, clip = self.options, self.clip_weights()
        files = {
            "--checkpoint": options.checkpoint,
            **{f"--weights {name}": path for name, path in options.weights.items()},
        }
        if isinstance(clip, Path):
            files["--clip-weights"] = clip
        return {
            "model": self.info.name,
            "backbone": self.backbone,
            "train set": self.train_set,
            "data": self.dataset.manifest.digest,
            "class names": list(self.class_names),
            "seed": options.seed,
            "precision": self.precision,
            "device": self.device.partition(":")[0],
            **self.resolved.recipe.flat(),
            **{f"--set {name}": value for name, value in sorted(self.resolved.settings.items())},
            **{name: digest(path) for name, path in files.items() if path is not None},
        }

    def course(
        self,
        training: Training,
        folder: Path,
        identity: Mapping[str, Any],
        command: Sequence[str],
        report: TrainReport | None,
    ) -> Course:
        from ovrisisbench.train.engine import Course, TrainReport
        from ovrisisbench.train.loading import Crops

        options, recipe = self.options, self.resolved.recipe
        cores = max(1, available_cores() // self.processes.local_count)
        workers = options.workers
        if workers is None:
            workers = 0 if self.device == "cpu" else min(8, cores)
        return Course(
            training=training,
            crops=Crops(self.dataset, self.split(train=True), recipe, seed=options.seed),
            recipe=recipe,
            card=self._card(training, command),
            folder=folder,
            identity=identity,
            test=self._test_split(),
            device=self.device,
            precision=self.precision,
            threads=options.threads or cores,
            workers=workers,
            processes=self.processes,
            report=report or TrainReport(),
        )

    def _test_split(self) -> TestSplit | None:
        from ovrisisbench.train.engine import TestSplit

        others = self.split(train=False)
        if not others:
            return None
        return TestSplit(
            dataset=self.dataset,
            pictures=others,
            class_names=self.class_names,
            convention=self.rules.metric_convention,
        )

    def _card(self, training: Training, command: Sequence[str]) -> WeightsCard:
        from ovrisisbench.records import command_words, package_versions

        switches = {f"set.{name}": value for name, value in sorted(self.resolved.settings.items())}
        return WeightsCard(
            model=self.info.name,
            backbone=self.backbone,
            settings=dict(training.settings()),
            train_set=self.train_set,
            vocabulary=list(self.class_names),
            protocol=self.rules.name,
            protocol_id=self.rules.id,
            data_digest=self.dataset.manifest.digest,
            recipe={**self.resolved.recipe.flat(), **switches, "precision": self.precision},
            seed=self.options.seed,
            versions={name: version for name, version in package_versions().items() if version is not None},
            command=list(command_words(command)),
        )


def _trainable(model: str) -> AdapterInfo:
    info = find_adapter(model).info
    if not (info.trainer and info.recipe):
        others = ", ".join(found.info.name for found in list_adapters()[0] if found.info.trainer)
        why = "is not trained at all" if info.kind != "trained" else "has no trainer here"
        raise AdapterError(f"{info.title} {why}; models that can be trained are {others}.")
    return info


def with_shipped_encoders(info: AdapterInfo, backbone: str, options: TrainOptions) -> TrainOptions:
    """Complete the options by encoders that come with the package, where nothing else was said of them.

    Args:
        info: the model's description.
        backbone: of the network.
        options: what was said.

    Raises:
        CheckpointError: a shipped file is damaged.
    """
    if options.checkpoint is not None or options.untrained:
        return options
    shipped = {place: shipped_path(entry) for place, entry in find_encoders(info.name, backbone).items()}
    clip = shipped.pop(CLIP, None)
    return replace(
        options,
        clip_weights=clip if options.clip_weights is None else options.clip_weights,
        weights={**shipped, **options.weights},
    )


def _resolved(
    info: AdapterInfo, backbone: str, train_set: str, rules: Protocol, options: TrainOptions
) -> ResolvedRecipe:
    """Check everything that costs nothing to check."""
    if train_set not in rules.train_sets:
        raise AdapterError(
            f"'{train_set}' is not a training set of protocol {rules.name}, which has {', '.join(rules.train_sets)}."
            f"{did_you_mean(train_set, rules.train_sets)}"
        )
    for name, value in options.settings.items():
        check_setting(info, name, value)
    for name, path in options.weights.items():
        if name not in info.pretrained:
            raise AdapterError(
                f"{info.title} starts from no file named '{name}'; its encoders beside CLIP are "
                f"{', '.join(info.pretrained) or 'none'}.{did_you_mean(name, info.pretrained)}"
            )
        _check_there(path, f"--weights {name}=")
    if isinstance(options.clip_weights, Path):
        _check_there(options.clip_weights, "--clip-weights")
    if options.checkpoint is not None:
        _check_there(options.checkpoint, "--checkpoint")
        others = [name for name in options.weights if name not in info.beside]
        if options.clip_weights or others or options.untrained:
            raise CheckpointError(
                "--checkpoint holds all encoders already; leave out --clip-weights, --weights and --untrained."
            )
    return resolve_recipe(
        load_recipe(info.recipe),
        title=info.title,
        backbone=backbone,
        train_set=train_set,
        settings=options.settings,
        config=options.config,
        changes=options.recipe,
    )


def _check_there(path: Path, option: str) -> None:
    if not path.is_file():
        raise CheckpointError(f"There is no file at {path}; check the path given to {option}.")


def _open_training_set(rules: Protocol, train_set: str, data: Path) -> PreparedDataset:
    from ovrisisbench.prepare import prepared_path

    variant = rules.train_variant(train_set)
    path = prepared_path(data, train_set, variant.name)
    if not path.exists():
        raise DataError(
            f"{path} does not exist; run 'ovrisis-bench prepare {train_set} --variant {variant.name} --from DOWNLOAD "
            f"--to {data}' first."
        )
    dataset = open_prepared(rules, train_set, data, variant=variant)
    if not dataset.manifest.counts.get(_TRAIN):
        raise DataError(
            f"{path} was prepared without a training split; prepare {train_set} from a download that tells train from "
            "the rest."
        )
    return dataset


def _start(plan: _Plan, saved: SavedState | None) -> Training:
    options, resolved = plan.options, plan.resolved
    trainer: type[Trainer] = load_object(plan.info.trainer, what=f"the trainer of '{plan.info.name}'")
    checkpoint = saved.weights if saved else options.checkpoint
    return trainer.start(
        StartOptions(
            backbone=plan.backbone,
            class_names=plan.class_names,
            recipe=resolved.recipe,
            settings=resolved.settings,
            evaluation_settings=dict(options.settings),
            seed=options.seed,
            device=plan.device,
            checkpoint=checkpoint,
            clip_weights=None if checkpoint else plan.clip_weights(),
            pretrained={} if saved else dict(options.weights),
            untrained=plan.untrained,
        )
    )


def _backend(device: str) -> str:
    """Return what carries tensors between processes: gradients on GPUs by NCCL, all else by gloo."""
    import torch

    cuda = torch.cuda.is_available() and device != "cpu"
    return "cpu:gloo,cuda:nccl" if cuda else "gloo"
