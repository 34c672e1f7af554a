"""Checking what a run was asked to do, before anything heavy is loaded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

from ovrisisbench.adapter.interface import AdapterInfo, CheckpointReport, LoadOptions, Precision
from ovrisisbench.catalog import Protocol, Variant, is_outside, load_card, outside_training_sets, training_set_title
from ovrisisbench.catalog.training_sets import OUTSIDE_PREFIX
from ovrisisbench.errors import AdapterError, CheckpointError, DataError, did_you_mean

if TYPE_CHECKING:
    from ovrisisbench.adapter.registry import FoundAdapter
    from ovrisisbench.prepare import PreparedDataset

__all__ = [
    "WeightDigests",
    "backbone_meant",
    "check_setting",
    "check_train_set",
    "choose_backbone",
    "datasets_to_run",
    "examine_weights",
    "load_options",
    "open_prepared",
    "train_classes",
]


class Loading(TypedDict, total=False):
    """How a model is to be loaded; every key may be left out."""

    backbone: str | None
    """May be None where the model has only one; ``tiny``, the one for tests, does not count."""
    checkpoint: Path | str | None
    """File of trained weights."""
    untrained: bool
    """Seeded random weights instead of a checkpoint; records say so."""
    seed: int
    """Of random weights and draws; 0 by default."""
    device: str
    """``auto`` (the default), ``cpu``, ``cuda`` or ``cuda:N``."""
    precision: Precision
    """Arithmetic of matrix products; ``float32`` by default."""
    settings: Mapping[str, str]
    """Switches that differ from the model's defaults."""
    weights: Mapping[str, Path | str]
    """Files of weights beside the checkpoint, by the names that the model gives them."""


def load_options(info: AdapterInfo, *, local_rank: int = 0, **loading: Unpack[Loading]) -> LoadOptions:
    """Check how a model is to be loaded against what it offers.

    Args:
        info: the model's description.
        local_rank: number of this process on its machine; chooses the GPU.
        **loading: see :class:`Loading`.

    Raises:
        AdapterError: unknown backbone or setting, or neither checkpoint nor ``untrained``.
        CheckpointError: both of them.
        EvaluationError: no such device.
    """
    from ovrisisbench.evaluate.device import resolve_device

    backbone, checkpoint = loading.get("backbone"), loading.get("checkpoint")
    untrained, settings = loading.get("untrained", False), loading.get("settings", {})
    beside = {name: Path(path) for name, path in loading.get("weights", {}).items()}
    chosen = choose_backbone(info, backbone)
    for name, value in settings.items():
        check_setting(info, name, value)
    for name, path in beside.items():
        _check_beside(info, name, path)
    if untrained and (checkpoint is not None or beside):
        given_too = "--checkpoint" if checkpoint is not None else "--weights"
        raise CheckpointError(f"Both {given_too} and --untrained were given; leave one of them out.")
    if info.kind == "trained" and checkpoint is None and not untrained:
        raise AdapterError(
            f"{info.title} needs trained weights: give --checkpoint FILE (see 'ovrisis-bench models {info.name}'), "
            "or --untrained to try the machinery with random ones."
        )
    return LoadOptions(
        backbone=chosen,
        checkpoint=None if checkpoint is None else Path(checkpoint),
        untrained=untrained,
        seed=loading.get("seed", 0),
        device=resolve_device(loading.get("device", "auto"), local_rank=local_rank),
        precision=loading.get("precision", "float32"),
        settings=dict(settings),
        beside=beside,
    )


def choose_backbone(info: AdapterInfo, wanted: str | None) -> str:
    """Return the backbone that is meant; None means the only one, ``tiny`` not counted.

    Raises:
        AdapterError: an unknown one, or none where there are several.
    """
    chosen = wanted or backbone_meant(info)
    if chosen is None or chosen not in info.backbones:
        hint = did_you_mean(chosen, info.backbones) if chosen else ""
        given = f"'{chosen}' is not a backbone of {info.name}" if chosen else f"{info.name} has several backbones"
        raise AdapterError(f"{given}; give one of {', '.join(info.backbones)} to --backbone.{hint}")
    return chosen


