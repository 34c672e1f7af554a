from __future__ import annotations

import sys
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from ovrisisbench.adapters.scan.config import TINY
from ovrisisbench.adapters.scan.network import SCAN
from ovrisisbench.errors import AdapterError
from tests.adapters.scan.networks import lively, scan_state
from tests.adapters.scan.plain import mask_decoder, pixel_decoder, swin


@torch.no_grad()
@pytest.mark.parametrize("size", [(96, 64), (64, 160)], ids=str)
def test_the_parts_of_the_library_compute_what_the_facts_say(size: tuple[int, int]) -> None:
    # 24 x 16, 12 x 8, 6 x 4 and 3 x 2 places: windows that fit, windows that are padded, maps smaller than one.
    network = lively(replace(TINY, mask=replace(TINY.mask, pixel_layers=2)))
    state, sizes = scan_state(network), network.config
    images = torch.randn(1, 3, *size, generator=torch.Generator().manual_seed(0))
    seen: dict[str, Tensor] = {}
    found = network.segmenter(images, lambda name, value: seen.update({name: value[0]}))

    maps = swin(state, images, depths=sizes.swin.depths, heads=sizes.swin.heads, window=sizes.swin.window)
    for index, expected in enumerate(maps):
        torch.testing.assert_close(seen[f"res{index + 2}"], expected, atol=2e-5, rtol=0)
    features, levels = pixel_decoder(state, maps, layers=sizes.mask.pixel_layers, heads=sizes.mask.heads)
    torch.testing.assert_close(seen["mask_features"], features, atol=2e-5, rtol=0)
    for index, expected in enumerate(levels):
        torch.testing.assert_close(seen[f"multi_scale_{index}"], expected, atol=2e-4, rtol=0)
    queries, masks = mask_decoder(state, levels, features, layers=sizes.mask.layers, heads=sizes.mask.heads)
    torch.testing.assert_close(found.queries[0], queries, atol=1e-4, rtol=0)
    torch.testing.assert_close(found.masks[0], masks, atol=1e-3, rtol=1e-4)


@torch.no_grad()
def test_what_is_traced_ends_with_what_is_returned() -> None:
    network, seen = lively(), {}
    found = network.segmenter(torch.randn(1, 3, 64, 64), lambda name, value: seen.update({name: value}))
    assert seen["layer_masks"].shape == (1, 1 + TINY.mask.layers, TINY.mask.queries, 16, 16)
    assert torch.equal(seen["layer_masks"][:, -1], found.masks)
    torch.testing.assert_close(seen["layer_query_embedding"][:, -1], found.queries)


def test_nothing_in_the_network_is_without_values_after_building_without_memory() -> None:
    with torch.device("meta"):
        network = SCAN(TINY)
    assert {name for name, buffer in network.named_buffers() if buffer.is_meta} == set()
    expected = dict(SCAN(TINY).named_buffers())
    assert all(torch.equal(buffer, expected[name]) for name, buffer in network.named_buffers())


def test_a_missing_library_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(AdapterError, match=r"needs the package transformers; .* pip install 'ovrisisbench\[scan\]'"):
        SCAN(TINY)
