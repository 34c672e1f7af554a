"""Weights files of our own: the same bytes for the same input, a card that is read or refused, never guessed."""

import json
import struct
import subprocess
import sys

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from ovrisisbench.adapter.checkpoints import file_digest, read_state_dict
from ovrisisbench.adapter.own_files import METADATA_KEY, WeightsCard, read_card, write_weights
from ovrisisbench.errors import CheckpointError

CARD = WeightsCard(
    model="rskt-seg",
    backbone="tiny",
    settings={"layers": "2"},
    train_set="dlrsd",
    vocabulary=["airplane", "Gebäude"],
    protocol="ovrisisbench-v1",
    protocol_id="125d31fc",
    data_digest="0" * 64,
    recipe={"loss": "bce", "crop": 384, "base_lr": 2e-4, "augment": True, "warm_up": None},
    iterations=30_000,
    seed=3,
    versions={"torch": "2.7.0"},
    command=["ovrisis-bench", "train"],
    note=None,
)
STATE = {"b.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.ones(2, dtype=torch.float16)}


def test_the_card_comes_back_as_it_was(tmp_path):
    digest = write_weights(tmp_path / "x.safetensors", STATE, CARD)
    read = read_card(tmp_path / "x.safetensors")
    assert read == CARD
    assert type(read.recipe["augment"]) is bool
    assert type(read.recipe["crop"]) is int
    assert digest == file_digest(tmp_path / "x.safetensors")


def test_the_ordinary_door_opens_the_file_and_so_does_safetensors_itself(tmp_path):
    write_weights(tmp_path / "x.safetensors", STATE, CARD)
    for read in (read_state_dict(tmp_path / "x.safetensors"), load_file(tmp_path / "x.safetensors")):
        assert sorted(read) == sorted(STATE)
        for key, tensor in STATE.items():
            assert read[key].dtype == tensor.dtype
            assert torch.equal(read[key], tensor)


_WRITE = """
import sys, torch
from pathlib import Path
from ovrisisbench.adapter.own_files import WeightsCard, write_weights
names = [f"t{i}" for i in range(20)]
tensors = {name: torch.full((3,), float(i)) for i, name in enumerate(names)}
if sys.argv[2] == "turned":
    tensors = dict(reversed(tensors.items()))
card = WeightsCard(model="m", backbone="b", recipe=dict.fromkeys(sorted(names, reverse=sys.argv[2] == "turned"), 1))
print(write_weights(Path(sys.argv[1]), tensors, card))
"""


def test_equal_input_gives_equal_bytes_in_any_process_and_order(tmp_path):
    digests = {
        subprocess.run(
            [sys.executable, "-c", _WRITE, str(tmp_path / f"{order}{run}.safetensors"), order],
            capture_output=True, text=True, check=True,
        ).stdout
        for order, run in (("plain", 0), ("plain", 1), ("turned", 0))
    }  # fmt: skip
    assert len(digests) == 1


def test_tied_transposed_and_sliced_tensors_are_written_by_their_values(tmp_path):
    whole = torch.arange(12.0).reshape(3, 4)
    state = {"a": whole, "b": whole, "c": whole.T, "d": whole[1:], "e": torch.nn.Parameter(whole), "f": torch.tensor(5)}
    write_weights(tmp_path / "x.safetensors", state, CARD)
    read = read_state_dict(tmp_path / "x.safetensors")
    assert all(torch.equal(read[key], tensor) for key, tensor in state.items())


@settings(max_examples=30, deadline=None)
@given(
    dtype=st.sampled_from(
        [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.uint8, torch.bool]
    ),
    shape=st.lists(st.integers(0, 4), max_size=3),
    seed=st.integers(0, 99),
)
def test_values_of_any_type_and_shape_are_kept_to_the_bit(tmp_path_factory, dtype, shape, seed):
    path = tmp_path_factory.mktemp("kept") / "x.safetensors"
    count = int(torch.Size(shape).numel())
    size = torch.empty(0, dtype=dtype).element_size()
    raw = torch.randint(0, 2 if dtype == torch.bool else 256, (count * size,), generator=_seeded(seed))
    tensor = raw.to(torch.uint8).view(dtype).reshape(shape)  # every pattern of bits, not a number included
    write_weights(path, {"t": tensor}, CARD)
    read = read_state_dict(path)["t"]
    assert (read.dtype, read.shape) == (dtype, tensor.shape)
    assert torch.equal(read.flatten().view(torch.uint8), tensor.flatten().view(torch.uint8))


def _seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_who_may_read_the_users_files_may_read_this_one(tmp_path):
    card = WeightsCard(model="cat-seg", backbone="tiny")
    write_weights(tmp_path / "x.safetensors", {"x": torch.ones(2)}, card)
    (tmp_path / "other").write_text("x")
    assert (tmp_path / "x.safetensors").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_files_without_a_card_have_none(tmp_path):
    torch.save({"model": STATE}, tmp_path / "official.pth")
    save_file(STATE, tmp_path / "others.safetensors", metadata={"format": "pt"})
    assert read_card(tmp_path / "official.pth") is None
    assert read_card(tmp_path / "others.safetensors") is None


@pytest.mark.parametrize(
    ("card", "sentence"),
    [
        ("{", "The card in .*x.safetensors is not readable"),
        ('{"format": 1, "backbone": "tiny"}', "The card in .*x.safetensors: field 'model'"),
        ('{"format": 1, "model": "m", "backbone": "b", "seed": "three"}', "field 'seed'"),
        ('{"format": 1, "model": "m", "backbone": "b", "colour": 1}', "field 'colour'"),
        ('{"format": 2, "model": "m"}', "card of format 2, but this version .* up to format 1; update it"),
        ("[]", "The card in"),
    ],
)
def test_a_damaged_card_is_refused_by_everything_that_reads_the_file(tmp_path, card, sentence):
    save_file(STATE, tmp_path / "x.safetensors", metadata={METADATA_KEY: card})
    for read in (read_card, read_state_dict):
        with pytest.raises(CheckpointError, match=sentence):
            read(tmp_path / "x.safetensors")


@pytest.mark.parametrize("content", [b"", b"abc", struct.pack("<Q", 2**60) + b"{}", struct.pack("<Q", 2) + b"[]"])
def test_a_damaged_file_is_said_to_be_one(tmp_path, content):
    (tmp_path / "x.safetensors").write_bytes(content)
    with pytest.raises(CheckpointError, match="is not a readable safetensors file"):
        read_card(tmp_path / "x.safetensors")


def test_an_absent_file_another_ending_and_no_tensors_are_refused(tmp_path):
    with pytest.raises(CheckpointError, match="There is no checkpoint at"):
        read_card(tmp_path / "absent.safetensors")
    with pytest.raises(CheckpointError, match=r"ends in \.safetensors"):
        write_weights(tmp_path / "x.pth", STATE, CARD)
    with pytest.raises(CheckpointError, match="no tensors"):
        write_weights(tmp_path / "x.safetensors", {}, CARD)
    assert list(tmp_path.iterdir()) == []


def test_a_card_is_read_without_torch(tmp_path):
    write_weights(tmp_path / "x.safetensors", STATE, CARD)
    code = (
        "import sys\nfrom pathlib import Path\nfrom ovrisisbench.adapter.own_files import read_card\n"
        f"print(read_card(Path({str(tmp_path / 'x.safetensors')!r})).model, 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "rskt-seg False\n"


def test_the_card_is_one_entry_of_plain_json(tmp_path):
    write_weights(tmp_path / "x.safetensors", STATE, CARD)
    content = (tmp_path / "x.safetensors").read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    metadata = json.loads(content[8 : 8 + length])["__metadata__"]
    assert list(metadata) == [METADATA_KEY]
    assert json.loads(metadata[METADATA_KEY])["vocabulary"] == ["airplane", "Gebäude"]
