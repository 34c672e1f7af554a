from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from ovrisisbench.adapters.images.pixels import CLIP_MEAN, CLIP_STD, normalised
from ovrisisbench.adapters.scan.regions import crop, find_regions, first_of_equals, touched_patches


@pytest.fixture
def probabilities() -> Tensor:
    masks = torch.zeros(4, 7, 9)
    masks[0, 2:5, 3] = 0.9
    masks[0, 3, 3:8] = 0.41
    masks[1] = 0.4  # not above the threshold
    masks[2, 6, 8] = 1.0
    masks[3] = 0.5
    return masks


def test_boxes_are_tight_and_masks_without_a_pixel_drop_out(probabilities: Tensor) -> None:
    regions = find_regions(probabilities, 0.4)
    assert regions.valid.tolist() == [True, False, True, True]
    assert regions.boxes == ((3, 2, 8, 5), (8, 6, 9, 7), (0, 0, 9, 7))
    assert torch.equal(regions.masks, (probabilities > 0.4)[[0, 2, 3]])


def test_no_mask_may_be_left(probabilities: Tensor) -> None:
    regions = find_regions(probabilities, 1.0)
    assert not regions.valid.any()
    assert regions.boxes == ()
    assert regions.masks.shape == (0, 7, 9)


def test_a_crop_is_filled_normalised_and_resized_bicubically() -> None:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (3, 20, 30), generator=generator).float()
    mask = torch.rand(20, 30, generator=generator) < 0.6
    box = (4, 3, 21, 14)
    found = crop(normalised(pixels[None])[0], mask, box, side=24)

    part = torch.empty(3, 11, 17)
    for channel in range(3):
        for row in range(11):
            for column in range(17):
                inside = bool(mask[3 + row, 4 + column])
                value = float(pixels[channel, 3 + row, 4 + column]) if inside else CLIP_MEAN[channel]
                part[channel, row, column] = (value - CLIP_MEAN[channel]) / CLIP_STD[channel]
    expected = torch.stack([_bicubic_rows(_bicubic_rows(channel, 24).T, 24).T for channel in part])
    torch.testing.assert_close(found, expected, atol=2e-5, rtol=0)


def _bicubic_rows(grid: Tensor, rows: int) -> Tensor:
    """Keys' kernel with a = -0.75, not widened where it shrinks; pixel centres, edges repeated."""
    out = torch.zeros(rows, grid.shape[1])
    for row in range(rows):
        place = (row + 0.5) * len(grid) / rows - 0.5
        for offset in range(-1, 3):
            source = math.floor(place) + offset
            x = abs(place - source)
            share = (1.25 * x - 2.25) * x * x + 1 if x <= 1 else ((-0.75 * x + 3.75) * x - 6) * x + 3
            out[row] += share * grid[min(max(source, 0), len(grid) - 1)]
    return out


@pytest.mark.parametrize("box", [(0, 0, 40, 30), (5, 2, 13, 29), (7, 7, 8, 8)], ids=str)
def test_a_patch_is_touched_by_any_of_its_nearest_pixels(box: tuple[int, int, int, int]) -> None:
    mask = torch.rand(30, 40, generator=torch.Generator().manual_seed(1)) < 0.02
    mask[7, 7] = True
    side, patch = 24, 8
    x0, y0, x1, y1 = box
    expected = []
    for top in range(0, side, patch):
        for left in range(0, side, patch):
            hit = False
            for row in range(top, top + patch):
                for column in range(left, left + patch):
                    hit |= bool(mask[y0 + row * (y1 - y0) // side, x0 + column * (x1 - x0) // side])
            expected.append(hit)
    assert touched_patches(mask, box, side, patch).tolist() == expected


def test_a_thin_mask_may_touch_no_patch() -> None:
    mask = torch.zeros(100, 100, dtype=torch.bool)
    mask[:, 0], mask[0] = True, True
    mask[:, 1], mask[1, 1] = False, True
    assert touched_patches(mask, (1, 1, 100, 100), 8, 4).tolist() == [True, False, False, False]
    assert not touched_patches(mask[:, 1:], (0, 2, 99, 100), 8, 4).any()


def test_equal_masks_are_found() -> None:
    masks = torch.rand(3, 11, 13, generator=torch.Generator().manual_seed(0)) < 0.5
    changed = masks[1].clone()
    changed[-1, -1] = ~changed[-1, -1]
    together = torch.stack([masks[0], masks[1], masks[0], changed, masks[1], masks[2]])
    assert first_of_equals(together) == [0, 1, 0, 3, 1, 5]
