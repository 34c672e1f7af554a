from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from ovrisisbench.adapters.segearth_ov.config import TINY, VIT_B
from ovrisisbench.adapters.segearth_ov.network import SegEarthOV
from ovrisisbench.adapters.segearth_ov.official import file_layout
from tests.adapters.segearth_ov.networks import lively
from tests.adapters.segearth_ov.second_version import Plain


def _text(count: int = 5, channels: int = 32) -> torch.Tensor:
    return F.normalize(torch.randn(count, channels, generator=torch.Generator().manual_seed(7)), dim=-1)


@torch.no_grad()
@pytest.mark.parametrize(("height", "width"), [(64, 64), (32, 48)])
@pytest.mark.parametrize("channels", [32, 12])
def test_cosines_are_those_of_the_second_version(height: int, width: int, channels: int) -> None:
    # 32 channels are more than the features of a window, 12 are fewer
    config = replace(TINY, clip=replace(TINY.clip, embedding=channels))
    network, text = lively(config), _text(channels=channels)
    window = torch.randn(3, height, width, generator=torch.Generator().manual_seed(1))
    ours = network.cosines(network.tokens(window[None])[0], window, text)
    plain = Plain(network, config).window(window.double(), text)
    torch.testing.assert_close(ours.permute(2, 0, 1).double(), plain, atol=1e-5, rtol=0)


def test_fewer_coordinates_give_what_all_channels_give() -> None:
    network, text = lively(), _text()
    window = torch.randn(3, 64, 64, generator=torch.Generator().manual_seed(2))
    widths = []
    forward = network.upsampler.up.forward

    def watched(cells: torch.Tensor, *arguments: object, **named: object) -> torch.Tensor:
        widths.append(cells.shape[-1])
        return forward(cells, *arguments, **named)

    network.upsampler.up.forward = watched
    try:
        tokens = network.tokens(window[None])[0]
        with_gradients = network.cosines(tokens, window, text)
        with torch.no_grad():
            without = network.cosines(tokens, window, text)
    finally:
        del network.upsampler.up.forward
    assert widths == [32] * 4 + [17] * 4
    torch.testing.assert_close(without, with_gradients, atol=1e-6, rtol=0)


@torch.no_grad()
def test_features_that_depend_on_each_other_are_no_trouble() -> None:
    network, text = lively(), _text()
    window = torch.randn(3, 64, 64, generator=torch.Generator().manual_seed(2))
    tokens = torch.randn(1, 32, generator=torch.Generator().manual_seed(3)).repeat(17, 1)
    few = network.cosines(tokens, window, text)
    with torch.enable_grad():
        all_channels = network.cosines(tokens, window, text)
    assert few.isfinite().all()
    torch.testing.assert_close(few, all_channels, atol=1e-6, rtol=0)


@torch.no_grad()
def test_a_trace_changes_no_bit_and_shows_unit_features_in_all_channels() -> None:
    network, text, seen = lively(), _text(), {}
    window = torch.randn(3, 48, 64, generator=torch.Generator().manual_seed(2))
    tokens = network.tokens(window[None])[0]
    plain = network.cosines(tokens, window, text)
    traced = network.cosines(tokens, window, text, trace=lambda name, tensor: seen.update({name: tensor}))
    assert torch.equal(plain, traced)
    features = seen["features"][0]
    assert features.shape == (32, 48, 64)
    torch.testing.assert_close(features.norm(dim=0), torch.ones(48, 64))
    of_class = -0.3 * (text @ F.normalize(tokens[0], dim=-1))
    expected = torch.einsum("nc,chw->hwn", text, features) + of_class
    torch.testing.assert_close(plain, expected, atol=1e-6, rtol=0)


def test_parameters_are_those_of_the_files_but_for_what_is_never_read() -> None:
    with torch.device("meta"):
        network = SegEarthOV(VIT_B)
    counts = {name: sum(p.numel() for p in part.parameters()) for name, part in network.named_children()}
    mlp = 2 * 768 * 3072 + 768 + 3072 + 2 * 768
    assert counts["clip"] == 86_192_640 - mlp
    assert counts["text"] == 63_428_096
    assert counts["upsampler"] == 2 + 32 * 4 + 32 * 33 + 121 * 125 + 121 * 122 + 512 * 513
    assert file_layout(VIT_B).trained_values == 0
