"""A whole run: one model on the test sets of one protocol, to records on disk.

This is what ``ovrisis-bench run`` calls. Records of several processes,
interrupted and resumed runs, and any batch size are the same in everything but
their ``run`` section.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from ovrisisbench import __version__
from ovrisisbench.adapter.interface import TruthReader
from ovrisisbench.adapter.registry import find_adapter
from ovrisisbench.benchmark.floors import floor_warning
from ovrisisbench.benchmark.held_out import Exposure, exposures, training_images
from ovrisisbench.benchmark.inputs import (
    Loading,
    check_train_set,
    datasets_to_run,
    examine_weights,
    load_options,
    open_prepared,
    train_classes,
)
from ovrisisbench.benchmark.keeping import Keeping, check_cost_maps, keep_cost_maps, kept_labels, move_labels
from ovrisisbench.benchmark.known_weights import informed
from ovrisisbench.benchmark.recording import Drive, LoadedModel, make_record
from ovrisisbench.catalog import DEFAULT_PROTOCOL, Protocol, load_protocol, protocol_for_training_set
from ovrisisbench.catalog.identity import content_digest
from ovrisisbench.errors import RecordError

if TYPE_CHECKING:
    from ovrisisbench.prepare import PreparedDataset
    from ovrisisbench.records import Record

__all__ = ["RunReport", "available_cores", "run"]

_JOURNALS = ".unfinished"
"""Folder in the results folder that holds what interrupted runs have finished."""


class RunReport:
    """What a caller of :func:`run` may want to hear; override what is of interest."""

    def note(self, sentence: str) -> None:
        """Be told what a card, or the package, has added to what was asked for."""

    def start(self, dataset: str, images: int) -> None:
        """Be told that a data set begins."""

    def progress(self, finished: int, wanted: int) -> None:
        """Be told how many of this process's images are finished."""

    def replace(self, old: Record, new: Record) -> None:
        """Be told that an earlier result of the same run had other counts, before it is replaced."""

    def finish(self, record: Record, path: Path) -> None:
        """Be told that a record was written; only in the first process."""

    def warn(self, sentence: str) -> None:
        """Be told at the end what makes the records doubtful, such as a model that does not beat a floor."""


