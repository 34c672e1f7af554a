"""``ovrisis-bench ablate`` on drawn scenes: tiny networks, one step, one image."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from filelock import FileLock

from ovrisisbench.adapter.checkpoints import read_state_dict
from ovrisisbench.adapter.own_files import read_card
from ovrisisbench.adapter.shipped import find_encoders, shipped_path
from ovrisisbench.benchmark import ablations
from ovrisisbench.benchmark.ablation_plan import plan_ablations
from ovrisisbench.benchmark.ablations import AblateOptions, AblationReport, ablate, standing
from ovrisisbench.benchmark.training import TrainOptions
from ovrisisbench.cli import cli
from ovrisisbench.errors import AdapterError, CatalogError, DataError, TrainingError
from ovrisisbench.leaderboard import leaderboard_table
from ovrisisbench.records import read_records

RECIPE = {"iterations": "1", "batch": "1"}
OF_COMMAND = [
    "--train-set",
    "isaid",
    "--test-sets",
    "isaid",
    "--seeds",
    "1",
    "--iterations",
    "1",
    "--recipe",
    "batch=1",
]
OF_COMMAND += ["--limit", "1", "--device", "cpu", "--threads", "1"]


class _Begun(AblationReport):
    """Keeps what was begun; stops before one of them, as a kill would."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.names: list[str] = []
        self._stop_at = stop_at

    def begin(self, training, done, total) -> None:
        if len(self.names) == self._stop_at:
            raise KeyboardInterrupt
        self.names.append(training.name)


@pytest.fixture(scope="module")
def options(drawn_data: Path) -> AblateOptions:
    return AblateOptions(
        train_sets=["isaid"],
        test_sets=["isaid"],
        data=drawn_data,
        limit=1,
        training=TrainOptions(backbone="tiny", recipe=RECIPE, device="cpu", threads=1),
    )


@pytest.fixture(scope="module")
def ablated(options: AblateOptions, tmp_path_factory: pytest.TempPathFactory):
    """A folder with all tables, once interrupted, and what was begun before and after."""
    folder = tmp_path_factory.mktemp("ablated")
    before, after = _Begun(stop_at=3), _Begun()
    with pytest.raises(KeyboardInterrupt):
        ablate(["all"], to=folder, options=options, report=before)
    tables = ablate(["all"], to=folder, options=options, report=after)
    return folder, {table.name: table for table in tables}, before.names, after.names


def _weights(folder: Path, options: AblateOptions, ablation: str) -> list[dict[str, torch.Tensor]]:
    (block,) = plan_ablations([ablation], options).blocks
    return [
        read_state_dict(folder / "trained" / row.trainings[0] / "model_final.safetensors")
        for row in block.rows
        if row.trainings
    ]


def _has(state, *parts: str) -> tuple[bool, ...]:
    return tuple(any(part in name for name in state) for part in parts)


def test_the_parts_that_a_row_of_table_2_lacks_are_not_in_its_network(ablated, options) -> None:
    parts = ("dino_model.", "clip_model_remote.", "spatial_fusion", "swin_block")
    found = [(_channels(state), *_has(state, *parts)) for state in _weights(ablated[0], options, "components")]
    assert found == [
        (1, False, False, False, True),
        (4, False, False, False, True),
        (1, True, False, False, True),
        (1, False, True, False, True),
        (4, True, False, False, True),
        (4, True, True, False, True),
        (4, True, True, True, False),
    ]


def _channels(state) -> int:
    (conv1,) = [value for name, value in state.items() if name.endswith("transformer.conv1.weight")]
    return conv1.shape[1]


def test_fusion_and_layers_reach_the_network(ablated, options) -> None:
    fusions = [(_channels(state), *_has(state, "fusion_corr")) for state in _weights(ablated[0], options, "fusion")]
    assert fusions == [(1, False), (5, False), (4, True)]
    layers = [
        len({name.split("layers.")[1].split(".")[0] for name in state if "layers." in name and "fusion" in name})
        for state in _weights(ablated[0], options, "layers")
    ]
    assert layers == [2, 3, 4, 5, 6]


