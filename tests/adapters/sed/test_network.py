from __future__ import annotations

import pytest
import torch
from torch import Tensor

from ovrisisbench.adapters.inference.folding import fold_weights
from ovrisisbench.adapters.sed.config import TINY, SEDConfig
from tests.adapters.sed.networks import TINY_LINEAR_HEAD, sed_state, tiny_network, unit_vectors
from tests.adapters.sed.second_version import SecondVersion

EMBEDDING = TINY.text.embedding


def _image(height: int, width: int) -> Tensor:
    return torch.randn(3, height, width, generator=torch.Generator().manual_seed(height))


@torch.no_grad()
@pytest.mark.parametrize("size", [(128, 128), (101, 57), (40, 300)])
@pytest.mark.parametrize("config", [TINY, TINY_LINEAR_HEAD], ids=["mlp", "linear"])
def test_it_equals_the_network_written_plainly(config: SEDConfig, size: tuple[int, int]) -> None:
    network = tiny_network(config)
    second = SecondVersion(sed_state(network))
    text = unit_vectors(5, EMBEDDING)
    expected = second.logits(_image(*size), text, side=config.side)
    found = fold_weights(network)(_image(*size)[None], text)
    assert found.shape == (1, 5, 32, 32)
    torch.testing.assert_close(found[0].double(), expected, atol=2e-4, rtol=1e-4)


@torch.no_grad()
def test_every_template_has_a_channel_of_its_own() -> None:
    network, text = fold_weights(tiny_network()), unit_vectors(3, EMBEDDING)
    image = _image(128, 128)[None]
    exchanged = text[:, [1, 0, *range(2, 80)]]
    mean = text.mean(1, keepdim=True).expand_as(text)
    logits = network(image, text)
    assert (network(image, exchanged) - logits).abs().max() > 1e-2
    assert (network(image, mean) - logits).abs().max() > 1e-2


@torch.no_grad()
def test_images_of_a_batch_do_not_feel_each_other() -> None:
    network, text = fold_weights(tiny_network()), unit_vectors(3, EMBEDDING)
    images = torch.stack([_image(128, 128), _image(128, 128) * 2 + 1])
    together = network(images, text)
    for image, logits in zip(images, together, strict=True):
        torch.testing.assert_close(network(image[None], text)[0], logits, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_tracing_changes_no_bit() -> None:
    network, text = fold_weights(tiny_network()), unit_vectors(6, EMBEDDING)
    image, seen = _image(100, 60)[None], {}
    traced = network(image, text, seen.setdefault)
    assert torch.equal(network(image, text), traced)
    assert {name: tuple(tensor.shape[:2]) for name, tensor in seen.items() if name.startswith("dec")} == {
        f"decoder{stage}{part}": (1, 6) for stage in (1, 2, 3) for part in ("_cnext", "_attention", "_up", "")
    }


def test_gradients_reach_everything_that_is_trained() -> None:
    network, text = fold_weights(tiny_network()), unit_vectors(4, EMBEDDING)
    with torch.no_grad():
        expected = network(_image(128, 128)[None], text)
    logits = network(_image(128, 128)[None], text)
    torch.testing.assert_close(logits.detach(), expected, atol=1e-4, rtol=1e-4)
    logits.square().mean().backward()
    reached = {name for name, parameter in network.named_parameters() if parameter.grad is not None}
    expected_names = {name for name, _ in network.named_parameters() if not name.startswith("text.")}
    auxiliary = {
        name for name in expected_names if name.startswith(("decoder.head0", "decoder.head1", "decoder.head2"))
    }
    assert reached == expected_names - auxiliary


def test_the_encoder_learns_through_the_cost_volume_alone() -> None:
    network = tiny_network()
    network(_image(128, 128)[None], torch.zeros(3, 80, EMBEDDING)).square().mean().backward()
    assert all(not parameter.grad.any() for parameter in network.visual.parameters())
    assert network.decoder.image_projections[0].weight.grad.any()


@torch.no_grad()
def test_under_autocast_it_runs_in_the_narrower_type() -> None:
    network, text = fold_weights(tiny_network()), unit_vectors(4, EMBEDDING)
    exact = network(_image(128, 128)[None], text)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = network(_image(128, 128)[None], text)
    assert found.isfinite().all()
    assert 1e-4 < (found.float() - exact).abs().max() < 1
