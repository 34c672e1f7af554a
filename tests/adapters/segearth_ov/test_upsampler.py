from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from ovrisisbench.adapters.segearth_ov import doubling
from ovrisisbench.adapters.segearth_ov.config import TINY
from ovrisisbench.adapters.segearth_ov.doubling import Doubling, reflected
from ovrisisbench.adapters.segearth_ov.upsampler import JBULearnedRange
from tests.adapters.segearth_ov.networks import lively
from tests.adapters.segearth_ov.second_version import plain_doubling

SIZES = [(1, 1), (1, 4), (2, 3), (4, 4), (3, 7), (8, 4), (7, 9)]


def _state(up: JBULearnedRange) -> dict[str, torch.Tensor]:
    return {key: tensor.double() for key, tensor in up.state_dict().items()}


@torch.no_grad()
@pytest.mark.parametrize(("rows", "columns"), SIZES)
def test_a_doubling_is_what_a_loop_over_pixels_and_taps_gives(rows: int, columns: int) -> None:
    up = lively().upsampler.up
    generator = torch.Generator().manual_seed(rows)
    cells = torch.randn(rows, columns, 3, generator=generator)
    window = torch.randn(3, 4 * rows, 4 * columns, generator=generator)
    guidance = F.avg_pool2d(window, 2).permute(1, 2, 0).contiguous()
    ours = up(cells, guidance)
    plain = plain_doubling(_state(up), cells.permute(2, 0, 1).double(), window.double())
    torch.testing.assert_close(ours.double(), plain.permute(1, 2, 0), atol=5e-6, rtol=0)


@torch.no_grad()
def test_taps_beyond_a_map_are_reflected_as_often_as_it_takes() -> None:
    for size in range(1, 13):
        padded = np.pad(np.arange(size), 5, mode="reflect")
        assert reflected(size, 5).tolist() == padded.tolist()


@torch.no_grad()
def test_kernels_on_cells_are_bicubic_doubling_and_then_the_kernel() -> None:
    # torch's own bicubic and padding, and one tap at a time
    rows, columns, radius = 8, 4, 5
    generator = torch.Generator().manual_seed(0)
    cells = torch.randn(rows, columns, 2, generator=generator)
    large = F.interpolate(cells.permute(2, 0, 1)[None], scale_factor=2, mode="bicubic", align_corners=False)
    around = F.pad(large, (radius,) * 4, mode="reflect")[0]
    plan = Doubling(rows, columns, radius, torch.device("cpu"))
    padded = F.pad(cells, (0, 0, *(plan.reach,) * 4))
    (strip,) = plan.strips()
    for tap in (0, 60, 64, 120):
        kernels = torch.zeros(len(strip), plan.across, plan.side, plan.side, 121)
        kernels[..., tap] = 1
        tiles = plan.on_cells(kernels, strip) @ plan.around(padded, strip, halo=plan.reach, side=plan.tile)
        i, j = divmod(tap, 11)
        expected = around[:, i : i + 2 * rows, j : j + 2 * columns].permute(1, 2, 0)
        torch.testing.assert_close(plan.together(tiles), expected, atol=2e-6, rtol=0)


@torch.no_grad()
@pytest.mark.parametrize("tile", [1, 2, 4])
@pytest.mark.parametrize("at_once", [1, 128, 1 << 16])
def test_tiles_and_strips_only_group_the_work(monkeypatch: pytest.MonkeyPatch, tile: int, at_once: int) -> None:
    up = lively().upsampler.up
    generator = torch.Generator().manual_seed(1)
    cells, guidance = torch.randn(8, 12, 5, generator=generator), torch.randn(16, 24, 3, generator=generator)
    usual = up(cells, guidance)
    monkeypatch.setattr(doubling, "_LARGEST_TILE", tile)
    monkeypatch.setattr(doubling, "_PIXELS_AT_ONCE", {"cpu": at_once})
    torch.testing.assert_close(up(cells, guidance), usual, atol=2e-6, rtol=0)


@torch.no_grad()
def test_the_range_kernel_is_traced_before_the_spatial_one() -> None:
    up, seen = lively().upsampler.up, {}
    generator = torch.Generator().manual_seed(1)
    cells, guidance = torch.randn(4, 6, 2, generator=generator), torch.randn(8, 12, 3, generator=generator)
    up(cells, guidance, trace=lambda name, tensor: seen.update({name: tensor}))
    kernel = seen["range_kernel"]
    assert kernel.shape == (1, 121, 8, 12)
    torch.testing.assert_close(kernel.sum(1), torch.ones(1, 8, 12))
    keys = up.range_proj(guidance.permute(2, 0, 1)[None])
    around = F.unfold(F.pad(keys, (5,) * 4, mode="reflect"), 11).view(TINY.key, 121, 8, 12)
    products = (keys[0][:, None] * around).sum(0) * torch.tensor(0.4).exp()
    torch.testing.assert_close(kernel[0], products.softmax(0), atol=1e-6, rtol=1e-5)


@torch.no_grad()
def test_the_last_convolution_may_come_first() -> None:
    upsampler = lively().upsampler
    generator = torch.Generator().manual_seed(2)
    cells, window = torch.randn(2, 3, 32, generator=generator), torch.randn(3, 32, 48, generator=generator)
    enlarged = upsampler(cells, window).permute(2, 0, 1)[None]
    official = 0.1 * upsampler.fixup_proj(enlarged) + enlarged
    fixed, offset = upsampler.fixed_up(cells)
    ours = upsampler(fixed, window) + offset
    torch.testing.assert_close(ours.permute(2, 0, 1)[None], official, atol=1e-5, rtol=0)


def test_the_temperature_is_held_within_its_limits() -> None:
    up = JBULearnedRange(TINY).requires_grad_(False)
    cells, guidance = torch.randn(2, 2, 1), torch.randn(4, 4, 3)
    up.range_temp.fill_(100.0)
    limited = up(cells, guidance)
    up.range_temp.fill_(float(np.log(1e4)))
    torch.testing.assert_close(limited, up(cells, guidance), atol=1e-3, rtol=0)


def test_gradients_reach_every_weight_of_the_upsampler() -> None:
    upsampler = lively().upsampler
    upsampler.requires_grad_(True)
    try:
        cells = torch.randn(2, 2, 32, requires_grad=True)
        fixed, offset = upsampler.fixed_up(cells)
        (upsampler(fixed, torch.randn(3, 32, 32)) + offset).square().sum().backward()
        assert cells.grad is not None
        assert all(parameter.grad is not None for parameter in upsampler.parameters())
    finally:
        upsampler.requires_grad_(False).zero_grad()
