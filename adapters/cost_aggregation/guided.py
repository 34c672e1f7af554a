"""Linear layers on ``[x, guidance]`` where the guidance is the same for every class, or everywhere.

``W [x, g] = W_x x + W_g g``: the half that does not depend on the class (or
on the place) is computed once and added, never repeated.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["GuidedLinear"]


class GuidedLinear(nn.Linear):
    """A linear layer on the concatenation of ``x`` and a guidance vector.

    Args:
        features: channels of ``x``, which come first in the weight.
        guidance: channels of the guidance.
        out_features: channels of the result.
    """

    def __init__(self, features: int, guidance: int, out_features: int) -> None:
        super().__init__(features + guidance, out_features)
        self.features = features

    def forward(self, x: Tensor, guidance: Tensor) -> Tensor:  # type: ignore[override]  # a second input
        """Return ``W [x, guidance] + b``.

        Args:
            x: (..., features).
            guidance: (..., guidance), of a shape that broadcasts against ``x``.
        """
        of_x, of_guidance = self.weight.split([self.features, self.in_features - self.features], dim=1)
        return F.linear(x, of_x) + F.linear(guidance, of_guidance, self.bias)
