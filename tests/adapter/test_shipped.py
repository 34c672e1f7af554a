"""The index of the shipped weights: small, each entry once, and files that are what it says."""

import hashlib
from pathlib import Path

import pytest
import yaml

from ovrisisbench.adapter import find_adapter, shipped
from ovrisisbench.adapter.own_files import read_card
from ovrisisbench.adapter.shared_tensors import partial_tables
from ovrisisbench.adapter.shipped import MOST_BYTES, find_encoders, find_shipped, load_shipped, shipped_path
from ovrisisbench.errors import CatalogError, CheckpointError

FILE = {"file": "a.safetensors", "sha256": hashlib.sha256(b"weights").hexdigest(), "size": 7, "command": "x", "seed": 1}
ENCODER = {**FILE, "backbone": "tiny", "starts": {"cat-seg": "clip", "plain-clip": "checkpoint"}}
MODEL = {**FILE, "model": "cat-seg", "backbone": "tiny", "train_set": "dlrsd"}


def _index(folder: Path, encoders: list, models: list) -> Path:
    (folder / "index.yaml").write_text(yaml.safe_dump({"format": 1, "encoders": encoders, "models": models}))
    return folder


def test_what_is_shipped_is_what_the_index_says_and_small():
    index = load_shipped()
    total = 0
    for entry in index.files:
        path = shipped_path(entry)  # compares size and digest
        total += path.stat().st_size
    folder = Path(shipped.__file__).parents[2] / "adapters" / "tiny_weights"
    assert {path.name for path in folder.glob("*.safetensors")} == {entry.file for entry in index.files}
    assert total <= MOST_BYTES == 8_000_000
    for entry in index.models:
        card = read_card(shipped_path(entry))
        assert (card.model, card.backbone, card.train_set) == (entry.model, entry.backbone, entry.train_set)
        assert entry.backbone in find_adapter(entry.model).info.backbones
        assert {share.file for share in card.shares} <= {base.file for base in index.encoders}
        partial_tables(shipped_path(entry), card)  # finds every base, by its digest


def test_an_entry_is_found_by_model_backbone_and_training_set(tmp_path, monkeypatch):
    monkeypatch.setattr(shipped, "_installed", lambda: _index(tmp_path, [], [MODEL]))
    assert find_shipped("cat-seg", "tiny", "dlrsd").seed == 1
    for other in (("rskt-seg", "tiny", "dlrsd"), ("cat-seg", "vit-b", "dlrsd"), ("cat-seg", "tiny", "isaid")):
        assert find_shipped(*other) is None


def test_encoders_are_found_by_model_and_backbone_under_their_place(tmp_path, monkeypatch):
    dino = {**ENCODER, "file": "d.safetensors", "starts": {"rskt-seg": "dino", "gsnet": "rsib"}}
    monkeypatch.setattr(shipped, "_installed", lambda: _index(tmp_path, [ENCODER, dino], []))
    found = {
        model: {place: entry.file for place, entry in find_encoders(model, "tiny").items()}
        for model in ("cat-seg", "plain-clip", "gsnet", "sed")
    }
    assert found == {
        "cat-seg": {"clip": "a.safetensors"},
        "plain-clip": {"checkpoint": "a.safetensors"},
        "gsnet": {"rsib": "d.safetensors"},
        "sed": {},
    }
    assert find_encoders("cat-seg", "vit-b") == {}


def test_shipped_encoders_start_what_the_models_know():
    for entry in load_shipped().encoders:
        for model, place in entry.starts.items():
            info = find_adapter(model).info
            assert entry.backbone in info.backbones
            assert place in (*info.pretrained, *(("clip",) if info.trainer else ("checkpoint",)))


def test_a_shipped_file_is_compared_with_the_index_before_it_is_used(tmp_path, monkeypatch):
    monkeypatch.setattr(shipped, "_installed", lambda: tmp_path)
    entry = shipped.ShippedModel.model_validate(MODEL)
    with pytest.raises(CheckpointError, match=r"a.safetensors are missing; install ovrisisbench again"):
        shipped_path(entry)
    for content in (b"weight", b"WEIGHTS"):
        (tmp_path / "a.safetensors").write_bytes(content)
        with pytest.raises(CheckpointError, match=r"a.safetensors are damaged; install ovrisisbench again"):
            shipped_path(entry)
    (tmp_path / "a.safetensors").write_bytes(b"weights")
    assert shipped_path(entry) == tmp_path / "a.safetensors"


@pytest.mark.parametrize(
    ("encoders", "models", "sentence"),
    [
        ([ENCODER], [MODEL], "a.safetensors is listed more than once"),
        ([], [MODEL, {**MODEL, "file": "b.safetensors"}], "is listed more than once"),
        ([{**ENCODER, "size": 5_000_000}], [{**MODEL, "file": "b.safetensors", "size": 3_000_001}], "8,000,001 bytes"),
        ([{**ENCODER, "file": "../a.safetensors"}], [], r"field 'encoders\.0\.file'"),
        ([{**ENCODER, "sha256": "0"}], [], r"field 'encoders\.0\.sha256'"),
        ([{**ENCODER, "command": ""}], [], r"field 'encoders\.0\.command'"),
        ([], [FILE], r"field 'models\.0\.model'"),
    ],
)
def test_a_wrong_index_does_not_load(tmp_path, encoders, models, sentence):
    with pytest.raises(CatalogError, match=sentence):
        load_shipped(_index(tmp_path, encoders, models))