def backbone_meant(info: AdapterInfo) -> str | None:
    """Return the backbone meant when none is named: the only one, small networks for tests beside it not counted."""
    candidates = [name for name in info.backbones if name != "tiny"] or list(info.backbones)
    return candidates[0] if len(candidates) == 1 else None


def check_train_set(info: AdapterInfo, train_set: str | None, *, untrained: bool, protocol: Protocol) -> None:
    """Check that the training set is named where a record needs it.

    Raises:
        AdapterError: missing for trained weights, given for a model that is not trained, or unknown to the protocol.
    """
    if train_set is None:
        if info.kind == "trained" and not untrained:
            raise AdapterError(
                f"Say with --train-set what the weights of {info.title} were trained on: "
                f"{', '.join(protocol.train_sets)}; official weights {', '.join(outside_training_sets())}; "
                f"anything else {OUTSIDE_PREFIX}NAME."
            )
        return
    if info.kind != "trained":
        raise AdapterError(f"{info.title} is not trained on any data set; leave out --train-set {train_set}.")
    if train_set not in protocol.train_sets and not is_outside(train_set):
        known = [*protocol.train_sets, *outside_training_sets()]
        raise AdapterError(
            f"'{train_set}' is not a training set of protocol {protocol.name}, which has "
            f"{', '.join(protocol.train_sets)}, nor one of {', '.join(outside_training_sets())}; for anything else say "
            f"{OUTSIDE_PREFIX}NAME.{did_you_mean(train_set, known)}"
        )


def datasets_to_run(protocol: Protocol, wanted: Sequence[str] | None, data: Path) -> list[str]:
    """Return the keys of the data sets to measure, in the protocol's order.

    Args:
        protocol: the rules.
        wanted: keys; None for all that are prepared.
        data: folder with prepared data sets.

    Raises:
        CatalogError: a data set that the protocol does not test.
        DataError: a wanted data set, or all of them, are not prepared.
    """
    from ovrisisbench.prepare import prepared_path

    for key in wanted or ():
        protocol.test_set(key)
    here = [key for key in protocol.datasets if prepared_path(data, key, protocol.variant(key).name).exists()]
    if wanted is None:
        if not here:
            raise DataError(
                f"No data set of protocol {protocol.name} is prepared in {data}; "
                f"begin with 'ovrisis-bench prepare {protocol.datasets[0]} --from DOWNLOAD'."
            )
        return here
    absent = [key for key in wanted if key not in here]
    if absent:
        first, variant = absent[0], protocol.variant(absent[0]).name
        option = "" if variant == load_card(first).default_variant else f" --variant {variant}"
        raise DataError(
            f"{', '.join(absent)} is not prepared in {data}; run 'ovrisis-bench prepare {first}{option} --from "
            f"DOWNLOAD --to {data}' first, or say with --data where it is."
        )
    return [key for key in protocol.datasets if key in wanted]


def open_prepared(protocol: Protocol, key: str, data: Path, *, variant: Variant | None = None) -> PreparedDataset:
    """Open a prepared data set and check that it is the one the protocol tests.

    Args:
        protocol: the rules.
        key: of the data set.
        data: folder with prepared data sets.
        variant: None for the one that is tested.

    Raises:
        DataError: unreadable, another variant, or prepared by other rules than the card has now.
    """
    from ovrisisbench.prepare import PreparedDataset, prepared_path, rules_digest

    variant = variant or protocol.variant(key)
    dataset = PreparedDataset(prepared_path(data, key, variant.name))
    manifest = dataset.manifest
    again = f"run 'ovrisis-bench prepare {key} --variant {variant.name}' again"
    if manifest.dataset != key or manifest.variant != variant.name:
        raise DataError(
            f"{dataset.path} holds {manifest.dataset} in the variant '{manifest.variant}', but protocol "
            f"{protocol.name} needs {key} in the variant '{variant.name}'; {again}."
        )
    if manifest.rules_digest != rules_digest(load_card(key), variant):
        raise DataError(
            f"{dataset.path} was prepared by other rules (labels, windows or class names) than the card of {key} has "
            f"now; {again}."
        )
    return dataset


@dataclass(frozen=True, slots=True)
class WeightDigests:
    """The sha256 of every file of weights that a run uses."""

    checkpoint: str | None = None
    beside: Mapping[str, str] = field(default_factory=dict)
    """By the names that the model gives to the files."""


