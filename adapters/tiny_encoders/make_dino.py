"""Train a small DINO on the mini world, without any label.

    python -m ovrisisbench.adapters.tiny_encoders.make_dino --to dino.safetensors
    python -m ovrisisbench.adapters.tiny_encoders.make_dino --of leaves --to natural_dino.safetensors

Self-distillation as in *Emerging Properties in Self-Supervised Vision
Transformers* (Caron et al., ICCV 2021): a student sees small and large views of
a picture and predicts what its slowly moving average, the teacher, says of the
large ones. The network is the one that RSKT-Seg and GSNet run.
"""

from __future__ import annotations

import argparse
import copy
import logging
import math
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ovrisisbench.adapter.compact_files import write_compact
from ovrisisbench.adapter.own_files import WeightsCard
from ovrisisbench.adapters.cost_aggregation.dino import DINO, TINY_DINO
from ovrisisbench.adapters.images.pixels import normalised, squeezed
from ovrisisbench.adapters.tiny_encoders.leaves import draw_leaves
from ovrisisbench.adapters.tiny_encoders.pictures import draw_pictures

__all__ = ["DINOHead", "distillation_loss", "train"]

_PROTOTYPES: Final = 256
_LARGE: Final = 96
_SMALL: Final = 48
"""Sides of the views in pixels."""
_SMALL_VIEWS: Final = 2
_WORLDS: Final[Mapping[str, Callable[..., np.ndarray]]] = {
    "mini-world": lambda count, **how: draw_pictures(count, **how).pixels,
    "leaves": draw_leaves,
}
_NOTES: Final = {"mini-world": "crops of the mini world", "leaves": "pictures of overlapping shapes"}
_STUDENT_TEMPERATURE: Final = 0.1
_TEACHER_TEMPERATURE: Final = 0.04


