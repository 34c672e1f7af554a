"""Weights go from one form into another and back without a changed bit, and doubtful files are left alone."""

import subprocess
import sys
import warnings

import pytest
import torch

from ovrisisbench.adapter.checkpoints import file_digest, read_state_dict
from ovrisisbench.adapter.conversion import convert
from ovrisisbench.adapter.own_files import WeightsCard, read_card, write_weights
from ovrisisbench.errors import CheckpointError
from tests.adapter import tiny_files
from tests.adapters.official_shapes import case_shapes, write_zeros
from tests.adapters.plain_clip.networks import two_models_files


@pytest.fixture
def official(tmp_path):
    """A checkpoint as Detectron2 leaves it, optimiser and all."""
    state = tiny_files.trained_state("cat-seg", 1)
    state["pixel_mean"] = torch.tensor([122.7, 116.7, 104.1], dtype=torch.float64).reshape(3, 1, 1)
    content = {"model": state, "optimizer": {"state": {0: {"exp_avg": torch.ones(9)}}}, "iteration": 29_999}
    torch.save(content, tmp_path / "model_final.pth")
    return tmp_path / "model_final.pth"


def _same(one, other) -> bool:
    one, other = read_state_dict(one), read_state_dict(other)
    return sorted(one) == sorted(other) and all(
        one[key].dtype == other[key].dtype and torch.equal(one[key], other[key]) for key in one
    )


def test_there_and_back_no_bit_changes(official, tmp_path):
    there = convert(official, tmp_path / "x.safetensors")
    back = convert(tmp_path / "x.safetensors", tmp_path / "back.pth")
    assert _same(official, tmp_path / "x.safetensors")
    assert _same(official, tmp_path / "back.pth")
    assert list(torch.load(tmp_path / "back.pth", weights_only=True)) == ["model"]
    for done in (there, back):
        assert done.sha256 == file_digest(tmp_path / done.target)
        assert (done.model, done.backbone, done.tensors) == ("cat-seg", "tiny", len(read_state_dict(official)))
    convert(official, tmp_path / "back.pth", overwrite=True)
    assert file_digest(tmp_path / "back.pth") == back.sha256  # by way of the other form or not


def test_the_card_says_what_the_doctor_found_and_what_was_said(official, tmp_path):
    done = convert(official, tmp_path / "x.safetensors", train_set="dlrsd", command=("ovrisis-bench", "convert"))
    card = read_card(tmp_path / "x.safetensors")
    assert card == done.card
    assert (card.model, card.backbone, card.settings, card.train_set) == ("cat-seg", "tiny", {"layers": "2"}, "dlrsd")
    assert set(card.versions) == {"ovrisisbench", "torch", "safetensors"}
    assert card.command == ["ovrisis-bench", "convert"]
    assert card.note == f"converted from model_final.pth, sha256 {file_digest(official)}"


def test_what_is_no_weights_is_left_out_and_named(official, tmp_path):
    assert convert(official, tmp_path / "x.safetensors").left_out == ("iteration", "optimizer")
    assert convert(tmp_path / "x.safetensors", tmp_path / "y.pth").left_out == ()
    small = (tmp_path / "y.pth").stat().st_size
    assert small < official.stat().st_size


@pytest.fixture
def clip_state():
    with two_models_files() as state:
        yield state


def test_a_torchscript_file_becomes_a_card_and_half_floats_stay_half(tmp_path, clip_state):
    root = torch.nn.Module()
    for key, tensor in clip_state.items():
        *path, leaf = key.split(".")
        module = root
        for name in path:
            if name not in dict(module.named_children()):
                module.add_module(name, torch.nn.Module())
            module = module.get_submodule(name)
        module.register_parameter(leaf, torch.nn.Parameter(tensor.half(), requires_grad=False))
    with warnings.catch_warnings(action="ignore"):
        torch.jit.save(torch.jit.script(root), tmp_path / "clip.pt")
    with pytest.raises(CheckpointError, match="may belong to plain-clip and segearth-ov; say --model with one of them"):
        convert(tmp_path / "clip.pt", tmp_path / "clip.safetensors")
    done = convert(tmp_path / "clip.pt", tmp_path / "clip.safetensors", model="plain-clip")
    assert (done.model, done.train_set) == ("plain-clip", None)
    assert _same(tmp_path / "clip.pt", tmp_path / "clip.safetensors")
    assert convert(tmp_path / "clip.safetensors", tmp_path / "back.pth").model == "plain-clip"  # the card says it now
    assert read_state_dict(tmp_path / "clip.safetensors")["visual.proj"].dtype == torch.float16


def test_a_compact_file_is_written_out_in_full(tmp_path):
    bases = tiny_files.write_bases(tmp_path, ())
    source = tiny_files.write_tiny(tmp_path, "cat-seg", "dlrsd", 1, bases)
    convert(source, tmp_path / "alone" / "x.safetensors")
    assert _same(source, tmp_path / "alone" / "x.safetensors")
    card = read_card(tmp_path / "alone" / "x.safetensors")
    assert (card.is_compact, card.shares, card.tables, card.train_set, card.seed) == (False, [], {}, "dlrsd", 1)
    assert card.note == f"written out in full from {source.name}, which stores it as float16"


