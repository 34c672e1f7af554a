from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from ovrisisbench.adapters.inference.folding import fold_weights
from ovrisisbench.adapters.sed.config import TINY
from ovrisisbench.adapters.sed.decoder import surviving
from ovrisisbench.adapters.sed.network import SED
from tests.adapters.sed.networks import sed_state, tiny_network
from tests.adapters.sed.second_version import SecondVersion, plain_surviving

GRID = TINY.grid
TOLERANCE = {"atol": 1e-4, "rtol": 1e-4}


def _cost(classes: int, *, images: int = 1) -> Tensor:
    return torch.randn(images, classes, 80, GRID, GRID, generator=torch.Generator().manual_seed(1)) / 5


def _maps(images: int = 1) -> tuple[Tensor, ...]:
    generator = torch.Generator().manual_seed(2)
    return tuple(
        torch.randn(images, dim, side * GRID, side * GRID, generator=generator)
        for dim, side in zip(TINY.dims, (8, 4, 2), strict=False)
    )


def _network(**options: int) -> SED:
    return tiny_network(replace(TINY, **options))


def _double(maps: tuple[Tensor, ...], image: int = 0) -> list[Tensor]:
    return [tensor[image : image + 1].double() for tensor in maps]


@torch.no_grad()
@pytest.mark.parametrize("folded", [False, True])
@pytest.mark.parametrize("pooling", [1, 2])
@pytest.mark.parametrize("classes", [1, 6])
def test_it_equals_the_decoder_written_plainly(folded: bool, pooling: int, classes: int) -> None:
    network = _network(pooling=pooling)
    second = SecondVersion(sed_state(network), pooling=pooling)
    if folded:
        fold_weights(network)
    cost, maps = _cost(classes, images=2), _maps(images=2)
    before = [tensor.clone() for tensor in (cost, *maps)]
    found = network.decoder(cost, maps)
    assert found.shape == (2, classes, 8 * GRID, 8 * GRID)
    for image in range(2):
        expected = second.decoder(cost[image].double(), _double(maps, image))
        torch.testing.assert_close(found[image].double(), expected, **TOLERANCE)
    assert all(torch.equal(*pair) for pair in zip((cost, *maps), before, strict=True))


@torch.no_grad()
@pytest.mark.parametrize("topk", [1, 2, 3])
def test_early_rejection_equals_masks_written_plainly(topk: int) -> None:
    network = _network(early_rejection=topk)
    second = SecondVersion(sed_state(network), topk=topk)
    cost, maps = _cost(40), _maps()
    expected = second.decoder(cost[0].double(), _double(maps))
    found = fold_weights(network).decoder(cost, maps)[0].double()
    assert 0 < len(second.alive[0]) < 40
    assert torch.equal(found.isneginf(), expected.isneginf())
    torch.testing.assert_close(found, expected, **TOLERANCE)


class _ConstructedHead(nn.Module):
    """Auxiliary logits as they were made up, for the classes that are to be alive when it is asked."""

    def __init__(self, logits: Tensor) -> None:
        super().__init__()
        self.logits = logits

    def forward(self, x: Tensor) -> Tensor:
        assert x.shape[0] == len(self.logits), "other classes than expected have come so far"
        return self.logits[:, None].to(x.dtype)


class _ConstructedSecondVersion(SecondVersion):
    constructed: tuple[Tensor, ...] = ()

    def head(self, index: int, x: Tensor) -> Tensor:
        assert len(x) == len(self.constructed[index])
        return self.constructed[index]


@torch.no_grad()
@pytest.mark.parametrize("topk", [1, 2])
@pytest.mark.parametrize(
    "rejected",
    [
        ((2, 5, 11), (0, 7), (9, 10)),
        ((0, 1), (), (11,)),
        ((), (3, 4, 5), ()),
        ((), (), (0, 6)),
        ((1, 3, 5, 7, 9, 11), (0, 4, 8), (2, 6)),
        ((), (), ()),
    ],
)
def test_classes_may_be_rejected_at_each_decision(topk: int, rejected: tuple[tuple[int, ...], ...]) -> None:
    classes = 12
    network = _network(early_rejection=topk)
    second = _ConstructedSecondVersion(sed_state(network), topk=topk)
    constructed, alive, alive_after = [], list(range(classes)), []
    generator = torch.Generator().manual_seed(3)
    for index, names in enumerate(rejected):
        side = GRID * 2**index
        logits = torch.rand(len(alive), side, side, generator=generator)
        kept = [name for name in alive if name not in names]
        for row, name in enumerate(alive):
            if name in names:
                logits[row] -= 10
            else:  # it is the best where nobody else is, and with two others to choose from it is there as well
                logits[row].flatten()[kept.index(name) :: len(kept)] += 10
        if topk == 2 and len(kept) == 1:
            kept = alive  # there is room for one that is never the best
        constructed.append(logits)
        alive = kept
        alive_after.append(kept)
    second.constructed = tuple(constructed)
    for head, logits in zip(("head0", "head1", "head2"), constructed, strict=True):
        setattr(network.decoder, head, _ConstructedHead(logits))
    cost, maps = _cost(classes), _maps()
    expected = second.decoder(cost[0].double(), _double(maps))
    seen: dict[str, Tensor] = {}
    found = fold_weights(network).decoder(cost, maps, lambda name, tensor: seen.setdefault(name, tensor.clone()))
    if topk == 1:
        assert second.alive == alive_after
    for index in range(3):
        assert seen[f"survivors{index}"][0].nonzero()[:, 0].tolist() == second.alive[index]
    gone = [name for name in range(classes) if name not in second.alive[-1]]
    assert found[0].isneginf().flatten(1).all(dim=1).nonzero()[:, 0].tolist() == gone
    torch.testing.assert_close(found[0].double(), expected, **TOLERANCE)
    assert torch.equal(network.decoder(cost, maps), found), "tracing changes no bit"


@torch.no_grad()
def test_rejection_follows_the_classes_and_not_their_places() -> None:
    network = fold_weights(_network(early_rejection=1))
    cost, maps = _cost(25), _maps()
    order = torch.randperm(25, generator=torch.Generator().manual_seed(4))
    found, turned = network.decoder(cost, maps), network.decoder(cost[:, order], maps)
    assert found.isneginf().any()
    torch.testing.assert_close(turned, found[:, order], **TOLERANCE)


@torch.no_grad()
def test_a_bound_that_rejects_nothing_changes_no_bit() -> None:
    cost, maps = _cost(5), _maps()
    expected = fold_weights(_network()).decoder(cost, maps)
    for topk in (5, 8):
        assert torch.equal(fold_weights(_network(early_rejection=topk)).decoder(cost, maps), expected)


@torch.no_grad()
def test_early_rejection_takes_one_image_at_a_time() -> None:
    with pytest.raises(ValueError, match="one image at a time"):
        _network(early_rejection=2).decoder(_cost(3, images=2), _maps(2))


@pytest.mark.parametrize("topk", [1, 2, 5, 9, 20])
def test_survivors_are_among_the_best_somewhere(topk: int) -> None:
    logits = torch.randn(9, 3, 4, generator=torch.Generator().manual_seed(topk))
    logits[3] -= 4
    logits[6] -= 8
    assert torch.equal(surviving(logits, topk), plain_surviving(logits, topk))
