"""CPU time of RSKT-Seg for one image, against the work that the official code does.

Both sides run on the same random weights and the same image, in turns, on one
thread; text embeddings are computed before. What is compared is process time,
so other load on the machine matters little, and the medians of the rounds.

    python benchmarks/rskt_speed.py --backbone vit-b --rounds 5
"""

from __future__ import annotations

import argparse
import copy
import statistics
import time
from collections.abc import Callable

import torch
from official_rskt import OfficialRSKT
from torch import Tensor

from ovrisisbench.adapters.inference.folding import fold_weights
from ovrisisbench.adapters.inference.packed_linears import pack_linears, packing_works
from ovrisisbench.adapters.rskt_seg.loading import untrained
from ovrisisbench.adapters.rskt_seg.network import RSKTSeg
from ovrisisbench.adapters.text.encoder import TextEncoder
from ovrisisbench.adapters.text.templates import SCENE

SETTINGS = {"vit-b": (5, 17), "vit-l": (2, 6)}
"""Layers N and classes K: a released DLRSD and a released iSAID setting on small vocabularies."""

BARS = {"vit-b": 1.5, "vit-l": 1.25}
"""How many times faster plain linear layers must be."""

Network = Callable[[Tensor, Tensor], Tensor]


@torch.no_grad()
def main() -> None:
    """Measure and print one table for each backbone."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backbone", choices=sorted(SETTINGS), action="append", help="default: both")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for backbone in arguments.backbone or sorted(SETTINGS):
        _measure(backbone, arguments.rounds)


def _measure(backbone: str, rounds: int) -> None:
    layers, classes = SETTINGS[backbone]
    network = untrained(backbone, {"layers": layers}, seed=0).eval().requires_grad_(False)
    candidates: dict[str, Network] = {"official work": OfficialRSKT(network), "plain linears": fold_weights(network)}
    if packing_works():
        candidates["packed linears"] = _packed(network)
    text = TextEncoder(network.text, SCENE).embed([f"class {index}" for index in range(classes)])[:, 0]
    image = torch.randn(1, 3, 640, 640, generator=torch.Generator().manual_seed(0))

    reference = candidates["official work"](image, text)
    seconds: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(rounds):
        for name, candidate in candidates.items():
            start = time.process_time()
            logits = candidate(image, text)
            seconds[name].append(time.process_time() - start)
            difference = float((logits - reference).abs().max())
            assert difference < 2e-5, f"{name}: logits differ by {difference:.1e}"

    print(
        f"\n{backbone}: N = {layers}, K = {classes}, logits {float(reference.std()):.3f} std, torch {torch.__version__}"
    )
    base = statistics.median(seconds["official work"])
    for name, times in seconds.items():
        median = statistics.median(times)
        difference = float((candidates[name](image, text) - reference).abs().max())
        print(f"  {name:15} {median:6.2f} s   {base / median:4.2f} x   largest logit difference {difference:.1e}")
    ratio = base / statistics.median(seconds["plain linears"])
    print(f"  bar for plain linears {BARS[backbone]} x: {'passed' if ratio >= BARS[backbone] else 'MISSED'}")


def _packed(network: RSKTSeg) -> RSKTSeg:
    """A second network on the same parameters, its encoders with packed linear layers."""
    twin = copy.deepcopy(network, memo={id(parameter): parameter for parameter in network.parameters()})
    for encoder in twin.encoders():
        pack_linears(encoder)
    return fold_weights(twin)


if __name__ == "__main__":
    main()
