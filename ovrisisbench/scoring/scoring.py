"""Counting predictions that were made elsewhere, by the rules and the code of ``run``."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ovrisisbench.benchmark.held_out import Exposure, exposures, training_images
from ovrisisbench.benchmark.inputs import datasets_to_run, open_prepared
from ovrisisbench.benchmark.keeping import Keeping, kept_labels, move_labels
from ovrisisbench.catalog import (
    DEFAULT_PROTOCOL,
    Protocol,
    is_outside,
    load_card,
    load_protocol,
    outside_training_sets,
    protocol_for_training_set,
    protocols_testing,
)
from ovrisisbench.catalog.training_sets import OUTSIDE_PREFIX, UNSTATED
from ovrisisbench.errors import AdapterError, DataError, did_you_mean
from ovrisisbench.scoring.counting import Counting
from ovrisisbench.scoring.folder import Matched, extra_sentence, match_files, missing_sentence
from ovrisisbench.scoring.report import ScoreReport
from ovrisisbench.scoring.value_names import Values, legend_names, read_names

if TYPE_CHECKING:
    from ovrisisbench.prepare import PreparedDataset
    from ovrisisbench.records import DatasetUsed, ModelUsed, Record, Run

__all__ = ["NO_TRAINING", "score"]

NO_TRAINING: Final = "none"
"""Said of a model that was trained on no segmentation data at all."""


def score(
    predictions: Path | str,
    dataset: str,
    *,
    model_name: str,
    vocabulary: Path | str | None = None,
    values: Values = "auto",
    train_set: str | None = None,
    backbone: str = "unstated",
    source: str | None = None,
    protocol: str | None = None,
    data: Path | str = "data",
    results: Path | str = "results",
    allow_missing: bool = False,
    allow_extra: bool = False,
    label_maps: bool = False,
    command: Sequence[str] = ("ovrisisbench.score",),
    report: ScoreReport | None = None,
) -> Record:
    """Score label maps or class scores that anything has made, and write a record marked as such.

    Args:
        predictions: folder with one file for each image: PNG, TIFF, NPZ or NPY, by the id of the image.
        dataset: key of the prepared data set.
        model_name: as tables shall print it.
        vocabulary: YAML or JSON file that names the class of each value; None for indices of the data set's
            vocabulary, and colours of its legend.
        values: whether palettes mean their indices or their colours.
        train_set: what the model was trained on, as for ``run``; ``none`` for nothing; None if it is not said.
        backbone: of the model, for the groups of the table.
        source: words on what made the predictions, for the record.
        protocol: name or YAML file; None for the default one, or the only other one that fits.
        data: folder with prepared data sets.
        results: folder for records.
        allow_missing: go on without files for some images; the record is marked as partial.
        allow_extra: leave files out of account that belong to no image.
        label_maps: keep every label map as it was counted as a PNG beside the record, which stays the same.
        command: the words that started this, for the record; folders are cut off.
        report: told of every step.

    Raises:
        OvrisisBenchError: files that are missing, left over, of the wrong size, damaged, or with values that mean no
            class, each kind in one sentence.
    """
    from ovrisisbench.records import CountsTable, ProtocolUsed, Record, write_record
    from ovrisisbench.records.privacy import private_parts

    start = time.perf_counter()
    report = report or ScoreReport()
    predictions, data, results = Path(predictions), Path(data), Path(results)
    vocabulary = None if vocabulary is None else Path(vocabulary)
    if not model_name.strip():
        raise AdapterError("The name of the model is empty; give one with --model-name.")
    for text in (model_name, backbone, source or ""):
        private = private_parts(text)
        if private:
            raise AdapterError(f"'{text}' holds {private[0]}, which no record may hold; say it in other words.")
    trained_on = None if train_set == NO_TRAINING else train_set or UNSTATED
    rules = load_protocol(protocol or _fitting_protocol(dataset, trained_on, report))
    _check_train_set(rules, trained_on)
    (key,) = datasets_to_run(rules, [dataset], data)
    class_names = rules.vocabulary(key).class_names
    names = read_names(vocabulary, class_names) if vocabulary else legend_names(load_card(key), rules.variant(key))
    with open_prepared(rules, key, data) as prepared, _unfinished(results) as unfinished:
        (exposure,) = exposures(rules, [prepared], training_images(rules, trained_on, data))
        matched = match_files(predictions, prepared.samples, exposure.tested)
        _check_account(predictions, matched, key, report, allow_missing=allow_missing, allow_extra=allow_extra)
        kept = kept_labels(Keeping(label_maps=label_maps), unfinished, prepared)
        counted = Counting(prepared, class_names, names, values, named=vocabulary is not None, kept=kept)
        counted.count(matched, report)
        table = CountsTable.from_images(
            counted.images,
            scenes={sample.id: sample.scene for sample in prepared.samples},
            num_classes=len(class_names),
        )
        record = Record.from_counts(
            table,
            model=_model_used(model_name.strip(), backbone, trained_on),
            protocol=ProtocolUsed.of(rules),
            dataset=_dataset_used(prepared, exposure, matched),
            class_names=class_names,
            convention=rules.metric_convention,
            run=_run(time.perf_counter() - start, command),
            predictions=counted.used(vocabulary, source),
        )
        path = write_record(record, table, results)
        move_labels(kept, record, path)
    return record


@contextmanager
def _unfinished(results: Path) -> Iterator[Path]:
    """Yield where label maps may lie until their record is written; what is left there goes, whatever happens."""
    folder = results / f".label-maps-{os.getpid()}"
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _fitting_protocol(dataset: str, train_set: str | None, report: ScoreReport) -> str:
    found = protocol_for_training_set(train_set)
    if dataset not in load_protocol(found).datasets:
        testing = protocols_testing(dataset)
        found = testing[0] if len(testing) == 1 else found
    if found != DEFAULT_PROTOCOL:
        report.note(f"Protocol {found}: the only one that fits.")
    return found


def _check_train_set(protocol: Protocol, train_set: str | None) -> None:
    if protocol.holds_out_seen and train_set == UNSTATED:
        raise AdapterError(
            f"Protocol {protocol.name} leaves out what a model has seen in training; say with --train-set what it was "
            f"trained on ({', '.join(protocol.train_sets)}), or none."
        )
    if train_set is None or train_set in protocol.train_sets or is_outside(train_set):
        return
    known = [*protocol.train_sets, *outside_training_sets(), NO_TRAINING]
    raise AdapterError(
        f"'{train_set}' is not a training set of protocol {protocol.name}; say one of {', '.join(known)}, or "
        f"{OUTSIDE_PREFIX}NAME.{did_you_mean(train_set, known)}"
    )


def _check_account(
    folder: Path, matched: Matched, dataset: str, report: ScoreReport, *, allow_missing: bool, allow_extra: bool
) -> None:
    problems = []
    if matched.missing and not (allow_missing and matched.files):
        problems.append(missing_sentence(folder, matched, dataset))
    if matched.extra and not allow_extra:
        problems.append(extra_sentence(folder, matched, dataset))
    if problems:
        raise DataError(" ".join(problems))
    if matched.missing:
        report.note(f"{len(matched.missing):,} images have no file; the record is marked as partial.")
    if matched.extra:
        report.note(f"{len(matched.extra):,} file(s) belong to no image and are left out of account.")
    if matched.untested:
        report.note(f"{matched.untested:,} file(s) are of images that the protocol does not test; they are not scored.")


def _model_used(title: str, backbone: str, train_set: str | None) -> ModelUsed:
    from ovrisisbench.records import ModelUsed
    from ovrisisbench.records.names import file_slug

    return ModelUsed(
        name=file_slug(title),
        title=title,
        adapter="made elsewhere",
        kind="predictions",
        backbone=backbone,
        train_set=train_set,
        weights="elsewhere",
    )


def _dataset_used(prepared: PreparedDataset, exposure: Exposure, matched: Matched) -> DatasetUsed:
    from ovrisisbench.records import DatasetUsed

    total, scored = len(exposure.tested), len(matched.files)
    missing = (f"{total - scored:,} of {total:,} images have no prediction",) if scored < total else ()
    return DatasetUsed.of(
        prepared.manifest,
        images=scored,
        images_total=total,
        partial_reasons=(*exposure.partial_reasons, *missing),
        seen=exposure.seen,
    )


def _run(seconds: float, command: Sequence[str]) -> Run:
    from ovrisisbench.evaluate.device import device_name
    from ovrisisbench.records import Run, surroundings

    return Run(
        device=device_name("cpu"),
        processes=1,
        batch_size=1,
        seconds=round(seconds, 3),
        **surroundings(command),
    )
