from __future__ import annotations

import pytest
import torch
from torch import nn

from ovrisisbench.adapter.training import TrainedTensor
from ovrisisbench.train.optimiser import Optimiser
from tests.train.tiny import tiny_recipe

RECIPE = {"iterations": 100, "lr": 0.01, "clip_gradient_norm": "none"}


def _trained(joint: nn.Parameter, plain: nn.Parameter) -> list[TrainedTensor]:
    """Of the joint matrix the first and the last third learn."""
    return [
        TrainedTensor(name="q", parameter=joint, rows=(0, 2), lr_multiplier=0.1),
        TrainedTensor(name="v", parameter=joint, rows=(4, 6), lr_multiplier=0.1),
        TrainedTensor(name="norm", parameter=plain, decays=False),
    ]


def _parameters() -> tuple[nn.Parameter, nn.Parameter]:
    generator = torch.Generator().manual_seed(0)
    return nn.Parameter(torch.randn(6, 3, generator=generator)), nn.Parameter(torch.randn(3, generator=generator))


def _set_gradients(step: int, *parameters: nn.Parameter) -> None:
    generator = torch.Generator().manual_seed(step)
    for parameter in parameters:
        parameter.grad = torch.randn(parameter.shape, generator=generator)


@pytest.mark.parametrize("limit", ["none", "0.01"])
def test_parts_of_a_parameter_learn_as_tensors_of_their_own_and_the_rest_of_it_stays(limit: str) -> None:
    joint, plain = _parameters()
    before = joint.detach().clone()
    recipe = tiny_recipe("rskt-seg", **{**RECIPE, "clip_gradient_norm": limit, "weight_decay": 0.5})
    optimiser = Optimiser(_trained(joint, plain), recipe)
    q, v, norm = (nn.Parameter(t.detach().clone()) for t in (joint[0:2], joint[4:6], plain))
    plainly = torch.optim.AdamW(
        [{"params": [q, v], "weight_decay": 0.5, "lr": 1e-3}, {"params": [norm], "weight_decay": 0.0, "lr": 1e-2}]
    )
    for step in range(3):
        _set_gradients(step, joint, plain)
        q.grad, v.grad, norm.grad = joint.grad[0:2].clone(), joint.grad[4:6].clone(), plain.grad.clone()
        found = optimiser.collect()
        expected = nn.utils.clip_grad_norm_([q, v, norm], float("inf") if limit == "none" else float(limit))
        torch.testing.assert_close(found, expected)
        optimiser.step(0)
        plainly.step()
        optimiser.clear()
    torch.testing.assert_close(joint[0:2], q)
    torch.testing.assert_close(joint[4:6], v)
    torch.testing.assert_close(plain, norm)
    assert torch.equal(joint[2:4], before[2:4])
    assert joint.grad is None


def test_rates_follow_the_schedule_with_their_multipliers() -> None:
    optimiser = Optimiser(_trained(*_parameters()), tiny_recipe("rskt-seg", **RECIPE))
    optimiser.collect()
    assert optimiser.step(50) == pytest.approx(0.005)
    assert optimiser.rates() == {
        "q": (pytest.approx(0.0005), 1e-4),
        "v": (pytest.approx(0.0005), 1e-4),
        "norm": (pytest.approx(0.005), 0.0),
    }


def test_what_has_no_gradient_counts_as_zero_and_stays() -> None:
    joint, plain = _parameters()
    before = joint.detach().clone()
    optimiser = Optimiser(_trained(joint, plain), tiny_recipe("rskt-seg", **RECIPE, weight_decay=0))
    plain.grad = torch.ones(3)
    assert optimiser.collect() == pytest.approx(3**0.5)
    optimiser.step(0)
    assert torch.equal(joint, before)


def test_adams_memory_can_be_put_away_and_taken_up() -> None:
    def after(steps: range, *, put_away: bool) -> torch.Tensor:
        joint, plain = _parameters()
        optimiser = Optimiser(_trained(joint, plain), tiny_recipe("rskt-seg", **RECIPE))
        for step in steps:
            if put_away:
                state = {name: {k: v.clone() for k, v in kept.items()} for name, kept in optimiser.state().items()}
                optimiser = Optimiser(_trained(joint, plain), tiny_recipe("rskt-seg", **RECIPE))
                if step:
                    optimiser.load_state(state)
            _set_gradients(step, joint, plain)
            optimiser.collect()
            optimiser.step(step)
        return joint.detach()

    assert torch.equal(after(range(4), put_away=True), after(range(4), put_away=False))
    with pytest.raises(KeyError):
        Optimiser(_trained(*_parameters()), tiny_recipe("rskt-seg", **RECIPE)).load_state({"other": {}})
