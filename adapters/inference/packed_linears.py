"""Linear layers whose weight lies in memory the way oneDNN multiplies fastest.

On some processors (AMD's, where MKL does not use all it could) oneDNN's
float32 product over a re-ordered weight is faster than torch's own. The
results differ by rounding only. The operators are private to torch, so nothing
here is taken for granted: :func:`packing_works` tries them first.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ovrisisbench.adapters.inference.folding import Foldable

__all__ = ["PackedLinear", "pack_linears", "packing_works"]


class PackedLinear(nn.Linear, Foldable):
    """A linear layer that folds into a packed copy of its weight.

    Computes as ``nn.Linear`` where the packed copy does not apply: on another
    device than the CPU, in another type than float32, under autocast, with
    gradients, or before folding.
    """

    @classmethod
    def adopting(cls, linear: nn.Linear) -> PackedLinear:
        """Return a packed layer that shares the parameters of ``linear``."""
        packed = cls(linear.in_features, linear.out_features, device="meta")
        packed.weight, packed.bias = linear.weight, linear.bias
        return packed

    def forward(self, x: Tensor) -> Tensor:
        """Return ``x W^T + b``, (..., in_features) -> (..., out_features)."""
        folded = self.folded
        if folded is None or not _applies_to(x) or torch.is_autocast_enabled("cpu"):
            return super().forward(x)
        return _packed_product(x, folded[0], self.bias)

    def _fold(self) -> tuple[Tensor, ...]:
        if not _applies_to(self.weight):
            return (self.weight,)  # never multiplied with: the input will not be a float32 tensor on the CPU either
        return (_packed(self.weight),)


def pack_linears(network: nn.Module) -> None:
    """Put a :class:`PackedLinear` in the place of every ``nn.Linear`` inside ``network``; they start unfolded."""
    for module in list(network.modules()):
        for name, child in list(module.named_children()):
            if type(child) is nn.Linear:
                setattr(module, name, PackedLinear.adopting(child))


def packing_works() -> bool:
    """Return True if this torch packs and multiplies, and gets the right product."""
    weight, x = torch.linspace(-1, 1, 48).reshape(6, 8), torch.linspace(-2, 2, 24).reshape(3, 8)
    try:
        product = _packed_product(x, _packed(weight), None)
    except (AttributeError, NotImplementedError, RuntimeError, TypeError):
        return False
    return torch.allclose(product, F.linear(x, weight), atol=1e-5)


def _applies_to(tensor: Tensor) -> bool:
    return tensor.device.type == "cpu" and tensor.dtype == torch.float32


def _packed(weight: Tensor) -> Tensor:
    operators: Any = torch.ops.mkldnn
    return operators._reorder_linear_weight(weight.detach())  # type: ignore[no-any-return]  # noqa: SLF001 - private to torch, see the top


def _packed_product(x: Tensor, packed: Tensor, bias: Tensor | None) -> Tensor:
    operators: Any = torch.ops.mkldnn
    return operators._linear_pointwise(x, packed, bias, "none", [], "")  # type: ignore[no-any-return]  # noqa: SLF001 - see above
