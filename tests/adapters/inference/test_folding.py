from __future__ import annotations

import torch
from torch import Tensor, nn

from ovrisisbench.adapters.inference.folding import Foldable, fold_weights


class _Squared(Foldable):
    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(3.0))

    def forward(self, x: Tensor) -> Tensor:
        if self.folded is not None:
            return x * self.folded[0]
        return x * self.weight * self.weight

    def _fold(self) -> tuple[Tensor, ...]:
        return (self.weight * self.weight,)


@torch.no_grad()
def test_fold_weights_reaches_modules_inside_modules() -> None:
    network = fold_weights(nn.Sequential(nn.Identity(), nn.Sequential(_Squared())))
    assert network[1][0].folded == (torch.tensor(9.0),)


def test_a_fold_is_not_used_while_gradients_are_recorded() -> None:
    module = fold_weights(_Squared())
    module(torch.tensor(1.0)).backward()
    assert module.weight.grad == 6.0


@torch.no_grad()
def test_a_fold_is_not_used_after_its_parameters_changed() -> None:
    one = torch.tensor(1.0)
    changed_in_place, loaded, assigned, moved = (fold_weights(_Squared()) for _ in range(4))
    changed_in_place.weight.fill_(2.0)
    loaded.load_state_dict({"weight": torch.tensor(2.0)})
    assigned.load_state_dict({"weight": torch.tensor(2.0)}, assign=True)
    moved.to(torch.float64)
    for module in (changed_in_place, loaded, assigned):
        assert module.folded is None
        assert module(one) == 4.0
        module.fold()
        assert module.folded == (torch.tensor(4.0),)
    assert moved.folded is None
