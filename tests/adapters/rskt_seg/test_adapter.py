from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch

from ovrisisbench.adapter.interface import Adapter, LoadOptions
from ovrisisbench.adapters.rskt_seg import INFO
from ovrisisbench.adapters.rskt_seg.adapter import RSKTSegAdapter
from ovrisisbench.adapters.rskt_seg.loading import untrained
from ovrisisbench.adapters.rskt_seg.settings import NUMBERS, SETTINGS
from ovrisisbench.adapters.settings import parse_settings
from ovrisisbench.adapters.text.encoder import TextEncoder
from ovrisisbench.errors import AdapterError
from tests.adapters.official_shapes import write_checkpoint
from tests.adapters.rskt_seg.checkpoints import rskt_state
from tests.parity.synth import synthetic_image

CLASSES = ["building, house", "low vegetation", "Road"]
IMAGES = [synthetic_image(64, 96, seed) for seed in range(3)] + [synthetic_image(250, 130, 9)]
IDS = [str(index) for index in range(len(IMAGES))]


def _adapter(**settings: str) -> RSKTSegAdapter:
    adapter = RSKTSegAdapter.load(
        LoadOptions(backbone="tiny", untrained=True, settings={"linears": "plain", **settings})
    )
    adapter.set_vocabulary(CLASSES)
    return adapter


def test_the_adapter_fulfils_the_contract() -> None:
    adapter = _adapter()
    assert isinstance(adapter, Adapter)
    maps = adapter.predict(IMAGES, image_ids=IDS)
    for score_map, image in zip(maps, IMAGES, strict=True):
        assert score_map.image_size == image.shape[:2]
        assert score_map.crop is None
        assert isinstance(score_map.scores, torch.Tensor)
        assert score_map.scores.shape == (3, 48, 48)
        assert score_map.scores.dtype == torch.float32
        assert 0 <= score_map.scores.min() <= score_map.scores.max() <= 1


def test_sliding_windows_give_the_map_of_the_canvas() -> None:
    (score_map,) = _adapter(sliding_window="on").predict(IMAGES[:1], image_ids=["0"])
    assert score_map.scores.shape == (3, 640, 640)


def test_company_and_order_change_no_bit() -> None:
    adapter = _adapter()
    together = adapter.predict(IMAGES, image_ids=IDS)
    for index in reversed(range(len(IMAGES))):
        (alone,) = adapter.predict([IMAGES[index]], image_ids=["alone"])
        assert torch.equal(alone.scores, together[index].scores)


def test_two_loads_give_the_same_bits() -> None:
    first, second = (_adapter().predict(IMAGES[:1], image_ids=["0"])[0].scores for _ in range(2))
    assert torch.equal(first, second)


def test_threads_do_not_disturb_each_other() -> None:
    adapter = _adapter()
    expected = [score_map.scores for score_map in adapter.predict(IMAGES, image_ids=IDS)]
    barrier = threading.Barrier(4)

    def work(index: int) -> torch.Tensor:
        barrier.wait()
        return adapter.predict([IMAGES[index % 4]], image_ids=["x"])[0].scores

    with ThreadPoolExecutor(4) as pool:
        for index, scores in enumerate(pool.map(work, range(8))):
            assert torch.equal(scores, expected[index % 4])


def test_only_the_first_synonym_counts() -> None:
    adapter = _adapter()
    with_synonym = adapter.embeddings
    adapter.set_vocabulary(["building", *CLASSES[1:]])
    assert torch.equal(adapter.embeddings, with_synonym)


def test_a_vocabulary_is_encoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    adapter, calls = _adapter(), []
    embed = TextEncoder.embed
    monkeypatch.setattr(TextEncoder, "embed", lambda encoder, names: calls.append(names) or embed(encoder, names))
    for name in ("a", "b", "a"):
        adapter.set_vocabulary([name])
    assert calls == [["a"], ["b"]]
    expected = TextEncoder(adapter.network.text, ["A photo of a {} in the scene"]).embed(["a"])
    assert torch.equal(adapter.embeddings, expected[:, 0])


def test_text_stays_float32_under_autocast() -> None:
    adapter = _adapter()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        adapter.set_vocabulary(["ship", "tree"])
        (score_map,) = adapter.predict(IMAGES[:1], image_ids=["0"])
    outside = _adapter()
    outside.set_vocabulary(["ship", "tree"])
    assert torch.equal(adapter.embeddings, outside.embeddings)
    assert score_map.scores.dtype == torch.float32


