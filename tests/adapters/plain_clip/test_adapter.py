from __future__ import annotations

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from ovrisisbench.adapter.contract import check_adapter
from ovrisisbench.adapter.interface import Adapter, LoadOptions, ParameterCounter
from ovrisisbench.adapter.registry import find_adapter
from ovrisisbench.adapters.inference.packed_linears import packing_works
from ovrisisbench.adapters.plain_clip.adapter import PlainCLIPAdapter
from ovrisisbench.adapters.plain_clip.config import TINY
from ovrisisbench.adapters.plain_clip.official import file_layout
from ovrisisbench.adapters.plain_clip.settings import SETTINGS
from ovrisisbench.adapters.text.encoder import TextEncoder
from ovrisisbench.adapters.text.templates import IMAGENET
from ovrisisbench.errors import AdapterError
from tests.adapters.official_shapes import official_state
from tests.adapters.plain_clip.networks import lively
from tests.parity.synth import synthetic_image

CLASSES = ["building, house", "low vegetation", "Road"]
IMAGES = [synthetic_image(64, 64, 0), synthetic_image(64, 99, 1), synthetic_image(250, 130, 9)]
IDS = [str(index) for index in range(len(IMAGES))]
MEAN = np.array([122.7709383, 116.7460125, 104.09373615])
STD = np.array([68.5005327, 66.6321579, 70.3231630])


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "tiny.pt"
    torch.save(official_state(lively(), file_layout(TINY)), path)
    return path


@pytest.fixture
def adapter(checkpoint: Path) -> PlainCLIPAdapter:
    return _adapter(checkpoint)


def _adapter(checkpoint: Path, **settings: str) -> PlainCLIPAdapter:
    options = LoadOptions(backbone="tiny", checkpoint=checkpoint, settings={"linears": "plain", **settings})
    adapter = PlainCLIPAdapter.load(options)
    adapter.set_vocabulary(CLASSES)
    return adapter


@pytest.mark.parametrize("dense", ["value", "ordinary"])
def test_every_promise_of_the_contract_is_kept(dense: str) -> None:
    options = LoadOptions(backbone="tiny", untrained=True, settings={"dense": dense})
    checks = check_adapter(find_adapter("plain-clip"), options)
    assert len(checks) == 10
    assert [check for check in checks if not check.passed] == []


def test_a_square_image_gives_the_cosines_of_its_patches(adapter: PlainCLIPAdapter) -> None:
    (score_map,) = adapter.predict(IMAGES[:1], image_ids=["0"])
    assert score_map.crop is None
    assert score_map.scores.shape == (3, 12, 12)
    squared = F.interpolate(_mapped(IMAGES[0], 640, 640), size=(96, 96), mode="bilinear", align_corners=False)
    expected = lively()(squared, adapter.embeddings)[0]
    torch.testing.assert_close(score_map.scores, expected, atol=1e-5, rtol=0)


def _mapped(image: np.ndarray, height: int, width: int) -> torch.Tensor:
    resized = np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))
    return torch.from_numpy((resized - MEAN) / STD).permute(2, 0, 1)[None].float()


def test_the_padded_strip_is_cut_off_to_the_pixel(adapter: PlainCLIPAdapter) -> None:
    (score_map,) = adapter.predict(IMAGES[1:2], image_ids=["1"])
    assert score_map.crop == (0, 640, 0, 990)
    assert score_map.scores.shape == (3, 640, 992)
    canvas = torch.zeros(1, 3, 640, 992)
    canvas[..., :990] = _mapped(IMAGES[1], 640, 990)
    squared = F.interpolate(canvas, size=(96, 96), mode="bilinear", align_corners=False)
    cosines = lively()(squared, adapter.embeddings)
    expected = F.interpolate(cosines, size=(640, 992), mode="bilinear", align_corners=False)[0]
    torch.testing.assert_close(score_map.scores, expected, atol=1e-5, rtol=0)


def test_an_upright_image_is_padded_below(adapter: PlainCLIPAdapter) -> None:
    (score_map,) = adapter.predict(IMAGES[2:], image_ids=["2"])
    assert score_map.crop == (0, 1231, 0, 640)
    assert score_map.scores.shape == (3, 1248, 640)


def test_the_trace_sees_input_and_cosines_and_changes_no_bit(adapter: PlainCLIPAdapter) -> None:
    seen = {}
    with torch.inference_mode():
        traced = adapter.score(IMAGES[1], trace=lambda name, tensor: seen.update({name: tensor}))
        assert torch.equal(traced, adapter.score(IMAGES[1]))
    assert {name: tuple(tensor.shape) for name, tensor in seen.items()} == {
        "clip_in": (1, 3, 96, 96),
        "cosines": (1, 3, 12, 12),
    }


