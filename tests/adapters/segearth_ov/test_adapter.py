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

from ovrisisbench.adapter.contract import check_adapter
from ovrisisbench.adapter.interface import Adapter, LoadOptions, ParameterCounter
from ovrisisbench.adapter.registry import find_adapter
from ovrisisbench.adapters.inference.packed_linears import packing_works
from ovrisisbench.adapters.segearth_ov.adapter import SegEarthOVAdapter
from ovrisisbench.adapters.segearth_ov.config import TINY
from ovrisisbench.adapters.segearth_ov.official import file_layout
from ovrisisbench.adapters.segearth_ov.settings import SETTINGS
from ovrisisbench.adapters.text.encoder import TextEncoder
from ovrisisbench.adapters.text.templates import IMAGENET
from ovrisisbench.errors import AdapterError
from ovrisisbench.evaluate import label_map
from tests.adapters.official_shapes import official_state, write_checkpoint
from tests.adapters.segearth_ov.networks import lively
from tests.adapters.segearth_ov.second_version import Plain, label_map_of_probabilities
from tests.parity.synth import synthetic_image

cv2 = pytest.importorskip("cv2", reason="opencv-python-headless is an extra")

ALONE = ["low vegetation", "Road", "tree"]
SYNONYMS = ["building,roof,house", "road, street", "tree"]
IMAGES = [synthetic_image(64, 96, 0), synthetic_image(250, 130, 9), synthetic_image(40, 40, 2)]
IDS = [str(index) for index in range(len(IMAGES))]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    state = official_state(lively(), file_layout(TINY))
    return write_checkpoint(tmp_path_factory.mktemp("weights") / "both.pth", state)


@pytest.fixture
def adapter(checkpoint: Path) -> SegEarthOVAdapter:
    return _adapter(checkpoint)


def _adapter(checkpoint: Path, **settings: str) -> SegEarthOVAdapter:
    options = LoadOptions(backbone="tiny", checkpoint=checkpoint, settings={"linears": "plain", **settings})
    adapter = SegEarthOVAdapter.load(options)
    adapter.set_vocabulary(ALONE)
    return adapter


@pytest.mark.parametrize("settings", [{}, {"probability_threshold": "0.3", "background": "0"}])
def test_every_promise_of_the_contract_is_kept(settings: dict[str, str]) -> None:
    options = LoadOptions(backbone="tiny", untrained=True, settings=settings)
    checks = check_adapter(find_adapter("segearth-ov"), options)
    assert len(checks) == 10
    assert [check for check in checks if not check.passed] == []


@torch.no_grad()
@pytest.mark.parametrize("vocabulary", [ALONE, SYNONYMS])
@pytest.mark.parametrize("image", range(len(IMAGES)))
def test_scores_are_those_of_the_whole_second_version(
    adapter: SegEarthOVAdapter, vocabulary: list[str], image: int
) -> None:
    adapter.set_vocabulary(vocabulary)
    (score_map,) = adapter.predict([IMAGES[image]], image_ids=["x"])
    size, scores = IMAGES[image].shape[:2], score_map.scores
    assert max(scores.shape[1:]) == (96 if vocabulary is ALONE else max(size))
    assert score_map.crop is None
    cosines, classes = _second_cosines(vocabulary, IMAGES[image])
    best = [cosines[[query for query, of in enumerate(classes) if of == index]].max(0) for index in range(3)]
    found = F.interpolate(scores[None], size=size, mode="bilinear", align_corners=False)[0]
    assert np.abs(found.numpy() - np.stack(best)).max() < 2e-5