def examine_weights(
    found: FoundAdapter,
    options: LoadOptions,
    class_counts: Mapping[str, int],
    *,
    train_set: str | None = None,
    train_classes: int | None = None,
) -> WeightDigests:
    """Let the doctor look at the checkpoint before it is loaded, and digest every file of weights.

    Args:
        found: the model that is to load it.
        options: with the checkpoint.
        class_counts: number of classes of each data set to be run.
        train_set: what the weights are said to be trained on.
        train_classes: its number of classes, where that is known.

    Raises:
        CheckpointError: unreadable, another model's, bound to another number of classes, or trained with another
            number of classes than the training set has.
    """
    from ovrisisbench.adapter.checkpoints import file_digest

    beside = {name: file_digest(path) for name, path in options.beside.items()}
    checkpoint = _examined(found, options, class_counts, train_set, train_classes)
    return WeightDigests(checkpoint, beside)


def train_classes(protocol: Protocol, train_set: str | None) -> int | None:
    """Return the number of classes of a training set; None where it is not known."""
    if train_set is None:
        return None
    if train_set in outside_training_sets():
        return outside_training_sets()[train_set].classes
    return len(protocol.vocabulary(train_set).class_names) if train_set in protocol.datasets else None


def _examined(
    found: FoundAdapter,
    options: LoadOptions,
    class_counts: Mapping[str, int],
    train_set: str | None,
    train_classes: int | None,
) -> str | None:
    from ovrisisbench.adapter.doctor import diagnose

    if options.checkpoint is None:
        return None
    diagnosis = diagnose(options.checkpoint, also=found)
    own = [report for report in diagnosis.reports if report.model == found.info.name]
    # Two models may share a network under some settings: where settings were given, or stand on the file's card, the
    # model itself says whether the file is its own.
    if diagnosis.reports and not own and found.info.checkpoint_reader and not options.settings:
        other = diagnosis.reports[0]
        raise CheckpointError(
            f"{options.checkpoint} belongs to {other.model} ({other.backbone}), not to {found.info.name}; "
            f"say --model {other.model}, or give another file."
        )
    if own:
        _check_sizes(options.checkpoint, own[0], class_counts, train_set, train_classes)
    return diagnosis.sha256


def _check_sizes(
    checkpoint: Path,
    report: CheckpointReport,
    class_counts: Mapping[str, int],
    train_set: str | None,
    train_classes: int | None,
) -> None:
    for key, count in class_counts.items():
        if report.vocabulary_size is not None and report.vocabulary_size != count:
            raise CheckpointError(
                f"{checkpoint} is bound to {report.vocabulary_size} classes, but {key} has {count}; "
                "leave that data set out, or give another file."
            )
    if train_set is None or train_classes is None or report.trained_classes in (None, train_classes):
        return
    raise CheckpointError(
        f"{checkpoint} was trained with {report.trained_classes} classes, but {training_set_title(train_set)} has "
        f"{train_classes}; say with --train-set what it was trained on."
    )


def _check_beside(info: AdapterInfo, name: str, path: Path) -> None:
    if name not in info.beside:
        known = ", ".join(info.beside) or "none"
        raise AdapterError(
            f"{info.title} takes no file named '{name}' beside its checkpoint; it takes {known}."
            f"{did_you_mean(name, info.beside)}"
        )
    if not path.is_file():
        raise CheckpointError(f"There is no file at {path}; check the path given to --weights {name}=.")


def check_setting(info: AdapterInfo, name: str, value: str) -> None:
    """Refuse a switch that a model does not have, or a value that it does not take.

    Raises:
        AdapterError: names what there is.
    """
    if name not in info.settings:
        hint = did_you_mean(name, info.settings)
        known = ", ".join(info.settings) or "none"
        raise AdapterError(f"{info.title} has no setting '{name}'; it has {known}.{hint}")
    choices = info.settings[name].choices
    if choices and value not in choices:
        raise AdapterError(
            f"Setting '{name}' of {info.title} is '{value}', but must be one of {', '.join(choices)}."
            f"{did_you_mean(value, choices)}"
        )
