"""The whole way of ``ovrisis-bench train`` on drawn scenes and a tiny network."""

from __future__ import annotations

import shutil
from importlib.metadata import version
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from ovrisisbench.adapter.checkpoints import read_state_dict
from ovrisisbench.adapter.own_files import read_card
from ovrisisbench.benchmark import run
from ovrisisbench.benchmark.training import TrainOptions, train
from ovrisisbench.cli import cli
from ovrisisbench.errors import AdapterError, CheckpointError, DataError, OvrisisBenchError, TrainingError
from ovrisisbench.train.progress_log import read_log
from tests.train.tiny import TRAINABLE

SHORT = {"iterations": "4", "batch": "2", "lr": "0.0002", "checkpoint_every": "2", "evaluate_every": "4"}


def _train(data: Path, to: Path, *, model: str = "rskt-seg", recipe: dict[str, str] | None = None, **options) -> Path:
    chosen = TrainOptions(
        **{"backbone": "tiny", "recipe": {**SHORT, **(recipe or {})}, "device": "cpu", "threads": 1, **options}
    )
    return train(model, train_set="isaid", to=to, data=data, options=chosen)


@pytest.fixture(scope="module")
def trained(drawn_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a short training."""
    folder = tmp_path_factory.mktemp("trained")
    _train(drawn_data, folder)
    return folder


def _equal(one: Path, other: Path) -> bool:
    first, second = read_state_dict(one), read_state_dict(other)
    return set(first) == set(second) and all(torch.equal(first[name], second[name]) for name in first)


def test_it_leaves_weights_log_curves_and_recipe(trained: Path) -> None:
    names = {path.name for path in trained.iterdir() if not path.name.startswith(".")}
    assert names == {"model_0000002.safetensors", "model_final.safetensors", "log.jsonl", "curves.svg", "recipe.yaml"}
    lines = read_log(trained / "log.jsonl")
    steps = [line for line in lines if "loss" in line]
    assert [line["step"] for line in steps] == [1, 2, 3, 4]
    assert [line["lr"] for line in steps] == pytest.approx([2e-4, 1.7071e-4, 1e-4, 2.9289e-5], rel=1e-4)
    assert all(line["gradient_norm"] > 0 for line in steps)
    assert "mIoU on the test split" in (trained / "curves.svg").read_text()


def test_the_card_says_what_was_trained_on_what_and_how(trained: Path) -> None:
    card = read_card(trained / "model_final.safetensors")
    assert (card.model, card.backbone, card.train_set) == ("rskt-seg", "tiny", "isaid")
    assert (card.iterations, card.seed) == (4, 0)
    assert len(card.vocabulary) == 15
    assert card.recipe["loss"] == "bce-all"
    assert card.recipe["batch"] == 2
    assert card.protocol == "ovrisisbench-v1"
    assert len(card.data_digest) == 64
    assert card.versions["torch"] == version("torch")
    assert read_card(trained / "model_0000002.safetensors").iterations == 2


def test_its_last_evaluation_is_what_run_measures_with_the_written_file(
    trained: Path, drawn_data: Path, tmp_path: Path
) -> None:
    (line,) = [line for line in read_log(trained / "log.jsonl") if "miou" in line]
    (record,) = run(
        "rskt-seg",
        backbone="tiny",
        checkpoint=trained / "model_final.safetensors",
        settings={"linears": "plain"},
        train_set="isaid",
        datasets=["isaid"],
        data=drawn_data,
        results=tmp_path,
        protocol="ovrisisbench-v1-heldout",
        device="cpu",
    )
    assert line["pictures"] == record.dataset.images
    assert (line["miou"], line["macc"], line["fwiou"]) == (
        record.metrics.miou,
        record.metrics.macc,
        record.metrics.fwiou,
    )


def test_the_written_recipe_and_the_seed_give_the_same_weights_again(
    trained: Path, drawn_data: Path, tmp_path: Path
) -> None:
    options = TrainOptions(backbone="tiny", config=trained / "recipe.yaml", device="cpu", threads=1)
    again = train("rskt-seg", train_set="isaid", to=tmp_path / "again", data=drawn_data, options=options)
    assert _equal(again, trained / "model_final.safetensors")
    other = _train(drawn_data, tmp_path / "other", seed=1, recipe={"evaluate_every": "0"})
    assert not _equal(other, trained / "model_final.safetensors")
    assert not [line for line in read_log(tmp_path / "other" / "log.jsonl") if "miou" in line]


def test_loading_processes_change_no_weight(trained: Path, drawn_data: Path, tmp_path: Path) -> None:
    path = _train(drawn_data, tmp_path, workers=2)
    assert _equal(path, trained / "model_final.safetensors")


@pytest.mark.parametrize("model", TRAINABLE)
def test_every_model_is_trained_to_a_file_that_runs(model: str, drawn_data: Path, tmp_path: Path) -> None:
    path = _train(drawn_data, tmp_path / "out", model=model, recipe={"iterations": "2"})
    steps = [line for line in read_log(tmp_path / "out" / "log.jsonl") if "loss" in line]
    parts = [value for name, value in steps[0].items() if name.startswith("loss_")]
    assert not parts or sum(parts) == pytest.approx(steps[0]["loss"])
    (record,) = run(
        model,
        backbone="tiny",
        checkpoint=path,
        train_set="isaid",
        datasets=["isaid"],
        limit=2,
        data=drawn_data,
        results=tmp_path,
        device="cpu",
    )
    assert record.dataset.images == 2


def test_fine_tuning_starts_from_a_whole_file(trained: Path, drawn_data: Path, tmp_path: Path) -> None:
    start = trained / "model_final.safetensors"
    path = _train(drawn_data, tmp_path, checkpoint=start, recipe={"lr": "1e-12", "iterations": "1"})
    before, after = read_state_dict(start), read_state_dict(path)
    assert all(torch.allclose(before[name], after[name], atol=1e-9) for name in before)
    with pytest.raises(CheckpointError, match="--checkpoint holds all encoders already"):
        _train(drawn_data, tmp_path / "x", checkpoint=start, untrained=True)


def test_a_folder_that_holds_a_training_is_not_overwritten(trained: Path, drawn_data: Path) -> None:
    with pytest.raises(TrainingError, match=r"holds a training already; go on with it by --resume, or choose another"):
        _train(drawn_data, trained)
    assert _train(drawn_data, trained, resume=True) == trained / "model_final.safetensors"


def test_a_training_goes_on_with_the_same_recipe_data_and_seed_only(drawn_data: Path, tmp_path: Path) -> None:
    _interrupted(drawn_data, tmp_path)
    with pytest.raises(TrainingError, match=r"holds a training with lr=0.0002, which cannot go on with lr=0.1;"):
        _train(drawn_data, tmp_path, resume=True, recipe={"lr": "0.1"})
    with pytest.raises(TrainingError, match=r"holds a training with seed=0, which cannot go on with seed=3;"):
        _train(drawn_data, tmp_path, resume=True, seed=3)
    (state,) = tmp_path.glob("state_*.pt")
    content = state.read_bytes()
    state.write_bytes(content[:-200])
    with pytest.raises(TrainingError, match=r"state_0000002.pt is damaged"):
        _train(drawn_data, tmp_path, resume=True)
    state.write_bytes(content)
    weights = tmp_path / "model_0000002.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"x")
    with pytest.raises(TrainingError, match=r"model_0000002.safetensors is missing or was changed"):
        _train(drawn_data, tmp_path, resume=True)


def _interrupted(data: Path, folder: Path) -> None:
    """Leave a folder as a kill right after the first checkpoint does."""
    from ovrisisbench.train.engine import TrainReport

    class _Kill(TrainReport):
        def step(self, done: int, step: object) -> None:
            if done == 3:
                raise KeyboardInterrupt

    options = TrainOptions(backbone="tiny", recipe=SHORT, device="cpu", threads=1)
    with pytest.raises(KeyboardInterrupt):
        train("rskt-seg", train_set="isaid", to=folder, data=data, options=options, report=_Kill())


def test_an_interrupted_training_goes_on_to_the_same_weights_and_log(
    trained: Path, drawn_data: Path, tmp_path: Path
) -> None:
    _interrupted(drawn_data, tmp_path)
    assert not (tmp_path / "model_final.safetensors").exists()
    path = _train(drawn_data, tmp_path, resume=True)
    assert _equal(path, trained / "model_final.safetensors")
    logs = [read_log(folder / "log.jsonl") for folder in (tmp_path, trained)]
    for line in (*logs[0], *logs[1]):
        line.pop("seconds", None)
    assert logs[0] == logs[1]
    assert not list(tmp_path.glob("state_*"))


def test_a_loss_that_is_not_finite_keeps_the_last_checkpoint(
    drawn_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ovrisisbench.train.step import Stepper

    def poisoned(self: Stepper, batch: object, iteration: int) -> object:
        if iteration == 2:
            with torch.no_grad():
                self._training.module.network.transfer.head.bias.fill_(torch.nan)
        return step(self, batch, iteration)

    step = Stepper.step
    monkeypatch.setattr(Stepper, "step", poisoned)
    with pytest.raises(TrainingError, match=r"step 3: the loss is nan for the pictures P\d+"):
        _train(drawn_data, tmp_path)
    assert (tmp_path / "model_0000002.safetensors").exists()
    assert not (tmp_path / "model_final.safetensors").exists()


@pytest.mark.parametrize(
    ("change", "error", "sentence"),
    [
        ({"model": "segearth-ov"}, AdapterError, "SegEarth-OV is not trained at all; models that can be trained are"),
        (
            {"weights": {"vit": Path("x")}},
            AdapterError,
            "starts from no file named 'vit'; its encoders beside CLIP are",
        ),
        ({"weights": {"dino": Path("nowhere.pth")}}, CheckpointError, r"no file at nowhere.pth.*--weights dino="),
        ({"clip_weights": Path("nowhere.pt")}, CheckpointError, r"no file at nowhere.pt.*--clip-weights"),
        ({"settings": {"rotat": "on"}}, AdapterError, "Did you mean 'rotate'"),
        ({"settings": {"pooling": "2"}}, AdapterError, "pooling belongs to CAT-Seg's layers"),
        ({"precision": "tf32"}, TrainingError, "--precision tf32 needs a CUDA device"),
        ({"backbone": "vit-x"}, AdapterError, "'vit-x' is not a backbone of rskt-seg"),
        ({"recipe": {"loss": "set"}}, TrainingError, "cannot be trained with loss=set"),
    ],
)
def test_mistakes_are_refused_in_one_sentence(
    drawn_data: Path, tmp_path: Path, change: dict[str, object], error: type[OvrisisBenchError], sentence: str
) -> None:
    with pytest.raises(error, match=sentence):
        _train(drawn_data, tmp_path, **change)
    assert not list(tmp_path.glob("*.safetensors"))


def test_a_training_set_must_be_known_and_prepared(drawn_data: Path, tmp_path: Path) -> None:
    options = TrainOptions(backbone="tiny")
    with pytest.raises(AdapterError, match="'loveda' is not a training set of protocol ovrisisbench-v1"):
        train("rskt-seg", train_set="loveda", to=tmp_path, data=drawn_data, options=options)
    with pytest.raises(DataError, match=r"dlrsd.h5 does not exist; run 'ovrisis-bench prepare dlrsd"):
        train("rskt-seg", train_set="dlrsd", to=tmp_path, data=drawn_data, options=options)


def test_a_training_set_of_one_other_protocol_brings_that_protocol(drawn_data: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"run 'ovrisis-bench prepare mini-dlrsd"):
        train("rskt-seg", train_set="mini-dlrsd", to=tmp_path, data=drawn_data, options=TrainOptions(backbone="tiny"))


def test_two_trainings_do_not_write_into_one_folder(drawn_data: Path, tmp_path: Path) -> None:
    from filelock import FileLock

    with FileLock(tmp_path / ".lock"), pytest.raises(TrainingError, match="Another training is writing into"):
        _train(drawn_data, tmp_path)


def test_the_command_trains_and_says_how_to_measure(drawn_data: Path, tmp_path: Path) -> None:
    to = tmp_path / "out"
    words = ["train", "--model", "cat-seg", "--backbone", "tiny", "--train-set", "isaid", "--data", str(drawn_data)]
    words += ["--to", str(to), "--device", "cpu", "--threads", "1", "--set", "pooling=2", "--precision", "bfloat16"]
    words += ["--recipe", "iterations=2", "--recipe", "batch=2", "--recipe", "evaluate_every=0", "--seed", "4"]
    done = CliRunner().invoke(cli, words, catch_exceptions=False)
    assert done.exit_code == 0
    assert "model_final.safetensors; measure it: ovrisis-bench run --model cat-seg --backbone tiny" in done.output
    card = read_card(to / "model_final.safetensors")
    assert card.settings == {"pooling": "2"}
    assert (card.seed, card.recipe["precision"], card.recipe["set.pooling"]) == (4, "bfloat16", "2")
    shutil.rmtree(to)
