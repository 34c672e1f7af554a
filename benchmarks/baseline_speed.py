"""CPU time of every baseline for one image, from its pixels to its label map, against the work of its official code.

Both sides run on the same weights and the same images, in turns, on one
thread; text embeddings are computed before. What is compared is process time,
so other load on the machine matters little, and the medians of the rounds.
Scores must be equal within rounding, label maps in all but near ties.

    python benchmarks/baseline_speed.py --models cat-seg,san --size b --rounds 5

The official side ends as Detectron2 does: all scores at the size of the image,
then argmax. CAT-Seg, OVRIS and GSNet are scored as whole images; sliding
windows do the same network five times on both sides.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from official_cat_seg_family import OfficialFamilyModel
from official_san import OfficialSAN
from official_scan import OfficialSCAN, spread_masks
from official_sed import OfficialSED
from official_segearth_ov import OfficialSegEarthOV
from torch import Tensor

from ovrisisbench.adapter.interface import LoadOptions
from ovrisisbench.adapter.registry import find_adapter
from ovrisisbench.adapters.inference.packed_linears import packing_works
from ovrisisbench.evaluate import label_map
from ovrisisbench.evaluate.speed import drawn_images

Image = NDArray[np.uint8]


@dataclass(frozen=True)
class Baseline:
    """One model against its official code."""

    official: Callable[[Any], Callable[[Image], Tensor]]
    backbones: dict[str, str]
    """Size -> backbone."""
    bars: dict[str, float]
    """Size -> how many times faster plain linear layers must be."""
    settings: dict[str, str]
    prepare: Callable[[Any], None] | None = None
    """What makes an untrained network's work like a trained one's."""


_WHOLE = {"sliding_window": "off"}
_VIT = {"b": "vit-b", "l": "vit-l"}

BASELINES = {
    "cat-seg": Baseline(OfficialFamilyModel, _VIT, {"b": 2.0, "l": 2.0}, _WHOLE),
    "ovris": Baseline(OfficialFamilyModel, _VIT, {"b": 2.0, "l": 1.3}, _WHOLE),
    "gsnet": Baseline(OfficialFamilyModel, _VIT, {"b": 1.3, "l": 1.3}, _WHOLE),
    "san": Baseline(OfficialSAN, _VIT, {"b": 1.3, "l": 1.3}, {}),
    "sed": Baseline(OfficialSED, {"b": "convnext-b", "l": "convnext-l"}, {"b": 1.3, "l": 1.3}, {}),
    "scan": Baseline(OfficialSCAN, _VIT, {"b": 1.3, "l": 1.3}, {}, spread_masks),
    "segearth-ov": Baseline(OfficialSegEarthOV, {"b": "vit-b"}, {"b": 1.3}, {}),
}

CLASSES = {"b": 17, "l": 6}
"""As in the parity cases: DLRSD's vocabulary, and Potsdam's."""


@torch.inference_mode()
def main() -> None:
    """Measure and print one table for each model and size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", default=",".join(BASELINES), help="separated by commas; default: all")
    parser.add_argument("--size", choices=sorted(CLASSES), action="append", help="of the backbone; default: both")
    parser.add_argument("--pixels", type=int, default=512, help="side of the images")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--checkpoint", type=Path, help="weights, for one model and size; default: random ones")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for name in arguments.models.split(","):
        for size in arguments.size or sorted(CLASSES):
            if size in BASELINES[name].backbones:
                _measure(name, size, arguments)


def _measure(name: str, size: str, arguments: argparse.Namespace) -> None:
    baseline = BASELINES[name]
    plain = _adapter(name, size, arguments.checkpoint, "plain")
    ways: dict[str, Callable[[Image], tuple[Tensor, Image]]] = {
        "official work": _officially(baseline.official(plain)),
        "plain linears": _ours(plain),
    }
    if packing_works():
        ways["packed linears"] = _ours(_adapter(name, size, arguments.checkpoint, "packed"))
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    worst = dict.fromkeys(ways, (0.0, 0.0))
    for image in drawn_images(arguments.rounds, arguments.pixels):
        expected: tuple[Tensor, Image] | None = None
        for way, run in ways.items():
            start = time.process_time()
            found = run(image)
            seconds[way].append(time.process_time() - start)
            expected = expected or found
            worst[way] = tuple(map(max, worst[way], _differences(expected, found)))
    _print(name, size, seconds, worst)


def _adapter(name: str, size: str, checkpoint: Path | None, linears: str) -> Any:  # noqa: ANN401 - any of them
    baseline = BASELINES[name]
    options = LoadOptions(
        backbone=baseline.backbones[size],
        checkpoint=checkpoint,
        untrained=checkpoint is None,
        settings={**baseline.settings, "linears": linears},
    )
    adapter = find_adapter(name).load_class().load(options)
    if checkpoint is None and baseline.prepare:
        baseline.prepare(adapter)
    adapter.set_vocabulary([f"class {index}" for index in range(CLASSES[size])])
    return adapter


def _officially(official: Callable[[Image], Tensor]) -> Callable[[Image], tuple[Tensor, Image]]:
    def run(image: Image) -> tuple[Tensor, Image]:
        scores = official(image)
        full = F.interpolate(scores[None], size=image.shape[:2], mode="bilinear", align_corners=False)[0]
        return scores, full.argmax(dim=0).numpy()

    return run


def _ours(adapter: Any) -> Callable[[Image], tuple[Tensor, Image]]:  # noqa: ANN401 - any of them
    def run(image: Image) -> tuple[Tensor, Image]:
        (score_map,) = adapter.predict([image], image_ids=["drawn"])
        return score_map.scores, label_map(score_map.scores, score_map.image_size)

    return run


def _differences(expected: tuple[Tensor, Image], found: tuple[Tensor, Image]) -> tuple[float, float]:
    scores, labels = expected
    return float((found[0] - scores).abs().max()), float((found[1] != labels).mean())


def _print(name: str, size: str, seconds: dict[str, list[float]], worst: dict[str, tuple[float, float]]) -> None:
    baseline = BASELINES[name]
    print(f"\n{name} {baseline.backbones[size]}, {CLASSES[size]} classes, torch {torch.__version__}")
    base = seconds["official work"]
    ratios = {}
    for way, times in seconds.items():
        ratios[way] = statistics.median(theirs / ours for theirs, ours in zip(base, times, strict=True))
        print(
            f"  {way:15} {statistics.median(times):7.2f} s   {ratios[way]:5.2f} x   "
            f"largest score difference {worst[way][0]:.1e}, labels that differ {worst[way][1]:.5f}"
        )
    bar, ratio = baseline.bars[size], ratios["plain linears"]
    print(f"  bar for plain linears {bar} x: {'passed' if ratio >= bar else 'MISSED'}")


if __name__ == "__main__":
    main()
