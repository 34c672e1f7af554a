"""What was counted, with where it comes from, as a record on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ovrisisbench.adapter.interface import Adapter, LoadOptions, ParameterCounter
from ovrisisbench.adapter.registry import FoundAdapter
from ovrisisbench.benchmark.inputs import WeightDigests
from ovrisisbench.catalog import Protocol

if TYPE_CHECKING:
    from ovrisisbench.benchmark.held_out import Exposure
    from ovrisisbench.evaluate.processes import Processes
    from ovrisisbench.evaluate.run import Evaluation
    from ovrisisbench.prepare import PreparedDataset
    from ovrisisbench.records import CountsTable, ModelUsed, Parameters, Record, Run

__all__ = ["Drive", "LoadedModel", "make_record"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedModel:
    """A model as it was loaded, with everything that can change its scores."""

    adapter: Adapter
    found: FoundAdapter
    options: LoadOptions
    train_set: str | None
    digests: WeightDigests
    settings: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)
    """What :meth:`Adapter.describe` says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drive:
    """How images are driven through the model; nothing here changes a count."""

    processes: Processes
    batch_size: int
    threads: int
    command: tuple[str, ...]
    """The words that started the run."""


def make_record(
    evaluation: Evaluation,
    model: LoadedModel,
    *,
    dataset: PreparedDataset,
    rules: Protocol,
    exposure: Exposure,
    drive: Drive,
) -> tuple[Record, CountsTable]:
    """Make the record of one data set and the table of its per-image counts.

    Args:
        evaluation: what was counted.
        model: of which model.
        dataset: on which data.
        rules: by which protocol.
        exposure: which images the protocol tests, and what the model has seen of the data set in training.
        drive: how it was done.
    """
    from ovrisisbench.records import CountsTable, DatasetUsed, ProtocolUsed, Record

    manifest = dataset.manifest
    counts = CountsTable.from_images(
        evaluation.images,
        scenes={sample.id: sample.scene for sample in dataset.samples},
        num_classes=evaluation.num_classes,
    )
    record = Record.from_counts(
        counts,
        model=_model_used(model),
        protocol=ProtocolUsed.of(rules),
        dataset=DatasetUsed.of(
            manifest,
            images=len(evaluation.images),
            images_total=len(exposure.tested),
            partial_reasons=exposure.partial_reasons,
            seen=exposure.seen,
        ),
        class_names=rules.vocabulary(manifest.dataset).class_names,
        convention=rules.metric_convention,
        run=_run_of(evaluation, model, drive),
    )
    return record, counts


def _model_used(model: LoadedModel) -> ModelUsed:
    from ovrisisbench.records import CheckpointUsed, ModelUsed

    info, options = model.found.info, model.options
    checkpoint = None
    if options.checkpoint is not None and model.digests.checkpoint is not None:
        checkpoint = CheckpointUsed(file=options.checkpoint.name, sha256=model.digests.checkpoint)
    return ModelUsed(
        name=info.name,
        title=info.title,
        adapter=model.found.origin,
        kind=info.kind,
        backbone=options.backbone,
        train_set=model.train_set,
        weights="checkpoint" if checkpoint else "untrained" if options.untrained else "none",
        checkpoint=checkpoint,
        beside={
            name: CheckpointUsed(file=options.beside[name].name, sha256=digest)
            for name, digest in model.digests.beside.items()
        },
        seed=None if checkpoint else options.seed,
        settings=dict(model.settings),
        precision=options.precision,
    )


def _run_of(evaluation: Evaluation, model: LoadedModel, drive: Drive) -> Run:
    from ovrisisbench.evaluate.device import device_name
    from ovrisisbench.records import ImageTimes, Run, surroundings

    return Run(
        device=device_name(model.options.device),
        processes=drive.processes.count,
        batch_size=drive.batch_size,
        seconds=round(evaluation.seconds, 3),
        resumed_images=evaluation.resumed_images,
        image_ms=ImageTimes.of([image.milliseconds for image in evaluation.images]),
        parameters=_parameters(model.adapter),
        **surroundings(drive.command),
    )


def _parameters(adapter: Adapter) -> Parameters | None:
    """Count the parameters of adapters that count them, or keep a torch module as ``network``."""
    from ovrisisbench.records import Parameters

    if isinstance(adapter, ParameterCounter):
        counts = adapter.count_parameters()
        return Parameters(total=counts.total, trainable=counts.trainable)
    network = getattr(adapter, "network", None)
    if network is None or not hasattr(network, "parameters"):
        return None
    sizes = [(parameter.numel(), parameter.requires_grad) for parameter in network.parameters()]
    return Parameters(
        total=sum(size for size, _ in sizes), trainable=sum(size for size, trainable in sizes if trainable)
    )