def test_exactly_the_encoders_of_a_row_of_table_6_have_learnt(ablated, options) -> None:
    frozen, dino, clip, both = _weights(ablated[0], options, "finetuning")

    def learnt(state, part: str) -> bool:
        names = [name for name in state if part in name]
        assert names
        return any(not torch.equal(state[name], frozen[name]) for name in names)

    attention = ("clip_model.visual", "dino_model.")
    assert [[learnt(state, part) for part in attention] for state in (dino, clip, both)] == [
        [False, True],
        [True, False],
        [True, True],
    ]
    card = read_card(_folder(ablated[0], options, "finetuning", 0) / "model_final.safetensors")
    assert card.recipe["finetune"] == "none"


def _folder(folder: Path, options: AblateOptions, ablation: str, row: int) -> Path:
    (block,) = plan_ablations([ablation], options).blocks
    return folder / "trained" / block.rows[row].trainings[0]


def test_rows_that_are_equal_in_two_tables_are_trained_once(ablated, options) -> None:
    folder, tables, before, after = ablated
    rows = sum(bool(line.figures) for table in tables.values() for line in table.blocks[0].lines)
    assert (rows, len(before) + len(after)) == (23, 16)
    assert len({path.name for path in (folder / "trained").glob("isaid*")}) == 16
    whole = [tables["components"].blocks[0].lines[-1], tables["fusion"].blocks[0].lines[-1]]
    assert whole[0].figures == whole[1].figures == tables["layers"].blocks[0].lines[0].figures


def test_an_interrupted_ablation_goes_on_where_it_stopped_and_a_finished_one_does_nothing(ablated, options) -> None:
    folder, tables, before, after = ablated
    assert len(before) == 3
    assert not set(before) & set(after)
    again = _Begun()
    assert ablate(["all"], to=folder, options=options, report=again) == list(tables.values())
    assert again.names == []
    assert {found.state for found in standing(["all"], to=folder, options=options)} == {"done"}


def test_a_lost_record_is_measured_again_without_training(ablated, options, tmp_path) -> None:
    (block,) = plan_ablations(["fusion"], options).blocks
    for kind in ("trained", "results"):
        for row in block.rows:
            shutil.copytree(ablated[0] / kind / row.trainings[0], tmp_path / kind / row.trainings[0])
    weights = tmp_path / "trained" / block.rows[1].trainings[0] / "model_final.safetensors"
    written = weights.stat().st_mtime_ns
    (record,) = (tmp_path / "results" / block.rows[1].trainings[0]).rglob("*.record.json")
    record.unlink()
    states = [found.state for found in standing(["fusion"], to=tmp_path, options=options)]
    assert states == ["done", "to be measured", "done"]
    report = _Begun()
    tables = ablate(["fusion"], to=tmp_path, options=options, report=report)
    assert report.names == [block.rows[1].trainings[0]]
    assert weights.stat().st_mtime_ns == written
    assert tables == [ablated[1]["fusion"]]


def test_figures_are_those_of_the_records_which_the_leaderboard_reads(ablated, options) -> None:
    folder, tables, _, _ = ablated
    plan = plan_ablations(["all"], options)
    for block in plan.blocks:
        for planned, line in zip(block.rows, tables[block.ablation].blocks[0].lines, strict=True):
            records = [record for name in planned.trainings for record in read_records(folder / "results" / name)]
            assert bool(records) == (not line.missing)
            for metric, found in line.figures.items():
                values = [100 * getattr(record.metrics, metric) for record in records]
                np.testing.assert_allclose(found.mean, np.mean(values), rtol=1e-12)
    board = leaderboard_table(read_records(folder / "results"), ())
    rows = [row for section in board.sections for part in section.blocks for row in part.rows]
    assert sum(not row.computed for row in rows) == 16


def test_two_processes_share_a_folder_and_one_waits_for_what_the_other_has_in_hand(
    ablated, options, monkeypatch
) -> None:
    folder, tables, _, _ = ablated
    monkeypatch.setattr(ablations, "_PATIENCE", 0.01)
    name = next(iter(plan_ablations(["fusion"], options).trainings))
    others = FileLock(folder / "trained" / f".{name}.lock")
    others.acquire()
    waited = []

    class _Other(_Begun):
        def wait(self, trainings: int) -> None:
            waited.append(trainings)
            others.release()

    report = _Other()
    assert ablate(["fusion"], to=folder, options=options, report=report) == [tables["fusion"]]
    assert (waited, report.names) == ([1], [])


