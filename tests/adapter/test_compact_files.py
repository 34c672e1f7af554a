"""The compact form gives back every tensor, rounded as it says, and predicts the same; a lost base is one sentence."""

import re
import shutil

import numpy as np
import pytest
import torch

from ovrisisbench.adapter import LoadOptions, find_adapter
from ovrisisbench.adapter.checkpoints import read_state_dict
from ovrisisbench.adapter.compact_files import write_compact
from ovrisisbench.adapter.doctor import diagnose
from ovrisisbench.adapter.own_files import METADATA_KEY, WeightsCard, read_card, write_weights
from ovrisisbench.adapter.shared_tensors import partial_tables
from ovrisisbench.errors import CheckpointError
from tests.adapter import tiny_files

CARD = WeightsCard(model="m", backbone="tiny")


def _random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A folder with the frozen parts of all models, their names, and one trained file of each."""
    folder = tmp_path_factory.mktemp("tiny")
    bases = tiny_files.write_bases(folder)
    return folder, {model: tiny_files.write_tiny(folder, model, "dlrsd", 1, bases) for model in tiny_files.MODELS}


def _expected(model: str, dtype: torch.dtype = torch.float16) -> dict[str, torch.Tensor]:
    """What a trained state becomes: rounded once, tables zero where no row is stored."""
    state = {key: tensor.to(dtype).float() for key, tensor in tiny_files.trained_state(model, 1).items()}
    for key, tensor in state.items():
        if key.endswith(tiny_files.TOKENS):
            kept = torch.zeros(len(tensor), 1)
            kept[list(tiny_files.used_rows())] = 1
            state[key] = tensor * kept
    return state


@pytest.mark.parametrize("model", tiny_files.MODELS)
def test_every_tensor_comes_back_rounded_once_under_its_official_name(tiny, model):
    read = read_state_dict(tiny[1][model])
    expected = _expected(model)
    assert sorted(read) == sorted(expected)
    assert [key for key in read if not torch.equal(read[key], expected[key])] == []


@pytest.mark.parametrize("model", tiny_files.MODELS)
def test_the_doctor_finds_the_file_whole(tiny, model):
    (report,) = diagnose(tiny[1][model]).reports
    assert (report.model, report.backbone, report.missing, report.unused, report.misshapen) == (
        model, "tiny", (), (), (),
    )  # fmt: skip


def _scores(model: str, path) -> np.ndarray:
    options = LoadOptions(backbone="tiny", checkpoint=path, settings={"linears": "plain"})
    adapter = find_adapter(model).load_class().load(options)
    adapter.set_vocabulary(["airplane", "bare soil", "mobile home", "water"])
    image = np.random.default_rng(0).integers(0, 256, (96, 128, 3), np.uint8)
    (found,) = adapter.predict([image], image_ids=["0"])
    return np.asarray(found.scores)


@pytest.mark.parametrize("model", tiny_files.MODELS)
def test_a_compact_file_predicts_what_its_full_weights_predict(tiny, tmp_path, model):
    torch.save({"model": _expected(model)}, tmp_path / "rounded.pth")
    torch.save({"model": tiny_files.trained_state(model, 1)}, tmp_path / "unrounded.pth")
    compact, rounded, unrounded = (
        _scores(model, path) for path in (tiny[1][model], tmp_path / "rounded.pth", tmp_path / "unrounded.pth")
    )
    assert np.array_equal(compact, rounded)
    assert np.abs(compact - unrounded).max() < 0.02 * np.ptp(unrounded)


def test_two_trainings_of_one_model_share_what_was_frozen_and_nothing_else(tiny):
    card = read_card(tiny[1]["cat-seg"])
    assert [share.file for share in card.shares] == ["clip-base.safetensors"]
    (share,) = card.shares
    trained = tiny_files.layout_of("cat-seg").trained
    assert not [key for key in share.tensors if re.fullmatch(trained, key)]
    keys = "sem_seg_head.predictor.clip_model.transformer.resblocks.0.attn.k_proj_weight"
    assert share.tensors[keys].key == "transformer.resblocks.0.attn.in_proj_weight"
    assert share.tensors[keys].rows == (64, 128)  # the keys, between queries and values


def test_a_file_is_as_small_as_what_was_trained(tiny):
    for model, path in tiny[1].items():
        # Half the bytes of the trained values, and names: those of the largest networks take some 50 kB.
        assert path.stat().st_size < 2 * tiny_files.layout_of(model).trained_values + 70_000, model


def test_equal_input_gives_equal_bytes(tmp_path):
    digests = set()
    for turn in (1, -1):
        folder = tmp_path / str(turn)
        base = {"x": _random(4, 3), "n": torch.arange(5)}
        write_compact(folder / "base.safetensors", base, CARD)
        state = dict([("a", _random(4, 3)), ("b", _random(7, seed=2)), ("c", torch.arange(3))][::turn])
        digests.add(write_compact(folder / "x.safetensors", state, CARD, bases=[folder / "base.safetensors"]))
    assert len(digests) == 1


def test_whole_numbers_are_stored_as_they_are(tmp_path):
    numbers = torch.tensor([2**40 + 1, -3])
    write_compact(tmp_path / "x.safetensors", {"n": numbers, "f": torch.ones(2)}, CARD)
    read = read_state_dict(tmp_path / "x.safetensors")
    assert torch.equal(read["n"], numbers)
    assert read["f"].dtype == torch.float32


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_values_are_rounded_to_the_stored_type_and_no_further_by_a_base(tmp_path, dtype):
    state = {"x": _random(8, 8), "own": _random(3, seed=1)}
    write_compact(tmp_path / "base.safetensors", {"x": state["x"]}, CARD)  # float16
    write_compact(tmp_path / "x.safetensors", state, CARD, stored_as=dtype, bases=[tmp_path / "base.safetensors"])
    assert torch.equal(read_state_dict(tmp_path / "x.safetensors")["x"], state["x"].to(dtype).float())
    assert bool(read_card(tmp_path / "x.safetensors").shares) == (dtype == torch.float16)


def test_values_beyond_the_stored_type_are_refused_not_made_infinite(tmp_path):
    with pytest.raises(CheckpointError, match=r"scale of .* too large for float16; store it as float32"):
        write_compact(tmp_path / "x.safetensors", {"scale": torch.tensor([7e4])}, CARD)
    write_compact(tmp_path / "x.safetensors", {"scale": torch.tensor([7e4])}, CARD, stored_as=torch.bfloat16)
    assert read_state_dict(tmp_path / "x.safetensors")["scale"].isfinite().all()
    assert [path.name for path in tmp_path.iterdir()] == ["x.safetensors"]


def test_rows_that_are_not_stored_come_back_as_zeros_and_that_is_said(tmp_path):
    table = _random(1000, 4)
    write_compact(tmp_path / "x.safetensors", {"t": table}, CARD, rows={"t": [999, 3, 3, 7]})
    read = read_state_dict(tmp_path / "x.safetensors")["t"]
    assert torch.equal(read[[3, 7, 999]], table[[3, 7, 999]].half().float())
    assert read.count_nonzero() == 12
    (partial,) = partial_tables(tmp_path / "x.safetensors", read_card(tmp_path / "x.safetensors"))
    assert partial.sentence.startswith("of the 1,000 rows of t 3 are stored and the others are zeros: class names")


def test_a_table_of_a_base_is_shared_whatever_its_other_rows_are(tmp_path):
    table = _random(1000, 4)
    write_compact(tmp_path / "base.safetensors", {"t": table}, CARD, rows={"t": [3, 7]})
    other = _random(1000, 4, seed=9)
    other[[3, 7]] = table[[3, 7]]
    path = tmp_path / "x.safetensors"
    write_compact(
        path, {"u": other, "own": _random(3)}, CARD, rows={"u": [3, 7]}, bases=[tmp_path / "base.safetensors"]
    )
    (share,) = read_card(path).shares
    assert share.tensors["u"].key == "t"
    assert [table.key for table in partial_tables(path, read_card(path))] == ["u"]


@pytest.mark.parametrize("rows", [{"u": [1]}, {"t": []}, {"t": [10]}, {"t": [-1]}])
def test_rows_that_are_not_there_are_refused(tmp_path, rows):
    with pytest.raises(CheckpointError, match="are to be stored in"):
        write_compact(tmp_path / "x.safetensors", {"t": _random(10, 2)}, CARD, rows=rows)


@pytest.fixture
def pair(tmp_path):
    """A base file, and a file that holds nothing but what it shares."""
    write_compact(tmp_path / "base.safetensors", {"x": _random(6, 3)}, CARD)
    state = {"a": _random(6, 3), "b": _random(6, 3)[3:], "c": _random(5, seed=4)}
    write_compact(tmp_path / "x.safetensors", state, CARD, bases=[tmp_path / "base.safetensors"])
    return tmp_path / "x.safetensors"


def test_a_missing_base_a_wrong_one_and_one_without_a_card_are_named(pair, tmp_path):
    base = tmp_path / "base.safetensors"
    moved = shutil.move(pair, tmp_path / "elsewhere.safetensors")
    write_compact(base, {"x": _random(6, 3, seed=5)}, CARD)
    with pytest.raises(CheckpointError, match=r"with base.safetensors \(sha256 \w{12}\), but .* is another file"):
        read_state_dict(moved)
    base.unlink()
    with pytest.raises(CheckpointError, match=r"base.safetensors .*, which is not in the same folder; put it there"):
        read_state_dict(moved)


def test_a_base_lies_in_the_same_folder_and_shares_nothing_itself(pair, tmp_path):
    with pytest.raises(CheckpointError, match="itself made of other files; give a base file"):
        write_compact(tmp_path / "y.safetensors", {"a": _random(6, 3)}, CARD, bases=[pair])
    with pytest.raises(CheckpointError, match="put both into one folder"):
        write_compact(tmp_path / "in" / "y.safetensors", {"a": _random(6, 3)}, CARD, bases=[pair])
    torch.save({"x": _random(6, 3)}, tmp_path / "base.pth")
    with pytest.raises(CheckpointError, match="has no card; give a base file"):
        write_compact(tmp_path / "y.safetensors", {"a": _random(6, 3)}, CARD, bases=[tmp_path / "base.pth"])


def test_shared_tensors_may_be_written_to_without_changing_each_other(pair):
    read = read_state_dict(pair)
    read["a"].zero_()
    assert read["b"].count_nonzero() == 9
    assert torch.equal(read_state_dict(pair)["a"], _random(6, 3).half().float())


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"tables": {"c": {"stored": 2, "of": 9}}}, "says that it holds rows of c, but they are not in it"),
        ({"shares": "nowhere"}, "wants nowhere of base.safetensors, which does not hold it"),
        ({"shares": (3, 99)}, "wants x of base.safetensors, which does not hold it"),
    ],
)
def test_a_card_that_does_not_fit_its_tensors_is_one_sentence(pair, change, sentence):
    from safetensors.torch import load_file, save_file

    card = read_card(pair).model_dump(mode="json", exclude_none=True)
    wanted = change.get("shares")
    if wanted is None:
        card |= change
    else:
        card["shares"][0]["tensors"]["a"] = {"key": wanted} if isinstance(wanted, str) else {"key": "x", "rows": wanted}
    import json

    save_file(load_file(pair), pair, metadata={METADATA_KEY: json.dumps(card)})
    with pytest.raises(CheckpointError, match=sentence):
        read_state_dict(pair)


def test_rows_that_contradict_the_card_are_one_sentence(tmp_path):
    path = tmp_path / "x.safetensors"
    write_compact(path, {"t": _random(10, 2)}, CARD, rows={"t": [1, 9]})
    from safetensors.torch import load_file

    card = read_card(path).model_copy(update={"tables": {}})
    shorter = WeightsCard.model_validate({**dict(card), "tables": {"t": {"stored": 2, "of": 9}}})
    write_weights(path, load_file(path), shorter)
    with pytest.raises(CheckpointError, match=r"The rows of t in .* do not fit a table of 9"):
        read_state_dict(path)
