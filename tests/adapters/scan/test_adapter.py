from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from ovrisisbench.adapter.contract import check_adapter
from ovrisisbench.adapter.interface import Adapter, LoadOptions
from ovrisisbench.adapter.registry import find_adapter
from ovrisisbench.adapters.scan import INFO
from ovrisisbench.adapters.scan.adapter import SCANAdapter
from ovrisisbench.adapters.scan.replacement import generator_for
from ovrisisbench.adapters.scan.settings import SETTINGS, Calibration, read_settings
from ovrisisbench.adapters.text.encoder import TextEncoder
from ovrisisbench.errors import AdapterError
from tests.adapters.official_shapes import write_checkpoint
from tests.adapters.scan.networks import lively, scan_state
from tests.parity.synth import synthetic_image

CLASSES = ["building, house", "low vegetation", "Road"]
IMAGES = [synthetic_image(64, 96, 0), synthetic_image(250, 130, 9)]


def _options(checkpoint: Path | None = None, seed: int = 0, **settings: str) -> LoadOptions:
    return LoadOptions(
        backbone="tiny",
        checkpoint=checkpoint,
        untrained=checkpoint is None,
        seed=seed,
        settings={"linears": "plain", **settings},
    )


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("scan") / "model_final.pth", scan_state(lively()))


def _adapter(checkpoint: Path, seed: int = 0, **settings: str) -> SCANAdapter:
    adapter = SCANAdapter.load(_options(checkpoint, seed, **settings))
    adapter.set_vocabulary(CLASSES)
    return adapter


@pytest.fixture(scope="module")
def adapter(checkpoint: Path) -> SCANAdapter:
    return _adapter(checkpoint)


def test_every_promise_of_the_contract_is_kept() -> None:
    assert [check for check in check_adapter(find_adapter("scan"), _options()) if not check.passed] == []


def test_maps_have_the_size_of_the_test_mapper(adapter: SCANAdapter) -> None:
    assert isinstance(adapter, Adapter)
    maps = adapter.predict(IMAGES, image_ids=["a", "b"])
    for score_map, image, size in zip(maps, IMAGES, ((640, 960), (1231, 640)), strict=True):
        assert score_map.image_size == image.shape[:2]
        assert score_map.crop is None
        assert isinstance(score_map.scores, torch.Tensor)
        assert score_map.scores.shape == (3, *size)
        assert score_map.scores.dtype == torch.float32
        assert score_map.scores.min() >= 0


def test_the_draw_follows_from_seed_and_image_id_whatever_the_company(adapter: SCANAdapter, checkpoint: Path) -> None:
    image = IMAGES[0]
    first, second = (one.scores for one in adapter.predict([image, image], image_ids=["a", "b"]))
    assert not torch.equal(first, second), "two ids, two draws"
    random.seed(1)
    (alone,) = adapter.predict([image], image_ids=["b"])
    assert torch.equal(alone.scores, second)
    assert not torch.equal(_adapter(checkpoint, seed=1).predict([image], image_ids=["a"])[0].scores, first)


def test_a_generator_of_ones_own_repeats_a_run_of_the_original(adapter: SCANAdapter) -> None:
    with torch.inference_mode():
        ours = adapter.score(IMAGES[0], image_id="a")
        given = adapter.score(IMAGES[0], image_id="never looked at", generator=generator_for(0, "a"))
        other = adapter.score(IMAGES[0], image_id="a", generator=random.Random(1))
    assert torch.equal(ours, given)
    assert not torch.equal(ours, other)


def test_without_replacement_the_id_does_not_matter(checkpoint: Path) -> None:
    adapter = _adapter(checkpoint, replace_ratio="0")
    first, second = adapter.predict([IMAGES[0]] * 2, image_ids=["a", "b"])
    assert torch.equal(first.scores, second.scores)
    assert adapter.describe()["replacement"] == "none"
    assert adapter.describe()["replacement_seed"] is None


@pytest.mark.parametrize("setting", ["mask_threshold", "ensemble_weight", "replace_ratio"])
def test_every_number_changes_the_scores(adapter: SCANAdapter, checkpoint: Path, setting: str) -> None:
    changed = _adapter(checkpoint, **{setting: "0.6" if setting == "mask_threshold" else "0.5"})
    with torch.inference_mode():
        assert not torch.equal(changed.score(IMAGES[0]), adapter.score(IMAGES[0]))


def test_class_names_are_taken_as_written_without_the_blanks_around_them(adapter: SCANAdapter) -> None:
    with_synonym = adapter.embeddings
    adapter.set_vocabulary([" building, house ", *CLASSES[1:]])
    assert torch.equal(adapter.embeddings, with_synonym)
    adapter.set_vocabulary(["building", *CLASSES[1:]])
    assert not torch.equal(adapter.embeddings[0], with_synonym[0])
    adapter.set_vocabulary(CLASSES)


