"""The weights of TorchScript archives are read without their code, and nothing else is let in."""

from __future__ import annotations

import os
import pickle
import sys
import types
import warnings
import zipfile
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from ovrisisbench.adapter.checkpoints import read_state_dict
from ovrisisbench.adapter.torchscript import is_torchscript, read_torchscript
from ovrisisbench.errors import CheckpointError


class _Inner(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stack = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2, bias=False))
        self.register_buffer("counts", torch.arange(6).view(2, 3))

    def forward(self, x: Tensor) -> Tensor:
        return self.stack(x)


class _Outer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.visual = _Inner().half()
        self.scale = nn.Parameter(torch.tensor(4.6))
        self.twin = self.scale
        block = torch.arange(24.0).view(4, 6)
        self.register_buffer("turned", block.T)
        self.register_buffer("part", block[1:, 2:5])
        self.register_buffer("nothing", torch.zeros(0, 3))
        self.register_buffer("flags", torch.tensor([True, False]))
        self.resolution = 224
        self.sizes = [3, 4]
        self.names = ["a", "b"]
        self.share = 0.5
        self.missing = None

    def forward(self, x: Tensor) -> Tensor:
        return self.visual(x) * self.scale + self.resolution


def _script(module: nn.Module, path: Path) -> Path:
    with warnings.catch_warnings(action="ignore"):
        torch.jit.save(torch.jit.script(module), path)
    return path


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    return _script(_Outer(), tmp_path / "model.pt")


def test_every_tensor_comes_back_by_its_dotted_name(archive: Path) -> None:
    torch.manual_seed(0)
    expected = _Outer().state_dict()
    read = read_torchscript(archive)
    assert read.keys() == expected.keys(), "numbers, lists and texts are no weights"
    for name, tensor in read.items():
        assert tensor.dtype == expected[name].dtype, name
        assert torch.equal(tensor, expected[name]), name
    assert read["visual.stack.0.weight"].dtype == torch.float16


def test_shared_storages_stay_shared_and_strides_stay(archive: Path) -> None:
    read = read_torchscript(archive)
    assert read["twin"].data_ptr() == read["scale"].data_ptr()
    assert read["turned"].stride() == (1, 6)
    assert read["part"].data_ptr() == read["turned"].data_ptr() + 8 * 4


def test_a_traced_module_is_read_too(tmp_path: Path) -> None:
    module = _Inner()
    with warnings.catch_warnings(action="ignore"):
        torch.jit.trace(module, torch.zeros(1, 3)).save(tmp_path / "traced.pt")
    read = read_state_dict(tmp_path / "traced.pt")
    assert read.keys() == module.state_dict().keys()
    assert torch.equal(read["stack.0.bias"], module.stack[0].bias)


def test_the_usual_reader_takes_archives_by_themselves(archive: Path, tmp_path: Path) -> None:
    assert is_torchscript(archive)
    assert read_state_dict(archive).keys() == _Outer().state_dict().keys()
    torch.save({"a": torch.ones(2)}, tmp_path / "plain.pt")
    assert not is_torchscript(tmp_path / "plain.pt")
    (tmp_path / "text.pt").write_text("no zip")
    assert not is_torchscript(tmp_path / "text.pt")


