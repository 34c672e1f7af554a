"""A whole run: one model on the test sets of one protocol, to records on disk.

This is what ``ovrisis-bench run`` calls. Records of several processes,
interrupted and resumed runs, and any batch size are the same in everything but
their ``run`` section.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ovrisisbench import __version__
from ovrisisbench.adapter.interface import Adapter, LoadOptions, Precision, TruthReader
from ovrisisbench.adapter.registry import FoundAdapter, find_adapter
from ovrisisbench.catalog import DEFAULT_PROTOCOL, Protocol, load_protocol
from ovrisisbench.catalog.identity import content_digest
from ovrisisbench.run_inputs import (
    check_train_set,
    datasets_to_run,
    examine_checkpoint,
    load_options,
    open_prepared,
    tested_samples,
)

if TYPE_CHECKING:
    from ovrisisbench.evaluate.processes import Processes
    from ovrisisbench.evaluate.run import Evaluation
    from ovrisisbench.prepare import PreparedDataset
    from ovrisisbench.records import ModelUsed, Parameters, Record, Run

__all__ = ["RunReport", "run"]

_JOURNALS = ".unfinished"
"""Folder in the results folder that holds what interrupted runs have finished."""


class RunReport:
    """What a caller of :func:`run` may want to hear; override what is of interest."""

    def loading(self, title: str) -> None:
        """Be told that the model is being loaded."""

    def start(self, dataset: str, images: int) -> None:
        """Be told that a data set begins."""

    def progress(self, finished: int, wanted: int) -> None:
        """Be told how many of this process's images are finished."""

    def replace(self, old: Record, new: Record) -> None:
        """Be told that an earlier result of the same run had other counts, before it is replaced."""

    def finish(self, record: Record, path: Path) -> None:
        """Be told that a record was written; only in the first process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Model:
    found: FoundAdapter
    options: LoadOptions
    train_set: str | None
    checkpoint_sha256: str | None
    settings: Mapping[str, str | int | float | bool | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Work:
    """How images are driven; nothing here changes a count."""

    processes: Processes
    batch_size: int
    threads: int
    limit: int | None
    command: tuple[str, ...]


def run(
    model: str,
    *,
    backbone: str | None = None,
    train_set: str | None = None,
    checkpoint: Path | None = None,
    untrained: bool = False,
    seed: int = 0,
    settings: Mapping[str, str] | None = None,
    datasets: Sequence[str] | None = None,
    data: Path = Path("data"),
    results: Path = Path("results"),
    protocol: str = DEFAULT_PROTOCOL,
    limit: int | None = None,
    device: str = "auto",
    precision: Precision = "float32",
    batch_size: int = 1,
    threads: int | None = None,
    command: Sequence[str] = ("ovrisisbench.run",),
    report: RunReport | None = None,
) -> list[Record]:
    """Measure one model and write a record for each data set.

    Start it again after an interruption and it goes on with the images that are
    left. Under torchrun the processes share the images; the first one writes.

    Args:
        model: registered name, or ``file.py:Class``.
        backbone: see :func:`load_options`, also for ``checkpoint`` to ``settings``.
        train_set: key of the data set that the weights were trained on; needed for trained weights.
        checkpoint: file of trained weights.
        untrained: seeded random weights.
        seed: of random weights and draws.
        settings: switches of the model.
        datasets: keys; None for every data set of the protocol that is prepared.
        data: folder with prepared data sets.
        results: folder for records.
        protocol: name or YAML file.
        limit: measure only so many images, evenly spread over the data set; the record is marked.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        precision: arithmetic of matrix products.
        batch_size: images handed to the model at once.
        threads: batches in flight on a CPU; None for the cores of this process's share.
        command: the words that started the run, for the record; folders are cut off.
        report: told of every step.

    Returns:
        The records in the order of the data sets; in processes other than the first, an empty list.

    Raises:
        OvrisisBenchError: any mistake in the input, as one sentence; finished images are kept.
    """
    from ovrisisbench.evaluate.processes import joined_processes

    report = report or RunReport()
    rules = load_protocol(protocol)
    found = find_adapter(model)
    check_train_set(found.info, train_set, untrained=untrained, protocol=rules)
    keys = datasets_to_run(rules, datasets, data)
    prepared = [open_prepared(rules, key, data) for key in keys]
    with joined_processes() as processes:
        options = load_options(
            found.info,
            backbone=backbone,
            checkpoint=checkpoint,
            untrained=untrained,
            seed=seed,
            device=device,
            precision=precision,
            settings=settings,
            local_rank=processes.local_rank,
        )
        work = _Work(
            processes=processes,
            batch_size=batch_size,
            threads=threads or max(1, _cores() // processes.local_count),
            limit=limit,
            command=tuple(command),
        )
        report.loading(found.info.title)
        sizes = {key: len(rules.vocabulary(key).class_names) for key in keys}
        digest, _ = examine_checkpoint(found, options, sizes)
        adapter = found.load_class().load(options)
        described = _Model(
            found=found,
            options=options,
            train_set=train_set,
            checkpoint_sha256=digest,
            settings=dict(adapter.describe()),
        )
        records = [
            _measured(adapter, model=described, dataset=dataset, rules=rules, results=results, work=work, report=report)
            for dataset in prepared
        ]
    return [record for record in records if record is not None]


def _measured(
    adapter: Adapter,
    *,
    model: _Model,
    dataset: PreparedDataset,
    rules: Protocol,
    results: Path,
    work: _Work,
    report: RunReport,
) -> Record | None:
    """Measure one data set and write its record; None in processes other than the first."""
    from ovrisisbench.evaluate.journal import Journal, remove_journals
    from ovrisisbench.evaluate.run import RunOptions, evaluate

    key = dataset.manifest.dataset
    tested = tested_samples(rules, dataset, model.train_set)
    wanted = _spread(tested, work.limit)
    names = rules.vocabulary(key).class_names
    if model.found.info.reads_truth and isinstance(adapter, TruthReader):
        adapter.see_truth(_histogram(dataset, wanted, len(names)))
    report.start(key, len(wanted))
    folder = results / _JOURNALS / _journal_name(model, dataset, rules)
    with Journal(folder, rank=work.processes.rank) as journal:
        evaluation = evaluate(
            adapter,
            dataset,
            wanted,
            class_names=names,
            journal=journal,
            options=RunOptions(
                device=model.options.device,
                precision=model.options.precision,
                batch_size=work.batch_size,
                threads=work.threads if model.found.info.concurrent else 1,
            ),
            processes=work.processes,
            on_progress=report.progress,
        )
    if not work.processes.is_first:
        return None
    record, path = _written(
        evaluation,
        adapter,
        model=model,
        dataset=dataset,
        rules=rules,
        images_total=len(tested),
        results=results,
        work=work,
        report=report,
    )
    remove_journals(folder)
    report.finish(record, path)
    return record


def _written(
    evaluation: Evaluation,
    adapter: Adapter,
    *,
    model: _Model,
    dataset: PreparedDataset,
    rules: Protocol,
    images_total: int,
    results: Path,
    work: _Work,
    report: RunReport,
) -> tuple[Record, Path]:
    from ovrisisbench.records import (
        CountsTable,
        DatasetUsed,
        ProtocolUsed,
        Record,
        read_record,
        record_path,
        write_record,
    )

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
        dataset=DatasetUsed(
            key=manifest.dataset,
            variant=manifest.variant,
            digest=manifest.digest,
            images=len(evaluation.images),
            images_total=images_total,
            limited=len(evaluation.images) < images_total,
            partial=manifest.partial,
            partial_reasons=manifest.partial_reasons,
        ),
        class_names=rules.vocabulary(manifest.dataset).class_names,
        convention=rules.metric_convention,
        run=_run_of(evaluation, adapter, model, work),
    )
    path = record_path(record, results)
    if path.exists():
        old = read_record(path)
        if old.result_digest() != record.result_digest():
            report.replace(old, record)
    return record, write_record(record, counts, results)


def _model_used(model: _Model) -> ModelUsed:
    from ovrisisbench.records import CheckpointUsed, ModelUsed

    info, options = model.found.info, model.options
    checkpoint = None
    if options.checkpoint is not None and model.checkpoint_sha256 is not None:
        checkpoint = CheckpointUsed(file=options.checkpoint.name, sha256=model.checkpoint_sha256)
    return ModelUsed(
        name=info.name,
        title=info.title,
        adapter=model.found.origin,
        kind=info.kind,
        backbone=options.backbone,
        train_set=model.train_set,
        weights="checkpoint" if checkpoint else "untrained" if options.untrained else "none",
        checkpoint=checkpoint,
        seed=None if checkpoint else options.seed,
        settings=dict(model.settings),
        precision=options.precision,
    )


def _run_of(evaluation: Evaluation, adapter: Adapter, model: _Model, work: _Work) -> Run:
    from ovrisisbench.evaluate.device import device_name
    from ovrisisbench.records import (
        ImageTimes,
        Run,
        command_words,
        package_versions,
        platform_words,
        python_version,
        utc_now,
    )

    return Run(
        date=utc_now(),
        device=device_name(model.options.device),
        processes=work.processes.count,
        batch_size=work.batch_size,
        seconds=round(evaluation.seconds, 3),
        resumed_images=evaluation.resumed_images,
        image_ms=ImageTimes.of([image.milliseconds for image in evaluation.images]),
        parameters=_parameters(adapter),
        packages=package_versions(),
        python=python_version(),
        platform=platform_words(),
        command=command_words(work.command),
    )


def _journal_name(model: _Model, dataset: PreparedDataset, rules: Protocol) -> str:
    """Name a journal by everything that can change a count, so that none is continued with something else."""
    import torch

    info, options = model.found.info, model.options
    identity = {
        "harness": __version__,
        "torch": torch.__version__,
        "device": options.device.partition(":")[0],
        "protocol": rules.id,
        "data": dataset.manifest.digest,
        "model": [info.name, model.found.origin, options.backbone, model.train_set, options.precision],
        "weights": model.checkpoint_sha256 or ["untrained", options.seed],
        "settings": dict(model.settings),
    }
    return f"{info.name}_{dataset.manifest.dataset}_{content_digest(identity)[:16]}"


def _spread(indices: Sequence[int], limit: int | None) -> list[int]:
    """Return ``limit`` of the indices, evenly spread, so that a short run sees many scenes."""
    if limit is None or limit >= len(indices):
        return list(indices)
    return [indices[position * len(indices) // limit] for position in range(limit)]


def _histogram(dataset: PreparedDataset, wanted: Sequence[int], num_classes: int) -> list[int]:
    totals = [0] * num_classes
    for index in wanted:
        for value, pixels in dataset.samples[index].histogram.items():
            if int(value) < num_classes:
                totals[int(value)] += pixels
    return totals


def _parameters(adapter: Adapter) -> Parameters | None:
    """Count the parameters of adapters that keep a torch module as ``network``."""
    from ovrisisbench.records import Parameters

    network = getattr(adapter, "network", None)
    if network is None or not hasattr(network, "parameters"):
        return None
    sizes = [(parameter.numel(), parameter.requires_grad) for parameter in network.parameters()]
    return Parameters(
        total=sum(size for size, _ in sizes), trainable=sum(size for size, trainable in sizes if trainable)
    )


def _cores() -> int:
    """Return the cores this process may use, which containers and job systems restrict."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