class DINOHead(nn.Module):
    """What turns a class token into scores of prototypes; thrown away after training."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.mlp = nn.Sequential(nn.Linear(width, 128), nn.GELU(), nn.Linear(128, 64))
        self.prototypes = nn.Linear(64, _PROTOTYPES, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """Score tokens (B, D): cosines with the prototypes, (B, P)."""
        return F.linear(F.normalize(self.mlp(x), dim=-1), F.normalize(self.prototypes.weight, dim=-1))


class _Sees(nn.Module):
    """A tower for views of several sides, with its head."""

    def __init__(self) -> None:
        super().__init__()
        self.tower = DINO(TINY_DINO, grid=_LARGE // TINY_DINO.patch)
        nn.init.trunc_normal_(self.tower.pos_embed, std=0.02)
        nn.init.trunc_normal_(self.tower.cls_token, std=0.02)
        self.head = DINOHead(TINY_DINO.width)

    def forward(self, views: Tensor) -> Tensor:
        self.tower.grid = views.shape[-1] // TINY_DINO.patch
        return self.head(self.tower(views)[-1][:, 0])


def distillation_loss(student: list[Tensor], teacher: list[Tensor], centre: Tensor) -> Tensor:
    """Cross-entropy of every student's view with every other view of the teacher.

    Args:
        student: scores (B, P) of each view, the large ones first, in the teacher's order.
        teacher: scores (B, P) of the large views.
        centre: (P,) running mean of the teacher's scores.
    """
    losses = [
        -(((aim - centre) / _TEACHER_TEMPERATURE).softmax(-1) * (scores / _STUDENT_TEMPERATURE).log_softmax(-1))
        .sum(-1)
        .mean()
        for number, aim in enumerate(teacher)
        for other, scores in enumerate(student)
        if number != other
    ]
    return torch.stack(losses).mean()


def train(*, of: str = "mini-world", pictures: int, iterations: int, batch: int, seed: int) -> DINO:
    """Train on drawn pictures and return the teacher's tower.

    Args:
        of: ``mini-world``, or ``leaves`` for pictures of nothing.
        pictures: how many are drawn.
        iterations: steps of AdamW, half-cosine from 1e-3 after a short warm-up.
        batch: pictures a step.
        seed: of pictures, views and first values.
    """
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    drawn = _WORLDS[of](pictures, side=192, seed=seed)
    student = _Sees()
    teacher = copy.deepcopy(student).requires_grad_(False)
    centre = torch.zeros(_PROTOTYPES)
    optimiser = torch.optim.AdamW(student.parameters(), lr=1e-3, weight_decay=0.04)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser, lambda i: min(1.0, (i + 1) / 100) * (1 + math.cos(math.pi * i / iterations)) / 2
    )
    start = time.monotonic()
    for iteration in range(iterations):
        chosen = drawn[rng.choice(pictures, batch, replace=False)]
        large = [_views(chosen, _LARGE, (0.4, 1.0), rng) for _ in range(2)]
        small = [_views(chosen, _SMALL, (0.1, 0.4), rng) for _ in range(_SMALL_VIEWS)]
        with torch.no_grad():
            aims = [teacher(view) for view in large]
        loss = distillation_loss([student(view) for view in [*large, *small]], aims, centre)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        with torch.no_grad():
            keep = 1 - 0.01 * (1 + math.cos(math.pi * iteration / iterations)) / 2  # 0.99 to 1
            for old, new in zip(teacher.parameters(), student.parameters(), strict=True):
                old.lerp_(new, 1 - keep)
            centre.lerp_(torch.cat(aims).mean(0), 0.1)
        if (iteration + 1) % 50 == 0:
            seconds = time.monotonic() - start
            logging.info("%5d of %d  loss %.4f  %.0f s", iteration + 1, iterations, loss.item(), seconds)
    return teacher.tower.eval()


def _views(pictures: np.ndarray, side: int, area: tuple[float, float], rng: np.random.Generator) -> Tensor:
    """Random square parts of pictures (B, S, S, 3), resized, turned, mirrored, of changed colours; normalised."""
    views = []
    for picture in pictures:
        width = round(math.sqrt(rng.uniform(*area)) * len(picture))
        y, x = rng.integers(0, len(picture) - width + 1, 2)
        part = torch.from_numpy(picture[y : y + width, x : x + width]).permute(2, 0, 1)[None].float()
        view = torch.rot90(squeezed(part, side), int(rng.integers(4)), (2, 3))
        view = view.flip(3) if rng.random() < 0.5 else view
        gain = torch.from_numpy(rng.uniform(0.7, 1.4, (1, 3, 1, 1)).astype(np.float32))
        if rng.random() < 0.2:
            view = view.mean(dim=1, keepdim=True).expand(-1, 3, -1, -1)
        views.append((view * gain + float(rng.uniform(-24, 24))).clamp(0, 255))
    return normalised(torch.cat(views))


def main() -> None:
    """Train and write the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, required=True, help="file to write, .safetensors")
    parser.add_argument("--of", choices=sorted(_WORLDS), default="mini-world", help="what the pictures show")
    parser.add_argument("--pictures", type=int, default=6_000, help="that are drawn")
    parser.add_argument("--iterations", type=int, default=1_500)
    parser.add_argument("--batch", type=int, default=24, help="pictures a step")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    tower = train(of=asked.of, pictures=asked.pictures, iterations=asked.iterations, batch=asked.batch, seed=asked.seed)
    card = WeightsCard(
        model="dino",
        backbone="tiny",
        iterations=asked.iterations,
        seed=asked.seed,
        recipe={"of": asked.of, "pictures": asked.pictures, "batch": asked.batch},
        versions={"torch": torch.__version__},
        command=["python", "-m", "ovrisisbench.adapters.tiny_encoders.make_dino", *sys.argv[1:]],
        note=f"Trained without labels on {_NOTES[asked.of]}.",
    )
    write_compact(asked.to, tower.state_dict(), card)


if __name__ == "__main__":
    main()
