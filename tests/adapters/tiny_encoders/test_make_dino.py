"""The small DINO is trained by its paper's loss, and its file is one that RSKT-Seg starts from."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from ovrisisbench.adapter.checkpoints import read_state_dict
from ovrisisbench.adapters.cost_aggregation.dino import DINO, TINY_DINO
from ovrisisbench.adapters.tiny_encoders import make_dino
from ovrisisbench.adapters.tiny_encoders.make_dino import distillation_loss
from ovrisisbench.adapters.tiny_encoders.pictures import Pictures
from ovrisisbench.mini import KINDS


def test_no_view_is_compared_with_itself() -> None:
    generator = torch.Generator().manual_seed(0)
    views = [torch.randn(2, 5, generator=generator) for _ in range(3)]
    centre = torch.randn(5, generator=generator)
    expected = 0.0
    pairs = [(0, 1), (0, 2), (1, 0), (1, 2)]
    for aim, seen in pairs:
        p = ((views[aim] - centre) / 0.04).softmax(-1)
        expected -= float((p * (views[seen] / 0.1).log_softmax(-1)).sum(-1).mean()) / len(pairs)
    assert float(distillation_loss(views, views[:2], centre)) == pytest.approx(expected, rel=1e-5)


def test_its_file_is_a_dino_that_has_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def noise(count: int, *, side: int, seed: int) -> Pictures:
        pixels = np.random.default_rng(seed).integers(0, 256, (count, side, side, 3)).astype(np.uint8)
        return Pictures(pixels, np.zeros((count, len(KINDS)), np.float32))

    monkeypatch.setattr(make_dino, "draw_pictures", noise)
    found = []
    for iterations in (1, 3):
        path = tmp_path / f"{iterations}.safetensors"
        words = ["make_dino", "--to", str(path), "--pictures", "4", "--iterations", str(iterations), "--batch", "2"]
        monkeypatch.setattr(sys, "argv", words)
        make_dino.main()
        found.append(read_state_dict(path))
    assert not torch.equal(found[0]["blocks.0.attn.qkv.weight"], found[1]["blocks.0.attn.qkv.weight"])
    tower = DINO(TINY_DINO, grid=24)
    tower.load_state_dict(found[1])
    assert [tap.shape for tap in tower(torch.zeros(1, 3, 192, 192))] == [(1, 1 + 24 * 24, 64)] * 3
