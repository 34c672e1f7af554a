"""What is counted as a floating-point operation, and what is named instead."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ovrisisbench.adapters.inference.packed_linears import PackedLinear, packing_works
from ovrisisbench.evaluate.flops import count_flops


def _counted(call) -> int:
    with torch.inference_mode():
        return count_flops(call).counted


def test_a_product_of_matrices_takes_two_operations_for_each_pair():
    a, b = torch.randn(3, 5), torch.randn(5, 7)
    assert _counted(lambda: a @ b) == 2 * 3 * 5 * 7


def test_convolutions_and_linear_layers_are_counted():
    image, x = torch.randn(1, 4, 8, 8), torch.randn(2, 6, 16)
    assert _counted(lambda: nn.Conv2d(4, 8, 3, padding=1)(image)) == 2 * 8 * 8 * 8 * 4 * 9
    assert _counted(lambda: nn.Linear(16, 32)(x)) == 2 * 2 * 6 * 16 * 32


def test_attention_is_counted_on_the_cpu_too():
    q, k, v = (torch.randn(2, 4, 50, 16) for _ in range(3))
    assert _counted(lambda: F.scaled_dot_product_attention(q, k, v)) == 2 * 2 * (2 * 4 * 50 * 50 * 16)


@pytest.mark.skipif(not packing_works(), reason="this torch has no packed float32 product")
def test_packed_linear_layers_count_as_plain_ones():
    plain, x = nn.Linear(16, 32), torch.randn(2, 6, 16)
    packed = PackedLinear.adopting(plain)
    packed.fold()
    assert _counted(lambda: packed(x)) == _counted(lambda: plain(x))


def test_what_is_not_counted_is_named_unless_it_moves_values_or_takes_them_one_by_one():
    x = torch.randn(4, 8, 8)
    with torch.inference_mode():
        found = count_flops(
            lambda: F.layer_norm(torch._C._nn.gelu_(torch.fft.fft2(torch.cat([x, x]).relu() + 1).abs()), (8,))
        )
    assert found.counted == 0
    fourier, norm = sorted(found.uncounted)
    assert fourier.startswith("_fft_")
    assert norm == "native_layer_norm"


def test_two_counts_are_the_same():
    layer, x = nn.Linear(16, 32), torch.randn(2, 16)
    with torch.inference_mode():
        assert count_flops(lambda: layer(x)) == count_flops(lambda: layer(x))
