"""Cost maps show what the network computes: the last of them are the scores of an evaluation."""

import numpy as np
import pytest

from ovrisisbench.adapter import CostMapper, LoadOptions, find_adapter

SETTINGS = {"rskt-seg": {}, "cat-seg": {"sliding_window": "off"}, "gsnet": {"sliding_window": "off"}}
STAGES = {
    "rskt-seg": ["CLIP, mean of 4 orientations", "DINO", "aggregated, mean of channels", "scores"],
    "cat-seg": ["CLIP", "aggregated, mean of channels", "scores"],
    "gsnet": ["CLIP", "DINO", "aggregated, mean of channels", "scores"],
}


@pytest.mark.parametrize("name", SETTINGS)
def test_the_last_stage_is_what_an_evaluation_sees(name):
    options = LoadOptions(backbone="tiny", untrained=True, settings={"linears": "plain", **SETTINGS[name]})
    adapter = find_adapter(name).load_class().load(options)
    assert isinstance(adapter, CostMapper)
    adapter.set_vocabulary(["road", "water", "tree"])
    # At this size nothing is resized or padded on the way to the network.
    image = np.random.default_rng(0).integers(0, 256, (640, 640, 3), np.uint8)
    maps = adapter.cost_maps(image)
    (scores,) = adapter.predict([image], image_ids=["a"])
    assert list(maps) == STAGES[name]
    assert np.array_equal(maps["scores"], scores.scores.numpy())
    for stage, values in maps.items():
        assert values.dtype == np.float32
        assert values.shape[0] == 3
        if "CLIP" in stage or "DINO" in stage:  # cosines
            assert np.abs(values).max() <= 1 + 1e-5