def _second_cosines(vocabulary: list[str], image: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """Cosines (N, H, W) at the size of the image, and the class of every query."""
    network = lively()
    words = [(word, index) for index, name in enumerate(vocabulary) for word in name.split(",")]
    each = TextEncoder(network.text, IMAGENET).embed([word for word, _ in words]).double()
    text = each.mean(1)
    text = text / text.norm(dim=1, keepdim=True)
    factor = 96 / max(image.shape)
    height, width = (int(side * factor + 0.5) for side in image.shape[:2])
    small = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
    cosines = Plain(network, TINY).cosines(small, text)
    large = F.interpolate(cosines[None], size=image.shape[:2], mode="bilinear", align_corners=False)
    return large[0].numpy(), [index for _, index in words]


def test_the_threshold_gives_pixels_to_the_background(checkpoint: Path) -> None:
    cosines, classes = _second_cosines(SYNONYMS, IMAGES[0])
    powers = np.exp(50 * cosines)
    threshold = float(np.median((powers / powers.sum(0)).max(0)))
    adapter = _adapter(checkpoint, probability_threshold=str(threshold), background="tree")
    adapter.set_vocabulary(SYNONYMS)
    (score_map,) = adapter.predict(IMAGES[:1], image_ids=["0"])
    found = label_map(score_map.scores.numpy(), IMAGES[0].shape[:2])
    expected = label_map_of_probabilities(cosines, classes, threshold, 2)
    assert (found != expected).mean() < 2e-3, "near ties at most"
    assert 0.5 <= (expected == 2).mean() < 1


def test_the_background_must_be_in_the_vocabulary(checkpoint: Path) -> None:
    adapter = SegEarthOVAdapter.load(
        LoadOptions(
            backbone="tiny",
            checkpoint=checkpoint,
            settings={"probability_threshold": "0.2", "background": "clutter"},
        )
    )
    with pytest.raises(AdapterError, match="background=clutter is no class of this vocabulary"):
        adapter.set_vocabulary(ALONE)
    adapter.set_vocabulary(["tree", "clutter"])


def test_each_word_between_commas_is_a_query_and_templates_are_averaged_as_directions(
    adapter: SegEarthOVAdapter,
) -> None:
    adapter.set_vocabulary(SYNONYMS)
    vectors, classes = adapter.queries
    assert classes == (0, 0, 0, 1, 1, 2)
    each = TextEncoder(lively().text, IMAGENET).embed(["building", "roof", "house", "road", "street", "tree"])
    assert each.shape == (6, 80, 32)
    expected = F.normalize(each.double().sum(1), dim=-1)
    torch.testing.assert_close(vectors.double(), expected, atol=1e-6, rtol=0)


def test_a_vocabulary_is_encoded_once(adapter: SegEarthOVAdapter, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    embed = TextEncoder.embed
    monkeypatch.setattr(TextEncoder, "embed", lambda encoder, names: calls.append(names) or embed(encoder, names))
    for name in ("a,b", "c", "a,b"):
        adapter.set_vocabulary([name])
    assert calls == [["a", "b"], ["c"]]


def test_company_order_and_threads_change_no_bit(adapter: SegEarthOVAdapter) -> None:
    together = [score_map.scores for score_map in adapter.predict(IMAGES, image_ids=IDS)]
    barrier = threading.Barrier(3)

    def work(index: int) -> torch.Tensor:
        barrier.wait()
        return adapter.predict([IMAGES[index % 3]], image_ids=["x"])[0].scores

    with ThreadPoolExecutor(3) as pool:
        for index, scores in enumerate(pool.map(work, range(6))):
            assert torch.equal(scores, together[index % 3])


@pytest.mark.skipif(not packing_works(), reason="this torch has no packed float32 product")
def test_packed_linears_give_the_plain_scores(adapter: SegEarthOVAdapter, checkpoint: Path) -> None:
    packed = _adapter(checkpoint, linears="packed")
    assert packed.describe()["linears"] == "packed"
    torch.testing.assert_close(packed.score(IMAGES[0]), adapter.score(IMAGES[0]), atol=1e-5, rtol=0)


def test_scores_are_bounded_and_finite_for_awkward_shapes(adapter: SegEarthOVAdapter) -> None:
    for size in ((1, 1), (3, 200), (97, 101), (500, 20)):
        (score_map,) = adapter.predict([synthetic_image(*size, 1)], image_ids=["x"])
        assert score_map.image_size == size
        assert score_map.scores.dtype == torch.float32
        assert score_map.scores.isfinite().all()
        assert score_map.scores.abs().max() <= 1.3 + 1e-5


def test_text_stays_float32_under_autocast(adapter: SegEarthOVAdapter, checkpoint: Path) -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        adapter.set_vocabulary(["ship", "tree"])
        (score_map,) = adapter.predict(IMAGES[:1], image_ids=["0"])
    outside = _adapter(checkpoint)
    outside.set_vocabulary(["ship", "tree"])
    assert torch.equal(adapter.queries.vectors, outside.queries.vectors)
    assert score_map.scores.dtype == torch.float32
    assert (score_map.scores - outside.score(IMAGES[0])).abs().max() < 0.05


def test_describe_gives_every_setting_that_was_resolved(adapter: SegEarthOVAdapter, checkpoint: Path) -> None:
    described = adapter.describe()
    assert set(SETTINGS) <= set(described)
    assert (described["cls_token_lambda"], described["logit_scale"]) == (-0.3, 50)
    assert (described["probability_threshold"], described["background"]) == (0, None)
    described = _adapter(checkpoint, probability_threshold="0.25", background="1").describe()
    assert (described["probability_threshold"], described["background"]) == (0.25, "1")


def test_nothing_is_trained(adapter: SegEarthOVAdapter) -> None:
    assert isinstance(adapter, Adapter)
    assert isinstance(adapter, ParameterCounter)
    counts = adapter.count_parameters()
    assert counts.trainable == 0
    assert counts.total == sum(parameter.numel() for parameter in lively().parameters())


def test_what_is_missing_is_said(checkpoint: Path) -> None:
    with pytest.raises(AdapterError, match="needs weights; give CLIP's with --checkpoint and the up-sampler's with"):
        SegEarthOVAdapter.load(LoadOptions(backbone="tiny"))
    with pytest.raises(AdapterError, match="no backbone 'vit-l'; there are vit-b, tiny"):
        SegEarthOVAdapter.load(LoadOptions(backbone="vit-l", untrained=True))
    adapter = SegEarthOVAdapter.load(LoadOptions(backbone="tiny", checkpoint=checkpoint))
    with pytest.raises(AdapterError, match="No vocabulary"):
        adapter.predict(IMAGES, image_ids=IDS)


def test_loading_without_opencv_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(AdapterError, match=r"pip install 'ovrisisbench\[segearth-ov\]'"):
        SegEarthOVAdapter.load(LoadOptions(backbone="tiny", untrained=True))


def test_listing_the_model_imports_no_network() -> None:
    code = (
        "import sys, ovrisisbench.adapters.segearth_ov as model;"
        "print(model.INFO.name, *(name in sys.modules for name in ('torch', 'numpy', 'cv2')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["segearth-ov", "False", "False", "False"]


def test_the_tiny_network_is_quick(adapter: SegEarthOVAdapter) -> None:
    image = synthetic_image(96, 96, 0)
    adapter.predict([image], image_ids=["0"])
    start = time.process_time()
    adapter.predict([image], image_ids=["0"])
    assert time.process_time() - start < 0.5


def test_images_are_left_as_they_are(adapter: SegEarthOVAdapter) -> None:
    for image in (synthetic_image(96, 96, 0), IMAGES[1]):
        before = image.copy()
        adapter.predict([image], image_ids=["0"])
        assert np.array_equal(image, before)
