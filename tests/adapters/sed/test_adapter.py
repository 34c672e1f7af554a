from __future__ import annotations

import math
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from ovrisisbench.adapter.contract import check_adapter
from ovrisisbench.adapter.interface import Adapter, LoadOptions, ParameterCounter
from ovrisisbench.adapter.registry import find_adapter
from ovrisisbench.adapters.images.pixels import CLIP_MEAN, CLIP_STD
from ovrisisbench.adapters.sed import INFO
from ovrisisbench.adapters.sed.adapter import SEDAdapter
from ovrisisbench.adapters.sed.config import CONVNEXT_B, TINY
from ovrisisbench.adapters.sed.settings import SETTINGS, parsed
from ovrisisbench.adapters.text.encoder import TextEncoder
from ovrisisbench.adapters.text.tokens import tokenise
from ovrisisbench.errors import AdapterError
from tests.adapters.sed.networks import sed_state
from tests.adapters.sed.second_version import SecondVersion
from tests.parity.synth import synthetic_image

CLASSES = ["building, house", "low vegetation", "Road"]


def _options(**settings: str) -> LoadOptions:
    return LoadOptions(backbone="tiny", untrained=True, settings={"linears": "plain", **settings})


def _adapter(classes: list[str] | None = None, **settings: str) -> SEDAdapter:
    adapter = SEDAdapter.load(_options(**settings))
    adapter.set_vocabulary(classes or CLASSES)
    return adapter


@pytest.mark.parametrize("settings", [{}, {"pooling": "2"}, {"early_rejection": "1"}], ids=str)
def test_the_adapter_fulfils_the_contract(settings: dict[str, str]) -> None:
    checks = check_adapter(find_adapter("sed"), _options(**settings))
    assert [check for check in checks if not check.passed] == []
    assert len(checks) == 10
    adapter = _adapter(**settings)
    assert isinstance(adapter, Adapter)
    assert isinstance(adapter, ParameterCounter)


@pytest.mark.parametrize("size", [(96, 96), (57, 131), (333, 40)])
def test_scores_are_those_of_the_network_written_plainly(size: tuple[int, int]) -> None:
    from PIL import Image

    adapter, image = _adapter(), synthetic_image(*size, 3)
    scale = min(640 / min(size), 2560 / max(size))
    height, width = (math.floor(length * scale + 0.5) for length in size)
    resized = np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))
    pixels = torch.from_numpy(resized.astype(np.float64)).permute(2, 0, 1)
    pixels = (pixels - torch.tensor(CLIP_MEAN)[:, None, None]) / torch.tensor(CLIP_STD)[:, None, None]
    second = SecondVersion(sed_state(adapter.network))
    expected = second.logits(pixels, adapter.embeddings, side=TINY.side).sigmoid()
    (score_map,) = adapter.predict([image], image_ids=["0"])
    assert score_map.image_size == size
    assert score_map.scores.shape == (3, 32, 32)
    assert score_map.scores.dtype == torch.float32
    torch.testing.assert_close(score_map.scores.double(), expected, atol=2e-5, rtol=0)


def test_rejected_classes_score_nothing() -> None:
    classes = [f"thing {index}" for index in range(40)]
    adapter, image = _adapter(classes, early_rejection="1"), synthetic_image(96, 96, 1)
    everything = _adapter(classes).score(image)
    scores = adapter.score(image)
    gone = (scores == 0).flatten(1).all(dim=1)
    assert 0 < gone.sum() < 40
    assert (scores[~gone] > 0).all()
    assert (scores[~gone] - everything[~gone]).abs().max() > 1e-4, "those that stay attend among themselves"


def test_maps_are_cut_to_the_mapped_image_where_it_is_smaller() -> None:
    adapter = _adapter()
    assert adapter.crop((500, 300)) is None
    side = TINY.side // 4
    assert adapter.crop((2560, 16)) == (0, side, 0, 16)
    assert adapter.crop((16, 2560)) == (0, 16, 0, side)
    (score_map,) = adapter.predict([synthetic_image(8, 1000, 1)], image_ids=["0"])
    assert score_map.scores.shape == (3, side, side)
    assert score_map.crop == (0, 20, 0, side), "8 x 1000 is mapped to 20 x 2560"


@pytest.mark.parametrize(
    ("size", "crop"),
    [
        ((512, 512), None),
        ((100, 1333), None),
        ((100, 1334), None),
        ((100, 1400), (0, 183, 0, 192)),
        ((3000, 60), (0, 192, 0, 51)),
    ],
)
def test_published_maps_are_cut_for_sides_of_more_than_13_to_1(
    size: tuple[int, int], crop: tuple[int, ...] | None
) -> None:
    adapter = _adapter()
    adapter.network.config = CONVNEXT_B
    assert adapter.crop(size) == crop


@torch.no_grad()
def test_synonyms_are_averaged_prompt_by_prompt_and_no_template_is_averaged() -> None:
    from open_clip.zero_shot_metadata import OPENAI_IMAGENET_TEMPLATES

    adapter = _adapter(["Building, house, tall tower", "road,street"])
    tower = adapter.network.text

    def encoded(name: str, template: int) -> torch.Tensor:
        prompt = OPENAI_IMAGENET_TEMPLATES[template](name)
        return F.normalize(tower(tokenise([prompt])), dim=-1)[0]

    assert adapter.embeddings.shape == (2, 80, TINY.text.embedding)
    for template in (0, 1, 37, 79):
        mean = torch.stack([encoded(name, template) for name in ("Building", "house", "tall tower")]).mean(0)
        torch.testing.assert_close(adapter.embeddings[0, template], F.normalize(mean, dim=0), atol=2e-6, rtol=0)
        torch.testing.assert_close(adapter.embeddings[1, template], encoded("road,street", template), atol=2e-6, rtol=0)


