from __future__ import annotations

from collections.abc import Iterator
from unittest.mock import patch

import pytest
import torch
from timm.models.convnext import ConvNeXt as TimmConvNeXt
from torch import Tensor, nn

from ovrisisbench.adapters.inference.folding import fold_weights
from ovrisisbench.adapters.inference.packed_linears import pack_linears, packing_works
from ovrisisbench.adapters.sed import convnext
from ovrisisbench.adapters.sed.config import TINY
from ovrisisbench.adapters.sed.convnext import ConvNeXtBlock
from ovrisisbench.adapters.sed.official import file_layout
from tests.adapters.sed.networks import TINY_LINEAR_HEAD, sed_state, tiny_network
from tests.adapters.sed.second_version import CLIP, SecondVersion

TRUNK = f"{CLIP}visual.trunk."


@pytest.fixture(autouse=True)
def _no_gradients() -> Iterator[None]:
    with torch.no_grad():
        yield


def _timm(state: dict[str, Tensor]) -> nn.Module:
    """timm's own network on the trunk of an official file, loaded under the names that it has there."""
    trunk = TimmConvNeXt(depths=TINY.depths, dims=TINY.dims, num_classes=0)
    trunk.load_state_dict({key.removeprefix(TRUNK): value for key, value in state.items() if key.startswith(TRUNK)})
    return trunk.eval()


@pytest.mark.parametrize("size", [(128, 128), (64, 160)])
def test_the_trunk_is_timms_convnext_under_the_names_of_official_files(size: tuple[int, int]) -> None:
    network = tiny_network()
    images = torch.randn(2, 3, *size)
    trunk = _timm(sed_state(network))
    x = trunk.stem(images)
    for stage, ours in zip(trunk.stages, network.visual.trunk(images), strict=True):
        x = stage(x)
        torch.testing.assert_close(ours, x, atol=2e-5, rtol=1e-5)


@pytest.mark.parametrize("config", [TINY, TINY_LINEAR_HEAD], ids=["mlp", "linear"])
def test_every_position_goes_through_clips_head_by_itself(config: object) -> None:
    network = tiny_network(config)
    second = SecondVersion(sed_state(network))
    dense, maps = network.visual(torch.randn(1, 3, 96, 64))
    assert dense.shape == (1, config.text.embedding, 3, 2)
    torch.testing.assert_close(dense.double(), second.dense(maps[-1].double()), atol=1e-5, rtol=1e-5)


def test_a_single_position_is_what_clip_itself_makes_of_an_image() -> None:
    network = tiny_network()
    state = sed_state(network)
    image = torch.randn(1, 3, 32, 32)
    pooled = _timm(state).forward_head(_timm(state).forward_features(image))
    dense, _ = network.visual(image)
    torch.testing.assert_close(dense[..., 0, 0], network.visual.head(pooled), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("kernel", [7, 9])
@pytest.mark.parametrize("at_once", [1, 7, 40, 10_000])
def test_a_block_gives_the_same_in_pieces_of_any_size(kernel: int, at_once: int) -> None:
    torch.manual_seed(0)
    block = ConvNeXtBlock(12, kernel).eval()
    nn.init.normal_(block.gamma)
    x = torch.randn(2, 12, 5, 7)
    state = {f"b.{_official(key)}": value.double() for key, value in block.state_dict().items()}
    expected = SecondVersion(state)._block(x.double(), "b.", "conv_dw", "mlp.fc1", "mlp.fc2")
    with patch.object(convnext, "_ROWS_AT_ONCE", at_once):
        torch.testing.assert_close(block(x).double(), expected, atol=1e-5, rtol=1e-5)
        with torch.enable_grad():
            torch.testing.assert_close(block(x).detach().double(), expected, atol=1e-5, rtol=1e-5)


def _official(key: str) -> str:
    return f"mlp.{key}" if key.startswith("fc") else key


def test_a_block_leaves_its_input_as_it_is() -> None:
    block, x = ConvNeXtBlock(12, 7).eval(), torch.randn(1, 12, 6, 6).contiguous(memory_format=torch.channels_last)
    before = x.clone()
    block(x)
    assert torch.equal(x, before)


def test_maps_in_any_layout_give_the_same() -> None:
    block, x = ConvNeXtBlock(12, 7).eval(), torch.randn(2, 12, 6, 9)
    last = x.contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(block(x), block(last), atol=1e-6, rtol=1e-6)


@pytest.mark.skipif(not packing_works(), reason="this torch has no packed float32 product")
def test_packed_linear_layers_give_the_same_within_rounding() -> None:
    network = tiny_network()
    images = torch.randn(1, 3, 128, 128)
    plain = network.visual(images).dense
    pack_linears(network.visual)
    fold_weights(network)
    assert all(block.fc1.folded is not None for block in network.visual.trunk.stages[0].blocks)
    torch.testing.assert_close(network.visual(images).dense, plain, atol=1e-5, rtol=1e-5)


def test_the_norms_have_the_epsilon_of_the_published_network() -> None:
    network = file_layout(TINY).build()
    tower = [module for module in network.visual.modules() if isinstance(module, nn.LayerNorm)]
    kernels = [stage.cnext.norm for stage in (network.decoder.decoder1, network.decoder.decoder3)]
    assert {module.eps for module in (*tower, *kernels)} == {1e-6}
    assert network.decoder.decoder2.attention.norm1.eps == network.decoder.decoder2.attention.norm2.eps == 1e-5
