"""What a run was asked to do is checked before anything heavy happens."""

import hashlib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import torch

from ovrisisbench.adapter import LoadOptions, find_adapter, registry
from ovrisisbench.benchmark.inputs import check_train_set, examine_weights, load_options, train_classes
from ovrisisbench.catalog import load_protocol
from ovrisisbench.errors import AdapterError, CheckpointError


@pytest.fixture
def seven(tmp_path, monkeypatch) -> Path:
    """A checkpoint that is bound to seven classes, of a model that is installed."""
    points = [
        EntryPoint("bound", "tests.adapter.drawn_adapters:BOUND", registry.ENTRY_POINT_GROUP),
        EntryPoint("rskt-seg", "ovrisisbench.adapters.rskt_seg:INFO", registry.ENTRY_POINT_GROUP),
    ]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    torch.save({"bound.weight": torch.ones(7, 3)}, tmp_path / "seven.pth")
    return tmp_path / "seven.pth"


def _examine(model: str, checkpoint: Path | None, classes: dict[str, int], **trained) -> str | None:
    options = LoadOptions(backbone="none", checkpoint=checkpoint)
    return examine_weights(find_adapter(model), options, classes, **trained).checkpoint


def test_weights_bound_to_another_number_of_classes_are_refused(seven):
    with pytest.raises(CheckpointError, match="is bound to 7 classes, but isaid has 15"):
        _examine("bound", seven, {"vdd": 7, "isaid": 15})


def test_weights_of_another_model_are_refused_by_its_name(seven):
    with pytest.raises(CheckpointError, match=r"belongs to bound \(none\), not to rskt-seg; say --model bound"):
        _examine("rskt-seg", seven, {"vdd": 7})


def test_fitting_weights_are_digested(seven):
    assert len(bytes.fromhex(_examine("bound", seven, {"vdd": 7}))) == 32


def test_without_a_checkpoint_there_is_nothing_to_examine(seven):
    assert _examine("bound", None, {"vdd": 7}) is None


def test_weights_trained_with_another_number_of_classes_than_the_training_set_has_are_refused(seven):
    with pytest.raises(CheckpointError, match="trained with 7 classes, but DLRSD has 17; say with --train-set"):
        _examine("bound", seven, {"vdd": 7}, train_set="dlrsd", train_classes=17)
    assert _examine("bound", seven, {"vdd": 7}, train_set="other:mine", train_classes=None)


def test_files_beside_the_checkpoint_are_digested(tmp_path):
    (tmp_path / "RSIB.pth").write_bytes(b"weights")
    options = LoadOptions(backbone="none", beside={"rsib": tmp_path / "RSIB.pth"})
    digests = examine_weights(find_adapter("random"), options, {})
    assert digests.checkpoint is None
    assert digests.beside == {"rsib": hashlib.sha256(b"weights").hexdigest()}


def test_files_beside_the_checkpoint_are_checked_by_name_and_path(tmp_path):
    info = find_adapter("gsnet").info
    with pytest.raises(AdapterError, match=r"no file named 'rsbi' beside its checkpoint; it takes rsib\. Did you mean"):
        load_options(info, backbone="vit-b", checkpoint=tmp_path / "x.pth", weights={"rsbi": tmp_path})
    with pytest.raises(CheckpointError, match=r"There is no file at .*; check the path given to --weights rsib="):
        load_options(info, backbone="vit-b", checkpoint=tmp_path / "x.pth", weights={"rsib": tmp_path / "none.pth"})
    (tmp_path / "RSIB.pth").touch()
    with pytest.raises(CheckpointError, match="Both --weights and --untrained"):
        load_options(info, backbone="vit-b", untrained=True, weights={"rsib": tmp_path / "RSIB.pth"})


@pytest.mark.parametrize("train_set", ["dlrsd", "isaid", "coco-stuff", "landdiscover50k", "other:my-tiles"])
def test_weights_may_be_trained_on_what_no_protocol_names(train_set):
    check_train_set(find_adapter("cat-seg").info, train_set, untrained=False, protocol=load_protocol())


@pytest.mark.parametrize("train_set", ["loveda", "coco", "other:", "other:a b"])
def test_unknown_training_sets_are_refused_with_the_known_ones(train_set):
    with pytest.raises(AdapterError, match="nor one of coco-stuff, landdiscover50k; for anything else say other:NAME"):
        check_train_set(find_adapter("cat-seg").info, train_set, untrained=False, protocol=load_protocol())


def test_classes_of_training_sets_are_known_where_someone_wrote_them_down():
    known = {key: train_classes(load_protocol(), key) for key in ("dlrsd", "isaid", "coco-stuff", "other:mine", None)}
    assert known == {"dlrsd": 17, "isaid": 15, "coco-stuff": 171, "other:mine": None, None: None}
