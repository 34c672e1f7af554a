"""Measuring a network in the middle of its training, by the same code as any other."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ovrisisbench.adapter.interface import Precision
from ovrisisbench.adapter.training import Training
from ovrisisbench.evaluate.processes import Processes

if TYPE_CHECKING:
    from ovrisisbench.catalog.protocols import Convention
    from ovrisisbench.evaluate.metrics import Metrics
    from ovrisisbench.prepare import PreparedDataset

__all__ = ["measured"]


def measured(
    training: Training,
    dataset: PreparedDataset,
    pictures: Sequence[int],
    *,
    class_names: Sequence[str],
    convention: Convention,
    device: str,
    precision: Precision,
    folder: Path,
    processes: Processes,
) -> Metrics:
    """Measure the present weights; text embeddings are computed anew from them.

    Args:
        training: the network.
        dataset: prepared.
        pictures: indices of the samples to measure on.
        class_names: of the data set, in label order.
        convention: of the metrics.
        device: torch device.
        precision: arithmetic.
        folder: for what an evaluation keeps while it runs; removed afterwards.
        processes: those that share the work.
    """
    from ovrisisbench.evaluate.journal import Journal
    from ovrisisbench.evaluate.metrics import compute_metrics
    from ovrisisbench.evaluate.run import RunOptions, evaluate

    if processes.is_first:
        shutil.rmtree(folder, ignore_errors=True)  # of a killed start, whose weights were others
    processes.gather(None)
    with Journal(folder, rank=processes.rank) as journal:
        evaluation = evaluate(
            training.evaluator(),
            dataset,
            pictures,
            class_names=class_names,
            journal=journal,
            options=RunOptions(device=device, precision=precision),
            processes=processes,
        )
    if processes.is_first:
        shutil.rmtree(folder, ignore_errors=True)
    return compute_metrics(evaluation.confusion, convention)
