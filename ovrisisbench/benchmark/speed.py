"""The speed of several models on this machine, each in a process of its own, to records on disk.

This is what ``ovrisis-bench speed`` calls. A process of its own gives each
model its own peak of memory, and keeps the others when one of them fails.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ovrisisbench.adapter.interface import AdapterInfo, LoadOptions, ParameterCounter, Precision
from ovrisisbench.adapter.registry import FoundAdapter, find_adapter, list_adapters
from ovrisisbench.benchmark.inputs import load_options
from ovrisisbench.errors import AdapterError, EvaluationError, OvrisisBenchError, did_you_mean
from ovrisisbench.leaderboard.families import backbone_family

if TYPE_CHECKING:
    from ovrisisbench.records.speed import SpeedRecord

__all__ = ["SpeedReport", "SpeedTask", "models_to_time", "time_models"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedTask:
    """What every model has to do."""

    size: int = 640
    """Side of the drawn square images in pixels."""
    classes: int = 8
    images: int = 10
    """Counted images."""
    warm_up: int = 2
    device: str = "auto"
    precision: Precision = "float32"
    settings: Sequence[str] = ()
    """``NAME=VALUE`` for every model that has the setting, ``MODEL:NAME=VALUE`` for one."""
    command: tuple[str, ...] = ("ovrisisbench.benchmark.speed",)


class SpeedReport:
    """What a caller of :func:`time_models` may want to hear; override what is of interest."""

    def start(self, model: str, backbone: str) -> None:
        """Be told that a model begins."""

    def finish(self, record: SpeedRecord, path: Path) -> None:
        """Be told that a record was written."""

    def fail(self, model: str, problem: str) -> None:
        """Be told that a model could not be timed, with one sentence; the others go on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    model: str
    """As given: a name, or ``file.py:Class``."""
    options: LoadOptions
    task: SpeedTask
    names: tuple[str, ...] = field(default=())


def models_to_time(models: Sequence[str] | None, backbone: str) -> dict[str, str]:
    """Return the models to time -> their backbone.

    Args:
        models: names or ``file.py:Class``; None for every installed model that is no floor and has the backbone.
        backbone: such as ``vit-b``; a model without it takes its one backbone of the same size, as SED its ConvNeXt-B.

    Raises:
        AdapterError: a model without a backbone of that size, or no model at all.
    """
    if models is None:
        found = [adapter for adapter in list_adapters()[0] if adapter.info.kind != "floor"]
        chosen = {adapter.info.name: _fitting(adapter.info, backbone) for adapter in found}
        fitting = {name: fits for name, fits in chosen.items() if fits is not None}
        if not fitting:
            known = sorted({key for adapter in found for key in adapter.info.backbones})
            raise AdapterError(
                f"No installed model has a backbone of the size of '{backbone}'; there are {', '.join(known)}."
                f"{did_you_mean(backbone, known)}"
            )
        return fitting
    asked: dict[str, str] = {}
    for model in models:
        info = find_adapter(model).info
        fits = _fitting(info, backbone)
        if fits is None:
            raise AdapterError(
                f"{info.title} has no backbone of the size of '{backbone}'; it has {', '.join(info.backbones)}."
            )
        asked[model] = fits
    return asked


def time_models(
    models: Mapping[str, str], task: SpeedTask, results: Path, *, report: SpeedReport | None = None
) -> list[SpeedRecord]:
    """Time models one after the other and write a record for each.

    Weights are random: they change no time, except of models that decide by
    their scores what to compute, as SCAN by the number of masks it finds.

    Args:
        models: from :func:`models_to_time`.
        task: what they have to do.
        results: folder for the records.
        report: told of every step; a model that fails is told there and left out.

    Returns:
        The records of the models that could be timed, in order.

    Raises:
        AdapterError: a setting that no model has, or an illegal value.
        EvaluationError: no such device, or none of the models could be timed.
    """
    from ovrisisbench.records.speed import write_speed_record

    report = report or SpeedReport()
    jobs = _jobs(models, task)
    records = []
    for job in jobs:
        report.start(find_adapter(job.model).info.name, job.options.backbone)
        try:
            record = _in_a_process(job)
        except OvrisisBenchError as error:
            report.fail(job.model, str(error))
            continue
        report.finish(record, write_speed_record(record, results))
        records.append(record)
    if not records:
        raise EvaluationError("None of the models could be timed; see the sentences above.")
    return records


