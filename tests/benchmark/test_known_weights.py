"""What the weights say of themselves need not be typed, and cannot be contradicted."""

from pathlib import Path

import pytest
import torch
import yaml

from ovrisisbench.adapter import find_adapter, shipped
from ovrisisbench.adapter.checkpoints import file_digest, read_state_dict
from ovrisisbench.adapter.own_files import WeightsCard, write_weights
from ovrisisbench.benchmark import RunReport, informed, load_options, run
from ovrisisbench.errors import AdapterError, CheckpointError, DataError
from tests.adapter import tiny_files

CAT_SEG = find_adapter("cat-seg").info


def _file(path: Path, **card) -> Path:
    known = {"model": "cat-seg", "backbone": "tiny", "train_set": "dlrsd", **card}
    write_weights(path, {"x": torch.ones(2)}, WeightsCard.model_validate(known))
    return path


def test_backbone_training_set_and_settings_come_from_the_card(tmp_path):
    settings = {"layers": "2", "pooling": "2", "linears": "sparse"}
    path = _file(tmp_path / "x.safetensors", settings=settings)
    found = informed(CAT_SEG, None, {"checkpoint": path})
    assert found.train_set == "dlrsd"
    # layers is no switch of this model, and linears has no such value: neither can be set.
    assert found.loading == {"checkpoint": path, "backbone": "tiny", "settings": {"pooling": "2"}}
    assert found.notes == ("from the card of x.safetensors: --backbone tiny --train-set dlrsd --set pooling=2",)


def test_settings_of_the_card_are_only_defaults(tmp_path):
    path = _file(tmp_path / "x.safetensors", settings={"pooling": "2", "sliding_window": "off"})
    found = informed(CAT_SEG, "dlrsd", {"checkpoint": path, "backbone": "tiny", "settings": {"pooling": "1"}})
    assert found.loading["settings"] == {"pooling": "1", "sliding_window": "off"}
    assert found.notes == ("from the card of x.safetensors: --set sliding_window=off",)


def test_what_agrees_with_the_card_is_not_commented_on(tmp_path):
    path = _file(tmp_path / "x.safetensors")
    assert informed(CAT_SEG, "dlrsd", {"checkpoint": path, "backbone": "tiny"}).notes == ()


@pytest.mark.parametrize(
    ("model", "train_set", "loading", "sentence"),
    [
        ("san", "dlrsd", {}, r"says of itself 'cat-seg', not 'san'; say --model cat-seg, or give another file\."),
        ("cat-seg", "isaid", {}, r"says of itself 'dlrsd', not 'isaid'; say --train-set dlrsd, or give another file\."),
        ("cat-seg", None, {"backbone": "vit-b"}, r"says of itself 'tiny', not 'vit-b'; say --backbone tiny"),
    ],
)
def test_a_contradiction_is_refused_in_one_sentence(tmp_path, model, train_set, loading, sentence):
    path = _file(tmp_path / "x.safetensors")
    with pytest.raises(CheckpointError, match=sentence):
        informed(find_adapter(model).info, train_set, {"checkpoint": path, **loading})


def test_what_a_card_does_not_say_must_be_typed_still(tmp_path):
    path = _file(tmp_path / "x.safetensors", train_set=None)
    assert informed(CAT_SEG, None, {"checkpoint": path}).train_set is None
    assert informed(CAT_SEG, "isaid", {"checkpoint": path}).train_set == "isaid"


def test_files_without_a_card_and_files_that_are_not_there_are_left_to_others(tmp_path):
    torch.save({"model": {"x": torch.ones(2)}}, tmp_path / "x.pth")
    for path in (tmp_path / "x.pth", tmp_path / "absent.safetensors"):
        found = informed(CAT_SEG, "dlrsd", {"checkpoint": path})
        assert (found.train_set, found.loading, found.notes) == ("dlrsd", {"checkpoint": path}, ())


def test_a_model_that_is_not_trained_takes_no_training_set_from_its_clip(tmp_path):
    path = _file(tmp_path / "x.safetensors", model="plain-clip", train_set="other:captions")
    assert informed(find_adapter("plain-clip").info, None, {"checkpoint": path}).train_set is None


class _Hears(RunReport):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, sentence: str) -> None:
        self.notes.append(sentence)


