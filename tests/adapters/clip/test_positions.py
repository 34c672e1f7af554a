from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from ovrisisbench.adapters.clip.positions import resized_positions


def test_a_table_that_fits_is_returned_as_it_is() -> None:
    table = torch.randn(17, 8)
    assert resized_positions(table, (4, 4)) is table


@pytest.mark.parametrize("grid", [(3, 3), (7, 7), (5, 7), (1, 25)])
def test_the_grid_is_resized_bicubically_and_the_class_position_kept(grid: tuple[int, int]) -> None:
    table = torch.randn(26, 8)
    resized = resized_positions(table, grid)
    cells = table[1:].reshape(1, 5, 5, 8).permute(0, 3, 1, 2)
    expected = F.interpolate(cells, size=grid, mode="bicubic", align_corners=False)
    assert resized.shape == (1 + grid[0] * grid[1], 8)
    assert torch.equal(resized[0], table[0])
    torch.testing.assert_close(resized[1:], expected[0].permute(1, 2, 0).reshape(-1, 8))


def test_a_scale_moves_the_sampling_points() -> None:
    table = torch.randn(1 + 28 * 28, 4)
    by_size, by_scale = resized_positions(table, (48, 48)), resized_positions(table, (48, 48), scale=(48.1 / 28,) * 2)
    assert by_scale.shape == by_size.shape
    assert 1e-3 < (by_scale - by_size).abs().max() < 0.5