def test_classes_are_the_mean_direction_of_80_prompts_of_their_first_synonym(adapter: PlainCLIPAdapter) -> None:
    each = TextEncoder(lively().text, IMAGENET).embed(["building", "low vegetation", "Road"])
    expected = F.normalize(each.double().sum(1), dim=-1)
    torch.testing.assert_close(adapter.embeddings.double(), expected, atol=1e-6, rtol=0)


def test_a_vocabulary_is_encoded_once(adapter: PlainCLIPAdapter, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    embed = TextEncoder.embed
    monkeypatch.setattr(TextEncoder, "embed", lambda encoder, names: calls.append(names) or embed(encoder, names))
    for name in ("a", "b", "a"):
        adapter.set_vocabulary([name])
    assert calls == [["a"], ["b"]]


def test_company_order_and_threads_change_no_bit(adapter: PlainCLIPAdapter) -> None:
    together = [score_map.scores for score_map in adapter.predict(IMAGES, image_ids=IDS)]
    barrier = threading.Barrier(3)

    def work(index: int) -> torch.Tensor:
        barrier.wait()
        return adapter.predict([IMAGES[index % 3]], image_ids=["x"])[0].scores

    with ThreadPoolExecutor(3) as pool:
        for index, scores in enumerate(pool.map(work, range(6))):
            assert torch.equal(scores, together[index % 3])


@pytest.mark.skipif(not packing_works(), reason="this torch has no packed float32 product")
@pytest.mark.parametrize("dense", ["value", "ordinary"])
def test_packed_linears_give_the_plain_scores(checkpoint: Path, dense: str) -> None:
    packed, plain = (_adapter(checkpoint, linears=kind, dense=dense) for kind in ("packed", "plain"))
    torch.testing.assert_close(packed.score(IMAGES[0]), plain.score(IMAGES[0]), atol=1e-5, rtol=0)


def test_text_stays_float32_under_autocast(adapter: PlainCLIPAdapter, checkpoint: Path) -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        adapter.set_vocabulary(["ship", "tree"])
        (score_map,) = adapter.predict(IMAGES[:1], image_ids=["0"])
    outside = _adapter(checkpoint)
    outside.set_vocabulary(["ship", "tree"])
    assert torch.equal(adapter.embeddings, outside.embeddings)
    assert score_map.scores.dtype == torch.float32


def test_describe_gives_every_setting_that_was_resolved(adapter: PlainCLIPAdapter, checkpoint: Path) -> None:
    described = adapter.describe()
    assert set(SETTINGS) <= set(described)
    assert (described["backbone"], described["side"], described["dense"]) == ("tiny", 96, "value")
    assert _adapter(checkpoint, dense="ordinary").describe()["dense"] == "ordinary"


def test_nothing_is_trained(adapter: PlainCLIPAdapter) -> None:
    assert isinstance(adapter, Adapter)
    assert isinstance(adapter, ParameterCounter)
    counts = adapter.count_parameters()
    assert counts.trainable == 0
    assert counts.total == sum(parameter.numel() for parameter in lively().parameters())


def test_what_is_missing_or_wrong_is_said(checkpoint: Path) -> None:
    with pytest.raises(AdapterError, match="needs CLIP's weights; give them with --checkpoint"):
        PlainCLIPAdapter.load(LoadOptions(backbone="tiny"))
    with pytest.raises(AdapterError, match="no backbone 'vit-h'; there are vit-b, vit-l, tiny"):
        PlainCLIPAdapter.load(LoadOptions(backbone="vit-h", untrained=True))
    with pytest.raises(AdapterError, match="dense=attention is not possible; choose one of value, ordinary"):
        _adapter(checkpoint, dense="attention")
    adapter = PlainCLIPAdapter.load(LoadOptions(backbone="tiny", checkpoint=checkpoint))
    with pytest.raises(AdapterError, match="No vocabulary"):
        adapter.predict(IMAGES, image_ids=IDS)


def test_listing_the_model_imports_no_network() -> None:
    code = (
        "import sys, ovrisisbench.adapters.plain_clip as model;"
        "print(model.INFO.name, *(name in sys.modules for name in ('torch', 'numpy')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["plain-clip", "False", "False"]


def test_the_tiny_network_is_quick(adapter: PlainCLIPAdapter) -> None:
    image = synthetic_image(96, 96, 0)
    adapter.predict([image], image_ids=["0"])
    start = time.process_time()
    adapter.predict([image], image_ids=["0"])
    assert time.process_time() - start < 0.5


def test_images_are_left_as_they_are(adapter: PlainCLIPAdapter) -> None:
    for image in (synthetic_image(640, 640, 0), IMAGES[1]):
        before = image.copy()
        adapter.predict([image], image_ids=["0"])
        assert np.array_equal(image, before)
