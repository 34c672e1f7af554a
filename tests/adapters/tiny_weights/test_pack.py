"""What is packed comes back, shares its frozen part with the encoders, and stands in an index that loads."""

from pathlib import Path

import pytest
import torch

from ovrisisbench.adapter.checkpoints import file_digest, read_state_dict
from ovrisisbench.adapter.own_files import WeightsCard, read_card, write_weights
from ovrisisbench.adapter.shipped import read_index
from ovrisisbench.adapters.tiny_weights.pack import STARTS, pack
from ovrisisbench.errors import CheckpointError

EMPTY = "format: 1\nencoders: []\nmodels: []\n"


def _write(path: Path, state: dict[str, torch.Tensor], **card) -> Path:
    known = {"backbone": "tiny", "seed": 3, "command": ["ovrisis-bench", "train", "--to", f"{path.parent}/out"]}
    write_weights(path, state, WeightsCard(**{**known, **card}))
    return path


def _index(folder: Path):
    return read_index(folder)


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def packed(tmp_path):
    """A folder with one encoder and one model that shares a tensor with it, and the sources of both."""
    folder = tmp_path / "shipped"
    folder.mkdir()
    (folder / "index.yaml").write_text(EMPTY)
    frozen = torch.randn(8, 4, generator=torch.Generator().manual_seed(0)).half().float()
    clip = _write(tmp_path / "clip.safetensors", {"visual.proj": frozen}, model="plain-clip")
    model = _write(
        tmp_path / "model_final.safetensors",
        {"clip_model.visual.proj": frozen, "head.weight": torch.full((2, 2), 1 / 3)},
        model="cat-seg",
        train_set="mini-dlrsd",
    )
    return folder, clip, model, [pack(source, folder) for source in (clip, model)]


def test_packed_weights_are_those_of_the_source_rounded_once(packed):
    _, clip, model, targets = packed
    for source, target in zip((clip, model), targets, strict=True):
        expected = {key: tensor.half().float() for key, tensor in read_state_dict(source).items()}
        found = read_state_dict(target)
        assert found.keys() == expected.keys()
        assert all(torch.equal(found[key], expected[key]) for key in expected)


def test_a_trained_model_stores_only_what_the_encoder_has_not(packed):
    folder, _, _, (_, target) = packed
    (share,) = read_card(target).shares
    assert share.file == "clip.safetensors"
    assert list(share.tensors) == ["clip_model.visual.proj"]
    assert target.name == "cat-seg_tiny_mini-dlrsd.safetensors"
    assert sorted(path.name for path in folder.iterdir()) == [
        "cat-seg_tiny_mini-dlrsd.safetensors",
        "clip.safetensors",
        "index.yaml",
    ]


def test_the_index_says_what_each_file_is_and_names_no_folder(packed):
    folder, _, _, targets = packed
    index = _index(folder)
    for entry, target in zip(index.files, targets, strict=True):
        assert (entry.file, entry.sha256, entry.size) == (target.name, file_digest(target), target.stat().st_size)
        assert (entry.command, entry.seed, entry.backbone) == ("ovrisis-bench train --to out", 3, "tiny")
    assert index.encoders[0].starts == STARTS["clip"]
    assert (index.models[0].model, index.models[0].train_set) == ("cat-seg", "mini-dlrsd")


def test_packing_again_replaces_the_entry(packed):
    folder, clip, model, _ = packed
    pack(clip, folder)
    pack(model, folder)
    assert len(_index(folder).files) == 2


def test_weights_that_were_trained_from_other_encoders_are_refused(packed, tmp_path):
    folder = packed[0]
    other = _write(tmp_path / "o.safetensors", {"head": torch.rand(3)}, model="ovris", train_set="mini-dlrsd")
    with pytest.raises(CheckpointError, match="shares no tensor with the encoders"):
        pack(other, folder)
    assert len(_index(folder).files) == 2
    assert len(_names(folder)) == 3


def test_weights_without_a_card_are_refused(packed, tmp_path):
    from safetensors.torch import save_file

    save_file({"x": torch.ones(2)}, tmp_path / "x.safetensors")
    with pytest.raises(CheckpointError, match="has no card"):
        pack(tmp_path / "x.safetensors", packed[0])