def test_the_training_set_of_the_card_tells_the_protocol(tmp_path):
    path, report = _file(tmp_path / "x.safetensors", train_set="mini-dlrsd"), _Hears()
    with pytest.raises(DataError, match=r"prepare mini-dlrsd"):
        run("cat-seg", checkpoint=path, data=tmp_path / "data", results=tmp_path, report=report)
    assert report.notes[-1] == "Protocol ovrisisbench-mini-v1: the one that has the training set mini-dlrsd."


@pytest.fixture
def shipped_files(tmp_path, monkeypatch):
    """A folder of shipped weights: CAT-Seg of the tiny backbone, trained on DLRSD, and what it shares."""
    bases = tiny_files.write_bases(tmp_path, ())
    path = tiny_files.write_tiny(tmp_path, "cat-seg", "dlrsd", 1, bases)

    def entry(path: Path) -> dict:
        known = {"sha256": file_digest(path), "size": path.stat().st_size, "command": "make tiny", "seed": 1}
        return {"file": path.name, **known}

    model = {**entry(path), "model": "cat-seg", "backbone": "tiny", "train_set": "dlrsd"}
    places = [{"cat-seg": "clip", "plain-clip": "checkpoint"}, {"rskt-seg": "dino"}, {"rskt-seg": "remote_clip"}]
    encoders = [
        {**entry(base), "backbone": "tiny", "starts": starts} for base, starts in zip(bases, places, strict=True)
    ]
    index = {"format": 1, "encoders": encoders, "models": [model]}
    (tmp_path / "index.yaml").write_text(yaml.safe_dump(index))
    monkeypatch.setattr(shipped, "_installed", lambda: tmp_path)
    return path


def test_shipped_weights_are_taken_where_no_others_are_given_and_that_is_said(shipped_files):
    found = informed(CAT_SEG, "dlrsd", {"backbone": "tiny"})
    assert found.loading["checkpoint"] == shipped_files
    taken, unlearned = found.notes
    assert taken == ("the weights come with the package: cat-seg_tiny_dlrsd.safetensors, seed 1, made by 'make tiny'")
    assert "token_embedding.weight" in unlearned
    assert "have no learned meaning" in unlearned


def test_a_model_that_is_nothing_but_an_encoder_takes_the_shipped_encoder(shipped_files):
    found = informed(find_adapter("plain-clip").info, None, {"backbone": "tiny"})
    assert found.loading["checkpoint"] == shipped_files.parent / "clip-base.safetensors"
    assert found.train_set is None


@pytest.mark.parametrize(
    ("train_set", "loading"),
    [
        ("isaid", {"backbone": "tiny"}),
        ("dlrsd", {"backbone": "vit-b"}),
        ("dlrsd", {}),
        (None, {"backbone": "tiny"}),
        ("dlrsd", {"backbone": "tiny", "untrained": True}),
        ("dlrsd", {"backbone": "tiny", "weights": {"rsib": Path("RSIB.pth")}}),
    ],
)
def test_nothing_shipped_is_taken_for_another_request(shipped_files, train_set, loading):
    assert "checkpoint" not in informed(CAT_SEG, train_set, loading).loading


def test_without_shipped_weights_the_sentence_is_what_it_was():
    loading = informed(CAT_SEG, "coco-stuff", {"backbone": "tiny"}).loading
    with pytest.raises(AdapterError, match=r"CAT-Seg needs trained weights: give --checkpoint FILE"):
        load_options(CAT_SEG, **loading)


class _Notes(RunReport):
    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, sentence: str) -> None:
        self.notes.append(sentence)


def test_a_run_with_shipped_weights_measures_what_the_same_weights_as_a_checkpoint_measure(
    shipped_files, drawn_data, tmp_path
):
    report = _Notes()
    common = {"data": drawn_data, "limit": 2, "device": "cpu", "settings": {"linears": "plain"}}
    (record,) = run("cat-seg", train_set="dlrsd", backbone="tiny", results=tmp_path / "r", report=report, **common)
    assert (record.model.weights, record.model.train_set, record.model.backbone) == ("checkpoint", "dlrsd", "tiny")
    assert record.model.checkpoint.file == shipped_files.name
    assert record.model.checkpoint.sha256 == file_digest(shipped_files)
    assert len(report.notes) == 2

    full = {key: tensor.clone() for key, tensor in read_state_dict(shipped_files).items()}
    torch.save({"model": full}, tmp_path / "full.pth")
    common |= {"checkpoint": tmp_path / "full.pth", "backbone": "tiny", "train_set": "dlrsd"}
    (other,) = run("cat-seg", results=tmp_path / "other", **common)
    assert other.confusion == record.confusion
