from __future__ import annotations

import pytest
import torch
from torch import nn

from ovrisisbench.adapters.inference import packed_linears
from ovrisisbench.adapters.inference.folding import fold_weights
from ovrisisbench.adapters.inference.packed_linears import PackedLinear, pack_linears, packing_works

needs_packing = pytest.mark.skipif(not packing_works(), reason="this torch has no packed float32 product")


def _packed_copy(linear: nn.Linear) -> PackedLinear:
    packed = PackedLinear.adopting(linear)
    packed.fold()
    return packed


@needs_packing
@torch.no_grad()
@pytest.mark.parametrize("shape", [(5, 96), (2, 7, 96), (1, 1, 96), (3, 0, 96)])
@pytest.mark.parametrize("bias", [True, False])
def test_packed_products_equal_plain_ones_within_rounding(shape: tuple[int, ...], bias: bool) -> None:
    torch.manual_seed(0)
    linear, x = nn.Linear(96, 40, bias=bias), torch.randn(shape)
    torch.testing.assert_close(_packed_copy(linear)(x), linear(x), atol=2e-6, rtol=0)


@needs_packing
@torch.no_grad()
def test_inputs_need_not_be_contiguous() -> None:
    linear, x = nn.Linear(96, 40), torch.randn(2, 96, 7).transpose(1, 2)
    torch.testing.assert_close(_packed_copy(linear)(x), linear(x), atol=2e-6, rtol=0)


@needs_packing
def test_the_packed_product_is_left_where_it_does_not_apply(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("packed product called")

    linear = nn.Linear(96, 40)
    packed, x = _packed_copy(linear), torch.randn(3, 96)
    half = _packed_copy(nn.Linear(96, 40).to(torch.bfloat16))
    monkeypatch.setattr(packed_linears, "_packed_product", refuse)
    packed(x).sum().backward()
    assert linear.weight.grad is not None
    with torch.no_grad():
        with torch.autocast("cpu", dtype=torch.bfloat16):
            assert packed(x).dtype == torch.bfloat16
        assert half(x.to(torch.bfloat16)).dtype == torch.bfloat16
        with pytest.raises(AssertionError, match="packed product called"):
            packed(x)


@torch.no_grad()
def test_packing_a_network_keeps_its_parameters_and_their_names() -> None:
    network = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.ModuleDict({"inner": nn.Linear(8, 4)})["inner"])
    before = network.state_dict(keep_vars=True)
    x = torch.randn(2, 8)
    expected = network(x)
    pack_linears(network)
    after = network.state_dict(keep_vars=True)
    assert before.keys() == after.keys()
    assert all(before[key] is after[key] for key in before)
    assert sum(isinstance(module, PackedLinear) for module in network) == 2
    torch.testing.assert_close(fold_weights(network)(x), expected, atol=2e-6, rtol=0)


def test_packing_does_not_work_without_the_operator(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> None:
        raise AttributeError("no such operator")

    monkeypatch.setattr(packed_linears, "_packed", missing)
    assert not packing_works()


def test_packing_does_not_work_where_the_product_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packed_linears, "_packed", lambda weight: weight)
    monkeypatch.setattr(packed_linears, "_packed_product", lambda x, weight, _bias: 2 * x @ weight.T)
    assert not packing_works()