def test_rows_of_a_natural_dino_without_its_file_are_said_not_to_have_been_run(ablated, options, tmp_path) -> None:
    lines = ablated[1]["pretrained"].blocks[0].lines
    assert [bool(line.missing) for line in lines] == [False, False, True, False, True, False, True]
    assert lines[2].missing.startswith("needs --weights natural_dino=FILE: DINO ViT-B/8 as pre-trained on natural")
    files = {name: tmp_path / f"{name}.pth" for name in ("natural_dino", "dino")}
    for name, path in files.items():
        path.write_text(name)
    given = replace(options, training=replace(options.training, weights=files))
    plan = plan_ablations(["pretrained"], given)
    (block,) = plan.blocks
    assert not [row.missing for row in block.rows if row.missing]
    assert len(plan.trainings) == 7
    started = [dict(plan.trainings[row.trainings[0]].options.weights) for row in block.rows[:3]]
    assert started == [{}, {"dino": files["dino"]}, {"dino": files["natural_dino"]}]


def test_the_caption_names_files_as_they_were_asked_for(ablated, options, tmp_path) -> None:
    folder = shutil.copytree(ablated[0], tmp_path / "again")
    state = read_state_dict(shipped_path(find_encoders("rskt-seg", "tiny")["dino"]))
    file = tmp_path / "natural.pth"
    torch.save({name: value + 0.01 for name, value in state.items()}, file)
    with_file = replace(options, training=replace(options.training, weights={"natural_dino": file}))
    (table,) = ablate(["pretrained"], to=folder, options=with_file)
    assert not [line.missing for line in table.blocks[0].lines if line.missing]
    assert table.training.endswith("from files of CLIP, dino, natural_dino, remote_clip")
    assert ablated[1]["pretrained"].training.endswith("from files of CLIP, dino, remote_clip")


def test_large_networks_need_files_for_every_encoder_unless_they_may_start_at_random(options) -> None:
    large = replace(options, training=replace(options.training, backbone="vit-b"))
    (block,) = plan_ablations(["components"], large).blocks
    assert [bool(row.missing) for row in block.rows] == [False, False, True, True, True, True, True]
    random = replace(large, training=replace(large.training, untrained=True))
    assert not [row for row in plan_ablations(["components"], random).blocks[0].rows if row.missing]
    with pytest.raises(TrainingError, match=r"There is nothing to run: needs --weights dino=FILE: RSIB.pth"):
        plan_ablations(["fusion"], large)


def test_another_recipe_seed_or_setting_is_another_training(options) -> None:
    def names(**changes) -> set[str]:
        return set(plan_ablations(["fusion"], replace(options, **changes)).trainings)

    base = names()
    assert names(limit=3) == base, "what is measured does not change what is trained"
    seeds = names(seeds=(0, 7))
    assert base < seeds
    assert len(seeds) == 6
    training = options.training
    assert not base & names(training=replace(training, recipe={**RECIPE, "lr": "0.001"}))
    assert not base & names(training=replace(training, settings={"layers": "3"}))
    assert not base & names(training=replace(training, untrained=True))


@pytest.mark.parametrize(
    ("names", "changes", "error", "words"),
    [
        (["fusoin"], {}, AdapterError, r"has no ablation 'fusoin'; it has components, .* Did you mean 'fusion'\?"),
        (["fusion"], {"model": "cat-seg"}, AdapterError, r"CAT-Seg has no ablations; say --model with one of rskt-seg"),
        (["fusion"], {"seeds": (1, 1)}, TrainingError, r"no seed, or one of them twice"),
        (["fusion"], {"test_sets": ["isiad"]}, CatalogError, r"does not test 'isiad'"),
        (["fusion"], {"test_sets": None}, DataError, r"dlrsd, potsdam, vaihingen is not prepared"),
    ],
)
def test_mistakes_are_found_before_anything_is_trained(options, tmp_path, *, names, changes, error, words) -> None:
    with pytest.raises(error, match=words):
        ablate(names, to=tmp_path / "to", options=replace(options, **changes), report=_Begun(stop_at=0))
    assert not list(tmp_path.rglob("*.safetensors"))


