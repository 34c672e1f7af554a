"""Real processes: a killed training goes on to the same weights, two processes learn what one learns."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from ovrisisbench.adapter.checkpoints import read_state_dict
from ovrisisbench.train.progress_log import read_log


def _words(data: Path, to: Path, **recipe: object) -> list[str]:
    words = ["-m", "ovrisisbench", "train", "--model", "rskt-seg", "--backbone", "tiny", "--train-set", "isaid"]
    words += ["--data", str(data), "--to", str(to), "--device", "cpu", "--threads", "1"]
    for name, value in recipe.items():
        words += ["--recipe", f"{name}={value}"]
    return words


def _environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1"}


def _done(words: list[str]) -> None:
    done = subprocess.run([sys.executable, *words], env=_environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_a_killed_training_goes_on_to_the_weights_of_an_undisturbed_one(drawn_data: Path, tmp_path: Path) -> None:
    recipe = {"iterations": 12, "batch": 2, "checkpoint_every": 3, "evaluate_every": 0}
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    process = subprocess.Popen(
        [sys.executable, *_words(drawn_data, killed, **recipe)],
        env=_environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    limit = time.monotonic() + 120
    while not list(killed.glob("state_*.pt")) and time.monotonic() < limit:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert list(killed.glob("state_*.pt"))
    assert not (killed / "model_final.safetensors").exists(), "it was too quick to be killed"
    _done([*_words(drawn_data, killed, **recipe), "--resume"])
    _done(_words(drawn_data, whole, **recipe))
    resumed, undisturbed = (read_state_dict(folder / "model_final.safetensors") for folder in (killed, whole))
    assert all(torch.equal(resumed[name], undisturbed[name]) for name in undisturbed)
    assert [line["loss"] for line in read_log(killed / "log.jsonl")] == [
        line["loss"] for line in read_log(whole / "log.jsonl")
    ]


@pytest.mark.slow
def test_two_processes_learn_what_one_learns_from_the_doubled_batch(drawn_data: Path, tmp_path: Path) -> None:
    # Without clipping and at a rate that Adam's first steps make large, any other gradient would show.
    recipe = {"iterations": 3, "batch": 4, "loss": "bce-valid", "checkpoint_every": 2, "evaluate_every": 3}
    one, two = tmp_path / "one", tmp_path / "two"
    _done(_words(drawn_data, one, **recipe))
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    _done([*torchrun, *_words(drawn_data, two, **recipe, accumulate=2)])
    first, second = (read_log(folder / "log.jsonl") for folder in (one, two))
    assert len(first) == len(second) == 4
    for line, other in zip(first, second, strict=True):
        if "loss" in line:
            assert other["loss"] == pytest.approx(line["loss"], rel=1e-4)
            assert other["gradient_norm"] == pytest.approx(line["gradient_norm"], rel=1e-3)
        else:
            assert other["pictures"] == line["pictures"]
    alone, together = (read_state_dict(folder / "model_final.safetensors") for folder in (one, two))
    start = read_state_dict(one / "model_0000002.safetensors")
    moved = sum(float((alone[name] - start[name]).square().sum()) for name in start) ** 0.5
    apart = sum(float((alone[name] - together[name]).square().sum()) for name in start) ** 0.5
    assert moved > 0
    assert apart < 0.05 * moved