def run(
    model: str,
    *,
    train_set: str | None = None,
    datasets: Sequence[str] | None = None,
    data: Path | str = "data",
    results: Path | str = "results",
    protocol: str | None = None,
    limit: int | None = None,
    batch_size: int = 1,
    threads: int | None = None,
    label_maps: bool = False,
    cost_maps: int = 0,
    command: Sequence[str] = ("ovrisisbench.run",),
    report: RunReport | None = None,
    **loading: Unpack[Loading],
) -> list[Record]:
    """Measure one model and write a record for each data set.

    Start it again after an interruption and it goes on with the images that are
    left. Under torchrun the processes share the images; the first one writes.

    Args:
        model: registered name, or ``file.py:Class``.
        train_set: key of the data set that the weights were trained on; needed for trained weights whose card does
            not say it.
        datasets: keys; None for every data set of the protocol that is prepared.
        data: folder with prepared data sets.
        results: folder for records.
        protocol: name or YAML file, with ``+dataset:variant`` for other variants; None for the default one, or for
            the only other one that has this training set.
        limit: measure only so many images, evenly spread over the data set; the record is marked.
        batch_size: images handed to the model at once.
        threads: batches in flight on a CPU; None for the cores of this process's share.
        label_maps: keep every predicted label map as a PNG beside the record, which stays the same.
        cost_maps: keep the cost maps of so many images of each data set beside the record: the worst, the middle
            and the best of them by the model's own figures.
        command: the words that started the run, for the record; folders are cut off.
        report: told of every step.
        **loading: backbone, checkpoint and so on, see :class:`Loading`; what is left out is taken from the card of the
            checkpoint, and the checkpoint from the package where it ships one for model, backbone and training set.

    Returns:
        The records in the order of the data sets; in processes other than the first, an empty list.

    Raises:
        OvrisisBenchError: any mistake in the input, as one sentence; finished images are kept.
    """
    from ovrisisbench.evaluate.processes import joined_processes

    data, results, report = Path(data), Path(results), report or RunReport()
    found = find_adapter(model)
    completed = informed(found.info, train_set, loading)
    train_set = completed.train_set
    rules = load_protocol(protocol or protocol_for_training_set(train_set))
    check_train_set(found.info, train_set, untrained=loading.get("untrained", False), protocol=rules)
    for sentence in completed.notes:
        report.note(sentence)
    if protocol is None and rules.name != DEFAULT_PROTOCOL:
        report.note(f"Protocol {rules.name}: the one that has the training set {train_set}.")
    keys = datasets_to_run(rules, datasets, data)
    prepared = [open_prepared(rules, key, data) for key in keys]
    exposed = exposures(rules, prepared, training_images(rules, train_set, data))
    with joined_processes() as processes:
        drive = Drive(
            processes=processes,
            batch_size=batch_size,
            threads=threads or max(1, available_cores() // processes.local_count),
            command=tuple(command),
        )
        options = load_options(found.info, local_rank=processes.local_rank, **completed.loading)
        sizes = {key: len(rules.vocabulary(key).class_names) for key in keys}
        digests = examine_weights(
            found, options, sizes, train_set=train_set, train_classes=train_classes(rules, train_set)
        )
        adapter = found.load_class().load(options)
        loaded = LoadedModel(
            adapter=adapter,
            found=found,
            options=options,
            train_set=train_set,
            digests=digests,
            settings=dict(adapter.describe()),
        )
        keeping = Keeping(label_maps=label_maps, cost_maps=cost_maps)
        check_cost_maps(keeping, loaded)
        records = [
            _measured(
                loaded,
                dataset,
                exposure,
                rules=rules,
                limit=limit,
                results=results,
                drive=drive,
                keeping=keeping,
                report=report,
            )
            for dataset, exposure in zip(prepared, exposed, strict=True)
        ]
    written = [record for record in records if record is not None]
    doubt = floor_warning(written)
    if doubt is not None:
        report.warn(doubt)
    return written


def _measured(
    model: LoadedModel,
    dataset: PreparedDataset,
    exposure: Exposure,
    *,
    rules: Protocol,
    limit: int | None,
    results: Path,
    drive: Drive,
    keeping: Keeping,
    report: RunReport,
) -> Record | None:
    """Measure one data set and write its record; None in processes other than the first."""
    from ovrisisbench.evaluate.journal import Journal, remove_journals
    from ovrisisbench.evaluate.run import RunOptions, evaluate
    from ovrisisbench.records import write_record

    info, key = model.found.info, dataset.manifest.dataset
    wanted = _spread(exposure.tested, limit)
    names = rules.vocabulary(key).class_names
    truth = _histogram(dataset, wanted, len(names)) if info.reads_truth else None
    if truth is not None and isinstance(model.adapter, TruthReader):
        model.adapter.see_truth(truth)
    report.start(key, len(wanted))
    folder = results / _JOURNALS / _journal_name(model, dataset, rules, truth)
    kept = kept_labels(keeping, folder, dataset)
    with Journal(folder, rank=drive.processes.rank) as journal:
        evaluation = evaluate(
            model.adapter,
            dataset,
            wanted,
            class_names=names,
            journal=journal,
            options=RunOptions(
                device=model.options.device,
                precision=model.options.precision,
                batch_size=drive.batch_size,
                threads=drive.threads if info.concurrent else 1,
            ),
            processes=drive.processes,
            on_progress=report.progress,
            kept=kept,
        )
    if not drive.processes.is_first:
        return None
    record, counts = make_record(evaluation, model, dataset=dataset, rules=rules, exposure=exposure, drive=drive)
    _report_difference(record, results, report)
    path = write_record(record, counts, results)
    move_labels(kept, record, path)
    remove_journals(folder)
    keep_cost_maps(keeping.cost_maps, model, dataset, record=record, counts=counts, path=path)
    report.finish(record, path)
    return record


def _report_difference(record: Record, results: Path, report: RunReport) -> None:
    from ovrisisbench.records import read_record, record_path

    path = record_path(record, results)
    if not path.exists():
        return
    try:
        old = read_record(path)
    except RecordError:
        return  # a damaged record is worth less than the new one, and what was just measured must not be lost
    if old.result_digest() != record.result_digest():
        report.replace(old, record)


def _journal_name(model: LoadedModel, dataset: PreparedDataset, rules: Protocol, truth: Sequence[int] | None) -> str:
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
        "weights": model.digests.checkpoint or ["untrained", options.seed],
        **({"beside": dict(model.digests.beside)} if model.digests.beside else {}),
        "settings": dict(model.settings),
        "told": truth,
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


def available_cores() -> int:
    """Return the cores this process may use, which containers and job systems restrict."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
