"""The small CLIP learns which captions are true, and its file is one of CLIP's."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from ovrisisbench.adapter.checkpoints import read_state_dict
from ovrisisbench.adapter.doctor import diagnose
from ovrisisbench.adapter.interface import LoadOptions
from ovrisisbench.adapter.registry import find_adapter
from ovrisisbench.adapters.clip.config import TINY_CLIP
from ovrisisbench.adapters.clip.image_tower import DenseCLIPImageTower
from ovrisisbench.adapters.images.pixels import normalised
from ovrisisbench.adapters.text.tokens import tokenise
from ovrisisbench.adapters.tiny_encoders import make_clip
from ovrisisbench.adapters.tiny_encoders.make_clip import SmallCLIP, sigmoid_loss, train, used_tokens
from ovrisisbench.adapters.tiny_encoders.pictures import Pictures
from ovrisisbench.mini import KINDS, load_captions


def _pictures(count: int, *, side: int, seed: int) -> Pictures:
    """Pictures that are all sea or all grass, told by their colour alone."""
    rng = np.random.default_rng(seed)
    pixels = np.empty((count, side, side, 3), np.uint8)
    shares = np.zeros((count, len(KINDS)), np.float32)
    for row in range(count):
        kind, colour = (("sea", (30, 60, 140)), ("grass", (70, 140, 60)))[row % 2]
        pixels[row] = rng.normal(colour, 6, (side, side, 3)).clip(0, 255)
        shares[row, list(KINDS).index(kind)] = 1
    return Pictures(pixels, shares)


def test_true_and_false_captions_weigh_the_same_and_hardly_visible_ones_nothing() -> None:
    logits = torch.tensor([[2.0, -1.0, 0.5], [0.3, 4.0, -2.0]])
    visible = torch.tensor([[0.5, 0.0, 0.004], [0.0, 0.02, 0.0]])
    true = (F.softplus(torch.tensor(-2.0)) + F.softplus(torch.tensor(-4.0))) / 2
    false = (F.softplus(torch.tensor(-1.0)) + F.softplus(torch.tensor(0.3)) + F.softplus(torch.tensor(-2.0))) / 3
    torch.testing.assert_close(sigmoid_loss(logits, visible), true + false)


def test_it_learns_which_word_belongs_to_which_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(make_clip, "draw_pictures", _pictures)
    model = train("clip", pictures=16, iterations=100, batch=8, seed=0)
    side = TINY_CLIP.table * TINY_CLIP.patch
    drawn = _pictures(2, side=side, seed=9)
    images = normalised(torch.from_numpy(drawn.pixels).permute(0, 3, 1, 2).float())
    with torch.no_grad():
        found = model(images, tokenise(["a photo of a ocean.", "a photo of a lawn."]))
    for logits in found:  # of the whole pictures, and of their patches
        of_sea, of_grass = logits[:, 0] - logits[:, 1]
        assert of_sea > of_grass + 0.3


def test_its_file_is_read_as_clips_and_scores_as_the_network_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(make_clip, "draw_pictures", _pictures)
    path = tmp_path / "clip.safetensors"
    words = ["make_clip", "clip", "--to", str(path), "--pictures", "8", "--iterations", "2", "--batch", "4"]
    monkeypatch.setattr(sys, "argv", words)
    make_clip.main()
    (report,) = [found for found in diagnose(path).reports if found.model == "plain-clip"]
    assert (report.backbone, report.missing, report.unused, report.misshapen) == ("tiny", (), (), ())
    adapter = find_adapter("plain-clip").load_class().load(LoadOptions(backbone="tiny", checkpoint=path))
    adapter.set_vocabulary(["sea", "grass"])
    (score_map,) = adapter.predict(list(_pictures(1, side=96, seed=0).pixels), image_ids=["one"])
    assert score_map.scores.shape == (2, 12, 12)
    model = train("clip", pictures=8, iterations=2, batch=4, seed=0)
    stored, own = read_state_dict(path), model.official_state()
    assert stored.keys() == own.keys()
    torch.testing.assert_close(stored["visual.proj"], own["visual.proj"], atol=1e-3, rtol=1e-3)
    kept = stored["token_embedding.weight"].any(dim=1).nonzero().flatten().tolist()
    assert kept == used_tokens(load_captions())


def test_the_temperature_and_the_bias_learn() -> None:
    model = SmallCLIP(TINY_CLIP)
    visible = torch.tensor([[1.0, 0], [0, 1]])
    found = model(torch.randn(2, 3, 96, 96), tokenise(["a", "b"]))
    sum(sigmoid_loss(logits, visible) for logits in found).backward()
    for number in (model.logit_scale, model.logit_bias, model.patch_scale, model.patch_bias):
        assert number.grad


def test_patches_speak_for_a_picture_as_the_family_reads_them_and_the_nearest_the_most() -> None:
    model = SmallCLIP(TINY_CLIP)
    images, tokens = torch.randn(2, 3, 96, 96), tokenise(["a", "b", "c"])
    tower = DenseCLIPImageTower(TINY_CLIP, grid=12, taps=())
    tower.load_state_dict(model.towers.clip.state_dict())
    with torch.no_grad():
        found = model(images, tokens).patches
        cosines = F.normalize(tower(images).dense[:, 1:], dim=-1) @ F.normalize(model.towers.text(tokens), dim=-1).T
    as_cosines = (found - model.patch_bias.item()) / model.patch_scale.exp().item()
    assert (as_cosines <= cosines.amax(dim=1) + 1e-6).all()
    assert (as_cosines > cosines.mean(dim=1)).all()
    weights = (10 * cosines).softmax(dim=1)
    torch.testing.assert_close(as_cosines, (weights * cosines).sum(dim=1), atol=1e-5, rtol=1e-5)
