"""Names of official files: what our tensors are made of, and what a file has, lacks or has too much of."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ovrisisbench.adapters.official_files.layout import FileLayout
from ovrisisbench.adapters.official_files.renaming import Source, renamed


class _Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.qkv = nn.Linear(2, 6)
        self.key = nn.Linear(2, 2, bias=False)
        self.temperature = nn.Parameter(torch.tensor(0.0))


NAMES = {
    "qkv.weight": (Source("q.weight"), Source("k.weight"), Source("v.weight")),
    "qkv.bias": (Source("in_bias"),),
    "key.weight": (Source("fused.weight", 1, 3),),
    "temperature": (Source("temp"),),
}

LAYOUT = FileLayout(
    build=_Network,
    names=NAMES.__getitem__,
    ignorable=((r"buffer\d", "a buffer"), (r"mask", "computed")),
    trained=r"[qv]\.weight|temp",
)


def _state() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return {key: torch.randn(shape) for key, shape in LAYOUT.expected.items()}


def test_shapes_follow_from_the_network() -> None:
    assert LAYOUT.expected == {
        "q.weight": (2, 2),
        "k.weight": (2, 2),
        "v.weight": (2, 2),
        "in_bias": (6,),
        "fused.weight": (6, 2),
        "temp": (),
    }


def test_tensors_are_stacked_and_cut_out_in_the_order_of_their_names() -> None:
    state = _state()
    network = LAYOUT.load(state)
    assert torch.equal(network.qkv.weight, torch.cat([state["q.weight"], state["k.weight"], state["v.weight"]]))
    assert torch.equal(network.key.weight, state["fused.weight"][2:4])
    assert network.temperature == state["temp"]


@pytest.mark.parametrize("kind", [torch.float16, torch.float64, torch.float32])
def test_a_network_is_float32_and_shares_no_memory_with_its_file(kind: torch.dtype) -> None:
    state = {key: tensor.to(kind) for key, tensor in _state().items()}
    tensors = renamed(state, LAYOUT.sources)
    before = {key: tensor.clone() for key, tensor in tensors.items()}
    for tensor in state.values():
        tensor.zero_()
    assert all(tensor.dtype == torch.float32 for tensor in tensors.values())
    assert all(torch.equal(tensors[key], before[key]) for key in tensors)


def test_a_file_is_compared_by_names_and_shapes() -> None:
    shapes = {key: tuple(tensor.shape) for key, tensor in _state().items()}
    del shapes["k.weight"]
    shapes |= {"temp": (1,), "ema": (3,), "buffer1": (1,), "buffer2": (1,), "mask": (4, 4)}
    found = LAYOUT.compare(shapes)
    assert found.missing == ("k.weight",)
    assert found.unused == ("ema",)
    assert found.misshapen == ("temp: 1 in the file, a number expected",)
    assert found.ignored == ("2 tensors: a buffer", "1 tensor: computed")


def test_trained_values_are_counted_by_official_name() -> None:
    assert LAYOUT.trained_values == 4 + 4 + 1