def test_what_a_file_says_of_itself_is_kept(official, tmp_path):
    first = WeightsCard(model="cat-seg", backbone="tiny", train_set="isaid", seed=5, note="mine", iterations=7)
    write_weights(tmp_path / "a.safetensors", read_state_dict(official), first)
    convert(tmp_path / "a.safetensors", tmp_path / "b.safetensors", train_set="isaid")
    assert read_card(tmp_path / "b.safetensors") == first
    assert file_digest(tmp_path / "b.safetensors") == file_digest(tmp_path / "a.safetensors")


@pytest.mark.parametrize(
    ("card", "sentence"),
    [
        ({"train_set": "isaid"}, "says training set isaid, but --train-set says dlrsd"),
        ({"model": "rskt-seg"}, "says model rskt-seg, but its tensors says cat-seg"),
        ({"backbone": "vit-b"}, "says backbone vit-b, but its tensors says tiny"),
    ],
)
def test_a_card_that_contradicts_is_not_passed_on(official, tmp_path, card, sentence):
    first = WeightsCard.model_validate({"model": "cat-seg", "backbone": "tiny", **card})
    write_weights(tmp_path / "a.safetensors", read_state_dict(official), first)
    with pytest.raises(CheckpointError, match=sentence):
        convert(tmp_path / "a.safetensors", tmp_path / "b.safetensors", train_set="dlrsd")


def test_a_file_that_is_there_is_replaced_only_on_request_and_never_by_itself(official, tmp_path):
    target = tmp_path / "x.safetensors"
    target.write_bytes(b"precious")
    with pytest.raises(CheckpointError, match="is there already; say --overwrite"):
        convert(official, target)
    assert target.read_bytes() == b"precious"
    convert(official, target, overwrite=True)
    assert _same(official, target)
    with pytest.raises(CheckpointError, match="is the file that is to be converted"):
        convert(official, tmp_path / "." / official.name, overwrite=True)


@pytest.mark.parametrize(
    ("target", "train_set", "sentence"),
    [
        ("x.onnx", None, r"names no form of weights; give it a name that ends in \.safetensors or \.pth"),
        ("x.pth", "dlrsd", "has no card that could say --train-set dlrsd"),
        ("x.safetensors", "dlrds", "'dlrds' is not a training set; known are .* Did you mean 'dlrsd'"),
    ],
)
def test_a_wrong_request_is_refused_before_anything_is_read(tmp_path, target, train_set, sentence):
    with pytest.raises(CheckpointError, match=sentence):
        convert(tmp_path / "absent.pth", tmp_path / target, train_set=train_set)


def test_files_that_no_model_knows_or_that_are_not_whole_are_not_converted(official, tmp_path):
    torch.save({"stem": torch.ones(3)}, tmp_path / "other.pth")
    with pytest.raises(CheckpointError, match=r"No installed model knows the weights in .*other.pth"):
        convert(tmp_path / "other.pth", tmp_path / "x.safetensors")
    state = read_state_dict(official)
    gone = next(key for key in state if key.endswith("transformer.head.bias"))
    del state[gone]
    torch.save(state, tmp_path / "part.pth")
    with pytest.raises(CheckpointError, match=rf"is no whole file of cat-seg .*1 tensors are missing .*first {gone}"):
        convert(tmp_path / "part.pth", tmp_path / "x.safetensors")
    with pytest.raises(CheckpointError, match="is not known to san, only to cat-seg; say --model cat-seg"):
        convert(official, tmp_path / "x.safetensors", model="san")
    assert not (tmp_path / "x.safetensors").exists()


def test_what_is_needed_beside_the_old_file_is_needed_beside_the_new_one(tmp_path):
    shapes = {key: shape for key, shape in case_shapes("gsnet_vitb_dlrsd").items() if not key.startswith("dino_model.")}
    done = convert(write_zeros(tmp_path / "x.pth", shapes), tmp_path / "x.safetensors")
    assert done.outside[0].startswith("RSIB is not in this file")


_MEMORY = """
import sys, threading
from pathlib import Path
import torch
from ovrisisbench.adapter import conversion
from ovrisisbench.adapter.interface import CheckpointReport
conversion.recognise = lambda shapes: ([CheckpointReport(model="m", backbone="b")], [])
def own():  # kB that are neither of a file nor given back
    return sum(int(line.split()[1]) for line in open("/proc/self/smaps_rollup") if line.startswith("Anonymous:"))
torch.save({}, "/dev/null")
seen, done, before = [0], threading.Event(), own()
def watch():
    while not done.wait(0.002):
        seen.append(own() - before)
watching = threading.Thread(target=watch)
watching.start()
conversion.convert(Path(sys.argv[1]), Path(sys.argv[2]))
done.set()
watching.join()
print(max(seen), len(seen))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize(("source", "target"), [("pth", "safetensors"), ("safetensors", "pth")])
def test_a_large_file_is_not_held_in_memory(tmp_path, source, target):
    state = {f"t{i}": torch.zeros(2_000_000) for i in range(16)}  # 128 MB
    if source == "pth":
        torch.save({"model": state}, tmp_path / "big.pth")
    else:
        write_weights(tmp_path / "big.safetensors", state, WeightsCard(model="m", backbone="b"))
    arguments = [str(tmp_path / f"big.{source}"), str(tmp_path / f"new.{target}")]
    done = subprocess.run([sys.executable, "-c", _MEMORY, *arguments], capture_output=True, text=True, check=True)
    most, samples = map(int, done.stdout.split())
    assert samples > 5
    assert most < 64_000  # kB: less than half of the file, what importing libraries takes included
    assert (tmp_path / f"new.{target}").stat().st_size > 128_000_000