def test_a_file_that_no_row_starts_from_is_refused(options, tmp_path) -> None:
    given = replace(options, training=replace(options.training, weights={"dinos": tmp_path}))
    with pytest.raises(AdapterError, match=r"No row starts from a file named 'dinos'; .* Did you mean 'dino'\?"):
        plan_ablations(["fusion"], given)


def test_torchrun_is_refused(options, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(TrainingError, match=r"start the same command several times, no torchrun"):
        ablate(["fusion"], to=tmp_path, options=options)


def test_the_command_shows_and_exports_what_the_call_returns(ablated, options, tmp_path) -> None:
    folder, tables, _, _ = ablated
    arguments = ["ablate", "components", "fusion", "--to", str(folder), "--data", str(options.data), *OF_COMMAND]
    exports = [tmp_path / f"table.{suffix}" for suffix in ("md", "tex", "csv", "json")]
    shown = CliRunner().invoke(cli, [*arguments, *(word for path in exports for word in ("--export", str(path)))])
    assert shown.exit_code == 0, shown.output
    assert "Proposed components (RSKT-Seg tiny, after OVRISISBench, table 2)" in shown.stdout
    assert "to be trained" not in shown.stderr
    content = json.loads(CliRunner().invoke(cli, [*arguments, "--json"]).stdout)
    assert content == json.loads(exports[3].read_text())
    own = tables["fusion"].blocks[0].lines[0].figures["miou"]
    assert content["tables"][1]["blocks"][0]["rows"][0]["figures"]["miou"]["by_seed"] == list(own.values)
    assert f"{own.mean:.2f}"[:-1] in exports[0].read_text()
    assert exports[1].read_text().count(r"\begin{table}") == 2
    assert len(exports[2].read_text().splitlines()) == 1 + 7 + 3


def test_a_dry_run_says_what_would_be_trained_and_trains_nothing(options, tmp_path) -> None:
    arguments = ["ablate", "fusion", "layers", "--to", str(tmp_path / "to"), "--data", str(options.data), *OF_COMMAND]
    shown = CliRunner().invoke(cli, [*arguments, "--dry-run"])
    assert shown.exit_code == 0, shown.output
    assert "fusion=concatenation layers=2" in shown.stdout
    assert "for fusion isaid: fusion=separate; layers isaid: layers=2; tested on isaid" in shown.stdout
    assert shown.stdout.endswith("7 training(s) for 8 row(s) and seed(s); 7 not done yet\n")
    assert not (tmp_path / "to").exists()
    plan = json.loads(CliRunner().invoke(cli, [*arguments, "--dry-run", "--json"]).stdout)
    assert [entry["state"] for entry in plan["trainings"]] == ["to be trained"] * 7


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--seeds", "two"], "neither a number of seeds nor a list"),
        (["--iterations", "1", "--recipe", "iterations=2"], "say it once"),
        (["--export", "table.pdf"], "no export to '.pdf' files"),
    ],
)
def test_impossible_options_are_refused(arguments: list[str], words: str) -> None:
    result = CliRunner().invoke(cli, ["ablate", "fusion", *arguments])
    assert result.exit_code != 0
    assert words in (result.stderr or str(result.exception)) + str(result.exception)


def test_seeds_are_a_number_or_a_list(options, tmp_path) -> None:
    arguments = [
        "ablate",
        "fusion",
        "--to",
        str(tmp_path),
        "--data",
        str(options.data),
        *OF_COMMAND,
        "--dry-run",
        "--json",
    ]
    for typed, seeds in (("2", [0, 1]), ("4,1", [4, 1])):
        plan = json.loads(CliRunner().invoke(cli, [*arguments, "--seeds", typed]).stdout)
        assert [entry["seed"] for entry in plan["trainings"][:2]] == seeds