class _Runs:
    """Would create a folder if anything executed it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> object:
        return (os.mkdir, (str(self.path),))


def _made(path: Path, tree: bytes, **storages: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x/data.pkl", tree)
        archive.writestr("x/constants.pkl", pickle.dumps((), protocol=2))
        for key, content in storages.items():
            archive.writestr(f"x/data/{key}", content)
    return path


def test_what_could_run_code_is_refused_by_name_and_does_not_run(tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    path = _made(tmp_path / "bad.pt", pickle.dumps(_Runs(trap), protocol=2))
    with pytest.raises(CheckpointError, match=rf"asks for {os.name}\.mkdir when loaded, which could run code"):
        read_state_dict(path)
    assert not trap.exists()


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("builtins", "eval"),
        ("torch", "load"),
        ("torch._utils", "_rebuild_qtensor"),
        ("torch.jit._pickle", "build_tensor_from_id"),
        ("__torch", "M"),
        ("collections", "defaultdict"),
    ],
)
def test_only_the_names_that_rebuild_tensors_are_let_in(tmp_path: Path, module: str, name: str) -> None:
    path = _made(tmp_path / "bad.pt", f"c{module}\n{name}\n.".encode())
    with pytest.raises(CheckpointError, match=f"asks for {module}.{name} when loaded"):
        read_state_dict(path)


def test_a_file_cannot_change_what_the_next_one_meets(archive: Path, tmp_path: Path) -> None:
    # Opcode "b" sets attributes of what stands before it: here of the function that rebuilds tensors.
    spoiling = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(N}(X\x0c\x00\x00\x00__defaults__(K\x01tutb."
    with pytest.raises(CheckpointError):
        read_state_dict(_made(tmp_path / "bad.pt", spoiling))
    assert read_state_dict(archive)["part"].tolist() == torch.arange(24.0).view(4, 6)[1:, 2:5].tolist()


def test_a_module_that_holds_itself_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = types.ModuleType("__torch__")
    program.M = type("M", (), {"__module__": "__torch__"})
    monkeypatch.setitem(sys.modules, "__torch__", program)
    module = program.M()
    module.child = module
    path = _made(tmp_path / "loop.pt", pickle.dumps(module, protocol=2))
    with pytest.raises(CheckpointError, match="download it again"):
        read_state_dict(path)


def _replaced(archive: Path, path: Path, name: str, content: bytes | None) -> Path:
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(path, "w") as new:
        for member in old.namelist():
            kept = content if member.endswith(name) else old.read(member)
            if kept is not None:
                new.writestr(member, kept)
    return path


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("/data.pkl", b""),
        ("/data.pkl", None),
        ("/data.pkl", pickle.dumps({"a": 1}, protocol=2)),
        ("/data.pkl", b"\x80\x02}q\x00X\x05"),
        ("/data/0", b"\x00"),
        ("/data/0", None),
    ],
)
def test_damaged_archives_are_said_to_be_damaged(
    archive: Path, tmp_path: Path, name: str, content: bytes | None
) -> None:
    with pytest.raises(CheckpointError, match="damaged; download it again") as caught:
        read_state_dict(_replaced(archive, tmp_path / "damaged.pt", name, content))
    assert "\n" not in str(caught.value)


def test_tensors_cannot_reach_beyond_their_storage(tmp_path: Path) -> None:
    class Storage:
        pass

    class Writer(pickle.Pickler):
        def persistent_id(self, thing: object) -> object:
            return ("storage", torch.FloatStorage, "0", "cpu", 4) if isinstance(thing, Storage) else None

        def reducer_override(self, thing: object) -> object:
            if isinstance(thing, Tensor):
                return torch._utils._rebuild_tensor_v2, (Storage(), 2, (3,), (1,), False, {})
            return NotImplemented

    program = types.ModuleType("__torch__")
    program.M = type("M", (), {"__module__": "__torch__"})
    sys.modules["__torch__"] = program
    try:
        module = program.M()
        module.weight = torch.zeros(1)
        with (tmp_path / "tree").open("wb") as file:
            Writer(file, protocol=2).dump(module)
    finally:
        del sys.modules["__torch__"]
    path = _made(tmp_path / "beyond.pt", (tmp_path / "tree").read_bytes(), **{"0": bytes(16)})
    with pytest.raises(CheckpointError, match="damaged"):
        read_state_dict(path)


@pytest.mark.parametrize("kept", [0.3, 0.9, 0.999])
def test_a_cut_off_archive_is_said_to_be_cut_off(archive: Path, tmp_path: Path, kept: float) -> None:
    content = archive.read_bytes()
    (tmp_path / "cut.pt").write_bytes(content[: int(kept * len(content))])
    with pytest.raises(CheckpointError, match="download it again"):
        read_state_dict(tmp_path / "cut.pt")


def test_an_archive_without_tensors_is_no_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="holds no tensors"):
        read_state_dict(_script(nn.ReLU(), tmp_path / "empty.pt"))
