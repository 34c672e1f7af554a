from __future__ import annotations

import copy
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from ovrisisbench.adapter.contract import check_adapter
from ovrisisbench.adapter.interface import Adapter, LoadOptions, ParameterCounter
from ovrisisbench.adapter.registry import find_adapter
from ovrisisbench.adapters.inference.packed_linears import PackedLinear, packing_works
from ovrisisbench.adapters.san import INFO
from ovrisisbench.adapters.san.adapter import SANAdapter
from ovrisisbench.adapters.text.encoder import TextEncoder
from ovrisisbench.adapters.text.templates import VILD
from ovrisisbench.errors import AdapterError
from tests.adapters.official_shapes import official_state, write_checkpoint
from tests.adapters.san.second_version import plain_proposals, weights_of
from tests.parity.synth import synthetic_image

CLASSES = ["building, house", "low vegetation", "Clutter/background"]
IMAGE = synthetic_image(64, 96, 0)


def _adapter(**settings: str) -> SANAdapter:
    adapter = SANAdapter.load(LoadOptions(backbone="tiny", untrained=True, settings={"linears": "plain", **settings}))
    adapter.set_vocabulary(CLASSES)
    return adapter


def _scores(adapter: SANAdapter, image: np.ndarray = IMAGE) -> torch.Tensor:
    (score_map,) = adapter.predict([image], image_ids=["0"])
    assert isinstance(score_map.scores, torch.Tensor)
    return score_map.scores


def test_every_promise_of_the_contract_is_kept() -> None:
    checks = check_adapter(find_adapter("san"), LoadOptions(backbone="tiny", untrained=True))
    assert {check.name: check.detail for check in checks if not check.passed} == {}
    assert isinstance(_adapter(), Adapter)
    assert isinstance(_adapter(), ParameterCounter)


@pytest.mark.parametrize("size", [(64, 96), (1, 1), (333, 97), (30, 480), (700, 650)])
def test_maps_have_the_size_of_their_image(size: tuple[int, int]) -> None:
    adapter = _adapter()
    image = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    (score_map,) = adapter.predict([image], image_ids=["0"])
    assert score_map.image_size == size
    assert score_map.crop is None
    assert score_map.scores.shape == (3, *size)
    assert 0 <= score_map.scores.min() <= score_map.scores.max() <= 12, "at most one for each query"


@torch.no_grad()
@pytest.mark.parametrize(
    ("original", "mapped", "padded"),
    [((384, 518), (640, 863), (640, 864)), ((20, 320), (160, 2560), (160, 2560)), ((99, 60), (1056, 640), (1056, 640))],
)
def test_an_image_takes_the_official_way_from_pixels_to_scores(
    original: tuple[int, int], mapped: tuple[int, int], padded: tuple[int, int]
) -> None:
    """The whole chain once more, in float64 and step by step: padded, at the limit of the long side, and upright."""
    adapter, image = _adapter(), synthetic_image(*original, 1)
    ours = _scores(adapter, image)
    mean = torch.tensor([122.7709383, 116.7460125, 104.09373615], dtype=torch.float64)
    std = torch.tensor([68.5005327, 66.6321579, 70.3231630], dtype=torch.float64)
    resized = np.array(Image.fromarray(image).resize(mapped[::-1], Image.Resampling.BILINEAR))
    pixels = torch.zeros(*padded, 3, dtype=torch.float64)
    pixels[: mapped[0], : mapped[1]] = (torch.from_numpy(resized).double() - mean) / std
    network = copy.deepcopy(adapter.network).double()
    classifier = adapter.classifier.double()
    found = plain_proposals(weights_of(network), network.config, pixels.permute(2, 0, 1), classifier)
    masks = F.interpolate(found["mask_logits"][None], size=padded, mode="bilinear")[..., : mapped[0], : mapped[1]]
    masks = F.interpolate(masks, size=original, mode="bilinear")[0]
    expected = torch.einsum("qk,qhw->khw", found["class_logits"].softmax(-1)[:, :-1], masks.sigmoid())
    torch.testing.assert_close(ours.double(), expected, atol=2e-5, rtol=0)
    assert ours.std() > 1e-3


def test_names_are_taken_whole_and_templates_averaged() -> None:
    adapter = _adapter()
    assert adapter.classifier.shape == (4, 32)
    adapter.set_vocabulary(["  building, house ", "building"])
    whole, part, background = adapter.classifier
    vectors = TextEncoder(adapter.network.text, VILD).embed(["building, house", "building"])
    for row, prompts in zip((whole, part), vectors, strict=True):
        mean = torch.stack([prompt / prompt.norm() for prompt in prompts]).mean(0)
        torch.testing.assert_close(row, mean / mean.norm())
    assert not torch.allclose(whole, part, atol=1e-3)
    torch.testing.assert_close(background, adapter.network.bg_embed[0] / adapter.network.bg_embed[0].norm())


