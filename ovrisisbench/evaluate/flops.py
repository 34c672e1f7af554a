"""How many floating-point operations one call takes, by torch's own counter.

torch counts the products of matrices, convolutions and attention. What it does
not count is named, so that nobody takes the figure for everything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

__all__ = ["FlopCount", "count_flops"]

_MOVES = frozenset(
    [
        "_to_copy",
        "_unsafe_index",
        "_unsafe_view",
        "alias",
        "arange",
        "cat",
        "clone",
        "constant_pad_nd",
        "copy",
        "copy_",
        "detach_",
        "empty",
        "empty_like",
        "empty_strided",
        "fill_",
        "flip",
        "full",
        "full_like",
        "gather",
        "index",
        "index_put",
        "index_put_",
        "index_select",
        "item",
        "lift_fresh",
        "linspace",
        "_local_scalar_dense",
        "masked_fill",
        "masked_scatter",
        "new_empty",
        "new_zeros",
        "nonzero",
        "ones",
        "pad",
        "repeat",
        "repeat_interleave",
        "resize_",
        "roll",
        "rot90",
        "scalar_tensor",
        "scatter",
        "set_",
        "slice_scatter",
        "stack",
        "tril",
        "triu",
        "unfold_copy",
        "where",
        "zero_",
        "zeros",
        "zeros_like",
    ]
)
"""Operators that create, copy or pick values and compute nothing."""


@dataclass(frozen=True, slots=True)
class FlopCount:
    """What torch counted in one call, and what it did not."""

    counted: int
    """Floating-point operations; a multiplication and its addition are two."""
    uncounted: Mapping[str, int] = field(default_factory=dict)
    """Operators that compute more than a value at a time and are not counted -> calls, by name."""


def count_flops(call: Callable[[], object]) -> FlopCount:
    """Run ``call`` once under torch's counter.

    Attention on the CPU and packed linear layers, which torch's counter does not
    know, are counted by its own formulas for the same products.

    Args:
        call: what to count; runs in the gradient mode around it.
    """
    from torch.utils.flop_counter import FlopCounterMode, flop_registry

    mapping = _known_beyond_torch()
    counter = FlopCounterMode(display=False, custom_mapping=mapping)
    seen: Counter[Any] = Counter()
    # The outer mode sees what the counter has taken apart.
    with _observer(seen), counter:
        call()
    uncounted: Counter[str] = Counter()
    for operator, calls in seen.items():
        packet = operator.overloadpacket
        if packet not in flop_registry and packet not in mapping and _computes(operator):
            uncounted[str(packet).removeprefix("aten.")] += calls
    return FlopCount(counter.get_total_flops(), dict(sorted(uncounted.items())))


def _computes(operator: Any) -> bool:  # noqa: ANN401 - an operator of torch
    """Tell whether an operator does more than move values or treat each one by itself."""
    import torch

    name = str(operator.overloadpacket).rpartition(".")[2]
    simple = torch.Tag.pointwise in operator.tags or torch.Tag.inplace_view in operator.tags
    if simple or operator.is_view or name in _MOVES:
        return False
    # torch tags some operators only in the form that does not work in place.
    twin = getattr(torch.ops.aten, name.removesuffix("_"), None) if name.endswith("_") else None
    overloads = [] if twin is None else [getattr(twin, overload) for overload in twin.overloads()]
    return not any(torch.Tag.pointwise in overload.tags for overload in overloads)


def _observer(seen: Counter[Any]) -> AbstractContextManager[Any]:
    """Return a context in which the calls of every operator are counted."""
    from torch.utils._python_dispatch import TorchDispatchMode

    def dispatch(self: object, func: Any, types: object, args: Any = (), kwargs: Any = None) -> Any:  # noqa: ANN401, ARG001 - torch's signature
        seen[func] += 1
        return func(*args, **(kwargs or {}))

    # Made by hand, since torch leaves the class untyped.
    mode: Any = type("Observer", (TorchDispatchMode,), {"__torch_dispatch__": dispatch})
    context: AbstractContextManager[Any] = mode()
    return context


def _known_beyond_torch() -> dict[Any, Callable[..., int]]:
    """Return formulas for products that torch's counter does not know."""
    import torch
    from torch.utils import flop_counter

    counted: Any = flop_counter.sdpa_flop_count  # torch leaves it untyped

    def attention(query: Any, key: Any, value: Any, *_args: Any, out_shape: Any = None, **_kwargs: Any) -> int:  # noqa: ANN401 - shapes
        del out_shape
        return int(counted(query, key, value))

    def linear(x: Any, weight: Any, *_args: Any, out_shape: Any = None, **_kwargs: Any) -> int:  # noqa: ANN401 - shapes
        del out_shape
        return 2 * int(torch.Size(x).numel()) * int(weight[0])

    formulas = (
        (torch.ops.aten, "_scaled_dot_product_flash_attention_for_cpu", attention),
        (torch.ops.mkldnn, "_linear_pointwise", linear),
    )
    # Both are private to torch; one that a version lacks cannot be called either.
    found = {getattr(library, name, None): formula for library, name, formula in formulas}
    return {operator: formula for operator, formula in found.items() if operator is not None}
