from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

from ovrisisbench.adapters.clip.config import TextConfig
from ovrisisbench.adapters.clip.text_tower import CLIPTextTower
from ovrisisbench.adapters.text import encoder as encoder_module
from ovrisisbench.adapters.text.cache import EmbeddingCache, tower_digest
from ovrisisbench.adapters.text.encoder import TextEncoder, mean_direction
from ovrisisbench.adapters.text.templates import IMAGENET, SCENE, VILD
from ovrisisbench.adapters.text.tokens import tokenise
from ovrisisbench.errors import AdapterError

SMALL = TextConfig(width=64, blocks=2, embedding=24)


def _tower(seed: int = 0) -> CLIPTextTower:
    torch.manual_seed(seed)
    return CLIPTextTower(SMALL).eval()


@torch.no_grad()
def test_every_name_in_every_template_is_a_unit_vector_of_the_tower() -> None:
    tower, names = _tower(), ["ship", "ground track field"]
    found = TextEncoder(tower, VILD).embed(names)
    assert found.shape == (2, 14, 24)
    for index, name in enumerate(names):
        expected = F.normalize(tower(tokenise([template.format(name) for template in VILD])), dim=-1)
        torch.testing.assert_close(found[index], expected, atol=1e-6, rtol=0)
    assert found.dtype == torch.float32
    assert tower.text_projection.dtype == torch.float32, "the tower itself stays as it is"


@torch.no_grad()
def test_vectors_are_float64s_rounded_once() -> None:
    tower = _tower()
    expected = F.normalize(_tower().double()(tokenise(["A photo of a ship in the scene"])), dim=-1)
    assert torch.equal(TextEncoder(tower, SCENE).embed(["ship"])[0], expected.float())


@torch.no_grad()
def test_a_name_does_not_feel_its_company() -> None:
    encoder = TextEncoder(_tower(), SCENE)
    alone = encoder.embed(["ship"])
    together = encoder.embed(["a very long class name with many many words", "ship"])
    torch.testing.assert_close(together[1:], alone, atol=1e-6, rtol=0)


@torch.no_grad()
def test_a_thousand_names_keep_their_order() -> None:
    names = [f"{'long ' * (index % 7)}class {index}" for index in range(1000)]
    encoder = TextEncoder(_tower(), SCENE)
    found = encoder.embed(names)
    assert found.shape == (1000, 1, 24)
    for index in (0, 1, 499, 999):
        torch.testing.assert_close(found[index], encoder.embed([names[index]])[0], atol=1e-6, rtol=0)


@torch.no_grad()
def test_batches_are_cut_behind_their_longest_prompt(monkeypatch: pytest.MonkeyPatch) -> None:
    lengths = []
    original = CLIPTextTower.forward

    def forward(tower: CLIPTextTower, tokens: torch.Tensor) -> torch.Tensor:
        lengths.append([int(row.argmax()) + 1 for row in tokens])
        return original(tower, tokens)

    monkeypatch.setattr(encoder_module, "_BATCH", 2)
    monkeypatch.setattr(CLIPTextTower, "forward", forward)
    TextEncoder(_tower(), ("a {}",)).embed(["a b c d e f", "x", "y", "a b c d e g"])
    assert lengths == [[4, 4], [9, 9]]


def test_embeddings_stay_float32_under_autocast() -> None:
    tower = _tower()
    plain = TextEncoder(tower, SCENE).embed(["ship"])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(TextEncoder(tower, SCENE).embed(["ship"]), plain)


def test_the_mean_direction_is_the_normalised_mean() -> None:
    vectors = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]])
    torch.testing.assert_close(mean_direction(vectors, dim=1), torch.tensor([[0.5**0.5, 0.5**0.5]]))


def test_the_templates_are_the_published_ones() -> None:
    assert len(VILD) == 14
    assert [template.endswith(".") for template in VILD] == [True] + [False] * 4 + [True] * 9
    assert len(IMAGENET) == 80
    assert (IMAGENET[0], IMAGENET[-1]) == ("a bad photo of a {}.", "a tattoo of the {}.")
    assert all(template.count("{}") == 1 for template in (*SCENE, *VILD, *IMAGENET))


class _Counting(CLIPTextTower):
    def __init__(self) -> None:
        super().__init__(SMALL)
        self.seen: list[int] = []

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        self.seen.append(len(tokens))
        return super().forward(tokens)

    def __deepcopy__(self, memo: dict) -> CLIPTextTower:  # a copy reports to the same list
        twin = _Counting()
        twin.load_state_dict(self.state_dict())
        twin.seen = self.seen
        return twin.eval()

    @property
    def calls(self) -> int:
        return len(self.seen)


def _counting(seed: int = 0) -> _Counting:
    torch.manual_seed(seed)
    return _Counting().eval()


def test_a_cached_vocabulary_is_not_encoded_again_and_equal_to_the_bit(tmp_path: Path) -> None:
    first, second = _counting(), _counting()
    computed = TextEncoder(first, VILD, cache=EmbeddingCache(tmp_path)).embed(["ship", "tree"])
    read = TextEncoder(second, VILD, cache=EmbeddingCache(tmp_path)).embed(["ship", "tree"])
    assert (first.calls, second.calls) == (1, 0)
    assert torch.equal(read, computed)


@pytest.mark.parametrize("change", ["weights", "templates", "names", "order"])
def test_whatever_moves_an_embedding_misses_the_cache(tmp_path: Path, change: str) -> None:
    cache = EmbeddingCache(tmp_path)
    TextEncoder(_counting(), SCENE, cache=cache).embed(["ship", "tree"])
    tower = _counting(seed=1 if change == "weights" else 0)
    templates = ("a photo of a {}",) if change == "templates" else SCENE
    names = {"names": ["ship", "Tree"], "order": ["tree", "ship"]}.get(change, ["ship", "tree"])
    TextEncoder(tower, templates, cache=cache).embed(names)
    assert tower.calls == 1


@pytest.mark.parametrize("content", [b"", b"not safetensors", b"\x08" + bytes(7) + b"{}      "])
def test_a_damaged_file_counts_as_absent_and_is_written_anew(tmp_path: Path, content: bytes) -> None:
    cache = EmbeddingCache(tmp_path)
    expected = TextEncoder(_counting(), SCENE, cache=cache).embed(["ship"])
    (path,) = tmp_path.iterdir()
    path.write_bytes(content)
    tower = _counting()
    assert torch.equal(TextEncoder(tower, SCENE, cache=cache).embed(["ship"]), expected)
    assert tower.calls == 1
    assert path.stat().st_size > len(content)


def test_a_folder_that_cannot_be_written_costs_time_only(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    encoder = TextEncoder(_tower(), SCENE, cache=EmbeddingCache(tmp_path / "file"))
    assert encoder.embed(["ship"]).shape == (1, 1, 24)


def test_the_digest_sees_every_value() -> None:
    tower = _tower()
    before = tower_digest(tower)
    with torch.no_grad():
        tower.ln_final.bias[3] += 1e-3
    assert tower_digest(tower) != before
    assert tower_digest(_tower()) == before


def test_a_prompt_of_too_many_tokens_is_refused() -> None:
    with pytest.raises(AdapterError, match="more than 77"):
        TextEncoder(_tower(), SCENE).embed(["word " * 80])
