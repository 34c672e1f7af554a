"""What preparing costs: scaling with processes, memory with the largest tiles, and a second call on finished data.

    python benchmarks/preparing.py [scaling|memory|again]...

*scaling* prepares the same drawn scenes with one process and with as many as
there are cores, in turns; the wall clock counts, so other work on the machine
shows. *memory* prepares drawn 6000x6000 tiles of Potsdam, three and four
bands, in folders and in zips, each in a fresh process, and compares its peak
with the decoded picture (Linux only). *again* measures a whole second call, in
a fresh process, on 24,439 tiny images that are prepared already.
"""

from __future__ import annotations

import argparse
import io
import os
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from ovrisisbench.demo.scenes import draw_scene
from ovrisisbench.prepare import prepare

SIDE = 6000
"""Of a tile of Potsdam, pixels."""
MEMORY_BAR = 1.5
"""Peak memory of a process, as a multiple of the largest decoded picture, on top of what a small one needs."""
AGAIN_BAR = 1.0
"""Seconds that a second call on finished data may take."""
IMAGES = 24_439
SCENES = 48

PREPARE = r"""
import re, sys, time
from pathlib import Path
from ovrisisbench.prepare import prepare
start = time.perf_counter()
report = prepare(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), workers=1, allow_partial=True)
seconds = time.perf_counter() - start
# Not ru_maxrss: it begins with the size of the process that started this one.
peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
print(int(peak[1]) / 1024, seconds, report.status)
"""


def main() -> None:
    """Run the named parts, all of them if none is named."""
    parts = {"scaling": scaling, "memory": memory, "again": again}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[[], *parts], default=[])
    chosen = parser.parse_args().parts or list(parts)
    met = []
    for name in chosen:
        with tempfile.TemporaryDirectory() as folder:
            met.append(parts[name](Path(folder)))
    if not all(met):
        raise SystemExit("a bar was missed")


def scaling(folder: Path, rounds: int = 3) -> bool:
    """Print seconds by number of processes; there is no bar, since the machine is shared."""
    cores = len(os.sched_getaffinity(0))
    for number in range(SCENES):
        split = folder / "download" / ("train" if number % 2 == 0 else "val") / "images"
        split.mkdir(parents=True, exist_ok=True)
        for ending, pixels in zip(("", "_instance_color_RGB"), draw_scene(number), strict=True):
            (split / f"P{number:04d}{ending}.png").write_bytes(_png(np.tile(pixels, (4, 4, 1))))
    seconds: dict[int, list[float]] = {1: [], cores: []}
    for number in range(rounds):
        for workers, times in seconds.items():
            start = time.perf_counter()
            prepare("isaid", folder / "download", folder / f"{number}-{workers}", workers=workers, allow_partial=True)
            times.append(time.perf_counter() - start)
    ratios = [one / many for one, many in zip(seconds[1], seconds[cores], strict=True)]
    print(f"{SCENES} drawn scenes of 2400x2800, seconds by the wall clock, median of {rounds}")
    for workers, times in seconds.items():
        print(f"  {workers} process(es) {statistics.median(times):.2f}")
    print(f"  {statistics.median(ratios):.2f} times as fast with {cores} as with 1\n")
    return True


def memory(folder: Path) -> bool:
    """Print peak memory against the size of the decoded picture."""
    small = _draw_potsdam(folder / "small", 600, bands=3, zipped=False)
    base = min(_peak("potsdam", small, folder / f"small{number}")[0] for number in range(2))
    print(f"one tile of {SIDE}x{SIDE}, one process; a tile of 600x600 needs {base:.0f} MiB")
    worst = 0.0
    for bands in (3, 4):
        for compression in (None, "tiff_lzw"):
            for zipped in (False, True):
                name = f"{bands}-{compression}-{zipped}"
                source = _draw_potsdam(folder / name, SIDE, bands=bands, zipped=zipped, compression=compression)
                peak = _peak("potsdam", source, folder / f"data-{name}")[0]
                picture = SIDE * SIDE * bands / 2**20
                ratio = (peak - base) / picture
                worst = max(worst, ratio)
                words = f"{bands} bands, {compression or 'not compressed'}, {'zip' if zipped else 'folder'}"
                print(f"  {words:<36} peak {peak:5.0f} MiB, {ratio:.2f} x {picture:.0f} MiB on top")
    print()
    return worst < MEMORY_BAR


def again(folder: Path) -> bool:
    """Print how long a second call takes."""
    picture, labels = _png(np.full((16, 16, 3), 90, np.uint8)), _png(np.zeros((16, 16), np.uint8))
    for index in range(IMAGES):
        split = folder / "UDD5" / ("train" if index % 4 else "val")
        for kind, content in (("src", picture), ("gt", labels)):
            path = split / kind / f"{index:06d}.{'JPG' if kind == 'src' else 'png'}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    _, first, _ = _peak("udd5", folder, folder / "data")
    times = [_peak("udd5", folder, folder / "data") for _ in range(3)]
    if {status for _, _, status in times} != {"unchanged"}:
        raise AssertionError("the second call did not find the first one's file")
    second = statistics.median(seconds for _, seconds, _ in times)
    print(f"{IMAGES:,} images of 16x16: prepared in {first:.1f} s; a second call takes {second:.2f} s, imports apart\n")
    return second < AGAIN_BAR


def _peak(dataset: str, source: Path, target: Path) -> tuple[float, float, str]:
    """Prepare in a fresh process; return (peak MiB, seconds, status)."""
    command = [sys.executable, "-c", PREPARE, dataset, str(source), str(target)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    peak, seconds, status = done.stdout.split()
    return float(peak), float(seconds), status


def _draw_potsdam(folder: Path, side: int, *, bands: int, zipped: bool, compression: str | None = None) -> Path:
    times = -(-side // 600)
    picture = np.tile(draw_scene(0)[0], (times, times, 1))[:side, :side]
    if bands == 4:
        picture = np.concatenate([picture, picture[..., :1]], axis=2)
    corners = np.array([(255, 255, 255), (0, 0, 255), (0, 255, 255), (0, 255, 0), (255, 255, 0), (255, 0, 0)], np.uint8)
    rows, columns = np.indices((side, side), np.uint16)
    mask = corners[(rows // 97 + columns // 61) % 6]
    names = {
        f"{'2_Ortho_RGB' if bands == 3 else '4_Ortho_RGBIR'}/top_potsdam_2_10_RGB{'IR' * (bands - 3)}.tif": picture
    }
    names["5_Labels_all/top_potsdam_2_10_label.tif"] = mask
    for name, pixels in names.items():
        content = io.BytesIO()
        Image.fromarray(pixels).save(content, "TIFF", compression=compression)
        archive, _, inner = name.partition("/")
        folder.mkdir(parents=True, exist_ok=True)
        if zipped:
            with zipfile.ZipFile(folder / f"{archive}.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
                file.writestr(inner, content.getvalue())
        else:
            (folder / archive).mkdir()
            (folder / name).write_bytes(content.getvalue())
    return folder


def _png(pixels: np.ndarray) -> bytes:
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "PNG")
    return content.getvalue()


if __name__ == "__main__":
    main()
