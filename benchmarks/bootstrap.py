"""Time of intervals and paired comparisons from stored counts, and the most memory they take.

    python benchmarks/bootstrap.py --images 20000 --classes 16 --resamples 2000

Every image is a scene of its own, which is the most work. Counts are random
and dense: K * K cells an image, more than any real model leaves.
"""

from __future__ import annotations

import argparse
import time
import tracemalloc
from collections.abc import Callable

import numpy as np

from ovrisisbench.records import CountsTable
from ovrisisbench.statistics import Settings, compare_models, figure_intervals


def drawn_counts(images: int, classes: int, seed: int) -> CountsTable:
    """Draw dense counts; equal sizes give equal truth, whatever the seed."""
    rng = np.random.default_rng(seed)
    truth = np.random.default_rng(0).integers(classes, 500, (images, classes))
    cells = rng.multinomial(truth - classes, np.full(classes, 1 / classes)) + 1
    image, of_truth, prediction = np.nonzero(cells)
    ids = tuple(f"{index:06d}" for index in range(images))
    return CountsTable(
        ids=ids,
        scenes=ids,
        num_classes=classes,
        image=image.astype(np.uint32),
        truth=of_truth.astype(np.uint8),
        prediction=prediction.astype(np.uint8),
        pixels=cells[image, of_truth, prediction].astype(np.uint64),
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--classes", type=int, default=16)
    parser.add_argument("--resamples", type=int, default=2000)
    parser.add_argument("--models", type=int, default=4)
    arguments = parser.parse_args()
    tables = [drawn_counts(arguments.images, arguments.classes, seed) for seed in range(arguments.models)]
    settings = Settings(resamples=arguments.resamples)
    _timed("intervals of one model", lambda: figure_intervals(tables[0], resamples=arguments.resamples))
    _timed("two models, by class", lambda: compare_models(tables[:2], settings))
    _timed(f"{len(tables)} models, all pairs, by class", lambda: compare_models(tables, settings))


def _timed(words: str, work: Callable[[], object]) -> None:
    wall, used = time.perf_counter(), time.process_time()
    work()
    wall, used = time.perf_counter() - wall, time.process_time() - used
    # Once more under the eyes of tracemalloc, which knows numpy's arrays but takes time itself.
    tracemalloc.start()
    work()
    most = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    print(f"{words}: {wall:.2f} s, {used:.2f} s of processor time, at most {most:.0f} MB", flush=True)


if __name__ == "__main__":
    main()