def test_one_class_and_many_classes_work() -> None:
    adapter = _adapter(efficient="off")
    for count in (1, 255, 260):
        adapter.set_vocabulary([f"class {index}" for index in range(count)])
        (score_map,) = adapter.predict(IMAGES[:1], image_ids=["0"])
        assert score_map.scores.shape == (count, 48, 48)
        assert score_map.scores.isfinite().all()


def test_an_official_file_gives_the_scores_of_its_network(tmp_path: Path) -> None:
    network = untrained("tiny", {"layers": 3}, seed=4)
    path = write_checkpoint(tmp_path / "model_final.pth", rskt_state(network))
    adapter = RSKTSegAdapter.load(LoadOptions(backbone="tiny", checkpoint=path, settings={"linears": "plain"}))
    adapter.set_vocabulary(CLASSES)
    reference = RSKTSegAdapter.load(
        LoadOptions(backbone="tiny", untrained=True, seed=4, settings={"layers": "3", "linears": "plain"})
    )
    reference.set_vocabulary(CLASSES)
    for ours, theirs in zip(
        adapter.predict(IMAGES, image_ids=IDS), reference.predict(IMAGES, image_ids=IDS), strict=True
    ):
        assert torch.equal(ours.scores, theirs.scores)
    assert adapter.describe() == reference.describe()
    assert adapter.describe()["layers"] == 3


def test_describe_gives_every_setting_that_was_resolved() -> None:
    described = _adapter().describe()
    assert set(SETTINGS) <= set(described)
    assert described["backbone"] == "tiny"
    assert described["pooling"] is None, "the efficient layers have no such option"
    original = _adapter(efficient="off", pooling="2", attention="full", rotate="off", dino="off").describe()
    assert (original["pooling"], original["window"], original["heads"], original["attention"]) == (2, 3, 4, "full")
    assert original["fusion"] is None
    assert (original["rotate"], original["dino"], original["efficient"]) == (False, False, False)


def test_weights_are_needed() -> None:
    with pytest.raises(AdapterError, match="--checkpoint"):
        RSKTSegAdapter.load(LoadOptions(backbone="tiny"))


def test_a_vocabulary_is_needed() -> None:
    adapter = RSKTSegAdapter.load(LoadOptions(backbone="tiny", untrained=True))
    with pytest.raises(AdapterError, match="No vocabulary"):
        adapter.predict(IMAGES, image_ids=IDS)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"rotation": "on"}, "no setting 'rotation'.* Did you mean 'rotate'"),
        ({"rotate": "yes"}, "rotate=yes is not possible; choose one of auto, on, off"),
        ({"layers": "-1"}, "layers=-1 is not possible; give a whole number from 0 on"),
        ({"pooling": "0"}, "pooling=0 is not possible; give a whole number from 1 on"),
        ({"layers": "²"}, "whole number"),
    ],
)
def test_settings_are_checked(settings: dict[str, str], sentence: str) -> None:
    with pytest.raises(AdapterError, match=sentence):
        parse_settings("RSKT-Seg", SETTINGS, settings, numbers=NUMBERS)


def test_every_default_is_a_legal_value() -> None:
    parsed = parse_settings(
        "RSKT-Seg", SETTINGS, {name: setting.default for name, setting in SETTINGS.items()}, numbers=NUMBERS
    )
    assert parsed.keys() <= SETTINGS.keys()


def test_listing_the_model_imports_no_network() -> None:
    import subprocess
    import sys

    code = (
        "import sys, ovrisisbench.adapters.rskt_seg as model;"
        "print(model.INFO.name, 'torch' in sys.modules, 'numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [INFO.name, "False", "False"]


def test_the_tiny_network_is_quick() -> None:
    adapter, threads = _adapter(), torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        adapter.predict(IMAGES[:1], image_ids=["0"])
        start = time.process_time()
        adapter.predict(IMAGES[:1], image_ids=["0"])
        assert time.process_time() - start < 0.5
    finally:
        torch.set_num_threads(threads)


def test_images_are_left_as_they_are() -> None:
    image = IMAGES[0].copy()
    _adapter().predict([image], image_ids=["0"])
    assert np.array_equal(image, IMAGES[0])