def test_a_vocabulary_is_encoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    adapter, calls = _adapter(), []
    embed = TextEncoder.embed
    monkeypatch.setattr(TextEncoder, "embed", lambda encoder, names: calls.append(names) or embed(encoder, names))
    for name in ("a", "b", "a"):
        adapter.set_vocabulary([name])
    assert calls == [["a"], ["b"]]


def test_an_empty_name_is_refused() -> None:
    with pytest.raises(AdapterError, match="leaves a prompt without a name"):
        _adapter().set_vocabulary(["road", " "])


def test_two_loads_give_the_same_bits_and_another_seed_other_ones() -> None:
    assert torch.equal(_scores(_adapter()), _scores(_adapter()))
    other = SANAdapter.load(LoadOptions(backbone="tiny", untrained=True, seed=1, settings={"linears": "plain"}))
    other.set_vocabulary(CLASSES)
    assert not torch.equal(_scores(other), _scores(_adapter()))


def test_many_classes_work() -> None:
    adapter = _adapter()
    adapter.set_vocabulary([f"class {index}" for index in range(260)])
    assert _scores(adapter).shape == (260, 64, 96)


def test_scores_stay_float32_under_autocast() -> None:
    adapter = _adapter()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        adapter.set_vocabulary(["ship", "tree"])
        scores = _scores(adapter)
    outside = _adapter()
    outside.set_vocabulary(["ship", "tree"])
    assert torch.equal(adapter.classifier, outside.classifier)
    assert scores.dtype == torch.float32
    torch.testing.assert_close(scores, _scores(outside), atol=0.3, rtol=0)


@pytest.mark.skipif(not packing_works(), reason="this torch does not pack")
def test_packed_linear_layers_change_rounding_only() -> None:
    packed = _adapter(linears="packed")
    assert any(isinstance(module, PackedLinear) for module in packed.network.clip.modules())
    assert any(isinstance(module, PackedLinear) for module in packed.network.side.vit_model.modules())
    assert packed.describe()["linears"] == "packed"
    torch.testing.assert_close(_scores(packed), _scores(_adapter()), atol=1e-4, rtol=0)


def test_an_official_file_gives_the_scores_of_its_network(tmp_path: Path) -> None:
    from ovrisisbench.adapters.san.official import file_layout

    reference = _adapter()
    state = official_state(reference.network, file_layout(reference.network.config))
    path = write_checkpoint(tmp_path / "model_final.pth", state)
    adapter = SANAdapter.load(LoadOptions(backbone="tiny", checkpoint=path, settings={"linears": "plain"}))
    adapter.set_vocabulary(CLASSES)
    assert torch.equal(adapter.classifier, reference.classifier)
    assert torch.equal(_scores(adapter), _scores(reference))
    assert adapter.describe() == reference.describe()
    assert adapter.count_parameters() == reference.count_parameters()


def test_weights_and_a_vocabulary_are_needed() -> None:
    with pytest.raises(AdapterError, match="--checkpoint"):
        SANAdapter.load(LoadOptions(backbone="tiny"))
    adapter = SANAdapter.load(LoadOptions(backbone="tiny", untrained=True))
    with pytest.raises(AdapterError, match="No vocabulary"):
        adapter.predict([IMAGE], image_ids=["0"])


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (LoadOptions(backbone="vit-h", untrained=True), "SAN has no backbone 'vit-h'; there are vit-b, vit-l, tiny"),
        (LoadOptions(backbone="tiny", untrained=True, settings={"linear": "plain"}), "Did you mean 'linears'"),
        (LoadOptions(backbone="tiny", untrained=True, settings={"linears": "fast"}), "choose one of auto, plain, pack"),
    ],
)
def test_what_cannot_be_had_is_refused_in_one_sentence(options: LoadOptions, sentence: str) -> None:
    with pytest.raises(AdapterError, match=sentence) as caught:
        SANAdapter.load(options)
    assert "\n" not in str(caught.value)


def test_describe_gives_every_setting_that_was_resolved() -> None:
    described = _adapter().describe()
    assert described == {"backbone": "tiny", "templates": "vild", "linears": "plain"}
    assert set(INFO.settings) <= set(described)


def test_listing_the_model_imports_no_network() -> None:
    code = (
        "import sys, ovrisisbench.adapters.san as model;"
        "print(model.INFO.name, 'torch' in sys.modules, 'numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["san", "False", "False"]


def test_the_tiny_network_is_quick() -> None:
    adapter = _adapter()
    _scores(adapter)
    start = time.process_time()
    _scores(adapter)
    assert time.process_time() - start < 0.5
