"""A mistake costs one sentence and exit code 2; never a traceback."""

import json

import pytest

from ovrisisbench.catalog import dataset_keys, load_card, load_protocol, protocols_testing
from ovrisisbench.cli import main


def _run(capsys, *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stopped:
        main(list(arguments))
    captured = capsys.readouterr()
    return stopped.value.code, captured.out, captured.err


@pytest.fixture
def beside_data(tmp_path, monkeypatch, drawn_data):
    """Stand in a folder whose ``data`` holds the drawn data set."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").symlink_to(drawn_data)


@pytest.mark.usefixtures("beside_data")
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["datasets", "isiad"], "Did you mean 'isaid'"),
        (["models", "rskt"], "Did you mean 'rskt-seg'"),
        (["prepaire"], "Did you mean 'prepare'"),
        (["checkpoint", "absent.pth"], "There is no checkpoint at absent.pth"),
        (["inspect", "absent.h5"], "does not exist"),
        (["inspect", "data/isaid.h5", "--html", "data/isaid.h5"], "ends in .html"),
        (["prepare", "isaid", "--from", "absent"], "absent"),
        (["prepare", "isaid"], "--from"),
        (["run", "--model", "random", "--data", "absent"], "prepare dlrsd --from"),
        (["run", "--model", "random", "--set", "x"], "is not NAME=VALUE"),
        (["run", "--model", "random", "--limit", "0"], "--limit"),
        (["run", "--model", "rskt-seg", "--backbone", "vit-b", "--untrained", "--device", "cuda:99"], "cuda:99"),
        (["leaderboard", "--results", "absent"], "There is no results folder absent"),
        (["leaderboard", "--export", "table.docx"], "docx"),
        (["check-adapter", "absent.py:Mine"], "There is no file absent.py"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_code_2(capsys, arguments, sentence):
    code, out, err = _run(capsys, *arguments)
    assert code == 2
    assert sentence in err
    assert "Traceback" not in out + err
    assert out == ""


def test_a_bug_of_ours_keeps_its_traceback(monkeypatch):
    def broken() -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("ovrisisbench.catalog.load_cards", broken)
    with pytest.raises(ZeroDivisionError):
        main(["datasets"])


def test_ctrl_c_ends_with_130_and_says_how_to_go_on(capsys, monkeypatch):
    def interrupted() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ovrisisbench.catalog.load_cards", interrupted)
    code, _, err = _run(capsys, "datasets")
    assert code == 130
    assert "start the same command again" in err


def test_datasets_as_json_lists_all_with_what_is_prepared_and_tested(capsys, drawn_data):
    code, out, _ = _run(capsys, "datasets", "--json", "--data", str(drawn_data))
    rows = json.loads(out)["datasets"]
    assert code == 0
    assert [row["key"] for row in rows] == dataset_keys()
    assert [row["key"] for row in rows if row["prepared"]] == ["isaid"]
    assert {row["key"] for row in rows if "ovrisisbench-v1" in row["protocols"]} == set(load_protocol().datasets)
    assert all(row["downloads"] and row["licence"] and row["class_names"] and row["layouts_read"] for row in rows)


def test_datasets_that_no_protocol_tests_are_listed_apart(capsys, tmp_path):
    code, out, _ = _run(capsys, "datasets", "--data", str(tmp_path))
    tested, _, others = out.partition("Tested by a protocol of your own")
    assert code == 0
    assert "Tested by ovrisisbench-v1, ovrisisbench-v1-heldout" in tested
    assert all(f" {key} " in tested and f" {key} " not in others for key in load_protocol().datasets)
    assert " inria " in others
    assert " inria " not in tested


@pytest.mark.parametrize("key", dataset_keys())
def test_one_card_can_be_read_by_people_and_machines(capsys, key):
    code, out, _ = _run(capsys, "datasets", key)
    assert code == 0
    assert ("Traps" in out) == (load_card(key).drawn_after is None)
    assert "(default)" in out
    assert ("none of this release" in out) == (not protocols_testing(key))
    code, out, _ = _run(capsys, "datasets", key, "--json")
    assert json.loads(out)["key"] == key


def test_models_as_json_describe_what_each_needs(capsys):
    code, out, _ = _run(capsys, "models", "--json")
    models = {model["name"]: model for model in json.loads(out)["models"]}
    assert code == 0
    assert set(models["rskt-seg"]["backbones"]) == {"vit-b", "vit-l", "tiny"}
    assert models["rskt-seg"]["weights"]
    assert models["random"]["kind"] == "floor"
    code, out, _ = _run(capsys, "models", "rskt-seg")
    assert "--set NAME=VALUE" in out


def test_run_as_json_prints_the_records(capsys, drawn_data, tmp_path):
    code, out, _ = _run(
        capsys, "run", "--model", "most-frequent", "--data", str(drawn_data), "--results", str(tmp_path), "--json"
    )
    content = json.loads(out)
    (record,) = content["records"]
    assert code == 0
    assert content["warnings"] == []
    assert record["model"]["kind"] == "floor"
    assert record["metrics"]["num_classes"] == 15
    assert record["stem"].startswith("most-frequent_none")


def test_check_adapter_fails_with_1_and_names_the_promise(capsys):
    code, out, _ = _run(capsys, "check-adapter", "random")
    assert code == 0
    assert "checks passed for random" in out
    code, out, _ = _run(capsys, "check-adapter", "tests/adapter/drawn_adapters.py:DependsOnBatch", "--json")
    failed = [check["name"] for check in json.loads(out)["checks"] if not check["passed"]]
    assert code == 1
    assert failed == ["gives an image the same scores alone and in a batch, in any order"]


def test_the_checkpoint_doctor_says_1_for_weights_that_nobody_knows(capsys, tmp_path):
    import torch

    torch.save({"backbone.stem.weight": torch.ones(3)}, tmp_path / "other.pth")
    code, out, _ = _run(capsys, "checkpoint", str(tmp_path / "other.pth"))
    assert code == 1
    assert "No installed model knows these weights" in out
    assert "backbone.stem" in out
    code, out, _ = _run(capsys, "checkpoint", str(tmp_path / "other.pth"), "--json")
    assert json.loads(out)["reports"] == []
