"""Weights are read without running anything, and every unusable file gets its sentence."""

import os
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from ovrisisbench.adapter.checkpoints import file_digest, read_state_dict
from ovrisisbench.errors import CheckpointError

WEIGHTS = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.ones(2)}


class _Runs:
    """Would create a folder if anything executed it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return (os.mkdir, (str(self.path),))


@pytest.mark.parametrize(
    "wrapped",
    [
        WEIGHTS,
        {"model": WEIGHTS, "optimizer": {"state": {}}, "iteration": 30000},
        {"state_dict": {f"module.{key}": value for key, value in WEIGHTS.items()}},
        {"teacher": OrderedDict(WEIGHTS)},
        {"model": {key: value.numpy() for key, value in WEIGHTS.items()}, "score": np.float64(0.5)},
    ],
    ids=["bare", "detectron2", "module prefix", "teacher", "numpy"],
)
def test_wrappers_are_taken_off(tmp_path, wrapped):
    torch.save(wrapped, tmp_path / "weights.pth")
    read = read_state_dict(tmp_path / "weights.pth")
    assert sorted(read) == sorted(WEIGHTS)
    assert torch.equal(read["a.weight"], WEIGHTS["a.weight"])


def test_arrays_that_numpy_1_has_written_are_read(tmp_path):
    torch.save({"model": {"a.bias": np.ones(2, np.float32)}, "score": np.float64(0.5)}, tmp_path / "new.pth")
    with zipfile.ZipFile(tmp_path / "new.pth") as new, zipfile.ZipFile(tmp_path / "old.pth", "w") as old:
        for name in new.namelist():
            old.writestr(name, new.read(name).replace(b"numpy._core.multiarray", b"numpy.core.multiarray"))
    assert b"numpy.core.multiarray" in (tmp_path / "old.pth").read_bytes()
    assert read_state_dict(tmp_path / "old.pth")["a.bias"].tolist() == [1.0, 1.0]


def test_files_of_the_old_format_and_safetensors_are_read(tmp_path):
    torch.save(WEIGHTS, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    save_file(WEIGHTS, tmp_path / "new.safetensors")
    for name in ("old.pth", "new.safetensors"):
        assert torch.equal(read_state_dict(tmp_path / name)["a.bias"], WEIGHTS["a.bias"])


@pytest.mark.parametrize("zipped", [True, False])
def test_a_file_that_could_run_code_is_refused_and_runs_nothing(tmp_path, zipped):
    trap = tmp_path / "trap"
    torch.save({"model": WEIGHTS, "x": _Runs(trap)}, tmp_path / "bad.pth", _use_new_zipfile_serialization=zipped)
    with pytest.raises(CheckpointError, match="could run code when loaded"):
        read_state_dict(tmp_path / "bad.pth")
    assert not trap.exists()


def test_the_refusal_names_what_it_found(tmp_path):
    torch.save({"model": WEIGHTS, "x": _Runs(tmp_path / "trap")}, tmp_path / "bad.pth")
    with pytest.raises(CheckpointError, match=r"when loaded \(\w+\.mkdir\)"):
        read_state_dict(tmp_path / "bad.pth")


def test_a_plain_pickle_that_could_run_code_is_refused(tmp_path):
    trap = tmp_path / "trap"
    (tmp_path / "bad.pkl").write_bytes(pickle.dumps({"model": _Runs(trap)}))
    with pytest.raises(CheckpointError):
        read_state_dict(tmp_path / "bad.pkl")
    assert not trap.exists()


@pytest.mark.parametrize("content", [b"", b"not a checkpoint at all", b"PK\x03\x04 broken zip", b"\x80\x02}q\x00."])
def test_what_is_no_checkpoint_is_said_to_be_none(tmp_path, content):
    (tmp_path / "file.pth").write_bytes(content)
    with pytest.raises(CheckpointError, match=r"not a checkpoint|holds no tensors"):
        read_state_dict(tmp_path / "file.pth")


@pytest.mark.parametrize("suffix", ["pth", "safetensors"])
def test_a_cut_off_file_is_said_to_be_cut_off(tmp_path, suffix):
    whole = tmp_path / f"whole.{suffix}"
    if suffix == "pth":
        torch.save({"model": WEIGHTS}, whole)
    else:
        save_file(WEIGHTS, whole)
    cut = tmp_path / f"cut.{suffix}"
    cut.write_bytes(whole.read_bytes()[:-40])
    with pytest.raises(CheckpointError, match="download it again"):
        read_state_dict(cut)


def test_a_list_and_an_absent_file_are_refused(tmp_path):
    torch.save([torch.ones(2)], tmp_path / "list.pth")
    with pytest.raises(CheckpointError, match="holds a list"):
        read_state_dict(tmp_path / "list.pth")
    with pytest.raises(CheckpointError, match="There is no checkpoint at"):
        read_state_dict(tmp_path / "absent.pth")


def test_the_digest_is_the_sha256_of_the_bytes(tmp_path):
    (tmp_path / "file").write_bytes(b"abc")
    assert file_digest(tmp_path / "file") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
