"""How fast windows come out of a prepared data set, against a folder of PNG files read with Pillow.

    python benchmarks/prepared_reading.py [--from DOWNLOAD] [--rounds N]

Prepares the download (drawn scenes if none is given), writes the same windows
as PNG files, and reads both in the same random order: one thread, files in
the page cache, CPU time, the ways alternating, median over rounds. A third
column reads the same file through h5py, without the memory map.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
from PIL import Image

from ovrisisbench.demo.scenes import draw_isaid_download
from ovrisisbench.prepare import PreparedDataset, prepare

Read = Callable[[int], object]

BAR = 5.0
"""How many times faster than PNG files both images and label maps must be read."""


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="source", type=Path, help="a download of iSAID, or a part of it")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        source = options.source or _drawn(folder / "drawn")
        report = prepare("isaid", source, folder / "data", allow_partial=True)
        dataset = PreparedDataset(report.target)
        for kind, read in (("image", dataset.image), ("label", dataset.label)):
            for index in range(len(dataset)):
                Image.fromarray(read(index)).save(folder / f"{kind}{index}.png")
        png = sum(path.stat().st_size for path in folder.glob("*.png"))
        print(f"{len(dataset)} windows of 256x256 from {'drawn scenes' if options.source is None else 'real images'}")
        print(f"prepared file {report.size_bytes / 1e6:.1f} MB, the same windows as PNG {png / 1e6:.1f} MB\n")
        print(f"{'ms a window':<22}{'PNG, Pillow':>12}{'prepared':>10}{'ratio':>8}{'via h5py':>10}{'ratio':>8}")
        ratios = [
            _print_row(kind, folder, dataset, read, options.rounds)
            for kind, read in (("image", dataset.image), ("label", dataset.label))
        ]
        _print_first_reads(Path(report.target), len(dataset))
    if min(ratios) < BAR:
        raise SystemExit(f"below the bar of {BAR:g}x")


def _drawn(folder: Path) -> Path:
    draw_isaid_download(folder, scenes=12)
    return folder


def _print_row(kind: str, folder: Path, dataset: PreparedDataset, read: Read, rounds: int) -> float:
    def png(index: int) -> object:
        with Image.open(folder / f"{kind}{index}.png") as image:
            return np.asarray(image)

    with h5py.File(dataset.path, "r") as file:

        def plain(index: int) -> object:
            sample = dataset.samples[index]
            return file[f"{kind}s"][sample.source][sample.y0 : sample.y1, sample.x0 : sample.x1]

        ways = {"png": png, "prepared": read, "h5py": plain}
        times: dict[str, list[float]] = {name: [] for name in ways}
        order = list(range(len(dataset))) * 5
        for number in range(rounds):
            random.Random(number).shuffle(order)
            for name, way in ways.items():
                times[name].append(_cpu_ms(way, order))
    middle = {name: statistics.median(values) for name, values in times.items()}
    ratios = {name: statistics.median(a / b for a, b in zip(times["png"], times[name], strict=True)) for name in ways}
    print(
        f"{kind:<22}{middle['png']:>12.3f}{middle['prepared']:>10.4f}{ratios['prepared']:>7.1f}x"
        f"{middle['h5py']:>10.3f}{ratios['h5py']:>7.1f}x"
    )
    return ratios["prepared"]


def _cpu_ms(read: Read, order: list[int]) -> float:
    start = time.process_time()
    for index in order:
        read(index)
    return (time.process_time() - start) / len(order) * 1e3


def _print_first_reads(path: Path, count: int) -> None:
    start = time.process_time()
    dataset = PreparedDataset(path)
    opened = time.process_time()
    for index in range(count):
        dataset.image(index)
    read = time.process_time()
    first = 1e3 * (read - opened) / count
    print(f"\nopening {1e3 * (opened - start):.1f} ms; first reading of every image {first:.3f} ms each")


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()