def _fitting(info: AdapterInfo, backbone: str) -> str | None:
    if backbone in info.backbones:
        return backbone
    same = [name for name in info.backbones if backbone_family(name) == backbone_family(backbone)]
    if len(same) == 1:
        return same[0]
    return next(iter(info.backbones)) if list(info.backbones) == ["none"] else None


def _jobs(models: Mapping[str, str], task: SpeedTask) -> list[_Job]:
    settings = _settings_by_model({model: find_adapter(model) for model in models}, task.settings)
    names = tuple(f"class {index}" for index in range(task.classes))
    jobs = []
    for model, backbone in models.items():
        info = find_adapter(model).info
        options = load_options(
            info,
            backbone=backbone,
            untrained=backbone != "none",
            device=task.device,
            precision=task.precision,
            settings=settings[model],
        )
        jobs.append(_Job(model=model, options=options, task=task, names=names))
    return jobs


def _settings_by_model(found: Mapping[str, FoundAdapter], texts: Sequence[str]) -> dict[str, dict[str, str]]:
    settings: dict[str, dict[str, str]] = {model: {} for model in found}
    for text in texts:
        where, separator, value = text.partition("=")
        prefix, _, name = where.rpartition(":")
        having = [
            model
            for model, adapter in found.items()
            if name in adapter.info.settings and prefix in ("", adapter.info.name, model)
        ]
        if not (separator and name):
            raise AdapterError(f"'{text}' is not NAME=VALUE or MODEL:NAME=VALUE; check --set.")
        if not having:
            whose = f"the model '{prefix}'" if prefix else "any of the models"
            raise AdapterError(f"The setting '{name}' is not one of {whose}; see 'ovrisis-bench models NAME'.")
        for model in having:
            settings[model][name] = value
    return settings


def _in_a_process(job: _Job) -> SpeedRecord:
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        try:
            return pool.submit(_timed, job).result()
        except BrokenProcessPool as error:
            raise EvaluationError(
                f"The process that timed {job.model} was killed, most likely for lack of memory; try a smaller --size."
            ) from error


def _timed(job: _Job) -> SpeedRecord:
    from ovrisisbench.evaluate.device import device_name
    from ovrisisbench.evaluate.memory import PeakMemory
    from ovrisisbench.evaluate.speed import drawn_images, measure_speed
    from ovrisisbench.records import Parameters, surroundings
    from ovrisisbench.records import speed as records

    found, task, options = find_adapter(job.model), job.task, job.options
    adapter_class = found.load_class()
    images = drawn_images(task.warm_up + task.images, task.size)
    memory = PeakMemory(options.device)
    adapter = adapter_class.load(options)
    measured = measure_speed(
        adapter,
        images,
        class_names=job.names,
        warm_up=task.warm_up,
        device=options.device,
        precision=options.precision,
        memory=memory,
    )
    counts = adapter.count_parameters() if isinstance(adapter, ParameterCounter) else None
    return records.SpeedRecord(
        model=records.SpeedModel(
            name=found.info.name,
            title=found.info.title,
            adapter=found.origin,
            backbone=options.backbone,
            weights="untrained" if options.untrained else "none",
            settings=dict(adapter.describe()),
            precision=options.precision,
        ),
        task=records.SpeedTask(
            height=task.size, width=task.size, classes=task.classes, images=task.images, warm_up=task.warm_up
        ),
        image_ms=records.Milliseconds.of(measured.image_ms),
        text_ms=round(measured.text_ms, 3),
        parameters=None if counts is None else Parameters(total=counts.total, trainable=counts.trainable),
        flops=records.Flops(counted=measured.flops.counted, uncounted=dict(measured.flops.uncounted)),
        peak_memory_mib=measured.peak_memory_mib,
        peak_memory_kind=memory.kind,
        device=device_name(options.device),
        threads=1 if options.device == "cpu" else None,
        **surroundings(task.command),
    )