def test_templates_are_averaged_as_directions(adapter: SCANAdapter) -> None:
    templates = [
        "a photo of a {}.", "This is a photo of a {}", "There is a {} in the scene", "There is the {} in the scene",
        "a photo of a {} in the scene", "a photo of a small {}.", "a photo of a medium {}.", "a photo of a large {}.",
        "This is a photo of a small {}.", "This is a photo of a medium {}.", "This is a photo of a large {}.",
        "There is a small {} in the scene.", "There is a medium {} in the scene.", "There is a large {} in the scene.",
    ]  # fmt: skip
    total = torch.zeros(3, 32)
    for template in templates:
        total += TextEncoder(adapter.network.text, [template]).embed(CLASSES)[:, 0]
    expected = total / total.norm(dim=-1, keepdim=True)
    torch.testing.assert_close(adapter.embeddings, expected, atol=1e-6, rtol=0)


def test_a_vocabulary_is_encoded_once(adapter: SCANAdapter, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    embed = TextEncoder.embed
    monkeypatch.setattr(TextEncoder, "embed", lambda encoder, names: calls.append(names) or embed(encoder, names))
    for name in ("a", "b", "a"):
        adapter.set_vocabulary([name])
    adapter.set_vocabulary(CLASSES)
    assert calls == [["a"], ["b"]]


def test_scores_stay_float32_and_finite_under_autocast(adapter: SCANAdapter) -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        (score_map,) = adapter.predict(IMAGES[:1], image_ids=["0"])
    assert score_map.scores.dtype == torch.float32
    assert score_map.scores.isfinite().all()


def test_untrained_weights_follow_the_seed_and_leave_the_global_generator_alone() -> None:
    torch.manual_seed(5)
    state = torch.random.get_rng_state()
    first, again, other = (SCANAdapter.load(_options(seed=seed)).network.state_dict() for seed in (1, 1, 2))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first["segmenter.pixel_decoder.level_embed"], other["segmenter.pixel_decoder.level_embed"])


def test_describe_gives_every_setting_that_was_resolved(adapter: SCANAdapter) -> None:
    described = adapter.describe()
    assert set(SETTINGS) <= set(described)
    assert described["replacement"] == "seeded by image id"
    assert (described["mask_threshold"], described["ensemble_weight"], described["replace_ratio"]) == (0.4, 0.7, 0.15)


def test_counts_tell_what_is_trained(adapter: SCANAdapter) -> None:
    network = adapter.network
    frozen = (network.clip, network.original_clip, network.text)
    counts = adapter.count_parameters()
    assert counts.total == sum(parameter.numel() for parameter in network.parameters())
    assert counts.trainable == counts.total - sum(p.numel() for part in frozen for p in part.parameters())


def test_weights_and_a_vocabulary_are_needed() -> None:
    with pytest.raises(AdapterError, match="--checkpoint"):
        SCANAdapter.load(LoadOptions(backbone="tiny"))
    with pytest.raises(AdapterError, match="No vocabulary"):
        SCANAdapter.load(_options()).predict(IMAGES, image_ids=["a", "b"])


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"threshold": "1"}, "SCAN has no setting 'threshold'"),
        ({"mask_threshold": "1.5"}, "mask_threshold=1.5 is not possible; give a number from 0 to 1"),
        ({"replace_ratio": "-0.1"}, "replace_ratio=-0.1 is not possible"),
        ({"ensemble_weight": "nan"}, "ensemble_weight=nan is not possible"),
        ({"ensemble_weight": "much"}, "ensemble_weight=much is not possible"),
        ({"linears": "fast"}, "linears=fast is not possible; choose one of auto, plain, packed"),
    ],
)
def test_settings_are_checked(settings: dict[str, str], sentence: str) -> None:
    with pytest.raises(AdapterError, match=sentence):
        read_settings(settings)


def test_the_defaults_are_the_published_numbers() -> None:
    said = {name: setting.default for name, setting in SETTINGS.items()}
    assert read_settings(said) == (Calibration(), "auto")
    assert Calibration() == Calibration(mask_threshold=0.4, ensemble_weight=0.7, replace_ratio=0.15)


def test_an_unknown_backbone_is_refused() -> None:
    with pytest.raises(AdapterError, match="SCAN has no backbone 'vit-h'"):
        SCANAdapter.load(LoadOptions(backbone="vit-h", untrained=True))


def test_listing_the_model_imports_no_network() -> None:
    code = (
        "import sys, ovrisisbench.adapters.scan as model;"
        "print(model.INFO.name, *(name in sys.modules for name in ('torch', 'numpy', 'transformers')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [INFO.name, "False", "False", "False"]


def test_users_are_told_that_the_original_draws_at_random() -> None:
    assert "not deterministic" in INFO.preprocessing
    assert "not deterministic" in (SCANAdapter.__doc__ or "")


def test_the_tiny_network_is_quick() -> None:
    adapter = SCANAdapter.load(_options())
    adapter.set_vocabulary(CLASSES)
    image = synthetic_image(96, 96, 0)
    adapter.predict([image], image_ids=["0"])
    start = time.process_time()
    adapter.predict([image], image_ids=["0"])
    assert time.process_time() - start < 0.8


def test_images_are_left_as_they_are(adapter: SCANAdapter) -> None:
    image = IMAGES[0].copy()
    adapter.predict([image], image_ids=["0"])
    assert np.array_equal(image, IMAGES[0])
