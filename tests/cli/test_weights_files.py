"""The commands about files of weights say what a card says, and write what they promise."""

import json
from pathlib import Path

import pytest
import torch

from ovrisisbench.adapter.own_files import WeightsCard, read_card, write_weights
from ovrisisbench.cli import main
from tests.adapter import tiny_files
from tests.adapters.plain_clip.networks import two_models_files


def _run(capsys, *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    captured = capsys.readouterr()
    return stop.value.code, captured.out, captured.err


@pytest.fixture
def own_file(tmp_path) -> Path:
    """A whole file of CAT-Seg with a card."""
    card = WeightsCard(
        model="cat-seg", backbone="tiny", train_set="dlrsd", settings={"layers": "2"}, vocabulary=["airplane", "sea"],
        recipe={"crop": 384}, iterations=30_000, versions={"torch": "2.7.0"}, command=["ovrisis-bench", "train"],
    )  # fmt: skip
    write_weights(tmp_path / "own.safetensors", tiny_files.trained_state("cat-seg", 1), card)
    return tmp_path / "own.safetensors"


def test_the_checkpoint_command_prints_the_card_beside_what_the_doctor_found(capsys, own_file):
    code, out, _ = _run(capsys, "checkpoint", str(own_file))
    assert code == 0
    assert "This is CAT-Seg (--model cat-seg), backbone tiny" in out
    for words in ("trained on  dlrsd", "classes     2: airplane, sea", "recipe      crop 384", "iterations  30,000"):
        assert words in out
    assert "command     ovrisis-bench train" in out
    code, out, _ = _run(capsys, "checkpoint", str(own_file), "--json")
    content = json.loads(out)
    assert (content["card"]["recipe"], content["disagreements"], content["unlearned"]) == ({"crop": 384}, [], [])


def test_the_checkpoint_command_says_where_card_and_tensors_contradict_each_other(capsys, own_file):
    wrong = read_card(own_file).model_copy(update={"backbone": "vit-b", "settings": {"layers": "5"}})
    write_weights(own_file, tiny_files.trained_state("cat-seg", 1), wrong)
    code, out, _ = _run(capsys, "checkpoint", str(own_file))
    assert code == 1
    assert "contradiction: the card says backbone vit-b, the tensors say tiny" in out
    assert "contradiction: the card says layers 5, the tensors say 2" in out


def test_a_card_may_name_any_model_that_knows_the_file_but_no_other_one(capsys, tmp_path, own_file):
    with two_models_files() as clip:
        for model, contradictions in (("plain-clip", 0), ("segearth-ov", 0), ("san", 1)):
            write_weights(tmp_path / "clip.safetensors", clip, WeightsCard(model=model, backbone="tiny"))
            _, out, _ = _run(capsys, "checkpoint", str(tmp_path / "clip.safetensors"), "--json")
            assert len(json.loads(out)["disagreements"]) == contradictions, model


def test_a_file_without_a_card_has_none_in_json(capsys, tmp_path):
    torch.save({"stem.weight": torch.ones(3)}, tmp_path / "other.pth")
    _, out, _ = _run(capsys, "checkpoint", str(tmp_path / "other.pth"), "--json")
    assert json.loads(out)["card"] is None


def test_the_checkpoint_command_says_which_words_have_a_meaning(capsys, tmp_path):
    bases = tiny_files.write_bases(tmp_path, ())
    path = tiny_files.write_tiny(tmp_path, "cat-seg", "dlrsd", 1, bases)
    code, out, _ = _run(capsys, "checkpoint", str(path))
    assert code == 0
    assert "shares with clip-base.safetensors (" in out
    assert "have no learned meaning" in " ".join(out.split())


def test_convert_goes_there_and_back_and_says_what_it_left_out(capsys, tmp_path):
    state = tiny_files.trained_state("cat-seg", 1)
    torch.save({"model": state, "optimizer": {}, "iteration": 9}, tmp_path / "model_final.pth")
    there = ("convert", str(tmp_path / "model_final.pth"), str(tmp_path / "x.safetensors"))
    code, out, _ = _run(capsys, *there, "--train-set", "dlrsd")
    assert code == 0
    assert "x.safetensors: " in out
    assert "values of cat-seg (tiny, trained on dlrsd)" in out
    assert "Left out of model_final.pth, being no weights: iteration, optimizer." in out
    code, _, err = _run(capsys, *there)
    assert code == 2
    assert "is there already; say --overwrite" in err
    assert _run(capsys, *there, "--overwrite", "--model", "cat-seg")[0] == 0
    code, out, _ = _run(capsys, "convert", str(tmp_path / "x.safetensors"), str(tmp_path / "back.pth"), "--json")
    content = json.loads(out)
    assert code == 0
    assert (content["target"], content["card"], content["left_out"]) == ("back.pth", None, [])
    back = torch.load(tmp_path / "back.pth", weights_only=True)["model"]
    assert sorted(back) == sorted(state)
    assert all(torch.equal(back[key], state[key]) for key in state)


def test_run_says_what_it_took_from_the_card(capsys, drawn_data, tmp_path, own_file):
    paths = ("--data", str(drawn_data), "--results", str(tmp_path / "results"))
    code, _, err = _run(
        capsys, "run", "--model", "cat-seg", "--checkpoint", str(own_file), "--limit", "1", "--device", "cpu", *paths
    )
    assert code == 0, err
    assert "note: from the card of own.safetensors: --backbone tiny --train-set dlrsd" in err
    code, _, err = _run(
        capsys, "run", "--model", "cat-seg", "--checkpoint", str(own_file), "--backbone", "vit-b", *paths
    )
    assert code == 2
    assert "say --backbone tiny" in err
    assert _run(capsys, "check-adapter", "cat-seg", "--checkpoint", str(own_file))[0] == 0