def test_capitals_make_no_difference() -> None:
    assert torch.equal(_adapter(["Trees"]).embeddings, _adapter(["trees"]).embeddings)


def test_the_text_tower_has_the_exact_gelu() -> None:
    network = _adapter().network
    assert all(type(block.mlp.gelu) is torch.nn.GELU for block in network.text.transformer.resblocks)
    assert all(block.mlp.gelu.approximate == "none" for block in network.text.transformer.resblocks)


def test_a_vocabulary_is_encoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    adapter, calls = SEDAdapter.load(_options()), []
    embed = TextEncoder.embed
    monkeypatch.setattr(TextEncoder, "embed", lambda encoder, names: calls.append(names) or embed(encoder, names))
    for name in ("a, b", "c", "a, b"):
        adapter.set_vocabulary([name])
    assert calls == [["a", "b"], ["c"]]


def test_an_empty_synonym_is_refused() -> None:
    with pytest.raises(AdapterError, match="without a name"):
        _adapter(["building, "])


def test_many_classes_work() -> None:
    (score_map,) = _adapter([f"class {index}" for index in range(70)]).predict(
        [synthetic_image(64, 80, 1)], image_ids=["0"]
    )
    assert score_map.scores.shape == (70, 32, 32)
    assert score_map.scores.isfinite().all()


def test_packed_linear_layers_give_the_same_within_rounding() -> None:
    from ovrisisbench.adapters.inference.packed_linears import packing_works

    if not packing_works():
        pytest.skip("this torch has no packed float32 product")
    image = synthetic_image(96, 70, 2)
    plain, packed = _adapter().score(image), _adapter(linears="packed").score(image)
    torch.testing.assert_close(packed, plain, atol=1e-5, rtol=0)


def test_describe_gives_every_setting_that_was_resolved() -> None:
    assert _adapter().describe() == {
        "backbone": "tiny",
        "templates": "80 of ImageNet, not averaged",
        "pooling": 1,
        "early_rejection": False,
        "linears": "plain",
    }
    described = _adapter(pooling="2", early_rejection="8").describe()
    assert set(SETTINGS) <= set(described)
    assert (described["pooling"], described["early_rejection"]) == (2, 8)


def test_counted_parameters_are_those_of_the_network() -> None:
    adapter = _adapter()
    counts = adapter.count_parameters()
    parts = {name: sum(p.numel() for p in part.parameters()) for name, part in adapter.network.named_children()}
    assert counts.total == sum(parts.values())
    assert counts.trainable == parts["visual"] + parts["decoder"], "the text tower is frozen"


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"early": "8"}, "no setting 'early'; there are pooling, early_rejection, linears"),
        ({"early_rejection": "0"}, "early_rejection=0 is not possible; give a whole number from 1 on"),
        ({"early_rejection": "on"}, "early_rejection=on is not possible"),
        ({"pooling": "0"}, "pooling=0 is not possible"),
        ({"linears": "fast"}, "linears=fast is not possible; choose one of auto, plain, packed"),
    ],
)
def test_settings_are_checked(settings: dict[str, str], sentence: str) -> None:
    with pytest.raises(AdapterError, match=sentence):
        parsed(settings)


def test_pooling_beyond_the_cost_volume_is_refused() -> None:
    with pytest.raises(AdapterError, match="pooling=5 is more than the 4x4 cost volume has"):
        _adapter(pooling="5")


def test_every_default_is_a_legal_value() -> None:
    assert parsed({name: setting.default for name, setting in SETTINGS.items()}) == {"pooling": 1}


def test_weights_and_a_vocabulary_are_needed() -> None:
    with pytest.raises(AdapterError, match="--checkpoint"):
        SEDAdapter.load(LoadOptions(backbone="tiny"))
    with pytest.raises(AdapterError, match="No vocabulary"):
        SEDAdapter.load(_options()).predict([synthetic_image(32, 32, 0)], image_ids=["0"])


def test_listing_the_model_imports_no_network() -> None:
    code = (
        "import sys, ovrisisbench.adapters.sed as model;"
        "print(model.INFO.name, 'torch' in sys.modules, 'numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [INFO.name, "False", "False"]


def test_the_tiny_network_is_quick() -> None:
    adapter, image = _adapter(), synthetic_image(96, 96, 0)
    adapter.score(image)
    start = time.process_time()
    adapter.score(image)
    assert time.process_time() - start < 0.5


def test_torchs_counter_sees_the_products_of_the_blocks() -> None:
    from ovrisisbench.evaluate.flops import count_flops

    adapter, image = _adapter(), synthetic_image(96, 96, 0)
    with torch.inference_mode():
        found = count_flops(lambda: adapter.score(image))
    stages = adapter.network.visual.trunk.stages
    of_blocks = sum(
        2 * 2 * 4 * dim * dim * (TINY.side // 4 // 2**index) ** 2 * len(stages[index].blocks)
        for index, dim in enumerate(TINY.dims)
    )
    assert found.counted > of_blocks
    assert not {"mm", "addmm", "bmm", "convolution"} & set(found.uncounted)
